"""Waiting: it ends with the change itself, or tells why that did not come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Self, TypeVar

import pytest

from simulator.adapters.bell import LocalBell
from simulator.domain.accounts import Account
from simulator.domain.errors import InvalidGoal, NotFound, Superseded, TooManyWaits
from simulator.domain.events import EventQuery, Kind
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, PaymentRequest
from simulator.domain.refunds import RefundRequest
from simulator.domain.scenarios import Progression
from simulator.domain.states import PaymentAction
from simulator.service import tester
from simulator.service.merchant import MerchantService
from simulator.service.simulation import WAITS_LIMIT
from simulator.service.timers import TimerService
from simulator.service.waiting import WaitedInVain, WaitService

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from simulator.domain.payments import Payment
    from simulator.domain.ports import Listener
    from simulator.domain.refunds import Refund
    from simulator.service.simulation import Simulation

T = TypeVar("T")

KEY, OTHER_KEY = "pk_test_simulator", "pk_test_other"
JANE = Account("Jane Doe", "87654321", "040506")
LONG = 30.0
"""Seconds that a wait may take; none does in a test that passes."""
SOON = 2.0
"""Seconds within which something happens at once."""


class CountingBell:
    """A bell that lets a test wait until so many listen, and counts how often somebody looked."""

    def __init__(self) -> None:
        self.bell = LocalBell()
        self.listened = 0
        self.waits = 0

    def ring(self, topics: Collection[str]) -> None:
        self.bell.ring(topics)

    def listen(self, topics: Collection[str]) -> AbstractContextManager[Listener]:
        return self._counting(topics)

    def _counting(self, topics: Collection[str]) -> Any:
        return _CountingListener(self, self.bell.listen(topics))

    def silence(self) -> None:
        self.bell.silence()


class _CountingListener:
    def __init__(self, counts: CountingBell, heard: AbstractContextManager[Any]) -> None:
        self._counts = counts
        self._heard = heard

    def __enter__(self) -> Self:
        self._listener = self._heard.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._heard.__exit__(None, None, None)

    def wait(self, seconds: float) -> bool:
        self._counts.waits += 1
        rang: bool = self._listener.wait(seconds)
        return rang


class Shop:
    """A merchant with the tester at its side, and somebody who waits in another thread."""

    def __init__(self, simulation: Simulation, bell: CountingBell, threads: ThreadPoolExecutor, key: str = KEY) -> None:
        self.simulation, self.bell, self.threads, self.key = simulation, bell, threads, key
        simulation.merchant(key)
        self.merchant = MerchantService(simulation, key)
        self.tester = tester.TesterService(simulation)
        self.timers = TimerService(simulation, key)
        self.waits = WaitService(simulation)

    def requests(self, scenario: str | None = None) -> Payment:
        items = (LineItem("Candles", 400, Currency.GBP, 1),)
        request = PaymentRequest(reference="Illuminate", line_items=items, payee=SANDBOX_ACCOUNT)
        return self.merchant.create_payment(request, scenario)

    def takes(self, scenario: str) -> Payment:
        return self.tester.pay(self.requests(scenario).id)[0]

    def refunds(self, payment: Payment) -> Refund:
        return self.merchant.create_refund(RefundRequest(payment_session_id=payment.id, amount=400, payee=JANE))

    def freezes(self) -> None:
        self.timers.set_clock(lambda clock, real: clock.set(real, clock.at(real), 0))

    def advances(self, seconds: float) -> None:
        by = timedelta(seconds=seconds)
        self.timers.set_clock(lambda clock, real: clock.set(real, clock.at(real) + by, clock.rate))

    def waiting(self, wait: Callable[..., T], *arguments: object) -> Future[T]:
        """Somebody who waits in a thread of its own, and has looked once."""
        before = self.bell.waits
        future = self.threads.submit(wait, *arguments)
        deadline = monotonic() + SOON
        while self.bell.waits == before and not future.done() and monotonic() < deadline:
            sleep(0.001)
        return future


@pytest.fixture
def bell() -> CountingBell:
    return CountingBell()


@pytest.fixture
def shop(simulation: Simulation, bell: CountingBell) -> Iterator[Shop]:
    """A shop whose clock stands still."""
    with ThreadPoolExecutor(WAITS_LIMIT + 8) as threads:
        shop = Shop(replace(simulation, bell=bell), bell, threads)
        shop.freezes()
        yield shop
        bell.silence()


def in_vain(wait: Callable[..., object], *arguments: object) -> WaitedInVain:
    """What a wait says that does not come to its end."""
    with pytest.raises(WaitedInVain) as told:
        wait(*arguments)
    return told.value


# It wakes


def test_what_is_so_already_is_answered_at_once(shop: Shop) -> None:
    payment = shop.takes("approve")
    for until in ("sent", "final", "idle"):
        found, refunds = shop.waits.payment(payment.id, until, LONG)
        assert (found.state, refunds) == ("sent", ())
    assert shop.bell.waits == 0


@pytest.mark.parametrize("until", ["sent", "final", "idle"])
def test_a_wait_wakes_on_the_change_itself(shop: Shop, until: str) -> None:
    payment = shop.takes("pending_then_sent")
    waiting = shop.waiting(shop.waits.payment, payment.id, until, LONG)
    assert not waiting.done()
    shop.advances(10)
    assert waiting.result(SOON)[0].state == "sent"


def test_a_wait_looks_only_when_something_happened_to_what_it_waits_for(shop: Shop) -> None:
    payment = shop.takes("approve_slowly")
    waiting = shop.waiting(shop.waits.payment, payment.id, "sent", LONG)
    for _ in range(20):
        shop.takes("approve")
    assert shop.bell.waits == 1
    for _ in range(7):
        shop.advances(1)
    assert waiting.result(SOON)[0].state == "sent"
    assert shop.bell.waits <= 4


@pytest.mark.parametrize("state", ["awaiting_payment_consent", "initiated", "pending"])
def test_a_wait_for_a_state_on_the_way_ends_there(shop: Shop, state: str) -> None:
    payment = shop.requests("approve_slowly")
    waiting = shop.waiting(shop.waits.payment, payment.id, state, LONG)
    shop.tester.pay(payment.id)
    for _ in range(2):
        sleep(0.02)
        shop.advances(1)
    assert waiting.result(SOON)[0].id == payment.id


def test_idle_is_when_nothing_more_is_due(shop: Shop) -> None:
    payment = shop.takes("late_success")
    assert shop.waits.payment(payment.id, "final", 0)[0].state == "failed"
    waiting = shop.waiting(shop.waits.payment, payment.id, "idle", LONG)
    assert not waiting.done()
    shop.advances(10)
    assert waiting.result(SOON)[0].state == "sent"


def test_a_payment_is_not_idle_while_its_refund_is_being_paid_out(shop: Shop) -> None:
    payment = shop.takes("approve")
    refund = shop.refunds(payment)
    shop.tester.pay(str(refund.refund_payment_session_id), scenario="approve_slowly")
    waiting = shop.waiting(shop.waits.payment, payment.id, "idle", LONG)
    shop.advances(1)
    assert not waiting.done()
    shop.advances(6)
    _, refunds = waiting.result(SOON)
    assert [each.state for each in refunds] == ["sent"]


def test_a_payment_is_idle_once_the_play_of_its_payout_has_stopped(shop: Shop) -> None:
    payment = shop.takes("approve")
    shop.tester.pay(str(shop.refunds(payment).refund_payment_session_id), scenario="late_success")
    shop.refunds(payment)
    waiting = shop.waiting(shop.waits.payment, payment.id, "idle", LONG)
    shop.advances(10)
    assert waiting.result(SOON)[0].state == "sent"


@pytest.mark.parametrize(("until", "action"), [("sent", "settle"), ("final", "fail"), ("failed", "reject")])
def test_a_wait_for_a_refund_wakes_with_its_payout(shop: Shop, until: str, action: str) -> None:
    refund = shop.refunds(shop.takes("approve"))
    payout = str(refund.refund_payment_session_id)
    shop.tester.act(payout, PaymentAction.CHOOSE_PROVIDER)
    waiting = shop.waiting(shop.waits.refund, refund.id, until, LONG)
    shop.tester.act(payout, PaymentAction(action))
    assert waiting.result(SOON).is_final


def test_a_refund_is_idle_when_nothing_more_is_due_to_its_payout(shop: Shop) -> None:
    shop.tester.change_merchant(KEY, session_expires_after=900)
    refund = shop.refunds(shop.takes("approve"))
    waiting = shop.waiting(shop.waits.refund, refund.id, "idle", LONG)
    assert not waiting.done()
    shop.tester.pay(str(refund.refund_payment_session_id), scenario="stuck_pending")
    assert waiting.result(SOON).state == "awaiting_payment"


def test_a_wait_for_an_event_ends_with_it(shop: Shop) -> None:
    known = shop.waits.event(KEY, EventQuery(kind="clock"), LONG)
    assert known.kind == Kind.CLOCK_CHANGED
    query = EventQuery(kind="payment_session.created", after=known.number)
    waiting = shop.waiting(shop.waits.event, KEY, query, LONG)
    shop.tester.change_merchant(KEY, scenario="reject")
    payment = shop.requests()
    assert waiting.result(SOON).subject == payment.id


def test_a_wait_for_an_event_after_another_sees_what_happened_in_between(shop: Shop) -> None:
    first, second = shop.requests(), shop.requests()
    found = shop.waits.event(KEY, EventQuery(kind=Kind.PAYMENT_CREATED), 0)
    assert found.subject == first.id
    found = shop.waits.event(KEY, EventQuery(kind=Kind.PAYMENT_CREATED, after=found.number), 0)
    assert found.subject == second.id
    told = in_vain(shop.waits.event, KEY, EventQuery(kind=Kind.PAYMENT_CREATED, after=found.number), 0)
    assert "Nothing has happened of kind" in str(told)


def test_what_happens_at_another_merchant_wakes_nobody(shop: Shop) -> None:
    other = Shop(shop.simulation, shop.bell, shop.threads, OTHER_KEY)
    query = EventQuery(kind=Kind.PAYMENT_CREATED)
    waiting = shop.waiting(shop.waits.event, KEY, query, LONG)
    other.requests()
    assert shop.bell.waits == 1
    payment = shop.requests()
    assert waiting.result(SOON).subject == payment.id


# It does not come to that


def test_a_time_out_says_that_nobody_paid(shop: Shop) -> None:
    told = in_vain(shop.waits.payment, shop.requests().id, "sent", 0)
    assert str(told).startswith("The payment session is awaiting_provider, not sent, after 0.0 s. Nobody has paid it")
    assert (told.due, told.happened) == ((), ())


def test_a_time_out_says_that_the_clock_stands_still(shop: Shop) -> None:
    payment = shop.takes("bank_timeout")
    told = in_vain(shop.waits.payment, payment.id, "final", 0)
    assert "The next step, fail, is due at 2026-11-23T12:00:30.000000Z, but the clock stands still" in str(told)
    assert f"POST /__admin/merchants/{KEY}/clock/advance" in str(told)
    assert [timer.subject for timer in told.due] == [payment.id]


def test_a_time_out_says_that_progression_is_manual(shop: Shop) -> None:
    shop.tester.change_merchant(KEY, progression=Progression.MANUAL)
    payment = shop.takes("approve")
    told = in_vain(shop.waits.payment, payment.id, "sent", 0)
    assert "The next step, settle, waits for you, because progression is manual" in str(told)
    assert f"POST /__admin/payment_sessions/{payment.id}/next" in str(told)


def test_a_time_out_says_how_long_it_would_have_taken(simulation: Simulation, bell: CountingBell) -> None:
    with ThreadPoolExecutor(1) as threads:
        running = Shop(simulation, bell, threads)
        payment = running.takes("bank_timeout")
        told = in_vain(running.waits.payment, payment.id, "final", 0.01)
    assert "in 30.0 s of the merchant's clock" in str(told)


@pytest.mark.parametrize(("scenario", "until"), [("approve", "failed"), ("reject", "sent"), ("approve", "pending")])
def test_the_wrong_final_state_is_told_at_once(shop: Shop, scenario: str, until: str) -> None:
    payment = shop.takes(scenario)
    begun = monotonic()
    told = in_vain(shop.waits.payment, payment.id, until, LONG)
    assert monotonic() - begun < SOON
    assert "which is final" in str(told)


def test_the_wrong_final_state_is_told_as_soon_as_it_is_reached(shop: Shop) -> None:
    payment = shop.takes("fail_while_pending")
    waiting = shop.waiting(shop.waits.payment, payment.id, "sent", LONG)
    shop.advances(3)
    told = in_vain(waiting.result, SOON)
    assert "The payment session is failed, not sent" in str(told)
    assert [event.data.get("to") for event in told.happened] == ["failed"]


def test_a_final_state_that_the_scenario_will_leave_is_waited_out(shop: Shop) -> None:
    payment = shop.takes("late_success")
    waiting = shop.waiting(shop.waits.payment, payment.id, "sent", LONG)
    assert not waiting.done()
    shop.advances(10)
    assert waiting.result(SOON)[0].state == "sent"


def test_a_time_out_tells_what_did_happen_and_what_is_still_due(shop: Shop) -> None:
    payment = shop.takes("approve_slowly")
    shop.requests()
    waiting = shop.waiting(shop.waits.payment, payment.id, "sent", 0.1)
    shop.advances(1)
    shop.takes("approve")
    told = in_vain(waiting.result, SOON)
    assert [event.data["to"] for event in told.happened] == ["initiated"]
    assert [timer.kind for timer in told.due] == ["scenario_step"]
    assert "The next step, accept, is due at" in str(told)


def test_a_time_out_of_a_wait_for_an_event_tells_what_did_happen(shop: Shop) -> None:
    query = EventQuery(kind="refund", after=1)
    waiting = shop.waiting(shop.waits.event, KEY, query, 0.1)
    shop.takes("bank_timeout")
    told = in_vain(waiting.result, SOON)
    assert Kind.PAYMENT_CREATED in [event.kind for event in told.happened]
    assert [timer.kind for timer in told.due] == ["scenario_step"]


def test_a_time_out_for_a_refund_says_what_it_waits_for(shop: Shop) -> None:
    payment = shop.takes("approve")
    known = shop.refunds(payment)
    told = in_vain(shop.waits.refund, known.id, "final", 0)
    assert f"Its payment session {known.refund_payment_session_id} is not paid yet." in str(told)
    shop.tester.mark_externally_processed(known.id)
    request = RefundRequest(payment_session_id=shop.takes("approve").id, amount=1)
    told = in_vain(shop.waits.refund, shop.merchant.create_refund(request).id, "sent", 0)
    assert "The customer has not given an account yet" in str(told)
    assert "paid some other way" in str(in_vain(shop.waits.refund, known.id, "sent", LONG))


def test_a_wait_lasts_as_long_as_asked(shop: Shop) -> None:
    begun = monotonic()
    told = in_vain(shop.waits.payment, shop.requests().id, "sent", 0.05)
    assert 0.05 <= monotonic() - begun < SOON
    assert "after 0.1 s" in str(told)


@pytest.mark.parametrize("until", ["", "paid", "SENT", "awaiting_details", "final "])
def test_what_nobody_can_wait_for_is_refused_with_what_there_is(shop: Shop, until: str) -> None:
    with pytest.raises(InvalidGoal, match=r"awaiting_provider, .*, sent, failed, final, idle") as refusal:
        shop.waits.payment(shop.requests().id, until, LONG)
    assert refusal.value.parameter == "until"


def test_a_refund_is_not_waited_for_as_if_it_were_a_payment(shop: Shop) -> None:
    refund = shop.refunds(shop.takes("approve"))
    with pytest.raises(InvalidGoal, match=r"awaiting_details, .*, externally_processed, final, idle"):
        shop.waits.refund(refund.id, "pending", LONG)
    with pytest.raises(NotFound):
        shop.waits.payment(refund.id, "sent", LONG)
    with pytest.raises(NotFound):
        shop.waits.refund("nothing", "sent", LONG)


# It is cut short


def test_a_reset_ends_all_waits_and_says_so(shop: Shop) -> None:
    payment = shop.takes("approve")
    refund = shop.refunds(payment)
    waits: list[Future[Any]] = [
        shop.waiting(shop.waits.payment, shop.takes("bank_timeout").id, "final", LONG),
        shop.waiting(shop.waits.refund, refund.id, "sent", LONG),
        shop.waiting(shop.waits.event, KEY, EventQuery(kind="token"), LONG),
    ]
    assert not any(wait.done() for wait in waits)
    shop.tester.reset(KEY)
    for wait in waits:
        with pytest.raises(Superseded, match="was reset while you waited for"):
            wait.result(SOON)


def test_after_a_reset_the_same_payment_is_another(shop: Shop) -> None:
    """The new payment has the id of the old one; whoever waited for the old one must not be given it."""
    payment = shop.takes("bank_timeout")
    waiting = shop.waiting(shop.waits.payment, payment.id, "sent", LONG)
    shop.tester.reset(KEY)
    assert shop.takes("approve").id == payment.id
    with pytest.raises(Superseded):
        waiting.result(SOON)


def test_the_reset_of_another_merchant_ends_no_wait(shop: Shop) -> None:
    Shop(shop.simulation, shop.bell, shop.threads, OTHER_KEY)
    payment = shop.takes("bank_timeout")
    waiting = shop.waiting(shop.waits.payment, payment.id, "final", LONG)
    shop.tester.reset(OTHER_KEY)
    assert not waiting.done()
    shop.advances(30)
    assert waiting.result(SOON)[0].state == "failed"


def test_a_wait_for_what_is_deleted_ends(shop: Shop) -> None:
    payment = shop.requests()
    waiting = shop.waiting(shop.waits.payment, payment.id, "sent", LONG)
    shop.merchant.delete_payment(payment.id)
    with pytest.raises(NotFound):
        waiting.result(SOON)


def test_a_wait_ends_with_the_server(shop: Shop) -> None:
    waiting = shop.waiting(shop.waits.payment, shop.requests().id, "sent", LONG)
    shop.simulation.stop()
    assert "not sent" in str(in_vain(waiting.result, SOON))


# Many wait


def fill(shop: Shop, many: int) -> list[Future[Any]]:
    """So many waits, each for a payment of its own."""
    ids = [shop.requests().id for _ in range(many)]
    futures = [shop.threads.submit(shop.waits.payment, id_, "final", LONG) for id_ in ids]
    deadline = monotonic() + LONG
    while shop.bell.waits < many and monotonic() < deadline:
        sleep(0.005)
    assert shop.bell.waits == many
    return futures


def test_a_hundred_waits_are_not_woken_by_what_happens_to_others(shop: Shop) -> None:
    fill(shop, 100)
    for _ in range(200):
        shop.takes("approve")
    assert shop.bell.waits == 100


def test_one_wait_more_than_the_limit_is_refused_and_a_place_is_free_again_afterwards(shop: Shop) -> None:
    futures = fill(shop, WAITS_LIMIT)
    payment = shop.requests()
    with pytest.raises(TooManyWaits, match=f"{WAITS_LIMIT} calls are waiting already"):
        shop.waits.payment(payment.id, "sent", LONG)
    with pytest.raises(TooManyWaits):
        shop.waits.event(KEY, EventQuery(kind="refund"), LONG)
    shop.tester.reset(KEY)
    for future in futures:
        with pytest.raises(Superseded):
            future.result(SOON)
    in_vain(shop.waits.payment, shop.requests().id, "sent", 0)
