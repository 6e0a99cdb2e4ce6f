"""What payers do in the checkout: say who they are, pick a bank, turn away (Q26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.domain.accounts import Account
from simulator.domain.errors import IllegalAction, NotFound
from simulator.domain.events import EventQuery
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payer, PaymentRequest
from simulator.domain.returns import Outcome, outcome
from simulator.domain.states import PaymentState
from simulator.service import tester
from simulator.service.bank import BankService
from simulator.service.merchant import MerchantService
from simulator.service.payer import PayerService
from simulator.service.story import StoryService

if TYPE_CHECKING:
    from simulator.domain.payments import Payment
    from simulator.service.simulation import Simulation

KEY = "pk_test_shop"
JANE = Payer("Jane {Doe}", "jane@doe.com")
REQUEST = PaymentRequest(
    reference="Illuminate",
    line_items=(LineItem("Candles", 100, Currency.GBP, 4),),
    payee=Account("Gerald Wiley", "12345678", "010203"),
)


@pytest.fixture
def payment(simulation: Simulation) -> Payment:
    simulation.merchant(KEY)
    return MerchantService(simulation, KEY).create_payment(REQUEST)


@pytest.fixture
def payer(simulation: Simulation) -> PayerService:
    return PayerService(simulation, KEY)


def now(simulation: Simulation, payment: Payment) -> Payment:
    return MerchantService(simulation, KEY).payment(payment.id)[0]


def happened(simulation: Simulation, kind: str) -> list[object]:
    return [event.data for event in StoryService(simulation).events(KEY, EventQuery(kind=kind))]


def test_a_payer_who_says_their_name_is_kept_and_the_log_tells_it_once(
    simulation: Simulation, payer: PayerService, payment: Payment
) -> None:
    assert payer.introduce(payment.id, JANE) == now(simulation, payment)
    payer.introduce(payment.id, JANE)
    assert now(simulation, payment).request.payer == JANE
    told = {"by": "payer", "name": "Jane {Doe}", "email": "jane@doe.com"}
    assert happened(simulation, "payment_session.introduced") == [told]
    assert "The payer is Jane {Doe}, jane@doe.com." in StoryService(simulation).explain(payment.id).history[-1]


def test_nobody_takes_another_payers_place(simulation: Simulation, payer: PayerService, payment: Payment) -> None:
    payer.introduce(payment.id, JANE)
    with pytest.raises(IllegalAction):
        payer.introduce(payment.id, Payer("Joe", "joe@doe.com"))
    assert now(simulation, payment).request.payer == JANE


def test_turning_away_is_told_once_and_changes_no_state(
    simulation: Simulation, payer: PayerService, payment: Payment
) -> None:
    payer.cancel(payment.id)
    payer.cancel(payment.id)
    assert happened(simulation, "payment_session.cancelled") == [{"by": "payer"}]
    assert now(simulation, payment).state is PaymentState.AWAITING_PROVIDER
    assert outcome(now(simulation, payment)) is Outcome.USER_CANCELLED


def test_who_turned_away_may_still_pay(simulation: Simulation, payer: PayerService, payment: Payment) -> None:
    payer.choose_provider(payment.id, "Mock Bank")
    payer.cancel(payment.id)
    paid = BankService(simulation, KEY).authorise(payment.id)
    assert (paid.state, paid.cancelled) == (PaymentState.SENT, False)


def test_nobody_turns_away_once_authorised(simulation: Simulation, payer: PayerService, payment: Payment) -> None:
    tester.TesterService(simulation).pay(payment.id, scenario="approve_slowly")
    with pytest.raises(IllegalAction, match="authorised already"):
        payer.cancel(payment.id)
    assert happened(simulation, "payment_session.cancelled") == []


def test_a_payer_who_turns_away_at_the_bank_cancelled_as_well(simulation: Simulation, payment: Payment) -> None:
    tester.TesterService(simulation).pay(payment.id, scenario="user_cancels")
    assert outcome(now(simulation, payment)) is Outcome.USER_CANCELLED


def test_a_tester_cancels_for_the_payer(simulation: Simulation, payment: Payment) -> None:
    cancelled, _ = tester.TesterService(simulation).cancel(payment.id)
    assert (cancelled.cancelled, cancelled.state) == (True, PaymentState.AWAITING_PROVIDER)
    first, second = StoryService(simulation).timeline(payment.id)[-2:]
    assert (first.kind, first.data["did"]) == ("tester", "cancel")
    assert (second.kind, second.because) == ("payment_session.cancelled", first.number)


def test_what_is_not_there_is_not_cancelled(simulation: Simulation, payer: PayerService, payment: Payment) -> None:
    MerchantService(simulation, KEY).delete_payment(payment.id)
    with pytest.raises(NotFound):
        payer.cancel(payment.id)
    with pytest.raises(NotFound):
        payer.introduce(payment.id, JANE)
