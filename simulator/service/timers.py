"""Time: fires what is due on a merchant's clock, and sets the clock."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.domain.clock import iso
from simulator.domain.errors import InvalidTime, NotFound
from simulator.domain.events import Cause, Event, EventQuery, Kind
from simulator.domain.states import PaymentAction
from simulator.domain.timers import TimerKind
from simulator.service import bank

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from simulator.domain.clock import MerchantClock
    from simulator.domain.ports import World
    from simulator.domain.timers import Timer
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work

_log = logging.getLogger(__name__)

_BATCH = 100
"""How many timers are fired in one go; the others let calls of the merchant come in between."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer that went off when `after` was the number of the newest event, and the events that it caused."""

    timer: Timer
    after: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class ClockSet:
    """A clock after it was set, and what it fired on the way, in order."""

    clock: MerchantClock
    now: datetime
    real_now: datetime
    next_timer: Timer | None
    fired: tuple[Fired, ...] = ()


class TimerService:
    """The clock of one merchant and all that waits for it."""

    def __init__(self, simulation: Simulation, merchant_key: str, cause: Cause | None = None) -> None:
        self._simulation = simulation
        self._key = merchant_key
        self._cause = cause

    def clock(self) -> ClockSet:
        """Read the clock."""
        with self._simulation.store.transaction(self._key) as world:
            clock, real_now = world.merchant().clock, self._simulation.clock.now()
            return ClockSet(clock, clock.at(real_now), real_now, world.next_timer())

    def set_clock(self, change: Callable[[MerchantClock, datetime], MerchantClock]) -> ClockSet:
        """Set the clock to what `change` makes of it and the real instant, firing all that is due by then, in order.

        InvalidTime when it would go backwards.
        """
        with self._simulation.store.clock_turn(self._key):
            return self._set_clock(change)

    def _set_clock(self, change: Callable[[MerchantClock, datetime], MerchantClock]) -> ClockSet:
        """Do it in steps, each up to the next message, the fate of which decides what is due later.

        Meanwhile the clock stands still, so that others see no time between two steps.
        """
        from simulator.service import outgoing  # noqa: PLC0415  costs start-up time

        clock: MerchantClock | None = None
        cause, fired = self._cause, list[Fired]()
        while True:
            news: list[Fired] = []
            with self._simulation.work(self._key, cause) as work:
                if clock is None:
                    clock = change(work.merchant.clock, work.real_at)
                    target, begun = clock.at(work.real_at), Cause(work.merchant.generation, work.because)
                if not outgoing.are_being_sent(work):
                    news = _fire_until(work, target)
                if not outgoing.are_being_sent(work):
                    return _finish(work, clock, target, [*fired, *news])
                _stand_still(work, news[-1].timer.due if news else work.at)
            cause = begun
            self._simulation.settle(self._key)
            fired += self._with_attempts(news)

    def _with_attempts(self, fired: list[Fired]) -> list[Fired]:
        """Say of each message that was sent what became of it."""
        with self._simulation.store.transaction(self._key) as world:
            return [_with_attempt(world, each) for each in fired]

    def fire_due(self, lost: Collection[str] = ()) -> None:
        """Fire what is due by now, and have the deliveries sent again that were `lost` with who was sending them."""
        with self._simulation.work(self._key) as work:
            if lost:
                from simulator.service import outgoing  # noqa: PLC0415  costs start-up time

                outgoing.take_up(work, lost)
            _fire_until(work, work.at, _BATCH)
            work.retime()


def _finish(work: Work, clock: MerchantClock, target: datetime, fired: list[Fired]) -> ClockSet:
    """Set the clock once all is fired; InvalidTime when somebody else has set it later meanwhile."""
    if work.merchant.clock.at(work.real_at) > clock.at(work.real_at):
        raise InvalidTime("The clock was set to a later time by somebody else meanwhile.", "to")
    work.at = max(target, work.at)
    work.world.save(replace(work.merchant, clock=clock))
    work.retime()
    work.tell(Kind.CLOCK_CHANGED, mode=clock.mode.value, rate=clock.rate, now=iso(target))
    return ClockSet(clock, target, work.real_at, work.world.next_timer(), tuple(fired))


def _stand_still(work: Work, at: datetime) -> None:
    """Let the clock show `at`, or now, until the messages that were sent have arrived, or failed to."""
    clock = work.merchant.clock
    work.world.save(replace(work.merchant, clock=clock.set(work.real_at, max(at, clock.at(work.real_at)), 0)))
    work.retime()


def _with_attempt(world: World, fired: Fired) -> Fired:
    if fired.timer.kind is not TimerKind.DELIVERY:
        return fired
    events = world.events(EventQuery(kind="delivery", after=fired.after))
    return replace(fired, events=tuple(event for event in events if event.data["delivery"] == fired.timer.subject))


def _fire_until(work: Work, until: datetime, most: int | None = None) -> list[Fired]:
    """Fire what is due up to `until`, each at its own instant, also what that sets in turn.

    Once a message is sent that may change everything later, so that only what is due at the same instant follows.
    """
    fired: list[Fired] = []
    why, now = work.because, work.at
    while (most is None or len(fired) < most) and (timer := work.world.next_timer()) and timer.due <= until:
        before = work.world.last_event()
        work.world.remove(timer)
        work.at, work.because = max(timer.due, work.world.latest()), timer.because
        _fire(work, timer)
        fired.append(Fired(timer, before, work.world.events(EventQuery(after=before))))
        if work.errands:
            until = min(until, work.at)
    work.because, work.at = why, max(now, work.world.latest())
    return fired


def _fire(work: Work, timer: Timer) -> None:
    try:
        with work.savepoint():
            _FIRE[timer.kind](work, timer.subject)
    except Exception as failure:  # noqa: BLE001  the other timers must go off
        _log.exception("timer %s of %s failed", timer.id, work.merchant.key)
        work.tell(Kind.TIMER_FAILED, timer.public_subject, timer=timer.kind.value, why=repr(failure))


def _expire_session(work: Work, payment_id: str) -> None:
    if work.world.payment(payment_id).play is None:  # else it was authorised just in time
        bank.act(work, payment_id, PaymentAction.EXPIRE, "time", reason="PAYMENT_EXPIRED")


def _expire_token(work: Work, token_id: str) -> None:
    try:
        work.world.remove(work.world.token(token_id))
    except NotFound:
        return
    work.tell(Kind.TOKEN_EXPIRED, by="time")


def _begin_delivery(work: Work, delivery_id: str) -> None:
    from simulator.service.outgoing import begin  # noqa: PLC0415  costs start-up time

    begin(work, delivery_id)


_FIRE: Mapping[TimerKind, Callable[[Work, str], None]] = {
    TimerKind.SCENARIO_STEP: bank.timely_step,
    TimerKind.SESSION_EXPIRY: _expire_session,
    TimerKind.DELIVERY: _begin_delivery,
    TimerKind.TOKEN_EXPIRY: _expire_token,
}
