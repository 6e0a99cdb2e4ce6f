"""What a payment session must look like, field by field (facts 2.1, Q4, Q5, Q25)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import parameters, payment_request

if TYPE_CHECKING:
    from tests.actors import Json, MerchantCaller

LARGEST = 2**53 - 1
LINKED = {"account_number": "12345678", "sort_code": "010203"}
IDENTIFIED = {"account_identifier": "01020312345678", "identifier_type": "SortCodeAccountNumber"}
MISSING = object()
NO_STRINGS = (7, 1.5, True, [], {}, ["a"])
NO_URLS = (
    *(
        "",
        "example.com",
        "//example.com",
        "/success",
        "http:",
        "http://",
        "http:///x",
        "ftp://example.com",
        "mailto:a@b.c",
    ),
    *(
        "javascript:alert(1)",
        "http://a b",
        "http://a/ b",
        "http://a/\n",
        "http://a/\x00",
        "http://[::1",
        "http://a:99999",
    ),
    *("http://a:0", "http://a:x", " http://a", f"http://a/{'b' * 2040}"),
)
NO_EMAILS = (
    "",
    "jane",
    "jane@",
    "@doe.com",
    "jane@doe",
    "jane@doe.",
    "jane@.com",
    "a b@doe.com",
    "jane@doe.com\n",
    "j@@doe.com",
    "j" * 65 + "@doe.com",
)

STRINGS = ("reference", "payer/name", "payer/email", "line_items/0/name", "success_url", "error_url")
NUMBERS = ("line_items/0/amount", "line_items/0/quantity")

BROKEN: list[tuple[str, Any, str]] = [
    *[(path, bad, "invalid_request") for path in STRINGS for bad in NO_STRINGS],
    *[
        ("reference", bad, "invalid_request")
        for bad in ("", "x" * 19, "a-b", "a_b", "Äpfel", "a\n", "\t", "٣", "a.b", None)
    ],
    *[("line_items", bad, "invalid_request") for bad in (None, {}, "a", 7, [])],
    *[("line_items/0", bad, "invalid_request") for bad in (None, [], "a", 7)],
    *[("line_items/0/name", bad, "invalid_request") for bad in ("", "x" * 257, None)],
    *[("line_items/0/description", bad, "invalid_request") for bad in ("", "x" * 1025, 7)],
    *[
        ("line_items/0/amount", bad, "invalid_amount")
        for bad in (0, -1, 0.5, 1.1, -1e300, 1e300, 2**53, "1", True, None, [])
    ],
    *[("line_items/0/quantity", bad, "invalid_request") for bad in (0, -1, 0.5, 1e300, 2**53, "1", True, None, {})],
    *[("line_items/0/currency", bad, "invalid_currency") for bad in ("", "gbp", "CHF", "GBP ", 826, None, [], {})],
    *[("payee", bad, "invalid_bank_account") for bad in (None, [], "Gerald", 7)],
    *[("payee/name", bad, "invalid_request") for bad in ("", "x" * 257, 7)],
    *[
        ("payee/account_number", bad, "invalid_bank_account")
        for bad in ("", "1234567", "123456789", "1234567a", 12345678, "\u0661" * 8)
    ],
    *[
        ("payee/sort_code", bad, "invalid_bank_account")
        for bad in ("", "01020", "0102030", "01-02-03", 10203, "010203\n")
    ],
    *[("payer", bad, "invalid_request") for bad in ([], "Jane", 7, False)],
    *[("payer/name", bad, "invalid_request") for bad in ("", "x" * 257, None)],
    *[("payer/email", bad, "invalid_request") for bad in (*NO_EMAILS, None)],
    *[(path, bad, "invalid_request") for path in ("success_url", "error_url") for bad in NO_URLS],
    *[("email_receipt", bad, "invalid_request") for bad in (0, 1, "true", [], {})],
    *[("frequency", bad, "invalid_request") for bad in ("", "yearly", "Daily", 7, [])],
    *[("number_of_payments", bad, "invalid_request") for bad in (0, -1, 1.5, "2", True, 2**53)],
    *[("rewards", bad, "invalid_request") for bad in ({}, "avios", 7)],
    *[("rewards/0", bad, "invalid_request") for bad in (None, "avios", [])],
    *[("rewards/0/type", bad, "invalid_request") for bad in (None, "", "miles", 7)],
]

SOUND: list[tuple[str, Any]] = [
    *[("reference", good) for good in ("a", "x" * 18, "1 2 3", " ")],
    *[("line_items/0/name", good) for good in ("x" * 256, "🕯", "<b>", " ")],
    *[("line_items/0/description", good) for good in ("x" * 1024, None)],
    *[("line_items/0/amount", good) for good in (1, 1.0, LARGEST)],
    *[("line_items/0/quantity", good) for good in (1, 2.0)],
    *[("line_items/0/currency", good) for good in ("GBP", "EUR", "AUD", "USD")],
    *[("payer/email", good) for good in ("a@b.c", "jane+tag@doe.co.uk", "jané@döe.com", "j" * 64 + "@doe.com")],
    *[("success_url", good) for good in ("http://a", "HTTPS://A/?b#c", "http://localhost:1", f"http://a/{'b' * 2039}")],
]


def with_field(path: str, value: Any) -> Json:
    """A request with every field, and `value` at `path`; without it for MISSING."""
    request: Any = payment_request(payer={"name": "Jane Doe", "email": "jane@doe.com"}, rewards=[{"type": "avios"}])
    *parents, name = [int(part) if part.isdigit() else part for part in path.split("/")]
    place = request
    for parent in parents:
        place = place[parent]
    if value is MISSING:
        del place[name]
    else:
        place[name] = value
    return request


@pytest.mark.parametrize(("path", "value", "code"), BROKEN)
def test_a_broken_field_is_named(merchant: MerchantCaller, path: str, value: Any, code: str) -> None:
    refusal = merchant.ask("POST", "/v2/payment_sessions", json=with_field(path, value), expect=422)
    assert parameters(refusal) == {path: code}
    assert merchant.ask("GET", "/v2/payment_sessions") == []


@pytest.mark.parametrize(("path", "value"), SOUND)
def test_a_sound_field_is_accepted(merchant: MerchantCaller, path: str, value: Any) -> None:
    merchant.ask("POST", "/v2/payment_sessions", json=with_field(path, value), expect=201)


@pytest.mark.parametrize(
    "path",
    [
        *("reference", "line_items", "line_items/0/name", "line_items/0/amount", "line_items/0/currency"),
        *("line_items/0/quantity", "payee", "payee/account_number", "payee/sort_code", "payer/name", "payer/email"),
        "rewards/0/type",
    ],
)
def test_a_missing_field_is_named(merchant: MerchantCaller, path: str) -> None:
    refusal = merchant.ask("POST", "/v2/payment_sessions", json=with_field(path, MISSING), expect=400)
    assert parameters(refusal) == {path: "bad_request"}
    assert refusal["errors"][0]["title"] == "This field is required."


def test_all_that_is_missing_is_named(merchant: MerchantCaller) -> None:
    refusal = merchant.ask("POST", "/v2/payment_sessions", json={}, expect=400)
    assert parameters(refusal) == dict.fromkeys(["reference", "line_items", "payee"], "bad_request")


def test_all_broken_fields_are_named_each_once(merchant: MerchantCaller) -> None:
    items = [
        {"name": "Candles", "amount": 0, "currency": "CHF", "quantity": 1.5},
        {"name": "Matches", "amount": 1, "currency": "GBP", "quantity": 1},
        {"name": 7, "amount": "1", "currency": "GBP", "quantity": 1},
        None,
    ]
    payee = {"account_number": "1", "sort_code": "2"}
    payer = {"name": "", "email": "jane"}
    broken = {"reference": "?", "success_url": "?", "error_url": "?", "email_receipt": "?", "frequency": "?"}
    refusal = merchant.requests_payment(line_items=items, payee=payee, payer=payer, **broken, expect=422)
    assert parameters(refusal) == {
        **dict.fromkeys(broken, "invalid_request"),
        "line_items/0/amount": "invalid_amount",
        "line_items/0/currency": "invalid_currency",
        "line_items/0/quantity": "invalid_request",
        "line_items/2/amount": "invalid_amount",
        "line_items/2/name": "invalid_request",
        "line_items/3": "invalid_request",
        "payee/account_number": "invalid_bank_account",
        "payee/sort_code": "invalid_bank_account",
        "payer/email": "invalid_request",
        "payer/name": "invalid_request",
    }
    assert len(refusal["errors"]) == 15


def test_what_is_missing_and_what_is_broken_are_told_together(merchant: MerchantCaller) -> None:
    body = {**payment_request(reference="?"), "payee": {"sort_code": "1"}}
    refusal = merchant.ask("POST", "/v2/payment_sessions", json=body, expect=400)
    assert parameters(refusal) == {
        "payee/account_number": "bad_request",
        "payee/sort_code": "invalid_bank_account",
        "reference": "invalid_request",
    }


def test_a_strange_payee_mixed_currencies_and_a_broken_reference_are_told_together(merchant: MerchantCaller) -> None:
    [item] = payment_request()["line_items"]
    items = [item, {**item, "currency": "EUR"}]
    payee = {"account_number": "99999999", "sort_code": "010203"}
    refusal = merchant.requests_payment(reference="?", line_items=items, payee=payee, expect=422)
    assert parameters(refusal) == {
        "line_items": "invalid_currency",
        "payee": "invalid_bank_account",
        "reference": "invalid_request",
    }


@pytest.mark.parametrize(("count", "status"), [(1, 201), (100, 201), (101, 422)])
def test_there_are_1_to_100_line_items(merchant: MerchantCaller, count: int, status: int) -> None:
    merchant.requests_payment(line_items=payment_request(pence=1)["line_items"] * count, expect=status)


def test_a_session_has_one_currency(merchant: MerchantCaller) -> None:
    [item] = payment_request()["line_items"]
    refusal = merchant.requests_payment(line_items=[item, {**item, "currency": "EUR"}], expect=422)
    assert parameters(refusal) == {"line_items": "invalid_currency"}
    assert refusal["errors"][0]["title"] == "All line items must have one currency, not EUR, GBP."


@pytest.mark.parametrize(
    ("items", "status"),
    [
        ([(LARGEST, 1)], 201),
        ([(LARGEST - 1, 1), (1, 1)], 201),
        ([(LARGEST, 1), (1, 1)], 422),
        ([(LARGEST, 2)], 422),
        ([(2**52, 2)], 422),
        ([(LARGEST, LARGEST)] * 100, 422),
    ],
)
def test_the_total_stays_below_two_to_the_53(
    merchant: MerchantCaller, items: list[tuple[int, int]], status: int
) -> None:
    sent = [{"name": "Gold", "amount": amount, "currency": "GBP", "quantity": quantity} for amount, quantity in items]
    answer = merchant.requests_payment(line_items=sent, expect=status)
    if status == 201:
        assert answer["amount"] == LARGEST
        assert answer["amount_formatted"] == "£90,071,992,547,409.91"
    else:
        assert parameters(answer) == {"line_items": "invalid_amount"}


# The payee's forms


@pytest.mark.parametrize(
    ("payee", "broken"),
    [
        ({}, {"payee/account_number": "bad_request", "payee/sort_code": "bad_request"}),
        ({"name": "Gerald"}, {"payee/account_number": "bad_request", "payee/sort_code": "bad_request"}),
        ({"account_number": "12345678"}, {"payee/sort_code": "bad_request"}),
        ({"account_number": "12345678", "sort_code": None}, {"payee/sort_code": "bad_request"}),
        ({"sort_code": "010203"}, {"payee/account_number": "bad_request"}),
        ({"account_identifier": "01020312345678"}, {"payee/identifier_type": "bad_request"}),
        ({"identifier_type": "IBAN"}, {"payee/account_identifier": "bad_request"}),
        ({**LINKED, "identifier_type": "IBAN"}, {"payee/account_identifier": "bad_request"}),
    ],
)
def test_half_a_payee_is_refused(merchant: MerchantCaller, payee: Json, broken: dict[str, str]) -> None:
    assert parameters(merchant.requests_payment(payee=payee, expect=400)) == broken


@pytest.mark.parametrize(
    ("kind", "identifier"),
    [
        *[("SortCodeAccountNumber", bad) for bad in ("0102031234567", "010203123456789", "01-02-0312345678", "")],
        *[("IBAN", bad) for bad in ("GB82WEST12345698765433", "gb82west12345698765432", "GB82 WEST 1234 5698 7654 32")],
        *[("IBAN", bad) for bad in ("GB", "82GBWEST12345698765432", "GB82WEST1234569876543Ä", "G" * 35, 7)],
        *[("BSBAccountNumber", bad) for bad in ("111114123", "1111141234567890", "111-1141234567", "abcdef12345")],
    ],
)
def test_an_identifier_breaks_the_rule_of_its_type(other_merchant: MerchantCaller, kind: str, identifier: Any) -> None:
    payee = {"account_identifier": identifier, "identifier_type": kind}
    refusal = other_merchant.requests_payment(payee=payee, expect=422)
    assert parameters(refusal) == {"payee/account_identifier": "invalid_bank_account"}


@pytest.mark.parametrize("kind", ["", "iban", "SWIFT", 7])
def test_an_identifier_has_a_known_type(other_merchant: MerchantCaller, kind: Any) -> None:
    payee = {"account_identifier": "GB82WEST12345698765432", "identifier_type": kind}
    refusal = other_merchant.requests_payment(payee=payee, expect=422)
    assert parameters(refusal) == {"payee/identifier_type": "invalid_bank_account"}


@pytest.mark.parametrize(
    "iban",
    ["GB82WEST12345698765432", "DE89370400440532013000", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"],
)
def test_an_iban_of_any_country_is_accepted(other_merchant: MerchantCaller, iban: str) -> None:
    other_merchant.requests_payment(payee={"account_identifier": iban, "identifier_type": "IBAN"})


def test_two_forms_must_name_one_account(merchant: MerchantCaller) -> None:
    merchant.requests_payment(payee={**LINKED, **IDENTIFIED})
    refusal = merchant.requests_payment(payee={**LINKED, **IDENTIFIED, "account_number": "12345679"}, expect=422)
    assert parameters(refusal) == {"payee/account_identifier": "invalid_bank_account"}
