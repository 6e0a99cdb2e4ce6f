"""Refunds over HTTP (facts 3)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.actors import PUBLIC_URL, MerchantCaller, parameters, payment_request, refund_id

if TYPE_CHECKING:
    from flask import Flask

    from tests.actors import Json, Tester

JANE = {"account_number": "87654321", "name": "Jane Doe", "sort_code": "040506"}
JOHN = {"account_number": "11223344", "name": "John Roe", "sort_code": "070809"}
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def paid(merchant: MerchantCaller, tester: Tester) -> Json:
    """A payment of £4.00 by a bank that keeps the payer's account to itself."""
    return tester.pays(merchant.requests_payment(pence=400))


@pytest.fixture
def paid_direct(merchant: MerchantCaller, tester: Tester) -> Json:
    """A payment of £4.00 by a bank that shares the payer's account."""
    return tester.pays(merchant.requests_payment(pence=400), "Mock Bank Direct")


def refund_session(merchant: MerchantCaller, refund: Json) -> Json:
    return merchant.reads_payment(merchant.reads_refund(refund)["refund_payment_session_id"])


def refunds_of(merchant: MerchantCaller, payment: Json) -> list[tuple[int, str]]:
    refunds = merchant.reads_payment(payment["id"])["refunds"]
    return [(refund["amount"], refund["state"]) for refund in refunds]


# How a refund starts


def test_a_refund_starts_without_details_and_tells_six_things(merchant: MerchantCaller, paid: Json) -> None:
    refund = merchant.refunds(paid, pence=150)
    assert list(refund.items())[:5] == [
        ("amount", 150),
        ("amount_formatted", "£1.50"),
        ("payment_session_id", paid["id"]),
        ("refund_payment_session_id", None),
        ("state", "awaiting_details"),
    ]
    assert list(refund)[5:] == ["url"]
    assert refund["url"].startswith(f"{PUBLIC_URL}/refunds/")


@pytest.mark.parametrize(
    ("provider", "state"),
    [
        ("Mock Bank", "awaiting_details"),
        ("Mock Bank Direct", "awaiting_payment"),
        ("Mock Bank Business", "awaiting_details"),
        ("Mock Bank AU", "awaiting_details"),
        ("Mock Bank EU", "awaiting_details"),
    ],
)
def test_the_bank_decides_where_a_refund_starts(
    merchant: MerchantCaller, tester: Tester, provider: str, state: str
) -> None:
    refund = merchant.refunds(tester.pays(merchant.requests_payment(), provider))
    assert refund["state"] == state
    assert (refund["refund_payment_session_id"] is None) == (state == "awaiting_details")


def test_a_refund_to_a_shared_account_has_its_payment_session_at_once(
    merchant: MerchantCaller, paid_direct: Json
) -> None:
    refund = merchant.refunds(paid_direct)
    account = merchant.ask("GET", f"/v2/payment_sessions/{paid_direct['id']}/consumer_account")
    session = refund_session(merchant, refund)
    assert session["payee"] == account
    assert session["state"] == "awaiting_provider"


def test_a_payee_is_used_when_the_bank_kept_the_account_to_itself(merchant: MerchantCaller, paid: Json) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    assert refund["state"] == "awaiting_payment"
    assert refund_session(merchant, refund)["payee"] == JANE


def test_a_payee_is_ignored_when_the_bank_shared_the_account(merchant: MerchantCaller, paid_direct: Json) -> None:
    refund = merchant.refunds(paid_direct, payee=JANE)
    assert refund["state"] == "awaiting_payment"
    assert refund_session(merchant, refund)["payee"] != JANE


def test_a_payee_may_be_an_iban(merchant: MerchantCaller, paid: Json) -> None:
    iban = {"account_identifier": "GB82WEST12345698765432", "identifier_type": "IBAN", "name": "Jane Doe"}
    assert refund_session(merchant, merchant.refunds(paid, payee=iban))["payee"] == iban


def test_a_payee_need_not_be_one_of_the_linked_accounts(merchant: MerchantCaller, paid: Json) -> None:
    assert merchant.refunds(paid, payee=JOHN)["state"] == "awaiting_payment"


@pytest.mark.parametrize("provider", ["Mock Bank", "Mock Bank Direct"])
def test_a_malformed_payee_is_refused_even_where_it_would_be_ignored(
    merchant: MerchantCaller, tester: Tester, provider: str
) -> None:
    payment = tester.pays(merchant.requests_payment(), provider)
    refusal = merchant.refunds(payment, payee={**JANE, "sort_code": "04-05-06"}, expect=422)
    assert parameters(refusal) == {"payee/sort_code": "invalid_bank_account"}
    assert refunds_of(merchant, payment) == []


def test_half_a_payee_is_refused(merchant: MerchantCaller, paid: Json) -> None:
    refusal = merchant.refunds(paid, payee={"account_number": "87654321"}, expect=400)
    assert parameters(refusal) == {"payee/sort_code": "bad_request"}


@pytest.mark.parametrize("nothing", [{"payee": None}, {"reference": None, "success_url": None, "error_url": None}])
def test_null_is_the_same_as_left_out(merchant: MerchantCaller, paid: Json, nothing: Json) -> None:
    assert merchant.refunds(paid, **nothing)["state"] == "awaiting_details"


# Its payment session


def test_details_make_the_payment_session(merchant: MerchantCaller, tester: Tester, paid: Json) -> None:
    refund = merchant.refunds(paid, pence=150)
    tester.provides_details(refund)
    refund = merchant.reads_refund(refund)
    assert refund["state"] == "awaiting_payment"
    assert merchant.reads_payment(paid["id"])["refunds"] == [
        {name: value for name, value in refund.items() if name != "url"}
    ]


def test_the_payment_session_pays_the_customer_from_the_merchant(merchant: MerchantCaller, paid: Json) -> None:
    refund = merchant.refunds(paid, pence=150, payee=JANE)
    session = refund_session(merchant, refund)
    assert {name: session[name] for name in ("amount", "amount_formatted", "currency", "payee", "payer")} == {
        "amount": 150,
        "amount_formatted": "£1.50",
        "currency": "GBP",
        "payee": JANE,
        "payer": {"email": "payments@merchant.example", "name": "Simulator"},
    }
    assert list(session) == list(paid)
    assert session["url"] == f"{PUBLIC_URL}/checkout/{session['id']}"
    assert session["refunds"] == []
    assert session["sent_at"] is None


def test_the_payment_session_has_the_urls_and_reference_of_the_refund(merchant: MerchantCaller, paid: Json) -> None:
    asked = {
        "success_url": "http://shop.example/refunded?id=__PAYMENT_ID__",
        "error_url": "http://shop.example/not-refunded",
        "reference": "refund Candles",
    }
    session = refund_session(merchant, merchant.refunds(paid, payee=JANE, **asked))
    assert {name: session[name] for name in asked} == asked


def test_the_payment_session_of_a_refund_without_urls_has_none(merchant: MerchantCaller, tester: Tester) -> None:
    urls = {"success_url": "http://shop.example/paid", "error_url": "http://shop.example/not-paid"}
    payment = tester.pays(merchant.requests_payment(**urls))
    session = refund_session(merchant, merchant.refunds(payment, payee=JANE))
    assert (session["success_url"], session["error_url"]) == (None, None)


def test_a_reference_is_made_up_where_none_is_given(merchant: MerchantCaller, paid: Json) -> None:
    sessions = [refund_session(merchant, merchant.refunds(paid, pence=1, payee=JANE)) for _ in range(2)]
    assert all(re.fullmatch("bnkd[0-9A-Za-z]{8}", session["reference"]) for session in sessions)
    assert sessions[0]["reference"] != sessions[1]["reference"]


@pytest.mark.parametrize(("currency", "formatted"), [("EUR", "€1.00"), ("AUD", "$1.00"), ("USD", "$1.00")])
def test_a_refund_has_the_currency_of_the_payment(
    merchant: MerchantCaller, tester: Tester, currency: str, formatted: str
) -> None:
    [item] = payment_request()["line_items"]
    payment = tester.pays(merchant.requests_payment(line_items=[{**item, "currency": currency}]))
    refund = merchant.refunds(payment, pence=100, currency="GBP", payee=JANE)
    assert refund["amount_formatted"] == formatted
    assert refund_session(merchant, refund)["currency"] == currency


def test_the_payment_session_stands_in_the_list(merchant: MerchantCaller, paid: Json) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    listed = [session["id"] for session in merchant.ask("GET", "/v2/payment_sessions")]
    assert listed == [refund["refund_payment_session_id"], paid["id"]]


def test_the_payment_session_is_never_refunded_itself(merchant: MerchantCaller, tester: Tester, paid: Json) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    session = {"id": refund["refund_payment_session_id"]}
    before = merchant.refunds(session, pence=1, expect=422)
    tester.pays(session)
    assert merchant.refunds(session, pence=1, expect=422) == before
    assert parameters(before) == {"payment_session_id": "invalid_action"}


def test_the_payment_session_comes_from_the_merchants_own_account(
    merchant: MerchantCaller, tester: Tester, paid: Json
) -> None:
    session = refund_session(merchant, merchant.refunds(paid, payee=JANE))
    tester.pays(session, "Mock Bank Direct")
    account = merchant.ask("GET", f"/v2/payment_sessions/{session['id']}/consumer_account")
    assert account == {"account_number": "12345678", "name": "Simulator", "sort_code": "010203"}


# How it ends


def test_a_refund_is_sent_once_its_payment_session_is(merchant: MerchantCaller, tester: Tester, paid: Json) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    id_ = refund["refund_payment_session_id"]
    for action in ("choose_provider", "initiate", "accept"):
        tester.acts(id_, action)
        assert merchant.reads_refund(refund)["state"] == "awaiting_payment"
    tester.acts(id_, "settle")
    assert merchant.reads_refund(refund)["state"] == "sent"
    assert merchant.reads_payment(id_)["state"] == "sent"
    assert merchant.reads_payment(paid["id"])["refunds"][0]["state"] == "sent"
    assert merchant.reads_payment(paid["id"])["state"] == "sent"


@pytest.mark.parametrize(
    "path", ["expire", "choose_provider reject", "choose_provider fail", "choose_provider accept fail"]
)
def test_a_refund_fails_with_its_payment_session_and_frees_its_amount(
    merchant: MerchantCaller, tester: Tester, paid: Json, path: str
) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    merchant.refunds(paid, pence=1, expect=422)
    for action in path.split():
        tester.acts(refund["refund_payment_session_id"], action)
    assert merchant.reads_refund(refund)["state"] == "failed"
    merchant.refunds(paid, pence=400)
    assert refunds_of(merchant, paid) == [(400, "failed"), (400, "awaiting_details")]


def test_a_refund_fails_when_its_payment_session_is_deleted(merchant: MerchantCaller, paid: Json) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    id_ = refund["refund_payment_session_id"]
    merchant.ask("DELETE", f"/v2/payment_sessions/{id_}", expect=204)
    merchant.reads_payment(id_, expect=404)
    assert merchant.reads_refund(refund) == {**refund, "state": "failed"}
    merchant.refunds(paid, pence=400)


@pytest.mark.parametrize("path", ["", "choose_provider", "choose_provider initiate", "choose_provider accept"])
def test_a_refund_processed_elsewhere_keeps_its_amount_and_stops_its_payment_session(
    merchant: MerchantCaller, tester: Tester, paid: Json, path: str
) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    for action in path.split():
        tester.acts(refund["refund_payment_session_id"], action)
    tester.ask("POST", f"/__admin/refunds/{refund_id(refund)}/actions/mark_externally_processed")
    assert merchant.reads_refund(refund)["state"] == "externally_processed"
    assert refund_session(merchant, refund)["state"] == "failed"
    merchant.refunds(paid, pence=1, expect=422)


def test_details_are_given_once(merchant: MerchantCaller, tester: Tester, paid: Json) -> None:
    refund = merchant.refunds(paid)
    tester.provides_details(refund)
    tester.provides_details(refund, expect=409)
    assert len(merchant.ask("GET", "/v2/payment_sessions")) == 2


# How much


@pytest.mark.parametrize("pence", [1, 399, 400])
def test_all_or_part_of_a_payment_may_be_refunded(merchant: MerchantCaller, paid: Json, pence: int) -> None:
    assert merchant.refunds(paid, pence=pence)["amount"] == pence


@pytest.mark.parametrize("pence", [401, 2**53 - 1])
def test_a_refund_of_more_than_was_paid_is_refused(merchant: MerchantCaller, paid: Json, pence: int) -> None:
    refusal = merchant.refunds(paid, pence=pence, expect=422)
    assert parameters(refusal) == {"amount": "invalid_amount"}
    assert refusal["errors"][0]["title"].endswith("cannot be refunded: £4.00 is left of the £4.00 paid.")
    assert refunds_of(merchant, paid) == []


def test_several_refunds_together_are_no_more_than_was_paid(merchant: MerchantCaller, paid: Json) -> None:
    merchant.refunds(paid, pence=150)
    merchant.refunds(paid, pence=200)
    refusal = merchant.refunds(paid, pence=51, expect=422)
    assert refusal["errors"][0]["title"] == "£0.51 cannot be refunded: £0.50 is left of the £4.00 paid."
    merchant.refunds(paid, pence=50)
    merchant.refunds(paid, pence=1, expect=422)
    assert [amount for amount, _ in refunds_of(merchant, paid)] == [150, 200, 50]


def test_fifty_racing_refunds_are_no_more_than_was_paid(app: Flask, merchant: MerchantCaller, tester: Tester) -> None:
    payment = tester.pays(merchant.requests_payment(pence=100))
    body = {"payment_session_id": payment["id"], "amount": 9, "payee": JANE}

    def refund(_: int) -> int:
        return MerchantCaller(app.test_client()).call("POST", "/v2/refunds", json=body).status_code

    with ThreadPoolExecutor(16) as racers:
        statuses = list(racers.map(refund, range(50)))
    assert (statuses.count(201), statuses.count(422)) == (11, 39)
    assert refunds_of(merchant, payment) == [(9, "awaiting_payment")] * 11


def test_a_refund_of_the_largest_payment_is_exact(merchant: MerchantCaller, tester: Tester) -> None:
    payment = tester.pays(merchant.requests_payment(pence=2**53 - 1))
    merchant.refunds(payment, pence=2**53 - 2)
    merchant.refunds(payment, pence=2, expect=422)
    assert merchant.refunds(payment, pence=1)["amount_formatted"] == "£0.01"


def test_an_integral_float_is_an_amount(merchant: MerchantCaller, paid: Json) -> None:
    assert merchant.refunds(paid, amount=150.0)["amount"] == 150


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        *[("amount", bad, "invalid_amount") for bad in (0, -1, 1.5, "150", True, None, [], {}, 2**53)],
        *[("payment_session_id", bad, "invalid_request") for bad in (None, 7, "", [], "x" * 257)],
        *[("reference", bad, "invalid_request") for bad in ("", "x" * 19, "refund-1", "Brötchen", "a\n", 7)],
        *[("success_url", bad, "invalid_request") for bad in ("", "shop", "ftp://shop.example", "javascript:x", 7)],
        *[("error_url", bad, "invalid_request") for bad in ("//shop.example", "http://", [], f"http://x/{'y' * 2048}")],
        ("payee", "Jane", "invalid_bank_account"),
        ("payee", [JANE], "invalid_bank_account"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_made(
    merchant: MerchantCaller, paid: Json, field: str, value: Json, code: str
) -> None:
    body = {"payment_session_id": paid["id"], "amount": 100, field: value}
    refusal = merchant.ask("POST", "/v2/refunds", json=body, expect=422)
    assert parameters(refusal) == {field: code}
    assert refunds_of(merchant, paid) == []


def test_what_is_missing_is_told_at_once(merchant: MerchantCaller) -> None:
    refusal = merchant.ask("POST", "/v2/refunds", json={}, expect=400)
    assert parameters(refusal) == {"payment_session_id": "bad_request", "amount": "bad_request"}


def test_all_broken_fields_are_told_at_once(merchant: MerchantCaller, paid: Json) -> None:
    payee = {"account_number": "1", "sort_code": "2"}
    refusal = merchant.refunds(paid, pence=0, reference="?", success_url="?", error_url="?", payee=payee, expect=422)
    assert parameters(refusal) == {
        "amount": "invalid_amount",
        "error_url": "invalid_request",
        "payee/account_number": "invalid_bank_account",
        "payee/sort_code": "invalid_bank_account",
        "reference": "invalid_request",
        "success_url": "invalid_request",
    }


def test_fields_that_nobody_knows_or_that_are_the_servers_are_ignored(merchant: MerchantCaller, paid: Json) -> None:
    refund = merchant.refunds(paid, state="sent", url="http://x", id="x", refund_payment_session_id=NOBODY, colour=1)
    assert refund["state"] == "awaiting_details"
    assert refund["refund_payment_session_id"] is None
    assert refund["url"].startswith(PUBLIC_URL)
    assert "colour" not in refund


# Of what


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("", "awaiting_provider"),
        ("choose_provider", "awaiting_payment_consent"),
        ("choose_provider initiate", "initiated"),
        ("choose_provider accept", "pending"),
        ("choose_provider reject", "failed"),
    ],
)
def test_only_a_payment_that_was_sent_is_refunded(
    merchant: MerchantCaller, tester: Tester, path: str, state: str
) -> None:
    payment = merchant.requests_payment()
    for action in path.split():
        tester.acts(payment["id"], action)
    refusal = merchant.refunds(payment, expect=422)
    assert parameters(refusal) == {"payment_session_id": "invalid_action"}
    assert refusal["errors"][0]["title"] == f"Only a payment in state sent can be refunded; this one is {state}."
    assert refunds_of(merchant, payment) == []


@pytest.mark.parametrize("id_", [NOBODY, "x", "../refunds", "x" * 256, "a\x00b", "ü"])
def test_a_refund_of_an_unknown_payment_is_not_found(merchant: MerchantCaller, id_: str) -> None:
    assert parameters(merchant.refunds({"id": id_}, expect=404)) == {"payment_session_id": "not_found"}


def test_a_refund_of_another_merchants_payment_is_not_found(
    merchant: MerchantCaller, other_merchant: MerchantCaller, paid: Json
) -> None:
    refusal = other_merchant.refunds(paid, pence=1, expect=404)
    assert refusal == {
        "errors": [
            {
                "code": "not_found",
                "source": {"parameter": "payment_session_id"},
                "title": f"There is no payment session {paid['id']}.",
            }
        ]
    }
    assert refunds_of(merchant, paid) == []


# Reading


def test_a_refund_is_read_as_it_was_answered(merchant: MerchantCaller, paid: Json) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    assert merchant.reads_refund(refund) == refund


def test_refunds_are_listed_the_newest_first_and_stand_in_their_payment_the_oldest_first(
    merchant: MerchantCaller, paid: Json
) -> None:
    refunds = [merchant.refunds(paid, pence=pence) for pence in (1, 2, 3)]
    assert merchant.ask("GET", "/v2/refunds") == refunds[::-1]
    assert merchant.ask("GET", "/v2/refunds?limit=2") == [refunds[2], refunds[1]]
    assert [amount for amount, _ in refunds_of(merchant, paid)] == [1, 2, 3]


def test_there_are_no_refunds_at_first(merchant: MerchantCaller) -> None:
    assert merchant.ask("GET", "/v2/refunds") == []


def test_a_list_of_refunds_has_at_most_100(merchant: MerchantCaller, paid: Json) -> None:
    for _ in range(101):
        merchant.refunds(paid, pence=1)
    for query in ("", "?limit=100", "?limit=101", "?limit=" + "9" * 1000):
        assert len(merchant.ask("GET", f"/v2/refunds{query}")) == 100


@pytest.mark.parametrize("limit", ["0", "-1", "x", "", "1.5", "1e2"])
def test_a_bad_limit_is_refused(merchant: MerchantCaller, limit: str) -> None:
    refusal = merchant.ask("GET", "/v2/refunds", query_string={"limit": limit}, expect=422)
    assert parameters(refusal) == {"limit": "invalid_request"}


def test_another_merchants_refund_is_not_found(
    merchant: MerchantCaller, other_merchant: MerchantCaller, paid: Json
) -> None:
    refund = merchant.refunds(paid)
    other_merchant.ask("GET", f"/v2/refunds/{refund_id(refund)}", expect=404)
    assert other_merchant.ask("GET", "/v2/refunds") == []


def test_an_unknown_refund_is_not_found(merchant: MerchantCaller, paid: Json) -> None:
    for id_ in (NOBODY, paid["id"]):
        merchant.ask("GET", f"/v2/refunds/{id_}", expect=404)


def test_a_refund_may_be_asked_for_and_read_with_a_slash_at_the_end(merchant: MerchantCaller, paid: Json) -> None:
    body = {"payment_session_id": paid["id"], "amount": 1}
    refund = merchant.ask("POST", "/v2/refunds/", json=body, expect=201)
    assert merchant.ask("GET", f"/v2/refunds/{refund_id(refund)}/") == refund
    assert merchant.ask("GET", "/v2/refunds/") == [refund]
