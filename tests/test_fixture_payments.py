"""Fixtures with payments: what had happened before the start, and again after each reset."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simulator.bootstrap import build_app, build_simulation
from simulator.config import InvalidSetting, MerchantSetting, Settings
from simulator.domain.money import Currency
from simulator.domain.ports import PaymentQuery
from simulator.domain.states import PaymentState, RefundState
from simulator.service.merchant import MerchantService
from tests import actors
from tests.actors import MerchantCaller

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from simulator.service.merchant import PaymentWithRefunds

    Json = Any

DEMO = Path(__file__).parents[1] / "fixtures" / "demo.json"
KEY, SECRET = "pk_test_shop", "sk_test_shop"
CANDLES = {"name": "Candles", "amount": 400, "currency": "GBP", "quantity": 2}
SMALLEST = {"reference": "Candles", "line_items": [CANDLES]}
SENT = {**SMALLEST, "state": "sent", "created": "3d"}
EUROS = {"account_identifier": "DE89370400440532013000", "identifier_type": "IBAN", "currency": "EUR"}
POUNDS = {"account_number": "11112222", "sort_code": "203040"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fixtures.json"


def written(file: Path, *sessions: Json, **merchant: Json) -> Settings:
    """Settings with a fixture file in which the shop has these payment sessions."""
    shop = {"key": KEY, "secret": SECRET, **merchant, "payment_sessions": sessions}
    file.write_text(json.dumps({"merchants": [shop]}), "utf-8")
    return Settings(fixtures=file)


def started(file: Path, *sessions: Json, **merchant: Json) -> tuple[MerchantCaller, Json]:
    """The shop once it started with these sessions, and what it lists of them."""
    shop = MerchantCaller(build_app(written(file, *sessions, **merchant))[0].test_client(), KEY, SECRET)
    return shop, shop.ask("GET", "/v2/payment_sessions")


def refusals(file: Path, *sessions: Json, **merchant: Json) -> list[tuple[str, str]]:
    """The place and the reason of each line with which these sessions are refused."""
    with pytest.raises(InvalidSetting) as refused:
        build_simulation(written(file, *sessions, **merchant))
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{file}: merchants/0/payment_sessions/") for line in lines)
    rests = [line.removeprefix(f"{file}: merchants/0/payment_sessions/") for line in lines]
    return [(place, reason) for place, _, reason in (rest.partition(": ") for rest in rests)]


def ago(time: str) -> timedelta:
    """How long ago a time as Banked prints it was."""
    return datetime.now(UTC) - datetime.fromisoformat(time.replace(" UTC", "+00:00"))


def timeless(payment: Json) -> Json:
    """A payment session without its times."""
    return {name: value for name, value in payment.items() if name not in ("created_at", "sent_at")}


# What is loaded


def test_a_session_is_as_it_would_be_asked_for(file: Path) -> None:
    asked = {
        "reference": "Candles",
        "line_items": [{**CANDLES, "description": "Of beeswax"}],
        "payee": {"name": "Gerald Wiley", "account_number": "12345678", "sort_code": "010203"},
        "payer": {"name": "Jane Doe", "email": "jane@doe.com"},
        "success_url": "https://shop.example/thanks",
        "error_url": "https://shop.example/sorry",
        "email_receipt": True,
        "frequency": "monthly",
        "number_of_payments": 3,
        "rewards": [{"type": "avios"}],
    }
    _, [payment] = started(file, asked)
    assert {name: payment[name] for name in asked} == asked
    assert (payment["state"], payment["amount"], payment["refunds"]) == ("awaiting_provider", 800, [])
    assert ago(payment["created_at"]) < timedelta(minutes=1)


def test_the_payee_is_the_linked_account_of_the_currency_else_the_first(file: Path) -> None:
    sessions = [{**SMALLEST, "line_items": [{**CANDLES, "currency": currency}]} for currency in ("EUR", "GBP", "USD")]
    _, listed = started(file, *sessions, bank_accounts=[POUNDS, EUROS])
    payees = {payment["currency"]: payment["payee"] for payment in listed}
    assert payees["EUR"]["account_identifier"] == EUROS["account_identifier"]
    assert payees["GBP"] == payees["USD"] == {"name": "Shop", **POUNDS}


@pytest.mark.parametrize("state", PaymentState)
def test_a_payment_starts_in_any_state(file: Path, state: PaymentState) -> None:
    _, [payment] = started(file, {**SMALLEST, "state": state.value, "created": "1d2h30m"})
    assert payment["state"] == state
    assert abs(ago(payment["created_at"]) - timedelta(days=1, hours=2, minutes=30)) < timedelta(minutes=1)
    assert (payment["sent_at"] is None) is (state is not PaymentState.SENT)
    assert payment["sent_at"] is None or payment["sent_at"] > payment["created_at"]


@pytest.mark.parametrize("state", RefundState)
def test_a_refund_starts_in_any_state(file: Path, state: RefundState) -> None:
    _, listed = started(file, {**SENT, "refunds": [{"amount": 300, "state": state.value, "created": "2d"}]})
    [refund] = listed[-1]["refunds"]
    assert (refund["amount"], refund["state"]) == (300, state)


def test_an_instant_stays_what_it_is(file: Path) -> None:
    shop, before = started(file, {**SMALLEST, "created": "2026-01-02T05:04:05+02:00"})
    assert before[0]["created_at"] == "2026-01-02 03:04:05 UTC"
    shop.ask("POST", f"/__admin/merchants/{KEY}/reset")
    assert shop.ask("GET", "/v2/payment_sessions") == before


def test_life_goes_on(file: Path) -> None:
    shop, listed = started(file, SENT, SMALLEST)
    tester = actors.Tester(shop.client)
    assert tester.pays(listed[0])["state"] == "sent"
    assert shop.refunds(listed[1], pence=800)["state"] == "awaiting_details"


def test_a_reset_brings_it_all_back_with_the_same_ids(file: Path) -> None:
    refunds = [{"amount": 100, "state": state.value} for state in RefundState]
    shop, before = started(file, {**SENT, "refunds": refunds}, SMALLEST, {**SENT, "provider": "Mock Bank Direct"})
    for payment in before:
        if payment["state"] == "awaiting_provider":
            actors.Tester(shop.client).pays(payment)
    shop.ask("POST", f"/__admin/merchants/{KEY}/clock/advance", json={"by": "400d"})
    shop.ask("POST", f"/__admin/merchants/{KEY}/reset")
    after = shop.ask("GET", "/v2/payment_sessions")
    assert [timeless(payment) for payment in after] == [timeless(payment) for payment in before]
    events = shop.ask("GET", f"/__admin/merchants/{KEY}/events")["events"]
    instants = [event["at"] for event in events]
    assert instants == sorted(instants)


def test_the_same_seed_gives_the_same_ids_at_each_start(file: Path) -> None:
    found = []
    for _ in range(2):
        written(file, SENT, {**SENT, "refunds": [{"amount": 1, "state": "sent"}]})
        client = build_app(Settings(fixtures=file, seed="42"))[0].test_client()
        listed = MerchantCaller(client, KEY, SECRET).ask("GET", "/v2/payment_sessions")
        found.append([payment["id"] for payment in listed])
    assert found[0] == found[1]


def test_a_setting_with_the_same_key_has_no_past(file: Path) -> None:
    settings = written(file, SENT)
    simulation = build_simulation(Settings(fixtures=settings.fixtures, merchants=(MerchantSetting(KEY, "other"),)))
    assert MerchantService(simulation, KEY).payments(PaymentQuery()) == []


# What is refused


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"reference": "no-hyphens"}, "reference"),
        ({"line_items": []}, "line_items"),
        ({"line_items": [{**CANDLES, "amount": 0}]}, "line_items/0/amount"),
        ({"line_items": [{**CANDLES, "colour": "red"}]}, "line_items/0/colour"),
        ({"line_items": [CANDLES, {**CANDLES, "currency": "EUR"}]}, "line_items"),
        ({"line_items": [{**CANDLES, "amount": 2**52}]}, "line_items"),
        ({"payee": {"account_number": "1", "sort_code": "010203"}}, "payee/account_number"),
        ({"payee": POUNDS}, "payee"),
        ({"payee": None}, "payee"),
        ({"payer": {"name": "Jane Doe"}}, "payer/email"),
        ({"payer": {"name": "Jane Doe", "email": "jane@doe.com", "age": 7}}, "payer/age"),
        ({"rewards": [{"type": "avios", "x": 1}]}, "rewards/0/x"),
        ({"state": "paid"}, "state"),
        ({"provider": "Barclays"}, "provider"),
        ({"provider": "Mock Bank Offline"}, "provider"),
        ({"provider": 7}, "provider"),
        ({"created": "yesterday"}, "created"),
        ({"created": "3d 2h ago"}, "created"),
        ({"created": 3}, "created"),
        ({"created": "2999-01-01T00:00:00Z"}, "created"),
        ({"created": "1969-12-31T23:59:59Z"}, "created"),
        ({"created": "2026-01-01T00:00:00"}, "created"),
        ({"created": "999999d"}, "created"),
        ({"created": "999999999999d"}, "created"),
        ({"id": "mine"}, "id"),
        ({"refunds": {}}, "refunds"),
        ({"refunds": [{}]}, "refunds/0/amount"),
        ({"refunds": [{"amount": 1}, {"amount": 0}]}, "refunds/1/amount"),
        ({"refunds": [{"amount": 801}]}, "refunds/0/amount"),
        ({"refunds": [{"amount": 1, "state": "gone"}]}, "refunds/0/state"),
        ({"refunds": [{"amount": 1, "created": "4d"}]}, "refunds/0/created"),
        ({"refunds": [{"amount": 1, "created": "2999-01-01T00:00:00Z"}]}, "refunds/0/created"),
        ({"refunds": [{"amount": 1, "reference": "much too long for a reference"}]}, "refunds/0/reference"),
        ({"refunds": [{"amount": 1, "payee": {"sort_code": "010203"}}]}, "refunds/0/payee/account_number"),
        ({"refunds": [{"amount": 1, "reason": "?"}]}, "refunds/0/reason"),
        ({"refunds": [{"amount": 1, "payee": POUNDS, "state": "awaiting_details"}]}, "refunds/0/state"),
        ({"refunds": [{"amount": 1}], "state": "pending"}, "refunds/0"),
    ],
    ids=str,
)
def test_the_place_of_a_mistake_is_told(file: Path, fields: Json, place: str) -> None:
    [(told, reason)] = refusals(file, SENT, {**SENT, **fields})
    assert told == f"1/{place}"
    assert reason.endswith(".")


def test_refunds_add_up_to_no_more_than_was_paid(file: Path) -> None:
    refunds = [{"amount": 500, "created": "2d"}, {"amount": 301, "created": "1d"}, {"amount": 300, "created": "2h"}]
    [(place, reason)] = refusals(file, {**SENT, "refunds": refunds})
    assert (place, reason) == ("0/refunds/1/amount", "£3.01 cannot be refunded: £3.00 is left of the £8.00 paid.")


def test_a_session_needs_an_account_to_be_paid_on(file: Path) -> None:
    [(place, _)] = refusals(file, SMALLEST, bank_accounts=[])
    assert place == "0/payee"
    shop, _ = started(file, bank_accounts=[])
    assert shop.ask("GET", "/v2/payment_sessions") == []


def test_all_mistakes_are_told_a_line_each(file: Path) -> None:
    wrong = {**SENT, "refunds": [{"amount": 900}, {"amount": 1, "created": "5d"}]}
    places = [place for place, _ in refusals(file, wrong, SENT, {**SENT, "provider": "Mock Bank Offline"})]
    assert places == ["0/refunds/0/amount", "0/refunds/1/created", "2/provider"]


# The demo


@pytest.fixture(scope="module")
def demo() -> FlaskClient:
    return build_app(Settings(fixtures=DEMO))[0].test_client()


@pytest.fixture(scope="module")
def sold() -> list[PaymentWithRefunds]:
    found = MerchantService(build_simulation(Settings(fixtures=DEMO)), "pk_test_demo").payments(PaymentQuery())
    return [(payment, refunds) for payment, refunds in found if payment.refund_id is None]


def test_the_demo_has_payments_and_refunds_in_all_states(sold: list[PaymentWithRefunds]) -> None:
    assert Counter(payment.state.value for payment, _ in sold) == {
        "awaiting_provider": 4,
        "awaiting_payment_consent": 2,
        "initiated": 2,
        "pending": 2,
        "sent": 21,
        "failed": 4,
    }
    assert Counter(refund.state.value for _, refunds in sold for refund in refunds) == {
        "awaiting_details": 2,
        "awaiting_payment": 2,
        "sent": 4,
        "failed": 2,
        "externally_processed": 2,
    }


def test_the_demo_is_of_the_last_two_weeks_and_nobody_is_in_it_twice(sold: list[PaymentWithRefunds]) -> None:
    now = datetime.now(UTC)
    ages = [now - payment.created_at for payment, _ in sold]
    assert timedelta(days=13) < max(ages) < timedelta(days=14)
    assert min(ages) < timedelta(minutes=10)
    assert len({payment.request.payer for payment, _ in sold}) == len(sold)
    assert len({payment.request.reference for payment, _ in sold}) == len(sold)


def test_in_the_demo_foreign_money_goes_to_accounts_that_take_it(sold: list[PaymentWithRefunds]) -> None:
    kinds = {payment.currency: payment.request.payee.identifier_type for payment, _ in sold}
    assert kinds == {Currency.GBP: None, Currency.EUR: "IBAN", Currency.AUD: "BSBAccountNumber"}
    assert Counter(payment.currency for payment, _ in sold).most_common()[1:] == [(Currency.AUD, 1), (Currency.EUR, 1)]


def test_the_demo_answers_to_its_key(demo: FlaskClient) -> None:
    shop = MerchantCaller(demo, "pk_test_demo", "sk_test_demo")
    assert len(shop.ask("GET", "/v2/payment_sessions?state=failed")) == 4 + 2
