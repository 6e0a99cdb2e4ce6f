"""What is answered, compared key by key with Banked's own example payloads (fixtures/documented)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.actors import NOON, PUBLIC_URL, payment_request

if TYPE_CHECKING:
    from tests.actors import Json, MerchantCaller, Tester

DOCUMENTED = Path(__file__).parents[2] / "fixtures" / "documented"
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
FORMATS = (UUID, TIME, r"[£$€]\d{1,3}(?:,\d{3})*\.\d\d", r"https?://\S+", r"[\w-]{43}", r"[0-9]{8}", r"[0-9]{6}")
"""What a string of an example must have in common with ours: id, time, sum of money, URL, token, account, sort code."""
NULLABLE = {
    "consent_expires_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00",
    "description": r".+",
    "end_to_end_id": UUID,
    "refund_payment_session_id": UUID,
    "sent_at": TIME,
}
"""What is null in the examples, and may be a string of this form (facts 2.2, 3.2, 5.2)."""


def documented(name: str) -> Json:
    return json.loads((DOCUMENTED / f"{name}.json").read_text("utf-8"))["payload"]


def assert_like(answer: Json, example: Json, key: str = "") -> None:
    """The same keys in the same order, and values of the same types and forms."""
    if example is None:
        assert answer is None or re.fullmatch(NULLABLE[key], answer), key
        return
    assert type(answer) is type(example), key
    if isinstance(example, dict):
        assert list(answer) == list(example), key
        for name, value in example.items():
            assert_like(answer[name], value, name)
    elif isinstance(example, list):
        assert answer or not example, key
        for each in answer:
            assert_like(each, example[0], key)
    elif isinstance(example, str):
        for form in FORMATS:
            assert re.fullmatch(form, answer) or not re.fullmatch(form, example), key


def reads_refund_entry(merchant: MerchantCaller, payment: Json) -> Json:
    [entry] = merchant.reads_payment(payment["id"])["refunds"]
    return entry


@pytest.fixture
def paid(merchant: MerchantCaller, tester: Tester) -> Json:
    """The payment session of the guides, paid."""
    return tester.pays(
        merchant.ask("POST", "/v2/payment_sessions", json=documented("payment_session_request"), expect=201)
    )


@pytest.mark.parametrize("file", sorted(DOCUMENTED.iterdir()), ids=lambda file: file.stem)
def test_each_example_tells_where_it_comes_from(file: Path) -> None:
    example = json.loads(file.read_text("utf-8"))
    assert list(example) == ["source", "note", "payload"]
    assert re.fullmatch(r"https://\S+, facts \d\.\d", example["source"])


def test_a_payment_session_is_answered_as_documented(merchant: MerchantCaller) -> None:
    request, example = documented("payment_session_request"), documented("payment_session")
    del request["payer"], request["line_items"][0]["description"]
    answer = merchant.ask("POST", "/v2/payment_sessions", json=request, expect=201)
    assert_like(answer, example)
    ours = {name: answer[name] for name in ("created_at", "id", "url")}
    assert answer == example | ours
    assert ours["created_at"] == "2026-11-23 12:00:00 UTC"
    assert ours["url"].startswith(PUBLIC_URL)
    assert ours["url"].endswith(ours["id"])


def test_a_payment_session_repeats_all_of_the_documented_request(merchant: MerchantCaller) -> None:
    request = documented("payment_session_request")
    answer = merchant.ask("POST", "/v2/payment_sessions", json=request, expect=201)
    assert {name: answer[name] for name in request} == request
    assert list(answer["payer"]) == ["email", "name"]
    assert_like({**answer, "payer": None}, documented("payment_session"))


def test_a_paid_payment_session_is_read_as_documented(merchant: MerchantCaller, paid: Json) -> None:
    answer = merchant.reads_payment(paid["id"])
    assert_like({**answer, "payer": None}, documented("payment_session"))
    assert answer["state"] == "sent"
    assert answer["sent_at"] == "2026-11-23 12:00:00 UTC"
    assert re.fullmatch(UUID, answer["end_to_end_id"])


def test_payment_sessions_are_listed_as_documented_in_a_bare_array(merchant: MerchantCaller) -> None:
    request = {**documented("payment_session_request"), "payer": None}
    for _ in range(2):
        merchant.ask("POST", "/v2/payment_sessions", json=request, expect=201)
    assert_like(merchant.ask("GET", "/v2/payment_sessions"), [documented("payment_session")])


@pytest.mark.parametrize(
    ("amount", "currency", "formatted"),
    [(1, "GBP", "£0.01"), (400, "GBP", "£4.00"), (4000, "GBP", "£40.00"), (400, "USD", "$4.00")],
)
def test_amounts_are_formatted_as_in_the_documentation(
    merchant: MerchantCaller, amount: int, currency: str, formatted: str
) -> None:
    [item] = payment_request(pence=amount)["line_items"]
    assert merchant.requests_payment(line_items=[{**item, "currency": currency}])["amount_formatted"] == formatted


def test_a_refund_is_answered_as_documented(merchant: MerchantCaller, paid: Json) -> None:
    request = {**documented("refund_request"), "payment_session_id": paid["id"]}
    answer = merchant.ask("POST", "/v2/refunds", json=request, expect=201)
    example = documented("refund")
    assert_like(answer, example)
    assert answer == {**example, "payment_session_id": paid["id"], "url": answer["url"]}
    assert re.fullmatch(f"{PUBLIC_URL}/refunds/{UUID}", answer["url"])


def test_a_refund_with_details_stands_in_its_payment_session_as_documented(
    merchant: MerchantCaller, tester: Tester
) -> None:
    paid = tester.pays(merchant.requests_payment(pence=4000))
    tester.provides_details(merchant.refunds(paid, pence=4000))
    entry, example = reads_refund_entry(merchant, paid), documented("refund_entry")
    assert_like(entry, example)
    ids = {"payment_session_id": paid["id"], "refund_payment_session_id": entry["refund_payment_session_id"]}
    assert entry == example | ids
    assert re.fullmatch(UUID, entry["refund_payment_session_id"])


def test_a_refunds_payment_session_is_read_as_documented(merchant: MerchantCaller, tester: Tester, paid: Json) -> None:
    request = {**documented("refund_request"), "payment_session_id": paid["id"], "reference": None}
    tester.provides_details(merchant.ask("POST", "/v2/refunds", json=request, expect=201))
    session = merchant.reads_payment(reads_refund_entry(merchant, paid)["refund_payment_session_id"])
    known = documented("refund_payment_session")
    assert [name for name in session if name in known] == list(known)
    assert re.fullmatch("bnkd[0-9A-Za-z]{8}", known["reference"])
    assert re.fullmatch("bnkd[0-9A-Za-z]{8}", session["reference"])
    assert session["state"] == known["state"]
    assert session["sent_at"] is None  # whereas the guide fills it in before anything is sent (Q16)
    assert session["url"] == f"{PUBLIC_URL}/checkout/{session['id']}"
    assert_like({**session, "payer": None}, documented("payment_session"))
    assert {name: session[name] for name in ("amount", "success_url", "error_url")} == {
        name: request[name] for name in ("amount", "success_url", "error_url")
    }
    assert session["payee"] == {"account_number": "87654321", "name": "Jane Doe", "sort_code": "040506"}


def test_a_refunds_payment_session_has_the_reference_of_the_documented_request(
    merchant: MerchantCaller, tester: Tester, paid: Json
) -> None:
    request = {**documented("refund_request"), "payment_session_id": paid["id"]}
    tester.provides_details(merchant.ask("POST", "/v2/refunds", json=request, expect=201))
    session = merchant.reads_payment(reads_refund_entry(merchant, paid)["refund_payment_session_id"])
    assert session["reference"] == "refund Candles"


def test_providers_are_listed_as_documented(merchant: MerchantCaller) -> None:
    [example] = documented("providers")
    providers = merchant.ask("GET", "/v2/providers")
    assert_like(providers, [example])
    assert example["name"] in {provider["name"] for provider in providers}
    assert {provider["status"] for provider in providers} == {"AVAILABLE", "UNAVAILABLE"}


def test_bank_accounts_are_listed_as_documented(merchant: MerchantCaller) -> None:
    example = documented("bank_accounts")
    accounts = merchant.ask("GET", "/v2/bank_accounts")
    assert_like(accounts, example)
    same = ("account_number", "account_type", "account_sub_type", "sort_code", "currency")
    assert [accounts[0][name] for name in same] == [example[0][name] for name in same]


def test_a_token_is_answered_as_documented(merchant: MerchantCaller) -> None:
    asked = {"grant_type": "client_credentials", "scope": "simulator"}
    answer, example = merchant.ask("POST", "/oauth/token", data=asked), documented("token")
    assert_like(answer, example)
    assert {**answer, "access_token": None} == {
        **example,
        "access_token": None,
        "scope": "simulator",
        "created_at": int(NOON.timestamp()),
    }


def test_a_token_without_a_scope_is_answered_without_it(merchant: MerchantCaller) -> None:
    example = documented("token")
    del example["scope"]
    assert_like(merchant.ask("POST", "/oauth/token", data={"grant_type": "client_credentials"}), example)


@pytest.mark.parametrize(("wrong", "status"), [({"payer": {}}, 400), ({"reference": "£"}, 422)], ids=["400", "422"])
def test_errors_are_answered_in_the_documented_envelope(
    merchant: MerchantCaller, wrong: dict[str, Json], status: int
) -> None:
    assert_like(merchant.requests_payment(**wrong, expect=status), documented("errors"))
