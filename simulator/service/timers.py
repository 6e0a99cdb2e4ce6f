"""Time: fires what is due on a merchant's clock, and sets the clock."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulator.domain.clock import iso
from simulator.domain.errors import NotFound
from simulator.domain.events import Cause, Event, EventQuery, Kind
from simulator.domain.states import PaymentAction
from simulator.domain.timers import TimerKind
from simulator.service import bank

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from simulator.domain.clock import MerchantClock
    from simulator.domain.timers import Timer
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work

_log = logging.getLogger(__name__)

_BATCH = 100
"""How many timers are fired in one go; the others let calls of the merchant come in between."""


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer that went off, and the events that it caused."""

    timer: Timer
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
        with self._simulation.work(self._key, self._cause) as work:
            clock = change(work.merchant.clock, work.real_at)
            target = clock.at(work.real_at)
            fired = _fire_until(work, target)
            work.at = max(target, work.at)
            work.world.save(replace(work.merchant, clock=clock))
            work.retime()
            work.tell(Kind.CLOCK_CHANGED, mode=clock.mode.value, rate=clock.rate, now=iso(target))
            return ClockSet(clock, target, work.real_at, work.world.next_timer(), tuple(fired))

    def fire_due(self) -> None:
        """Fire what is due by now."""
        with self._simulation.work(self._key) as work:
            _fire_until(work, work.at, _BATCH)
            work.retime()


def _fire_until(work: Work, until: datetime, most: int | None = None) -> list[Fired]:
    """Fire what is due up to `until`, each at its own instant, also what that sets in turn."""
    fired: list[Fired] = []
    why, now = work.because, work.at
    while (most is None or len(fired) < most) and (timer := work.world.next_timer()) and timer.due <= until:
        before = work.world.last_event()
        work.world.remove(timer)
        work.at, work.because = max(timer.due, work.world.latest()), timer.because
        _fire(work, timer)
        fired.append(Fired(timer, work.world.events(EventQuery(after=before))))
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


_FIRE: Mapping[TimerKind, Callable[[Work, str], None]] = {
    TimerKind.SCENARIO_STEP: bank.timely_step,
    TimerKind.SESSION_EXPIRY: _expire_session,
    TimerKind.TOKEN_EXPIRY: _expire_token,
}
