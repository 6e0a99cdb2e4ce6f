"""Time in a merchant's world: what the banks do later, what expires, and the clock that makes it so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from simulator.domain.accounts import Account, IdentifierType
from simulator.domain.clock import END_OF_TIME, ClockMode
from simulator.domain.errors import (
    IllegalAction,
    InvalidAmount,
    InvalidScenario,
    InvalidTime,
    NotFound,
    NothingToDo,
    Superseded,
    Unauthenticated,
)
from simulator.domain.events import Cause, EventQuery, Kind
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, PaymentRequest
from simulator.domain.ports import PaymentQuery
from simulator.domain.refunds import RefundRequest, refunded
from simulator.domain.scenarios import Progression
from simulator.domain.states import PaymentAction, PaymentState
from simulator.domain.timers import TimerKind
from simulator.service import tester
from simulator.service.access import AccessService
from simulator.service.bank import BankService
from simulator.service.merchant import MerchantService
from simulator.service.payer import PayerService
from simulator.service.story import StoryService
from simulator.service.timers import TimerService
from tests.actors import NOON

if TYPE_CHECKING:
    from simulator.domain.events import Event as LogEvent
    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund
    from simulator.service.simulation import Simulation
    from simulator.service.timers import ClockSet
    from tests.actors import ManualClock

KEY = "pk_test_simulator"
JANE = Account("Jane Doe", "87654321", "040506")
FROZEN, PACE_OF_REAL_TIME = 0.0, 1.0
PATIENCE = 5
"""Seconds that a thread waits for another before the test fails."""

PLAYS = {
    "approve": "0 sent",
    "approve_slowly": "1 initiated, 2 pending, 7 sent",
    "pending_then_sent": "0 pending, 10 sent",
    "stuck_pending": "0 pending",
    "reject": "0 failed MD16",
    "insufficient_funds": "0 failed AM04",
    "account_closed": "0 failed AC05",
    "invalid_account": "0 failed AC02",
    "unsupported_account": "0 failed AC13",
    "unsuccessful_direct_debit": "0 failed AG07",
    "fail_while_pending": "0 pending, 3 failed BANK_REJECTED",
    "bank_error": "0 failed UNKNOWN",
    "bank_timeout": "30 failed PAYMENT_EXPIRED",
    "expire": "0 failed PAYMENT_EXPIRED",
    "user_cancels": "0 cancelled",
    "late_success": "0 failed UNKNOWN, 10 sent forced",
    **dict.fromkeys(
        ("return_before_webhook", "return_after_webhook", "return_without_webhook", "return_twice", "return_never"),
        "0 sent",
    ),
}
"""What each scenario does: seconds after the authorisation, the state, the reason."""


class Shop:
    """A merchant, with its customers, their banks, its clock and the tester at its side."""

    def __init__(self, simulation: Simulation, key: str = KEY) -> None:
        self.simulation = simulation
        self.key = key
        simulation.merchant(key)
        self.merchant = MerchantService(simulation, key)
        self.tester = tester.TesterService(simulation)
        self.timers = TimerService(simulation, key)

    def set_up(self, **settings: Any) -> None:
        self.tester.change_merchant(self.key, **settings)

    def requests(self, scenario: str | None = None, pence: int = 400) -> Payment:
        items = (LineItem("Candles", pence, Currency.GBP, 1),)
        request = PaymentRequest(reference="Illuminate", line_items=items, payee=SANDBOX_ACCOUNT)
        return self.merchant.create_payment(request, scenario)

    def takes(self, scenario: str, pence: int = 400) -> Payment:
        """A payment that its payer authorised, so that the bank plays the scenario."""
        return self.tester.pay(self.requests(scenario, pence).id)[0]

    def refunds(self, payment: Payment, pence: int = 400) -> Refund:
        request = RefundRequest(payment_session_id=payment.id, amount=pence, payee=JANE)
        return self.merchant.create_refund(request)

    def state(self, payment: Payment | str | None) -> str:
        assert payment is not None
        return self.merchant.payment(payment if isinstance(payment, str) else payment.id)[0].state.value

    def freezes(self) -> ClockSet:
        return self.timers.set_clock(lambda clock, real: clock.set(real, clock.at(real), FROZEN))

    def advances(self, **by: float) -> ClockSet:
        by_so_much = timedelta(**by)
        return self.timers.set_clock(lambda clock, real: clock.set(real, clock.at(real) + by_so_much, clock.rate))

    def events(self, **query: Any) -> tuple[LogEvent, ...]:
        return StoryService(self.simulation).events(self.key, EventQuery(**query))

    def story(self, payment: Payment) -> str:
        """What the bank did to a payment, as in PLAYS."""
        lines = []
        for event in self.events(subjects=[payment.id]):
            if event.kind == Kind.PAYMENT_CANCELLED or event.data.get("by") == "bank":
                seconds = (event.at - NOON).total_seconds()
                words = [f"{seconds:g}", event.data.get("to", "cancelled"), event.data.get("reason", "")]
                lines.append(" ".join(filter(None, [*words, "forced" if event.data.get("forced") else ""])))
        return ", ".join(lines)


@pytest.fixture
def shop(simulation: Simulation) -> Shop:
    return Shop(simulation)


@pytest.fixture
def frozen(shop: Shop) -> Shop:
    """A shop whose clock stands still at noon."""
    shop.freezes()
    return shop


def fired(clock_set: ClockSet) -> list[tuple[float, str]]:
    """When after noon, and what of a payment, each timer that went off did."""
    return [
        ((event.at - NOON).total_seconds(), event.data.get("to", event.kind))
        for each in clock_set.fired
        for event in each.events
    ]


# Scenarios


def test_every_scenario_is_played_here(simulation: Simulation) -> None:
    assert set(PLAYS) == {scenario.name for scenario in simulation.scenarios}


@pytest.mark.parametrize("name", PLAYS)
def test_a_scenario_is_played_as_it_is_timed(frozen: Shop, name: str) -> None:
    payment = frozen.takes(name)
    assert frozen.story(payment) == ", ".join(line for line in PLAYS[name].split(", ") if line.startswith("0 "))
    frozen.advances(days=1)
    assert frozen.story(payment) == PLAYS[name]
    assert frozen.merchant.payment(payment.id)[0].play is None
    assert frozen.timers.clock().next_timer is None


@pytest.mark.parametrize("name", PLAYS)
def test_a_scenario_is_played_at_once_when_progression_is_immediate(frozen: Shop, name: str) -> None:
    frozen.set_up(progression=Progression.IMMEDIATE)
    payment = frozen.takes(name)
    steps = [line.partition(" ")[2] for line in PLAYS[name].split(", ")]
    assert frozen.story(payment) == ", ".join(f"0 {step}" for step in steps)
    assert (payment.play, frozen.timers.clock().next_timer) == (None, None)


@pytest.mark.parametrize("name", PLAYS)
def test_a_scenario_waits_for_the_tester_at_each_step_when_progression_is_manual(frozen: Shop, name: str) -> None:
    frozen.set_up(progression=Progression.MANUAL)
    payment = frozen.takes(name)
    steps = [line.partition(" ")[2] for line in PLAYS[name].split(", ")]
    for done in range(len(steps)):
        frozen.advances(days=1)
        assert frozen.story(payment).count(",") == max(done - 1, 0)
        assert (frozen.story(payment) == "") is (done == 0)
        frozen.tester.next_step(payment.id)
    assert [line.partition(" ")[2] for line in frozen.story(payment).split(", ")] == steps
    with pytest.raises(NothingToDo, match="the payer authorises the payment first"):
        frozen.tester.next_step(payment.id)


def test_the_next_step_need_not_wait_for_its_time(frozen: Shop) -> None:
    payment = frozen.takes("approve_slowly")
    assert frozen.tester.next_step(payment.id)[0].state is PaymentState.INITIATED
    assert fired(frozen.advances(seconds=6)) == [(1, "pending"), (6, "sent")]


def test_nothing_is_next_for_a_payment_that_nobody_authorised(frozen: Shop) -> None:
    payment = frozen.requests()
    with pytest.raises(NothingToDo):
        frozen.tester.next_step(payment.id)
    assert frozen.state(payment) == "awaiting_provider"


def test_a_late_success_is_forced_by_its_scenario_and_the_log_says_so(frozen: Shop) -> None:
    payment = frozen.takes("late_success")
    assert frozen.state(payment) == "failed"
    frozen.advances(seconds=10)
    sent, _ = frozen.merchant.payment(payment.id)
    assert (sent.state, sent.sent_at) == ("sent", NOON + timedelta(seconds=10))
    [forced] = [event for event in frozen.events(subjects=[payment.id]) if event.data.get("forced")]
    assert (forced.data["by"], forced.data["scenario"], forced.data["step"]) == ("bank", "late_success", 2)
    assert (forced.data["from"], forced.data["to"]) == ("failed", "sent")


def test_a_step_that_has_become_illegal_ends_the_play_and_says_why(frozen: Shop) -> None:
    payment = frozen.takes("approve_slowly")
    frozen.tester.act(payment.id, PaymentAction.ACCEPT)
    assert fired(frozen.advances(minutes=1)) == [(1, "scenario.stopped")]
    [stopped] = frozen.events(kind=Kind.SCENARIO_STOPPED)
    assert stopped.data["why"].startswith("A payment session in state pending cannot initiate")
    assert (stopped.data["scenario"], stopped.data["step"]) == ("approve_slowly", 1)
    assert frozen.state(payment) == "pending"
    assert frozen.merchant.payment(payment.id)[0].play is None


@pytest.mark.parametrize("action", [PaymentAction.SETTLE, PaymentAction.REJECT, PaymentAction.EXPIRE])
def test_a_final_state_ends_the_play(frozen: Shop, action: PaymentAction) -> None:
    payment = frozen.takes("approve_slowly")
    ended, _ = frozen.tester.act(payment.id, action)
    assert ended.play is None
    assert fired(frozen.advances(days=1)) == []


def test_a_payment_that_was_authorised_cannot_be_deleted(frozen: Shop) -> None:
    payment = frozen.takes("approve_slowly")
    with pytest.raises(IllegalAction, match="cannot be deleted"):
        frozen.merchant.delete_payment(payment.id)
    frozen.advances(days=1)
    assert frozen.state(payment) == "sent"


def test_a_deleted_payment_does_not_expire(frozen: Shop) -> None:
    frozen.set_up(session_expires_after=900)
    frozen.merchant.delete_payment(frozen.takes("user_cancels").id)
    assert frozen.advances(days=1).fired == ()


def test_no_scenario_is_chosen_for_a_payment_that_is_over(frozen: Shop) -> None:
    payment = frozen.takes("approve")
    with pytest.raises(IllegalAction, match="this state is final"):
        frozen.tester.choose_scenario(payment.id, "reject")


def test_who_authorised_picks_no_other_bank_but_a_tester_may_and_ends_the_play_of_the_first(frozen: Shop) -> None:
    payment = frozen.takes("approve_slowly")
    with pytest.raises(IllegalAction, match="authorised already"):
        PayerService(frozen.simulation, KEY).choose_provider(payment.id, "Mock Bank EU")
    frozen.tester.act(payment.id, PaymentAction.CHOOSE_PROVIDER, "Mock Bank EU")
    assert frozen.advances(days=1).fired == ()
    assert frozen.state(payment) == "awaiting_payment_consent"


def test_a_payment_is_not_authorised_twice(frozen: Shop) -> None:
    payment = frozen.takes("approve_slowly")
    with pytest.raises(IllegalAction, match="authorised already"):
        BankService(frozen.simulation, KEY).authorise(payment.id)


def test_a_payer_who_turned_away_may_come_back(frozen: Shop) -> None:
    payment = frozen.requests()
    turned, _ = frozen.tester.pay(payment.id, scenario="user_cancels")
    assert (turned.state, turned.play) == ("awaiting_payment_consent", None)
    assert frozen.tester.pay(payment.id, scenario="approve")[0].state is PaymentState.SENT


def test_a_button_counts_for_the_authorisation_that_it_was_pressed_for(frozen: Shop) -> None:
    payment = frozen.requests()
    frozen.tester.pay(payment.id, scenario="user_cancels")
    assert frozen.tester.pay(payment.id)[0].state is PaymentState.SENT


# Doors


def doors_of(shop: Shop, payment: Payment) -> list[tuple[str, str]]:
    """Which scenarios were started, by which door."""
    started = shop.events(subjects=[payment.id], kind=Kind.SCENARIO_STARTED)
    return [(event.data["scenario"], event.data["door"]) for event in started]


MAGIC = Account.identified(IdentifierType.BSB_ACCOUNT_NUMBER, "111114050511")


@pytest.mark.parametrize(
    ("opened", "winner"),
    [
        ("magic header button tester merchant", ("magic 050511", "magic_account")),
        ("header button tester merchant", ("reject", "header")),
        ("button tester merchant", ("expire", "button")),
        ("tester merchant", ("stuck_pending", "tester")),
        ("merchant", ("bank_error", "merchant")),
        ("", ("approve", "merchant")),
        ("magic", ("magic 050511", "magic_account")),
        ("header merchant", ("reject", "header")),
    ],
)
def test_of_the_doors_that_were_used_the_first_wins_and_the_log_says_which(
    frozen: Shop, opened: str, winner: tuple[str, str]
) -> None:
    doors = opened.split()
    if "merchant" in doors:
        frozen.set_up(scenario="bank_error")
    payment = frozen.requests("reject" if "header" in doors else None)
    if "tester" in doors:
        frozen.tester.choose_scenario(payment.id, "stuck_pending")
    button, account = "expire" if "button" in doors else None, MAGIC if "magic" in doors else None
    frozen.tester.pay(payment.id, scenario=button, account=account)
    assert doors_of(frozen, payment) == [winner]


def test_a_magic_account_takes_its_seconds(frozen: Shop) -> None:
    payment = frozen.requests()
    frozen.tester.pay(payment.id, account=MAGIC)
    assert frozen.state(payment) == "awaiting_payment_consent"
    assert fired(frozen.advances(days=1)) == [(5, "pending"), (10, "sent")]


@pytest.mark.parametrize(
    ("account_number", "reason"),
    [
        ("991111", "MD16"),
        ("991101", "AC05"),
        ("991103", "AC13"),
        ("991100", "AC02"),
        ("992120", "AM04"),
        ("992115", "AG07"),
    ],
)
def test_a_magic_decline_has_its_reason_in_the_log(frozen: Shop, account_number: str, reason: str) -> None:
    account = Account.identified(IdentifierType.BSB_ACCOUNT_NUMBER, f"111114{account_number}")
    payment = frozen.requests()
    assert frozen.tester.pay(payment.id, account=account)[0].state is PaymentState.FAILED
    assert frozen.story(payment) == f"0 failed {reason}"


def test_an_unknown_scenario_changes_nothing(frozen: Shop) -> None:
    payment, before = frozen.requests(), len(frozen.events())
    with pytest.raises(InvalidScenario):
        frozen.tester.pay(payment.id, scenario="nothing")
    with pytest.raises(InvalidScenario):
        frozen.tester.choose_scenario(payment.id, "nothing")
    with pytest.raises(InvalidScenario):
        frozen.requests("nothing")
    with pytest.raises(InvalidScenario):
        frozen.set_up(scenario="nothing")
    assert len(frozen.events()) == before
    assert frozen.state(payment) == "awaiting_provider"


# The clock


def test_advancing_fires_in_order_each_at_its_own_instant_and_what_that_creates(frozen: Shop) -> None:
    frozen.takes("approve_slowly")
    frozen.takes("fail_while_pending")
    answer = frozen.advances(seconds=5)
    assert fired(answer) == [(1, "initiated"), (2, "pending"), (3, "failed")]
    assert [each.timer.due for each in answer.fired] == [NOON + timedelta(seconds=second) for second in (1, 2, 3)]
    assert (answer.now, answer.clock.mode) == (NOON + timedelta(seconds=5), ClockMode.FROZEN)
    assert answer.next_timer is not None
    assert answer.next_timer.due == NOON + timedelta(seconds=7)


def test_timers_of_one_instant_fire_in_the_order_they_were_set(frozen: Shop) -> None:
    payments = [frozen.takes("bank_timeout") for _ in range(5)]
    answer = frozen.advances(seconds=30)
    assert [each.timer.subject for each in answer.fired] == [payment.id for payment in payments]


def test_a_timer_fires_at_its_instant_and_not_a_microsecond_before(frozen: Shop) -> None:
    frozen.takes("bank_timeout")
    assert frozen.advances(seconds=29.999999).fired == ()
    assert fired(frozen.advances(microseconds=1)) == [(30, "failed")]


def test_what_a_timer_does_names_the_event_that_set_it(frozen: Shop) -> None:
    payment = frozen.takes("approve_slowly")
    frozen.advances(seconds=7)
    events = {event.number: event for event in frozen.events()}
    moves = [event for event in events.values() if event.data.get("by") == "bank"]
    assert [events[move.because or 0].kind for move in moves] == [
        Kind.SCENARIO_STARTED,
        Kind.PAYMENT_CHANGED,
        Kind.PAYMENT_CHANGED,
    ]
    assert {move.subject for move in moves} == {payment.id}


def test_events_are_in_the_order_of_the_merchants_clock(frozen: Shop) -> None:
    for name in PLAYS:
        frozen.takes(name)
        frozen.advances(seconds=2)
    events = frozen.events()
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert all((event.because or 0) < event.number for event in events)


def test_a_step_scheduled_by_a_late_timer_counts_from_its_own_instant(shop: Shop, clock: ManualClock) -> None:
    payment = shop.takes("approve_slowly")
    clock.advance(hours=1)
    shop.timers.fire_due()
    assert shop.story(payment) == "1 initiated, 2 pending, 7 sent"


def test_a_clock_that_runs_fires_when_it_is_told_and_shows_its_own_time(shop: Shop, clock: ManualClock) -> None:
    shop.timers.set_clock(lambda merchants, real: merchants.set(real, real, 60))
    payment = shop.takes("pending_then_sent")
    clock.advance(seconds=0.1)
    shop.timers.fire_due()
    assert shop.state(payment) == "pending"
    clock.advance(seconds=0.1)
    shop.timers.fire_due()
    assert shop.story(payment) == "0 pending, 10 sent"


def test_firing_when_nothing_is_due_does_nothing(frozen: Shop) -> None:
    frozen.takes("bank_timeout")
    before = frozen.events()
    frozen.timers.fire_due()
    assert frozen.events() == before


def test_many_timers_that_are_due_at_once_are_all_fired_in_the_end(shop: Shop, clock: ManualClock) -> None:
    payments = [shop.takes("bank_timeout") for _ in range(250)]
    clock.advance(minutes=1)
    rounds = 0
    while (timer := shop.timers.clock().next_timer) is not None:
        assert timer.due <= clock.now()
        shop.timers.fire_due()
        rounds += 1
    assert {shop.state(payment) for payment in payments} == {"failed"}
    assert rounds > 1


def test_a_clock_does_not_go_back_and_stays_as_it_was(frozen: Shop) -> None:
    before = frozen.timers.clock()
    events = frozen.events()
    with pytest.raises(InvalidTime, match="only goes forwards"):
        frozen.advances(microseconds=-1)
    assert (frozen.timers.clock(), frozen.events()) == (before, events)


def test_a_refused_advance_fires_nothing(frozen: Shop) -> None:
    payment = frozen.takes("bank_timeout")
    with pytest.raises(InvalidTime, match="no further"):
        frozen.timers.set_clock(lambda clock, real: clock.set(real, END_OF_TIME + timedelta(seconds=1), 0))
    assert frozen.state(payment) == "awaiting_payment_consent"


def test_only_a_reset_sets_a_clock_back(frozen: Shop) -> None:
    frozen.advances(days=21)
    frozen.tester.reset(KEY)
    clock_set = frozen.timers.clock()
    assert (clock_set.clock.mode, clock_set.now) == (ClockMode.REAL, NOON)


def test_every_merchant_has_a_clock_of_its_own(frozen: Shop, simulation: Simulation) -> None:
    other = Shop(simulation, "pk_test_other")
    frozen.advances(days=21)
    assert other.timers.clock().now == NOON
    assert other.requests().created_at == NOON
    assert frozen.requests().created_at == NOON + timedelta(days=21)


def test_three_weeks_with_many_timers_pass_at_once(frozen: Shop) -> None:
    frozen.set_up(session_expires_after=86_400)
    payments = [frozen.requests() for _ in range(500)]
    payments += [frozen.takes("approve_slowly") for _ in range(200)]
    answer = frozen.advances(days=21)
    assert len(answer.fired) == 500 + 200 * 3
    assert {frozen.state(payment) for payment in payments} == {"failed", "sent"}


def test_to_the_end_of_time_everything_works(frozen: Shop) -> None:
    frozen.set_up(session_expires_after=31_536_000)
    frozen.timers.set_clock(lambda clock, real: clock.set(real, END_OF_TIME, 0))
    assert frozen.requests().created_at == END_OF_TIME
    assert frozen.state(frozen.takes("approve_slowly")) == "awaiting_payment_consent"


# What expires


def test_sessions_do_not_expire_unless_the_merchant_wants_it(frozen: Shop) -> None:
    payment = frozen.requests()
    frozen.advances(days=365)
    assert frozen.state(payment) == "awaiting_provider"


@pytest.mark.parametrize("at_the_bank", [False, True])
def test_a_session_that_nobody_authorised_expires(frozen: Shop, *, at_the_bank: bool) -> None:
    frozen.set_up(session_expires_after=900)
    payment = frozen.requests()
    if at_the_bank:
        frozen.tester.act(payment.id, PaymentAction.CHOOSE_PROVIDER)
    assert fired(frozen.advances(minutes=20)) == [(900, "failed")]
    [expired] = [event for event in frozen.events(subjects=[payment.id]) if event.data.get("to") == "failed"]
    assert (expired.data["action"], expired.data["by"], expired.data["reason"]) == ("expire", "time", "PAYMENT_EXPIRED")


@pytest.mark.parametrize("name", ["approve", "stuck_pending", "reject", "approve_slowly"])
def test_a_session_that_was_authorised_does_not_expire(frozen: Shop, name: str) -> None:
    frozen.set_up(session_expires_after=900)
    payment = frozen.takes(name)
    answer = frozen.advances(days=1)
    assert TimerKind.SESSION_EXPIRY not in {each.timer.kind for each in answer.fired}
    assert frozen.story(payment) == PLAYS[name]


def test_a_session_that_was_authorised_just_in_time_does_not_expire_while_the_bank_is_at_work(frozen: Shop) -> None:
    frozen.set_up(session_expires_after=900)
    payment = frozen.requests("approve_slowly")
    frozen.advances(seconds=899.5)
    frozen.tester.pay(payment.id)
    frozen.advances(days=1)
    assert frozen.state(payment) == "sent"


def test_a_session_whose_payer_turned_away_still_expires(frozen: Shop) -> None:
    frozen.set_up(session_expires_after=900)
    payment = frozen.takes("user_cancels")
    frozen.advances(minutes=20)
    assert frozen.state(payment) == "failed"


def test_a_payout_expires_and_its_refund_fails_with_it(frozen: Shop) -> None:
    frozen.set_up(session_expires_after=900)
    refund = frozen.refunds(frozen.takes("approve"))
    frozen.advances(minutes=20)
    assert frozen.merchant.refund(refund.id).state == "failed"


def test_tokens_expire_on_the_merchants_clock(frozen: Shop, simulation: Simulation) -> None:
    access = AccessService(simulation)
    merchant = simulation.merchant(KEY)
    token = access.issue_token(merchant, merchant.application_id)
    frozen.advances(seconds=7199.999999)
    assert access.by_token(token.id).key == KEY
    frozen.advances(microseconds=1)
    with pytest.raises(Unauthenticated):
        access.by_token(token.id)
    assert [event.kind for event in frozen.events(kind="token")] == [Kind.TOKEN_ISSUED, Kind.TOKEN_EXPIRED]
    assert simulation.store.owner(token.id) is None


# What goes wrong


class DeadPeople:
    """Nobody can be found any more: a stand-in for whatever may fail when a timer goes off."""

    def account(self, seed: str, holder: str | None, currency: Currency) -> Account:
        raise RuntimeError(f"nobody finds {holder} with {currency} by {seed}")


def test_a_failing_timer_does_not_stop_the_others(simulation: Simulation, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(replace(simulation, people=DeadPeople()))
    shop.freezes()
    before = shop.takes("bank_timeout")
    broken = shop.requests("approve_slowly")
    shop.tester.pay(broken.id, "Mock Bank Direct")
    after = shop.takes("bank_timeout")
    answer = shop.advances(minutes=1)
    assert [shop.state(payment) for payment in (before, broken, after)] == [
        "failed",
        "awaiting_payment_consent",
        "failed",
    ]
    assert [event.kind for event in answer.fired[0].events] == [Kind.TIMER_FAILED]
    [failure] = shop.events(kind=Kind.TIMER_FAILED)
    assert failure.subject == broken.id
    assert failure.data["timer"] == "scenario_step"
    assert failure.data["why"].startswith("RuntimeError('nobody finds None with GBP by ")
    assert "timer" in caplog.text
    assert shop.merchant.payment(broken.id)[0].payer_account is None


def test_the_alarm_that_counts_is_that_of_the_last_change(simulation: Simulation) -> None:
    """Of two changes at once the later one knows all timers, so its alarm must be the last that is set."""
    alarm = SlowAlarm()
    shop = Shop(replace(simulation, alarm=alarm))
    for payment in (slow := shop.requests("bank_timeout"), quick := shop.requests("approve_slowly")):
        shop.tester.act(payment.id, PaymentAction.CHOOSE_PROVIDER)
    alarm.dawdle.set()
    bank = BankService(shop.simulation, KEY)
    first = Thread(target=bank.authorise, args=[slow.id])
    first.start()
    assert alarm.began.wait(PATIENCE)
    second = Thread(target=bank.authorise, args=[quick.id])
    second.start()
    second.join(0.1)
    alarm.go_on.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    timer = shop.timers.clock().next_timer
    assert timer is not None
    assert timer.subject == quick.id
    assert alarm.due == simulation.merchant(KEY).clock.when(timer.due)


class SlowAlarm:
    """Takes its time over the first alarm after it was told to dawdle."""

    def __init__(self) -> None:
        self.due: datetime | None = None
        self.dawdle, self.began, self.go_on = Event(), Event(), Event()

    def set(self, merchant_key: str, due: datetime | None) -> None:
        if self.dawdle.is_set():
            self.dawdle.clear()
            self.began.set()
            assert self.go_on.wait(PATIENCE), merchant_key
        self.due = due

    def stop(self) -> None:
        """Nothing is being fired."""


# Force


def test_what_is_illegal_is_done_by_force_and_the_log_says_so(frozen: Shop) -> None:
    payment = frozen.takes("approve")
    with pytest.raises(IllegalAction):
        frozen.tester.act(payment.id, PaymentAction.FAIL)
    failed, _ = frozen.tester.act(payment.id, PaymentAction.FAIL, force=True)
    assert (failed.state, failed.sent_at) == ("failed", None)
    last = frozen.events(subjects=[payment.id])[-1]
    assert (last.data["by"], last.data["forced"], last.data["from"], last.data["to"]) == (
        "tester",
        True,
        "sent",
        "failed",
    )


def test_force_that_was_not_needed_is_not_marked(frozen: Shop) -> None:
    payment = frozen.requests()
    frozen.tester.act(payment.id, PaymentAction.EXPIRE, force=True)
    assert "forced" not in frozen.events(subjects=[payment.id])[-1].data


@pytest.mark.parametrize("action", PaymentAction)
@pytest.mark.parametrize("name", ["approve", "reject", "stuck_pending", "approve_slowly", "late_success"])
def test_any_action_can_be_forced_and_ends_in_its_state(frozen: Shop, name: str, action: PaymentAction) -> None:
    payment = frozen.takes(name)
    moved, _ = frozen.tester.act(payment.id, action, force=True)
    assert (moved.state is PaymentState.SENT) == (moved.sent_at is not None)
    frozen.advances(days=1)
    assert frozen.timers.clock().next_timer is None
    assert frozen.merchant.payment(payment.id)[0].play is None


def taken(shop: Shop, payment: Payment) -> int:
    """What its refunds take from a payment."""
    return refunded(shop.merchant.payment(payment.id)[1])


def test_a_refund_follows_its_payout_out_of_its_end_and_back(frozen: Shop) -> None:
    refund = frozen.refunds(frozen.takes("approve"))
    payout = str(refund.refund_payment_session_id)
    frozen.tester.pay(payout)
    for action, state in (
        (PaymentAction.FAIL, "failed"),
        (PaymentAction.ACCEPT, "awaiting_payment"),
        (PaymentAction.SETTLE, "sent"),
        (PaymentAction.CHOOSE_PROVIDER, "awaiting_payment"),
        (PaymentAction.REJECT, "failed"),
        (PaymentAction.SETTLE, "sent"),
    ):
        frozen.tester.act(payout, action, force=True)
        assert frozen.merchant.refund(refund.id).state == state


@pytest.mark.parametrize("action", [PaymentAction.SETTLE, PaymentAction.ACCEPT, PaymentAction.CHOOSE_PROVIDER])
def test_a_failed_payout_is_not_forced_back_when_the_money_was_refunded_since(
    frozen: Shop, action: PaymentAction
) -> None:
    payment = frozen.takes("approve")
    first = frozen.refunds(payment, 300)
    payout = str(first.refund_payment_session_id)
    frozen.tester.act(payout, PaymentAction.EXPIRE)
    frozen.refunds(payment, 101)
    before = frozen.events()
    with pytest.raises(InvalidAmount, match=r"only £2\.99 of its payment is left"):
        frozen.tester.act(payout, action, force=True)
    assert (frozen.state(payout), frozen.merchant.refund(first.id).state) == ("failed", "failed")
    assert (taken(frozen, payment), frozen.events()) == (101, before)


def test_a_late_success_of_a_payout_stops_when_the_money_was_refunded_since(frozen: Shop) -> None:
    payment = frozen.takes("approve")
    first = frozen.refunds(payment)
    payout = str(first.refund_payment_session_id)
    frozen.tester.pay(payout, scenario="late_success")
    frozen.refunds(payment)
    assert fired(frozen.advances(minutes=1)) == [(10, Kind.SCENARIO_STOPPED)]
    assert (frozen.state(payout), frozen.merchant.refund(first.id).state) == ("failed", "failed")
    assert taken(frozen, payment) == 400


# The fence


def test_nothing_begun_before_a_reset_arrives_after_it(frozen: Shop, simulation: Simulation) -> None:
    payment = frozen.requests()
    begun = Cause(simulation.merchant(KEY).generation)
    frozen.tester.reset(KEY)
    again = frozen.requests()
    assert again.id == payment.id
    late = MerchantService(simulation, KEY, begun)
    with pytest.raises(Superseded, match="was reset while this was under way"):
        late.delete_payment(again.id)
    with pytest.raises(Superseded):
        late.create_payment(again.request)
    with pytest.raises(Superseded):
        PayerService(simulation, KEY, begun).choose_provider(again.id, "Mock Bank")
    with pytest.raises(Superseded):
        BankService(simulation, KEY, begun).authorise(again.id)
    assert frozen.merchant.payments(PaymentQuery()) == [(again, ())]


def test_a_reset_cancels_all_timers_and_tells_what_it_threw_away(frozen: Shop, simulation: Simulation) -> None:
    frozen.takes("bank_timeout")
    frozen.refunds(frozen.takes("approve"))
    AccessService(simulation).issue_token(simulation.merchant(KEY), None)
    discarded = frozen.tester.reset(KEY)
    things = dict(discarded.things)
    assert things.pop("events") > 0
    assert things == {
        "payment_sessions": 3,
        "refunds": 1,
        "tokens": 1,
        "client_keys": 0,
        "idempotency_keys": 0,
        "emails": 0,
        "deliveries": 0,
        "inbox": 0,
        "timers": 2,
    }
    assert frozen.timers.clock().next_timer is None
    assert frozen.events() == ()


def test_after_a_reset_the_same_calls_give_the_same_ids(frozen: Shop) -> None:
    def day() -> list[str]:
        frozen.freezes()
        payment = frozen.takes("approve")
        return [payment.id, frozen.refunds(payment).id, repr(frozen.events())]

    frozen.tester.reset(KEY)
    first = day()
    frozen.tester.reset(KEY)
    assert day() == first


def test_a_reset_leaves_other_merchants_alone(frozen: Shop, simulation: Simulation) -> None:
    other = Shop(simulation, "pk_test_other")
    payment = other.takes("bank_timeout")
    frozen.tester.reset(KEY)
    assert len(other.advances(minutes=1).fired) == 1
    assert other.state(payment) == "failed"
    with pytest.raises(NotFound):
        frozen.merchant.payment(payment.id)
