"""The past: it happens by the rules, in the order of time, and the same each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from simulator.domain.accounts import Account
from simulator.domain.clock import EPOCH, MerchantClock
from simulator.domain.errors import InvalidAccount, NotFound, Refusals
from simulator.domain.events import EventQuery, Kind
from simulator.domain.histories import PastPayment, PastRefund
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payer, PaymentRequest
from simulator.domain.ports import PaymentQuery
from simulator.domain.refunds import refunded
from simulator.domain.states import PaymentState, RefundState
from simulator.service import tester
from simulator.service.history import relive
from simulator.service.merchant import MerchantService
from simulator.service.timers import TimerService
from simulator.service.trade import TradeService
from tests.actors import NOON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.domain.events import Event
    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund
    from simulator.service.merchant import PaymentWithRefunds
    from simulator.service.simulation import Simulation

KEY = "pk_test_past"
JANE = Account("Jane Doe", "87654321", "040506")
REQUEST = PaymentRequest(
    reference="Candles",
    line_items=(LineItem("Candle", 400, Currency.GBP, 2),),
    payee=SANDBOX_ACCOUNT,
    payer=Payer("Jane Doe", "jane@doe.com"),
)
ASKED_FOR = PastPayment(request=REQUEST, provider="Mock Bank", created=timedelta(days=3))
SENT = replace(ASKED_FOR, state=PaymentState.SENT)


class Past:
    """The past of one merchant, and what is left of it."""

    def __init__(self, simulation: Simulation, key: str = KEY) -> None:
        self.simulation = simulation
        self.key = key
        simulation.merchant(key)

    def happens(self, *pasts: PastPayment) -> None:
        with self.simulation.work(self.key) as work:
            relive(work, pasts)

    def is_refused(self, *pasts: PastPayment) -> list[str]:
        with pytest.raises(Refusals) as refused:
            self.happens(*pasts)
        assert self.payments() == []
        return [refusal.parameter for refusal in refused.value.refusals]

    def payments(self) -> list[PaymentWithRefunds]:
        """The customers' payments with their refunds, the newest first."""
        query = PaymentQuery(limit=1_000_000)
        return [each for each in MerchantService(self.simulation, self.key).payments(query) if not each[0].refund_id]

    def payment(self) -> Payment:
        [(payment, _)] = self.payments()
        return payment

    def refund(self) -> Refund:
        [(_, (refund,))] = self.payments()
        return refund

    def events(self) -> Sequence[Event]:
        with self.simulation.store.transaction(self.key) as world:
            return world.events(EventQuery())

    def timers(self) -> int:
        with self.simulation.store.transaction(self.key) as world:
            return len(world.timers())


@pytest.fixture
def past(simulation: Simulation) -> Past:
    return Past(simulation)


# What happens


@pytest.mark.parametrize("state", PaymentState)
def test_a_payment_is_in_the_state_it_got_to(past: Past, state: PaymentState) -> None:
    past.happens(replace(ASKED_FOR, state=state))
    payment = past.payment()
    assert (payment.state, payment.created_at) == (state, NOON - timedelta(days=3))
    assert (payment.provider is None) is (state is PaymentState.AWAITING_PROVIDER)
    if state is PaymentState.SENT:
        assert payment.sent_at is not None
        assert timedelta() < payment.sent_at - payment.created_at < timedelta(minutes=6)
    else:
        assert payment.sent_at is None


@pytest.mark.parametrize("bank", ["Mock Bank", "Mock Bank Direct"])
@pytest.mark.parametrize("payee", [None, JANE])
@pytest.mark.parametrize("state", [None, *RefundState])
def test_a_refund_is_in_the_state_it_got_to(
    past: Past, bank: str, payee: Account | None, state: RefundState | None
) -> None:
    refund = PastRefund(amount=300, state=state, payee=payee, reference="Sorry", created=timedelta(days=2))
    known = payee is not None or bank == "Mock Bank Direct"
    wanted = replace(SENT, provider=bank, refunds=(refund,))
    if known and state is RefundState.AWAITING_DETAILS:
        assert past.is_refused(wanted) == ["payment_sessions/0/refunds/0/state"]
        return
    past.happens(wanted)
    reached = past.refund()
    assert reached.created_at == NOON - timedelta(days=2)
    by_itself = RefundState.AWAITING_PAYMENT if known else RefundState.AWAITING_DETAILS
    assert reached.state is (state or by_itself)
    if payee is not None and bank == "Mock Bank":
        assert reached.details == JANE
    if reached.refund_payment_session_id is not None and reached.details is not None:
        payout, _ = tester.TesterService(past.simulation).payment(reached.refund_payment_session_id)
        assert (payout.request.reference, payout.request.payee) == ("Sorry", reached.details)
        assert reached.details.name == "Jane Doe"


def test_a_refund_without_a_time_was_asked_for_after_the_payment(past: Past) -> None:
    past.happens(replace(SENT, refunds=(PastRefund(amount=1),)))
    sent_at = past.payment().sent_at
    assert sent_at is not None
    assert timedelta(hours=1) <= past.refund().created_at - sent_at <= timedelta(days=3)


def test_a_refund_of_the_same_minute_was_asked_for_once_it_was_paid(past: Past) -> None:
    past.happens(replace(SENT, refunds=(PastRefund(amount=1, created=timedelta(days=3)),)))
    assert past.refund().created_at == past.payment().sent_at


@pytest.mark.parametrize("ago", [timedelta(), timedelta(microseconds=3), timedelta(seconds=5)])
def test_however_short_ago_nothing_happened_later_than_now(past: Past, ago: timedelta) -> None:
    refunds = (PastRefund(amount=1, state=RefundState.SENT), PastRefund(amount=2, state=RefundState.FAILED))
    past.happens(replace(SENT, created=ago, refunds=refunds))
    assert {refund.state for refund in past.payments()[0][1]} == {RefundState.SENT, RefundState.FAILED}
    assert max(event.at for event in past.events()) <= NOON


def test_it_all_happens_in_the_order_of_time_on_the_merchants_clock(past: Past) -> None:
    with past.simulation.work(KEY) as work:
        work.world.save(replace(work.merchant, clock=MerchantClock(NOON, NOON + timedelta(days=365))))
    ages = (timedelta(days=1), timedelta(days=5), timedelta(minutes=1), timedelta(days=3))
    past.happens(*(replace(SENT, created=age, refunds=(PastRefund(amount=5),)) for age in ages))
    instants = [event.at for event in past.events()]
    assert instants == sorted(instants)
    assert instants[0] == NOON + timedelta(days=360)
    listed = [NOON + timedelta(days=365) - payment.created_at for payment, _ in past.payments()]
    assert listed == sorted(ages)


def test_then_it_is_now_again(past: Past) -> None:
    with past.simulation.work(KEY) as work:
        relive(work, [SENT])
        assert work.at == NOON
    assert MerchantService(past.simulation, KEY).create_payment(REQUEST).created_at == NOON


def test_ids_follow_from_the_order_of_the_payments_not_of_time(simulation: Simulation) -> None:
    found = []
    for ages in ((1, 2), (2, 1)):
        past = Past(simulation)
        tester.TesterService(simulation).reset(KEY)
        past.happens(*(replace(SENT, created=timedelta(days=age)) for age in ages))
        found.append([payment.id for payment, _ in past.payments()])
    assert found[0] == found[1][::-1]


def test_a_session_of_the_past_stays_as_it_is(past: Past) -> None:
    with past.simulation.work(KEY) as work:
        work.world.save(replace(work.merchant, session_expires_after=60))
    waiting = PastRefund(amount=1, state=RefundState.AWAITING_PAYMENT)
    past.happens(ASKED_FOR, replace(SENT, refunds=(waiting,)))
    assert past.timers() == 0
    TimerService(past.simulation, KEY).fire_due()
    assert {payment.state for payment, _ in past.payments()} == {PaymentState.AWAITING_PROVIDER, PaymentState.SENT}


# What is refused


def test_all_that_the_rules_forbid_is_told_with_its_place(past: Past) -> None:
    mixed = (LineItem("Candle", 1, Currency.GBP, 1), LineItem("Kerze", 1, Currency.EUR, 1))
    wrong = [
        replace(SENT, provider="Mock Bank Offline"),
        replace(ASKED_FOR, provider="Barclays"),
        SENT,
        replace(SENT, created=NOON + timedelta(seconds=1)),
        replace(ASKED_FOR, created=timedelta.max),
        replace(SENT, request=replace(REQUEST, line_items=mixed), refunds=(PastRefund(amount=9),)),
        replace(ASKED_FOR, refunds=(PastRefund(amount=1),)),
        replace(SENT, refunds=(PastRefund(amount=500), PastRefund(amount=300), PastRefund(amount=1))),
        replace(SENT, refunds=(PastRefund(amount=1, created=timedelta(days=4)), PastRefund(amount=801))),
    ]
    places = past.is_refused(*wrong)
    assert places[:6] == [
        "payment_sessions/0/provider",
        "payment_sessions/1/provider",
        "payment_sessions/3/created",
        "payment_sessions/4/created",
        "payment_sessions/5/line_items",
        "payment_sessions/6/refunds/0",
    ]
    assert places[6].startswith("payment_sessions/7/refunds/")
    assert places[7:] == ["payment_sessions/8/refunds/0/created", "payment_sessions/8/refunds/1/amount"]


def test_what_is_refused_never_happened(past: Past) -> None:
    past.is_refused(SENT, replace(SENT, created=NOON + timedelta(days=1)))
    assert list(past.events()) == []


def test_a_failed_refund_leaves_its_money_for_another(past: Past) -> None:
    failed = PastRefund(amount=800, state=RefundState.FAILED, created=timedelta(days=2))
    again = PastRefund(amount=800, state=RefundState.SENT, created=timedelta(days=1))
    past.happens(replace(SENT, refunds=(failed, again)))
    assert [refund.state for refund in past.payments()[0][1]] == [RefundState.FAILED, RefundState.SENT]


# What is made up


def test_the_trade_of_days_is_in_all_states_and_keeps_all_rules(past: Past) -> None:
    generated = TradeService(past.simulation, KEY).generate(300, 14)
    payments = past.payments()
    refunds = [refund for _, refunds in payments for refund in refunds]
    assert (generated.payments, generated.refunds) == (len(payments), len(refunds)) == (300, 21)
    for state in PaymentState:
        assert generated.states[state] == sum(payment.state is state for payment, _ in payments)
    assert generated.states[PaymentState.SENT] == 210
    assert min(generated.states.values()) == 18
    assert {refund.state for refund in refunds} == set(RefundState)
    created = [payment.created_at for payment, _ in payments]
    assert created == sorted(created, reverse=True)
    assert NOON - timedelta(days=14) <= created[-1] < NOON - timedelta(days=13)
    assert created[0] <= NOON
    for payment, its in payments:
        assert refunded(its) <= payment.amount
        assert (payment.sent_at is not None) is (payment.state is PaymentState.SENT)
        assert payment.sent_at is None or payment.created_at < payment.sent_at <= NOON
        assert all(payment.sent_at and payment.sent_at <= refund.created_at <= NOON for refund in its)


def test_events_and_clock_agree(past: Past) -> None:
    TradeService(past.simulation, KEY).generate(50, 14)
    made_up = past.events()
    instants = [event.at for event in made_up]
    assert instants == sorted(instants)
    assert instants[0] == NOON - timedelta(days=14)
    assert len(set(instants)) > 50
    assert (made_up[0].kind, made_up[0].data["did"]) == (Kind.TESTER, "generate")
    assert all(event.because and event.because < event.number for event in made_up[1:])


def test_in_a_world_with_a_past_the_log_says_when_it_was_made_up(past: Past) -> None:
    MerchantService(past.simulation, KEY).create_payment(REQUEST)
    TradeService(past.simulation, KEY).generate(20, 14)
    assert {event.at for event in past.events()} == {NOON}
    assert min(payment.created_at for payment, _ in past.payments()) < NOON - timedelta(days=1)


def test_the_same_seed_makes_up_the_same_trade_and_more_of_it_is_other_trade(simulation: Simulation) -> None:
    past = Past(simulation)
    trade = TradeService(simulation, KEY)
    found = []
    for _ in range(2):
        trade.generate(30, 14)
        found.append(past.payments())
        tester.TesterService(simulation).reset(KEY)
    assert found[0] == found[1]
    trade.generate(10, 14)
    trade.generate(20, 14)
    bought = {payment.request for payment, _ in found[0]}
    assert len(bought) == 30
    assert {payment.request for payment, _ in past.payments()} == bought
    other = Past(simulation, "pk_test_other")
    TradeService(simulation, other.key).generate(30, 14)
    assert {payment.request for payment, _ in other.payments()}.isdisjoint(bought)


def test_a_payment_under_way_is_of_the_last_hour(past: Past) -> None:
    TradeService(past.simulation, KEY).generate(300, 365)
    under_way = {PaymentState.AWAITING_PAYMENT_CONSENT, PaymentState.INITIATED, PaymentState.PENDING}
    ages = [NOON - payment.created_at for payment, _ in past.payments() if payment.state in under_way]
    assert max(ages) <= timedelta(hours=1)


def test_trade_is_in_the_currency_of_the_first_linked_account(past: Past) -> None:
    with past.simulation.work(KEY) as work:
        [linked] = work.merchant.accounts
        work.world.save(replace(work.merchant, accounts=(replace(linked, currency=Currency.EUR),)))
    TradeService(past.simulation, KEY).generate(5, 1)
    assert {payment.currency for payment, _ in past.payments()} == {Currency.EUR}


def test_without_an_account_there_is_no_trade(past: Past) -> None:
    with past.simulation.work(KEY) as work:
        work.world.save(replace(work.merchant, accounts=()))
    with pytest.raises(InvalidAccount):
        TradeService(past.simulation, KEY).generate(1, 1)
    assert list(past.events()) == []


def test_nobody_elses_trade_is_made_up(simulation: Simulation) -> None:
    with pytest.raises(NotFound):
        TradeService(simulation, "nobody").generate(1, 1)


def test_trade_does_not_begin_before_time_does(past: Past) -> None:
    with past.simulation.work(KEY) as work:
        work.world.save(replace(work.merchant, clock=MerchantClock(NOON, EPOCH + timedelta(hours=5))))
    TradeService(past.simulation, KEY).generate(20, 365)
    assert min(payment.created_at for payment, _ in past.payments()) >= EPOCH
