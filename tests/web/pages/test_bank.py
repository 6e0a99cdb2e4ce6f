"""The mock bank: whoever comes there logs in, chooses an account and decides, once; all others are shown the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import refund_id
from tests.web.pages.customers import Customer, location

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.actors import Json, MerchantCaller, Tester

NOBODY = "11111111-1111-4111-8111-111111111111"
WORLD = "/__admin/merchants/pk_test_simulator"
JANE = {"name": "Jane Doe", "email": "jane@doe.com"}
MOCK_BANK, DIRECT, AU, EU = "Mock Bank", "Mock Bank Direct", "Mock Bank AU", "Mock Bank EU"
IBAN = "DE89370400440532013000"


class Bank:
    """A payer at the bank that was picked for a payment."""

    def __init__(self, client: FlaskClient, merchant: MerchantCaller, tester: Tester, payment: Json) -> None:
        self.client, self.merchant, self.tester = client, merchant, tester
        self.id = payment["id"]
        self.customer = Customer(client, f"/bank/{self.id}")

    def picked(self, bank: str) -> None:
        self.tester.acts(self.id, "choose_provider", provider=bank)

    def logs_in(self) -> Customer:
        self.customer.opens()
        assert location(self.customer.posts(user_name="jane")) == f"/bank/{self.id}/consent"
        self.customer.opens("/consent")
        return self.customer

    def state(self) -> str:
        state: str = self.merchant.reads_payment(self.id)["state"]
        return state

    def shared(self, expect: int = 200) -> Json:
        return self.merchant.ask("GET", f"/v2/payment_sessions/{self.id}/consumer_account", expect=expect)

    def events(self, **query: str) -> list[Json]:
        path = f"{WORLD}/events"
        found: list[Json] = self.tester.ask("GET", path, query_string={"subject": self.id, **query})["events"]
        return [event for event in found if event["kind"] not in ("page", "request")]


@pytest.fixture
def arrive(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> Any:
    """Brings a payer to a bank."""

    def arrive(bank: str | None = MOCK_BANK, currency: str = "GBP", **fields: Any) -> Bank:
        items = [{"name": "Candles", "amount": 400, "currency": currency, "quantity": 1}]
        payment = merchant.requests_payment(**{"line_items": items, "payer": JANE, **fields})
        there = Bank(client, merchant, tester, payment)
        if bank is not None:
            there.picked(bank)
        return there

    return arrive


def result(there: Bank) -> str:
    return f"/checkout/{there.id}/result"


# Logging in


@pytest.mark.parametrize(("payer", "known_as"), [(JANE, "jane@doe.com"), (None, "customer")])
def test_the_bank_knows_its_customer_already(arrive: Any, payer: Json, known_as: str) -> None:
    there = arrive(payer=payer)
    there.customer.opens()
    assert there.customer.typed("user-name") == known_as
    assert there.customer.reads("bank-name") == "Mock Bank"


@pytest.mark.parametrize("name", ["", "   ", "x" * 257])
def test_who_gives_no_name_is_asked_again(arrive: Any, name: str) -> None:
    there = arrive()
    there.customer.opens()
    there.customer.posts(user_name=name, expect=422)
    assert there.customer.reads("user-name-error") == "Enter a user name; any will do."
    assert there.customer.is_sent("/consent") == f"/bank/{there.id}"


def test_who_is_logged_in_is_not_asked_again(arrive: Any) -> None:
    there = arrive()
    there.logs_in()
    assert there.customer.is_sent() == f"/bank/{there.id}/consent"


@pytest.mark.parametrize("page", ["/consent", "/authorise", "/decline"])
def test_nobody_sees_accounts_without_logging_in(arrive: Any, page: str) -> None:
    there = arrive()
    assert there.customer.is_sent(page) == f"/bank/{there.id}"


@pytest.mark.parametrize("form", ["/authorise", "/decline"])
def test_nobody_decides_without_logging_in(arrive: Any, form: str) -> None:
    there = arrive()
    there.customer.opens()
    assert location(there.customer.posts(form, account="0")) == f"/bank/{there.id}"
    assert there.state() == "awaiting_payment_consent"


def test_another_browser_logs_in_for_itself(arrive: Any, app: Flask) -> None:
    there = arrive()
    there.logs_in()
    assert Customer(app.test_client(), there.customer.path).is_sent("/consent") == f"/bank/{there.id}"


def test_a_login_is_for_one_payment_at_one_bank(arrive: Any) -> None:
    there, other = arrive(), arrive()
    there.logs_in()
    assert other.customer.is_sent("/consent") == f"/bank/{other.id}"
    there.picked(DIRECT)
    assert there.customer.is_sent("/consent") == f"/bank/{there.id}"


def test_a_browser_that_logs_in_a_hundred_times_keeps_a_small_cookie(arrive: Any) -> None:
    for _ in range(100):
        last = arrive()
        last.logs_in()
    cookie = last.client.get_cookie("simulator_visitor")
    assert cookie is not None
    assert len(cookie.value) < 2500


# The consent


def test_the_consent_says_who_is_paid_how_much_and_why(arrive: Any) -> None:
    customer = arrive().logs_in()
    facts = ("amount", "payee", "payee-account", "reference", "merchant")
    assert {fact: customer.reads(fact) for fact in facts} == {
        "amount": "£4.00",
        "payee": "Gerald Wiley",
        "payee-account": "ending 5678",
        "reference": "Illuminate",
        "merchant": "Simulator",
    }


@pytest.mark.parametrize("place", ["0", "1", "2"])
def test_the_bank_shares_the_account_that_was_chosen(arrive: Any, place: str) -> None:
    there = arrive(DIRECT)
    customer = there.logs_in()
    endings = re.findall(r"ending (\w{4}) *</span>", customer.page)
    assert len(set(endings)) == 3
    assert location(customer.posts("/authorise", account=place)) == result(there)
    assert there.state() == "sent"
    assert there.shared()["account_number"][-4:] == endings[int(place)]
    assert there.shared()["name"] == "Jane Doe"


def test_the_first_account_is_the_one_shared_without_a_browser(arrive: Any, tester: Tester) -> None:
    there, headless = arrive(DIRECT), arrive(DIRECT)
    there.logs_in().posts("/authorise", account="0")
    tester.pays({"id": headless.id}, DIRECT)
    assert there.shared() == headless.shared()


def test_a_bank_that_keeps_accounts_to_itself_does_so(arrive: Any) -> None:
    there = arrive(MOCK_BANK)
    there.logs_in().posts("/authorise", account="1")
    assert there.state() == "sent"
    there.shared(expect=404)


def test_declining_ends_the_payment(arrive: Any) -> None:
    there = arrive(DIRECT)
    assert location(there.logs_in().posts("/decline")) == result(there)
    assert there.state() == "failed"
    assert there.events()[-1]["data"]["reason"] == "MD16"
    there.shared(expect=404)


def test_who_declines_pays_nothing_whatever_the_session_asked_for(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    body = {
        "reference": "Illuminate",
        "line_items": [{"name": "Candles", "amount": 400, "currency": "GBP", "quantity": 1}],
        "payee": {"name": "Gerald Wiley", "account_number": "12345678", "sort_code": "010203"},
    }
    payment = merchant.ask(
        "POST", "/v2/payment_sessions", json=body, headers={"Simulator-Scenario": "approve"}, expect=201
    )
    there = Bank(client, merchant, tester, payment)
    there.picked(MOCK_BANK)
    customer = there.logs_in()
    assert "wins over these buttons" in customer.page
    customer.posts("/decline")
    assert there.state() == "failed"


def test_what_happens_at_the_bank_is_in_the_log_with_the_visit_that_caused_it(arrive: Any, tester: Tester) -> None:
    there = arrive()
    there.logs_in().posts("/authorise", account="0")
    changed = there.events(kind="payment_session.changed")[-1]
    pages = {event["number"]: event["data"] for event in tester.ask("GET", f"{WORLD}/events?kind=page")["events"]}
    assert pages[changed["because"]]["path"] == f"/bank/{there.id}/authorise"
    assert pages[changed["because"]]["status"] == 303


@pytest.mark.parametrize("place", ["", "3", "-1", "0 ", "²", "zero", "99999999999999999999"])
def test_an_account_that_is_not_there_is_asked_for_again(arrive: Any, place: str) -> None:
    there = arrive()
    customer = there.logs_in()
    customer.posts("/authorise", account=place, expect=422)
    assert customer.reads("account-error") == "Choose one of your accounts."
    assert there.state() == "awaiting_payment_consent"
    customer.posts("/authorise", account="0")
    assert there.state() == "sent"


# Accounts that are typed


def types(there: Bank, expect: int = 303, **fields: str) -> Customer:
    customer = there.logs_in()
    customer.posts("/authorise", expect=expect, account="another", **fields)
    return customer


@pytest.mark.parametrize("sort_code", ["111114", "11-11-14", "11 11 14", " 11\u201311\u201314 "])
def test_a_british_magic_account_can_be_typed(arrive: Any, sort_code: str) -> None:
    there = arrive()
    types(there, sort_code=sort_code, account_number="0000 0006")
    assert there.state() == "failed"
    assert there.events()[-1]["data"]["reason"] == "AM04"
    assert there.events(kind="scenario.started")[-1]["data"]["door"] == "magic_account"


def test_an_account_that_is_typed_is_shared_with_its_holders_name(arrive: Any) -> None:
    there = arrive(DIRECT)
    types(there, sort_code="04-05-06", account_number="87654321")
    assert there.shared() == {"account_number": "87654321", "name": "Jane Doe", "sort_code": "040506"}


def test_an_iban_can_be_typed_at_a_bank_in_europe(arrive: Any) -> None:
    there = arrive(EU, "EUR")
    types(there, iban="de89 3704 0044 0532 0130 00")
    assert there.state() == "sent"


@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [("992120", "failed", "AM04"), ("991111", "failed", "MD16"), ("050511", "awaiting_payment_consent", None)],
)
def test_the_magic_numbers_of_australia_can_be_typed(arrive: Any, number: str, state: str, reason: str | None) -> None:
    there = arrive(AU, "AUD")
    types(there, bsb="111-114", account_number=number)
    assert there.state() == state
    assert there.events()[-1]["data"].get("reason") == reason
    assert there.events(kind="scenario.started")[-1]["data"]["door"] == "magic_account"


def test_any_other_account_in_australia_will_do(arrive: Any) -> None:
    there = arrive(AU, "AUD")
    types(there, bsb="012-003", account_number="1234 5678")
    assert there.state() == "sent"


def test_a_bank_in_australia_lists_no_accounts(arrive: Any) -> None:
    customer = arrive(AU, "AUD").logs_in()
    assert customer.sees("bsb")
    assert customer.sees("account-number")
    assert not customer.sees("account-1")


@pytest.mark.parametrize(
    ("bank", "fields", "wrong"),
    [
        (MOCK_BANK, {}, {"sort-code", "account-number"}),
        (MOCK_BANK, {"sort_code": "11111", "account_number": "00000006"}, {"sort-code"}),
        (MOCK_BANK, {"sort_code": "111114", "account_number": "6"}, {"account-number"}),
        (MOCK_BANK, {"sort_code": "١١١١١٤", "account_number": "0000000O"}, {"sort-code", "account-number"}),
        (AU, {}, {"bsb", "account-number"}),
        (AU, {"bsb": "11111", "account_number": "0505111"}, {"bsb"}),
        (AU, {"bsb": "1111145", "account_number": "0505"}, {"bsb"}),
        (AU, {"bsb": "111114", "account_number": "123"}, {"account-number"}),
        (AU, {"bsb": "111114", "account_number": "1234567890"}, {"account-number"}),
        (EU, {}, {"iban"}),
        (EU, {"iban": IBAN.replace("89", "88", 1)}, {"iban"}),
        (EU, {"iban": "<script>"}, {"iban"}),
    ],
)
def test_what_is_wrong_with_an_account_is_said_beside_its_field(
    arrive: Any, bank: str, fields: dict[str, str], wrong: set[str]
) -> None:
    there = arrive(bank, {AU: "AUD", EU: "EUR"}.get(bank, "GBP"))
    customer = types(there, expect=422, **fields)
    errors = {name for name in ("sort-code", "account-number", "bsb", "iban") if customer.sees(f"{name}-error")}
    assert errors == wrong
    for name, text in fields.items():
        assert customer.typed(name.replace("_", "-")) == text
    assert "<script>" not in customer.page
    assert there.state() == "awaiting_payment_consent"


# The panel


def test_the_panel_has_a_button_for_each_scenario_and_says_what_it_does(arrive: Any, tester: Tester) -> None:
    customer = arrive().logs_in()
    scenarios = tester.ask("GET", "/__admin/scenarios")["scenarios"]
    assert len(scenarios) > 10
    for each in scenarios:
        assert customer.reads(f"simulate-{each['name'].replace('_', '-')}") == each["name"]
        assert each["description"].replace("'", "&#39;") in customer.page


@pytest.mark.parametrize(
    ("bank", "account", "scenario", "state"),
    [
        (MOCK_BANK, "0", "insufficient_funds", "failed"),
        (MOCK_BANK, "2", "stuck_pending", "pending"),
        (MOCK_BANK, "another", "stuck_pending", "pending"),
        (AU, "", "stuck_pending", "pending"),
        (MOCK_BANK, "0", "user_cancels", "awaiting_payment_consent"),
    ],
)
def test_a_button_authorises_with_its_scenario(arrive: Any, bank: str, account: str, scenario: str, state: str) -> None:
    there = arrive(bank)
    customer = there.logs_in()
    assert location(customer.posts("/authorise", account=account, scenario=scenario)) == result(there)
    assert there.state() == state
    assert there.events(kind="scenario.started")[-1]["data"] == {"scenario": scenario, "door": "button"}


@pytest.mark.parametrize("scenario", ["", "explode", "<b>bold</b>", "x" * 10_000])
def test_a_scenario_that_there_is_not_is_refused_kindly(arrive: Any, scenario: str) -> None:
    there = arrive()
    customer = there.logs_in()
    customer.posts("/authorise", account="0", scenario=scenario, expect=422)
    assert customer.sees("problem")
    assert "There is no scenario" in customer.page
    assert "<b>" not in customer.page
    assert there.state() == "awaiting_payment_consent"


@pytest.mark.parametrize(("settings", "plays"), [({}, "approve"), ({"scenario": "bank_timeout"}, "bank_timeout")])
def test_the_panel_says_what_authorising_does_without_it(
    arrive: Any, tester: Tester, settings: Json, plays: str
) -> None:
    if settings:
        tester.ask("PUT", WORLD, json=settings)
    assert f"Authorise plays <code>{plays}</code>" in arrive().logs_in().page


# Wrong moments


def test_who_has_picked_no_bank_is_led_to_the_list(arrive: Any) -> None:
    there = arrive(None)
    for page in ("", "/consent", "/authorise", "/decline"):
        assert there.customer.is_sent(page) == f"/checkout/{there.id}"


@pytest.mark.parametrize("actions", ["initiate", "accept", "settle", "reject", "fail", "expire"])
def test_who_comes_too_late_is_shown_what_became_of_it(arrive: Any, tester: Tester, actions: str) -> None:
    there = arrive()
    customer = there.logs_in()
    tester.acts(there.id, actions)
    state = there.state()
    for page in ("", "/consent", "/authorise", "/decline"):
        assert customer.is_sent(page) == result(there)
    for form in ("", "/authorise", "/decline"):
        assert location(customer.posts(form, account="0", user_name="jane")) == result(there)
    assert there.state() == state


def test_a_session_that_expired_before_a_bank_was_picked_is_over(arrive: Any, tester: Tester) -> None:
    there = arrive(None)
    tester.acts(there.id, "expire")
    assert there.customer.is_sent() == result(there)


@pytest.mark.parametrize("again", ["/authorise", "/decline"])
@pytest.mark.parametrize("first", ["/authorise", "/decline"])
@pytest.mark.parametrize("progression", ["time", "manual"])
def test_only_the_first_decision_counts(arrive: Any, tester: Tester, first: str, again: str, progression: str) -> None:
    tester.ask("PUT", WORLD, json={"scenario": "approve_slowly", "progression": progression})
    there = arrive()
    customer = there.logs_in()
    customer.posts(first, account="0")
    before = there.events()
    assert location(customer.posts(again, account="1", scenario="bank_error")) == result(there)
    assert customer.is_sent("/consent") == result(there)
    assert there.events() == before


def test_the_form_of_a_bank_that_was_left_for_another_decides_nothing(arrive: Any) -> None:
    there = arrive(MOCK_BANK)
    left = there.logs_in().page
    there.picked(DIRECT)
    there.logs_in()
    there.customer.page = left
    for form in ("/authorise", "/decline"):
        assert location(there.customer.posts(form, account="1")) == f"/bank/{there.id}"
    assert there.customer.is_sent() == f"/bank/{there.id}/consent"
    assert there.state() == "awaiting_payment_consent"


@pytest.mark.parametrize("page", ["", "/consent", "/authorise"])
def test_a_payment_that_is_not_there_is_a_kind_page(arrive: Any, merchant: MerchantCaller, page: str) -> None:
    deleted = arrive()
    merchant.ask("DELETE", f"/v2/payment_sessions/{deleted.id}", expect=204)
    for id_ in (NOBODY, deleted.id, "x", "%00", "%F0%9F%92%A3"):
        customer = Customer(merchant.client, f"/bank/{id_}")
        customer.opens(page, expect=404)
        assert customer.sees("problem")


def test_a_refund_is_no_payment(arrive: Any, merchant: MerchantCaller, tester: Tester) -> None:
    there = arrive()
    tester.pays({"id": there.id})
    refund = merchant.refunds({"id": there.id}, pence=100)
    Customer(merchant.client, f"/bank/{refund_id(refund)}").opens(expect=404)


def test_a_form_from_elsewhere_is_refused(arrive: Any) -> None:
    there = arrive()
    there.logs_in()
    for token in ("", "0" * 64):
        there.customer.posts("/authorise", account="0", form_token=token, expect=403)
    assert there.state() == "awaiting_payment_consent"


# Refunds


@pytest.mark.parametrize(("bank", "currency"), [(MOCK_BANK, "GBP"), (AU, "GBP"), (EU, "EUR")])
def test_a_refund_is_authorised_by_the_merchant_from_its_own_account(
    arrive: Any, merchant: MerchantCaller, tester: Tester, bank: str, currency: str
) -> None:
    there = arrive(DIRECT, currency)
    tester.pays({"id": there.id}, DIRECT)
    refund = merchant.refunds({"id": there.id}, pence=150)
    payout = Bank(merchant.client, merchant, tester, {"id": refund["refund_payment_session_id"]})
    payout.picked(bank)
    customer = payout.logs_in()
    assert customer.reads("payee") == "Jane Doe"
    assert "Authorise a refund of" in customer.page
    if bank == AU:
        assert (customer.typed("bsb"), customer.typed("account-number")) == ("010203", "12345678")
        fields = {"bsb": "010203", "account_number": "12345678"}
    else:
        assert customer.sees("account-1")
        assert not customer.sees("account-2")
        fields = {"account": "0"}
    customer.posts("/authorise", **fields)
    assert payout.state() == merchant.reads_refund(refund)["state"] == "sent"


# The policy


def test_the_forms_may_lead_to_the_shop_and_nowhere_else(arrive: Any) -> None:
    there = arrive(success_url="http://shop.example/yes", error_url="https://shop.example/no")
    there.logs_in()
    policy = there.client.get(f"/bank/{there.id}/consent").headers["Content-Security-Policy"]
    assert "form-action 'self' http://shop.example https://shop.example;" in policy
