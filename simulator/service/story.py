"""What happened to a payment and why, in events and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.domain.clock import ClockMode, iso
from simulator.domain.events import Event, EventQuery, Kind
from simulator.domain.scenarios import Progression
from simulator.domain.states import PaymentState, RefundState
from simulator.domain.timers import TimerKind

if TYPE_CHECKING:
    from simulator.domain.merchants import Merchant
    from simulator.domain.payments import Payment
    from simulator.domain.ports import World
    from simulator.domain.refunds import Refund
    from simulator.domain.timers import Timer
    from simulator.service.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Explanation:
    """A payment in words: how it came into its state, what is still to come, what could be done next."""

    payment: Payment
    history: tuple[str, ...]
    pending: tuple[str, ...]
    due: tuple[Timer, ...]


class StoryService:
    """Reads the log of any merchant."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def events(self, merchant_key: str, query: EventQuery) -> tuple[Event, ...]:
        """Return the events `query` asks for, the oldest first."""
        with self._simulation.store.transaction(merchant_key) as world:
            return world.events(query)

    def last_event(self, merchant_key: str) -> int:
        """Return the number of the newest event, or 0."""
        with self._simulation.store.transaction(merchant_key) as world:
            return world.last_event()

    def timeline(self, payment_id: str) -> tuple[Event, ...]:
        """Return all events about a payment, its refunds and the sessions that pay them out, and what caused them."""
        key = self._simulation.owner("payment session", payment_id)
        with self._simulation.store.transaction(key) as world:
            world.payment(payment_id)
            return _events_about(world, subjects_of_payment(world, payment_id))

    def last_change(self, payment_id: str) -> Event | None:
        """Return the event that brought a payment into its state; None when the log has forgotten it."""
        key = self._simulation.owner("payment session", payment_id)
        with self._simulation.store.transaction(key) as world:
            changes = world.events(EventQuery(subjects=[payment_id], kind=Kind.PAYMENT_CHANGED))
        return changes[-1] if changes else None

    def explain(self, payment_id: str) -> Explanation:
        """Tell in words why a payment is in its state, and what could be next."""
        key = self._simulation.owner("payment session", payment_id)
        with self._simulation.store.transaction(key) as world:
            payment = world.payment(payment_id)
            events = world.events(EventQuery(subjects=[payment_id]))
            due = world.timers([payment_id])
            pending = why_not_yet(self._simulation, world.merchant(), payment, due)
            history = tuple(text for event in events if (text := in_words(event)))
            return Explanation(payment, history, pending, due)


def subjects_of_payment(world: World, payment_id: str) -> list[str]:
    """The ids of a payment, its refunds and the sessions that pay them out."""
    refunds = world.refunds_of([payment_id])[payment_id]
    return [payment_id, *(subject for refund in refunds for subject in subjects_of_refund(refund))]


def subjects_of_refund(refund: Refund) -> list[str]:
    """The ids of a refund and the session that pays it out, if there is one."""
    return [id_ for id_ in (refund.id, refund.refund_payment_session_id) if id_ is not None]


def _events_about(world: World, subjects: list[str]) -> tuple[Event, ...]:
    found = {event.number: event for event in world.events(EventQuery(subjects=subjects))}
    causes = {event.because for event in found.values()} - found.keys()
    found |= {number: event for number in causes if number and (event := world.event(number))}
    return tuple(found[number] for number in sorted(found))


class _Told(dict[str, Any]):
    """What an event tells; what it does not tell is an ellipsis."""

    def __missing__(self, _: str) -> str:
        return "…"


def in_words(event: Event) -> str:
    """What an event says, in a sentence; nothing for an event that changed nothing."""
    data = _Told(event.data)
    reason = f" ({data['reason']})" if data.get("reason") else ""
    step = f" by step {data['step']} of {data['scenario']}" if data.get("step") else ""
    match event.kind:
        case Kind.PAYMENT_CHANGED:
            text = f"The {data['by']} moved it from {data['from']} to {data['to']}: {data['action']}{step}{reason}"
            if data.get("forced"):
                text += f", forced by {'tester' if data['by'] == 'tester' else 'the scenario'}"
        case Kind.PAYMENT_CANCELLED:
            text = f"The payer turned away{step}"
        case Kind.SCENARIO_STARTED if data.get("declined"):
            text = f"The payer declined it, and the bank plays {data['scenario']}"
        case kind if kind in _SENTENCES:
            text = _SENTENCES[kind].format_map(data)
        case _:
            return ""
    return f"{iso(event.at)} {text.rstrip('.')}."


def why_not_yet(
    simulation: Simulation, merchant: Merchant, payment: Payment, due: tuple[Timer, ...]
) -> tuple[str, ...]:
    """What a payment waits for, a sentence each."""
    sentences = [_of_timer(simulation, merchant, payment, timer) for timer in due]
    step = payment.play.next_step if payment.play else None
    if step is not None and not any(timer.kind is TimerKind.SCENARIO_STEP for timer in due):
        action = step.action.value if step.action else "the payer's turning away"
        if merchant.progression is Progression.MANUAL:
            where = f"POST /__admin/payment_sessions/{payment.id}/next"
            sentences.append(f"The next step, {action}, waits for you, because progression is manual: {where}.")
        else:
            sentences.append(f"The next step is {action}.")
    if not sentences:
        sentences.append(_NOTHING_DUE[payment.state])
    return tuple(sentences)


def why_no_refund_yet(refund: Refund) -> str:
    """What a refund waits for."""
    return _REFUND_WAITS[refund.state].format(session=refund.refund_payment_session_id, id=refund.id)


def _of_timer(simulation: Simulation, merchant: Merchant, payment: Payment, timer: Timer) -> str:
    step = payment.play.next_step if payment.play else None
    what = timer.kind.value.replace("_", " ")
    if step is not None and timer.kind is TimerKind.SCENARIO_STEP:
        what = f"next step, {step.action.value if step.action else 'turning away'},"
    clock = merchant.clock
    if clock.mode is ClockMode.FROZEN:
        return (
            f"The {what} is due at {iso(timer.due)}, but the clock stands still at {iso(clock.base)}: "
            f"POST /__admin/merchants/{merchant.key}/clock/advance."
        )
    seconds = max((timer.due - simulation.now(merchant)).total_seconds(), 0)
    return f"The {what} is due at {iso(timer.due)}, in {seconds:.1f} s of the merchant's clock."


_SENTENCES = {
    Kind.PAYMENT_CREATED: "The {by} created it",
    Kind.PAYMENT_INTRODUCED: "The {by} is {name}, {email}",
    Kind.SCENARIO_CHOSEN: "The scenario {scenario} was chosen by the {door}",
    Kind.SCENARIO_STARTED: "The payer authorised it, and the bank plays {scenario}, chosen by the {door}",
    Kind.SCENARIO_STOPPED: "Step {step} of {scenario} came too late: {why}",
    Kind.REFUND_CREATED: "The {by} asked for it; it is {to}",
    Kind.REFUND_CHANGED: "It went from {from} to {to}",
}

_NOTHING_DUE = {
    PaymentState.AWAITING_PROVIDER: "Nobody has paid it yet: the payer does at its url, or POST …/pay does.",
    PaymentState.AWAITING_PAYMENT_CONSENT: "The payer has not authorised it yet: POST …/pay does.",
    PaymentState.INITIATED: "Nothing more is due: only the tester moves it on.",
    PaymentState.PENDING: "Nothing more is due: only the tester moves it on.",
    PaymentState.SENT: "It was sent, which is final.",
    PaymentState.FAILED: "It has failed, which is final.",
}

_REFUND_WAITS = {
    RefundState.AWAITING_DETAILS: (
        "The customer has not given an account yet: POST /__admin/refunds/{id}/actions/provide_details does."
    ),
    RefundState.AWAITING_PAYMENT: "Its payment session {session} is not paid yet.",
    RefundState.SENT: "It was sent, which is final.",
    RefundState.FAILED: "It has failed, which is final.",
    RefundState.EXTERNALLY_PROCESSED: "It was paid some other way, which is final.",
}
