"""The form for a refund's details: the customer types an account, once, and is told how the refund stands then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import refund_id
from tests.web.pages.customers import Customer, location

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.actors import Json, MerchantCaller, Tester

NOBODY = "11111111-1111-4111-8111-111111111111"
JANE = {"name": "Jane Doe", "email": "jane@doe.com"}
TYPED = {"name": "Jane Doe", "sort_code": "01-02-03", "account_number": "8765 4321"}
GIVEN = {"name": "Jane Doe", "sort_code": "010203", "account_number": "87654321"}
IBAN = "DE89370400440532013000"


class Refunded:
    """A customer who was sent the link to the form."""

    def __init__(self, client: FlaskClient, merchant: MerchantCaller, tester: Tester, refund: Json) -> None:
        self.merchant, self.tester = merchant, tester
        self.id = refund_id(refund)
        self.path = f"/refunds/{self.id}"
        self.customer = Customer(client, self.path)

    def gives(self, expect: int = 303, **fields: str) -> Customer:
        self.customer.opens()
        self.customer.posts(expect=expect, **fields)
        return self.customer

    def refund(self) -> Json:
        return self.merchant.ask("GET", f"/v2/refunds/{self.id}")

    def payout(self) -> Json:
        return self.merchant.reads_payment(self.refund()["refund_payment_session_id"])


@pytest.fixture
def refunded(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> Any:
    """Has a customer pay £4.00, and refunds £1.50 of it."""

    def refunded(currency: str = "GBP", **fields: Any) -> Refunded:
        items = [{"name": "Candles", "amount": 400, "currency": currency, "quantity": 1}]
        payment = merchant.requests_payment(**{"line_items": items, "payer": JANE, **fields})
        tester.pays(payment)
        return Refunded(client, merchant, tester, merchant.refunds(payment, pence=150))

    return refunded


def test_the_form_says_how_much_comes_from_whom_and_for_what(refunded: Any) -> None:
    customer = refunded().customer
    customer.opens()
    facts = ("amount", "merchant", "reference", "payment-amount", "paid")
    assert {fact: customer.reads(fact) for fact in facts} == {
        "amount": "£1.50",
        "merchant": "Simulator",
        "reference": "Illuminate",
        "payment-amount": "£4.00",
        "paid": "23 Nov 2026, 12:00",
    }
    assert 'datetime="2026-11-23T12:00:00.000000Z"' in customer.page


@pytest.mark.parametrize(("payer", "name"), [(JANE, "Jane Doe"), (None, "")])
def test_the_holders_name_is_filled_in_if_it_is_known(refunded: Any, payer: Json, name: str) -> None:
    customer = refunded(payer=payer).customer
    customer.opens()
    assert customer.typed("name") == name
    assert 'autocomplete="name"' in customer.page
    assert customer.page.count('inputmode="numeric"') == 2


@pytest.mark.parametrize(
    ("currency", "typed", "payee"),
    [
        ("GBP", {"sort_code": "010203", "account_number": "87654321"}, GIVEN),
        ("GBP", {"sort_code": "01 02 03", "account_number": "8765-4321"}, GIVEN),
        ("GBP", {"sort_code": "01\u201302\u201303", "account_number": " 87 65 43 21 "}, GIVEN),
        ("USD", {"sort_code": "01-02-03", "account_number": "87654321"}, GIVEN),
        (
            "EUR",
            {"iban": "de89 3704 0044 0532 0130 00"},
            {"name": "Jane Doe", "account_identifier": IBAN, "identifier_type": "IBAN"},
        ),
        (
            "AUD",
            {"bsb": "012-003", "account_number": "1234 5678"},
            {"name": "Jane Doe", "account_identifier": "01200312345678", "identifier_type": "BSBAccountNumber"},
        ),
    ],
)
def test_details_are_taken_as_people_type_them(
    refunded: Any, currency: str, typed: dict[str, str], payee: Json
) -> None:
    here = refunded(currency)
    here.gives(name="  Jane   Doe ", **typed)
    assert here.refund()["state"] == "awaiting_payment"
    assert here.payout()["payee"] == payee
    assert (here.payout()["state"], here.payout()["amount"]) == ("awaiting_provider", 150)


def test_who_has_given_details_is_told_where_the_money_goes(refunded: Any) -> None:
    here = refunded()
    here.customer.opens()
    assert location(here.customer.posts(**TYPED)) == f"{here.path}/confirmation"
    for _ in range(2):
        here.customer.opens("/confirmation")
        assert here.customer.reads("promise").startswith("£1.50 will be sent to account ending 4321,")
    here.customer.opens()
    assert here.customer.sees("already-given")
    assert "Details already given" in here.customer.page
    assert "4321" not in here.customer.page


def test_what_the_customer_does_is_in_the_log(refunded: Any, tester: Tester) -> None:
    here = refunded()
    here.gives(**TYPED)
    events = tester.ask("GET", f"/__admin/merchants/pk_test_simulator/events?subject={here.id}")["events"]
    [changed] = [event for event in events if event["kind"] == "refund.changed"]
    [cause] = [event for event in events if event["number"] == changed["because"]]
    assert changed["data"] == {"by": "payer", "from": "awaiting_details", "to": "awaiting_payment"}
    assert (cause["kind"], cause["data"]["method"], cause["data"]["path"]) == ("page", "POST", here.path)


@pytest.mark.parametrize(
    ("currency", "fields", "wrong"),
    [
        ("GBP", {}, {"name", "sort-code", "account-number"}),
        ("GBP", {**TYPED, "name": "  "}, {"name"}),
        ("GBP", {**TYPED, "name": "x" * 257}, {"name"}),
        ("GBP", {**TYPED, "sort_code": "01-02-0"}, {"sort-code"}),
        ("GBP", {**TYPED, "sort_code": "01/02/03"}, {"sort-code"}),
        ("GBP", {**TYPED, "account_number": "123456789"}, {"account-number"}),
        ("GBP", {**TYPED, "account_number": "<b>"}, {"account-number"}),
        ("EUR", {"name": "Jane Doe", "iban": f"{IBAN[:-1]}1"}, {"iban"}),
        ("EUR", {"name": "Jane Doe", "iban": IBAN + "0" * 60}, {"iban"}),
        ("EUR", TYPED, {"iban"}),
        ("AUD", {"name": "Jane Doe", "bsb": "0120034", "account_number": "5678"}, {"bsb"}),
        ("AUD", {"name": "Jane Doe", "bsb": "012003", "account_number": "567"}, {"account-number"}),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    refunded: Any, currency: str, fields: dict[str, str], wrong: set[str]
) -> None:
    here = refunded(currency)
    customer = here.gives(expect=422, **{"name": "", **fields})
    names = ("name", "sort-code", "account-number", "bsb", "iban")
    assert {name for name in names if customer.sees(f"{name}-error")} == wrong
    for name in names:
        if customer.sees(name) and name in fields:
            assert customer.typed(name) == fields[name].strip()
    assert customer.page.count(" autofocus") == 1
    assert "<title>Error: " in customer.page
    assert "<b>" not in customer.page
    assert here.refund()["state"] == "awaiting_details"


def test_giving_details_twice_is_harmless(refunded: Any) -> None:
    here = refunded()
    here.gives(**TYPED)
    payout = here.payout()
    assert location(here.customer.posts(**TYPED)) == f"{here.path}/confirmation"
    for other in ({**TYPED, "account_number": "11112222"}, {}):
        assert location(here.customer.posts(**other)) == here.path
    assert here.payout() == payout


def test_of_many_at_once_one_counts(refunded: Any, app: Flask, tester: Tester) -> None:
    here = refunded()
    customers = [Customer(app.test_client(), here.path) for _ in range(8)]
    for customer in customers:
        customer.opens()

    def gives(place: int) -> str:
        return location(customers[place].posts(**{**TYPED, "account_number": f"1111222{place}"}))

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(gives, range(8))) == [*[here.path] * 7, f"{here.path}/confirmation"]
    events = tester.ask("GET", "/__admin/merchants/pk_test_simulator/events?kind=payment_session.created")["events"]
    assert [event["data"]["refund_id"] for event in events] == [None, here.id]


@pytest.mark.parametrize(
    ("ending", "page"), [("settle", "sent"), ("reject", "failed"), ("mark", "externally-processed")]
)
def test_a_refund_that_is_over_says_how_it_ended(refunded: Any, tester: Tester, ending: str, page: str) -> None:
    here = refunded()
    form = here.customer.opens()
    if ending == "mark":
        tester.ask("POST", f"/__admin/refunds/{here.id}/actions/mark_externally_processed")
    else:
        here.gives(**TYPED)
        session = here.refund()["refund_payment_session_id"]
        tester.acts(session, "choose_provider")
        tester.acts(session, ending)
    here.customer.opens()
    assert here.customer.sees(page)
    assert here.customer.is_sent("/confirmation") == here.path
    before, here.customer.page = here.refund(), form
    there = here.path if ending == "mark" else f"{here.path}/confirmation"
    assert location(here.customer.posts(**TYPED)) == there
    assert here.refund() == before


def test_details_that_the_bank_shared_are_not_asked_for(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    payment = tester.pays(merchant.requests_payment(), "Mock Bank Direct")
    here = Refunded(client, merchant, tester, merchant.refunds(payment, pence=150))
    here.customer.opens()
    assert here.customer.sees("already-given")


def test_a_form_without_its_token_is_refused(refunded: Any) -> None:
    here = refunded()
    here.gives(expect=403, form_token="0", **TYPED)
    assert here.refund()["state"] == "awaiting_details"


@pytest.mark.parametrize("page", ["", "/confirmation"])
def test_a_refund_that_is_not_there_is_a_kind_page(
    refunded: Any, merchant: MerchantCaller, client: FlaskClient, page: str
) -> None:
    payment = refunded().refund()["payment_session_id"]
    for id_ in (NOBODY, payment, "x", "%00", "%F0%9F%92%A3"):
        customer = Customer(client, f"/refunds/{id_}")
        customer.opens(page, expect=404)
        assert customer.sees("problem")
    merchant.reads_payment(payment)
