"""Client keys, and what mobile and embedded checkouts do with them (facts 1.2, 5.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import PUBLIC_URL, parameters

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.actors import Json, MerchantCaller, Tester

KEYS = "/v2/client_keys"
SHOP = "https://checkout.example.com"
NOBODY = "11111111-1111-4111-8111-111111111111"
MOCK_BANK = "6b1f5d0a-52a5-4b0e-9d2e-0c1f6f0f6a01"
MOCK_BANK_EU = "6b1f5d0a-52a5-4b0e-9d2e-0c1f6f0f6a06"
OFFLINE = "6b1f5d0a-52a5-4b0e-9d2e-0c1f6f0f6a04"


def makes_key(merchant: MerchantCaller, *domains: str) -> str:
    token: str = merchant.ask("POST", KEYS, json={"domains": list(domains or [SHOP])}, expect=201)["token"]
    return token


def calls(client: FlaskClient, method: str, payment_id: str, key: str, **options: Any) -> TestResponse:
    path = f"/v2/checkout_sessions/{payment_id}?api_key={key}&logo_format=png"
    return client.open(path, method=method, **options)


def chooses(client: FlaskClient, payment: Json, key: str, provider: str) -> TestResponse:
    return calls(client, "PATCH", payment["id"], key, json={"provider_id": provider})


def test_a_client_key_is_told_once(merchant: MerchantCaller) -> None:
    key = merchant.ask("POST", KEYS, json={"domains": [SHOP, "http://127.0.0.1:3000"]}, expect=201)
    assert list(key) == ["domains", "token", "id"]
    assert key["domains"] == [SHOP, "http://127.0.0.1:3000"]
    assert re.fullmatch("[0-9a-f]{32}", key["token"])
    assert key["token"] != makes_key(merchant)


@pytest.mark.parametrize(
    ("body", "status", "parameter"),
    [
        ({}, 400, "domains"),
        ({"domains": []}, 422, "domains"),
        ({"domains": "https://shop.example"}, 422, "domains"),
        ({"domains": ["shop.example"]}, 422, "domains/0"),
        ({"domains": ["https://shop.example/pay"]}, 422, "domains/0"),
        ({"domains": ["https://shop.example/"]}, 422, "domains/0"),
        ({"domains": ["https://me@shop.example"]}, 422, "domains/0"),
        ({"domains": ["javascript:alert(1)"]}, 422, "domains/0"),
        ({"domains": [SHOP, 7]}, 422, "domains/1"),
    ],
)
def test_what_is_no_origin_is_refused(merchant: MerchantCaller, body: Json, status: int, parameter: str) -> None:
    answer = merchant.ask("POST", KEYS, json=body, expect=status)
    assert list(parameters(answer)) == [parameter]


def test_a_payers_app_sees_what_is_to_be_paid_and_by_which_banks(client: FlaskClient, merchant: MerchantCaller) -> None:
    payment = merchant.requests_payment()
    session = calls(client, "GET", payment["id"], makes_key(merchant)).json
    assert list(session) == [
        *("id", "state", "amount", "amount_formatted", "currency", "line_items", "payee", "payer_details_required"),
        *("provider_brands", "terms_and_conditions", "end_to_end_id", "affiliate_id", "logo"),
    ]
    assert {name: session[name] for name in ("id", "state", "amount", "amount_formatted", "line_items", "payee")} == {
        name: payment[name] for name in ("id", "state", "amount", "amount_formatted", "line_items", "payee")
    }
    assert session["payer_details_required"] is True
    [brand] = session["provider_brands"]
    assert (brand["name"], brand["logo"]) == ("Mock Bank", f"{PUBLIC_URL}/assets/banks/mock-bank.svg")
    assert brand["providers"][0] == {"id": MOCK_BANK, "name": "Mock Bank", "status": "AVAILABLE", "status_detail": None}
    assert brand["providers"][3] == {
        "id": OFFLINE,
        "name": "Mock Bank Offline",
        "status": "UNAVAILABLE",
        "status_detail": "It is down for maintenance; please choose another bank.",
    }
    for url in (brand["logo"], session["terms_and_conditions"]):
        with client.get(url.removeprefix(PUBLIC_URL)) as shown:
            assert shown.status_code == 200


def test_payers_in_other_currencies_see_their_own_banks(client: FlaskClient, merchant: MerchantCaller) -> None:
    items = [{"name": "Candles", "amount": 400, "currency": "AUD", "quantity": 1}]
    payment = merchant.requests_payment(line_items=items, payer={"name": "Jane Doe", "email": "jane@doe.com"})
    session = calls(client, "GET", payment["id"], makes_key(merchant)).json
    assert session["payer_details_required"] is False
    assert [brand["name"] for brand in session["provider_brands"]] == ["Mock Bank AU"]


def test_picking_a_bank_tells_where_to_go(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> None:
    payment, key = merchant.requests_payment(), makes_key(merchant)
    chosen = chooses(client, payment, key, MOCK_BANK)
    assert chosen.status_code == 200
    assert chosen.json["redirect_url"] == f"{PUBLIC_URL}/bank/{payment['id']}"
    assert chosen.json["state"] == merchant.reads_payment(payment["id"])["state"] == "awaiting_payment_consent"
    assert client.get(f"/bank/{payment['id']}").status_code == 200
    for provider in (OFFLINE, NOBODY):
        assert chooses(client, payment, key, provider).status_code == 422
    assert calls(client, "PATCH", payment["id"], key, json={}).status_code == 400
    tester.pays(payment)
    assert chooses(client, payment, key, MOCK_BANK).status_code == 422


@pytest.mark.parametrize(
    ("provider", "reason"),
    [
        (OFFLINE, "Mock Bank Offline is unavailable: It is down"),
        (MOCK_BANK_EU, "Mock Bank EU does not pay in GBP."),
        (NOBODY, f"There is no provider '{NOBODY}'; known are: Mock Bank, "),
    ],
)
def test_a_bank_that_cannot_be_picked_is_refused(
    client: FlaskClient, merchant: MerchantCaller, provider: str, reason: str
) -> None:
    payment = merchant.requests_payment()
    refused = chooses(client, payment, makes_key(merchant), provider)
    [error] = refused.json["errors"]
    assert (refused.status_code, error["code"], error["source"]) == (
        *(422, "invalid_request"),
        {"parameter": "provider_id"},
    )
    assert error["title"].startswith(reason)
    assert error["title"].endswith(" Try a different provider.")
    assert merchant.reads_payment(payment["id"]) == payment


def test_a_wrong_key_and_anothers_payment_are_refused(
    client: FlaskClient, merchant: MerchantCaller, other_merchant: MerchantCaller
) -> None:
    payment = merchant.requests_payment()
    for wrong in ("", "nonsense", payment["id"]):
        assert calls(client, "GET", payment["id"], wrong).status_code == 403
    assert client.get(f"/v2/checkout_sessions/{payment['id']}").status_code == 403
    assert calls(client, "GET", payment["id"], makes_key(other_merchant)).status_code == 404
    assert calls(client, "GET", NOBODY, makes_key(merchant)).status_code == 404
    assert merchant.call("GET", f"/v2/checkout_sessions/{payment['id']}").status_code == 403


def test_only_pages_for_which_the_key_is_may_call(client: FlaskClient, merchant: MerchantCaller) -> None:
    payment, key = merchant.requests_payment(), makes_key(merchant)
    for method in ("GET", "OPTIONS"):
        ours = calls(client, method, payment["id"], key, headers={"Origin": SHOP})
        assert ours.status_code < 300
        assert ours.headers["Access-Control-Allow-Origin"] == SHOP
        assert "PATCH" in ours.headers["Access-Control-Allow-Methods"]
        assert ours.headers["Vary"] == "Origin"
        theirs = calls(client, method, payment["id"], key, headers={"Origin": "https://evil.example"})
        assert theirs.status_code == 403
        assert "Access-Control-Allow-Origin" not in theirs.headers
    app = calls(client, "GET", payment["id"], key)
    assert "Access-Control-Allow-Origin" not in app.headers
    listed = merchant.call("GET", "/v2/payment_sessions", headers={"Origin": SHOP})
    assert "Access-Control-Allow-Origin" not in listed.headers


def test_the_calls_are_in_the_merchants_journal_without_the_key(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    payment, key = merchant.requests_payment(), makes_key(merchant)
    chooses(client, payment, key, MOCK_BANK)
    world = "/__admin/merchants/pk_test_simulator"
    assert key not in tester.call("GET", f"{world}/events").text
    [call] = tester.ask("GET", f"{world}/requests?method=PATCH")["requests"]
    assert (call["subject"], call["data"]["status"]) == (payment["id"], 200)
    timeline = tester.ask("GET", f"/__admin/payment_sessions/{payment['id']}/timeline")["events"]
    [changed] = [event for event in timeline if event["kind"] == "payment_session.changed"]
    assert changed["because"] == call["number"]


def test_picking_a_bank_again_with_the_same_idempotency_key_does_it_once(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    payment, key = merchant.requests_payment(), makes_key(merchant)
    headers = {"Idempotency-Key": "once"}
    body = {"provider_id": MOCK_BANK}
    answers = [calls(client, "PATCH", payment["id"], key, json=body, headers=headers) for _ in range(2)]
    assert answers[0].data == answers[1].data
    other = calls(client, "PATCH", payment["id"], key, json={"provider_id": OFFLINE}, headers=headers)
    assert (other.status_code, other.json["errors"][0]["code"]) == (422, "invalid_idempotency_key")
    timeline = tester.ask("GET", f"/__admin/payment_sessions/{payment['id']}/timeline")["events"]
    assert len([event for event in timeline if event["kind"] == "payment_session.changed"]) == 1


def test_that_a_browser_asks_whether_it_may_call_uses_up_no_fault_and_is_no_call(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    payment, key = merchant.requests_payment(), makes_key(merchant)
    world = "/__admin/merchants/pk_test_simulator"
    tester.ask("POST", f"{world}/faults", json={"preset": "rate_limited", "times": 1}, expect=201)
    asked = calls(client, "OPTIONS", payment["id"], key, headers={"Origin": SHOP})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, SHOP)
    assert tester.ask("GET", f"{world}/requests?method=OPTIONS")["requests"] == []
    assert calls(client, "GET", payment["id"], key).status_code == 429


@pytest.mark.parametrize(
    ("domain", "origin"),
    [
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("https://SHOP.example", "https://shop.example"),
        ("https://shop.example:80", "https://shop.example:80"),
    ],
)
def test_a_port_that_browsers_leave_out_need_not_be_left_out(
    client: FlaskClient, merchant: MerchantCaller, domain: str, origin: str
) -> None:
    payment, key = merchant.requests_payment(), makes_key(merchant, domain)
    assert calls(client, "GET", payment["id"], key, headers={"Origin": origin}).status_code == 200


def test_a_reset_forgets_client_keys(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> None:
    key = makes_key(merchant)
    assert tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")["discarded"]["client_keys"] == 1
    assert calls(client, "GET", NOBODY, key).status_code == 403
