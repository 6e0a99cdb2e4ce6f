"""Waiting until something is so: woken by the change itself, and never longer than asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING

from simulator.domain.deliveries import DELIVERIES_KEPT, ON_ITS_WAY, DeliveryQuery
from simulator.domain.errors import InvalidGoal, StillWaiting, Superseded, TooManyWaits
from simulator.domain.events import Event, EventQuery
from simulator.domain.states import PaymentState, RefundState
from simulator.service.simulation import WAITS_LIMIT
from simulator.service.story import subjects_of_payment, subjects_of_refund, why_no_refund_yet, why_not_yet

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.domain.ports import World
    from simulator.domain.refunds import Refund
    from simulator.domain.timers import Timer
    from simulator.service.merchant import PaymentWithRefunds
    from simulator.service.simulation import Simulation

LONGEST_WAIT = 60.0
"""Seconds."""


class Goal(StrEnum):
    """What can be waited for beside a state: the end, or that nothing more is due."""

    FINAL = "final"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Look:
    """What a waiting reader sees: whether it is as wanted, and if not, what it is instead, why, and what is still due.

    `hopeless` is what can never become as wanted.
    """

    reached: bool
    sentence: str = ""
    because: tuple[str, ...] = ()
    due: tuple[Timer, ...] = ()
    hopeless: bool = False


class WaitedInVain(StillWaiting):
    """A wait that ended without what was waited for: what did happen meanwhile, and what is still due."""

    def __init__(self, sentence: str, look: Look, happened: tuple[Event, ...]) -> None:
        super().__init__(sentence, look.because)
        self.happened = happened
        self.due = look.due


class WaitService:
    """Waits in the world of any merchant, for so many seconds at most.

    Its verbs raise InvalidGoal when nothing of that name can be waited for, WaitedInVain when it did not come to that,
    Superseded when the merchant was reset meanwhile, and TooManyWaits.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def payment(self, id_: str, until: str, seconds: float) -> PaymentWithRefunds:
        """Return a payment once it is in the state `until`, or `final`, or `idle`: nothing more is due to happen."""
        _check_goal(until, PaymentState)

        came = _Coming(id_, until)

        def look(world: World) -> Look:
            payment = world.payment(id_)
            due, idle = _still_due(world, subjects_of_payment(world, id_))
            own = tuple(timer for timer in due if timer.subject == id_)
            reached = came.by_now(world) or _reached(until, payment.state, final=payment.is_final, idle=idle)
            because = why_not_yet(self._simulation, world.merchant(), payment, own)
            hopeless = payment.is_final and not own and until != Goal.IDLE
            return Look(reached, f"The payment session is {payment.state}, not {until}", because, due, hopeless)

        key = self._simulation.owner("payment session", id_)
        self._wait(key, [id_], until, seconds, look)
        with self._simulation.store.transaction(key) as world:
            return world.payment(id_), world.refunds_of([id_])[id_]

    def refund(self, id_: str, until: str, seconds: float) -> Refund:
        """Return a refund once it is as `until` says."""
        _check_goal(until, RefundState)

        came = _Coming(id_, until)

        def look(world: World) -> Look:
            refund = world.refund(id_)
            due, idle = _still_due(world, subjects_of_refund(refund))
            reached = came.by_now(world) or _reached(until, refund.state, final=refund.is_final, idle=idle)
            because = (why_no_refund_yet(refund),)
            hopeless = refund.is_final and idle
            return Look(reached, f"The refund is {refund.state}, not {until}", because, due, hopeless)

        key = self._simulation.owner("refund", id_)
        self._wait(key, [id_], until, seconds, look)
        with self._simulation.store.transaction(key) as world:
            return world.refund(id_)

    def event(self, merchant_key: str, query: EventQuery, seconds: float, *, from_now: bool = False) -> Event:
        """Return the first event that `query` asks for; `from_now`, the first that is yet to happen."""
        found: list[Event] = []
        after = None if from_now else query.after

        def look(world: World) -> Look:
            nonlocal after
            last = world.last_event()
            found[:] = world.events(replace(query, after=last if after is None else after, limit=1))
            if after is None or query.subjects is None:  # the subject of a call is known only once it is answered
                after = last
            return Look(bool(found), f"Nothing has happened of kind {query.kind or 'any'}", due=world.timers())

        self._wait(merchant_key, None, "an event", seconds, look)
        return found[0]

    def _wait(
        self, merchant_key: str, subjects: list[str] | None, until: str, seconds: float, look: Callable[[World], Look]
    ) -> None:
        slots = self._simulation.waits
        if not slots.acquire(blocking=False):
            raise TooManyWaits(f"{WAITS_LIMIT} calls are waiting already.")
        try:
            self._wait_in_slot(merchant_key, subjects, until, min(seconds, LONGEST_WAIT), look)
        finally:
            slots.release()

    def _wait_in_slot(
        self, merchant_key: str, subjects: list[str] | None, until: str, seconds: float, look: Callable[[World], Look]
    ) -> None:
        topics = subjects or [merchant_key]
        store, begun = self._simulation.store, monotonic()
        generation: int | None = None
        with self._simulation.bell.listen([*topics, reset_topic(merchant_key)]) as listener:
            while True:
                with store.transaction(merchant_key) as world:
                    merchant = world.merchant()
                    if generation is None:
                        generation, before = merchant.generation, world.last_event()
                    if merchant.generation != generation:
                        raise Superseded(f"The merchant {merchant_key} was reset while you waited for {until}.")
                    seen = look(world)
                if seen.reached:
                    return
                left = begun + seconds - monotonic()
                if seen.hopeless or left <= 0 or not listener.wait(left):
                    waited = monotonic() - begun
                    with store.transaction(merchant_key) as world:
                        happened = world.events(EventQuery(after=before, subjects=subjects))
                    raise WaitedInVain(f"{seen.sentence}, after {waited:.1f} s.", seen, happened)


def reset_topic(merchant_key: str) -> str:
    """What rings when the merchant is reset."""
    return f"reset {merchant_key}"


def _check_goal(until: str, states: type[StrEnum]) -> None:
    goals = [*states, *Goal]
    if until not in goals:
        raise InvalidGoal(f"Wait until one of: {', '.join(goals)}.", "until")


class _Coming:
    """Whether something came into the state `until` since it was first looked at, even if it went on at once."""

    def __init__(self, id_: str, until: str) -> None:
        self._query = EventQuery(subjects=[id_])
        self._until = until
        self._looked = False

    def by_now(self, world: World) -> bool:
        events = world.events(self._query) if self._looked else ()
        self._query, self._looked = replace(self._query, after=world.last_event()), True
        return any(event.data.get("to") == self._until for event in events)


def _still_due(world: World, subjects: list[str]) -> tuple[tuple[Timer, ...], bool]:
    """The timers of things and of what webhooks are told of them, and whether nothing at all is under way."""
    messages = [
        message
        for subject in subjects
        for message in world.deliveries(DeliveryQuery(limit=DELIVERIES_KEPT, subject=subject, outcomes=ON_ITS_WAY))
    ]
    due = world.timers([*subjects, *(message.id for message in messages)])
    return due, not due and not messages


def _reached(until: str, state: str, *, final: bool, idle: bool) -> bool:
    match until:
        case Goal.FINAL:
            return final
        case Goal.IDLE:
            return idle
        case _:
            return state == until
