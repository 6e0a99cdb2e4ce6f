"""The tester's API on the wire: how payments, clocks, timers, events and merchants are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields

from simulator.domain.clock import iso
from simulator.service.bank import describe
from simulator.web.schemas.fields import Answer
from simulator.web.schemas.payment_sessions import PaymentSession, payment_answer
from simulator.web.schemas.refunds import RefundAnswer, refund_answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.events import Event
    from simulator.domain.refunds import Refund
    from simulator.domain.scenarios import MagicAccount, Scenario
    from simulator.domain.timers import Timer
    from simulator.service.merchant import PaymentWithRefunds
    from simulator.service.story import Explanation
    from simulator.service.tester import Discarded
    from simulator.service.timers import ClockSet, Fired


class RefundView(Answer):
    """What `refund_view` shows, for the API description."""

    id = fields.UUID()
    refund = fields.Nested(RefundAnswer)
    actions = fields.List(fields.String())


class PaymentView(Answer):
    """What `payment_view` shows, for the API description."""

    payment_session = fields.Nested(PaymentSession)
    provider = fields.String(allow_none=True)
    refunds = fields.List(fields.Nested(RefundView))
    actions = fields.List(fields.String())
    playing = fields.String(allow_none=True)


class EventView(Answer):
    """What `event_view` shows, for the API description."""

    number = fields.Integer()
    at = fields.DateTime()
    real_at = fields.DateTime()
    kind = fields.String()
    subject = fields.String(allow_none=True)
    because = fields.Integer(allow_none=True)
    data = fields.Dict()


class EventsView(Answer):
    """A list of events."""

    events = fields.List(fields.Nested(EventView))


class RequestsView(Answer):
    """A list of calls."""

    requests = fields.List(fields.Nested(EventView))


class OneEventView(Answer):
    """The event that was waited for."""

    event = fields.Nested(EventView)


class TimerView(Answer):
    """What `timer_view` shows, for the API description."""

    due = fields.DateTime()
    kind = fields.String()
    subject = fields.String(allow_none=True)
    because = fields.Integer(allow_none=True)


class FiredView(TimerView):
    """What `fired_view` shows, for the API description."""

    events = fields.List(fields.Nested(EventView))


class ClockView(Answer):
    """What `clock_view` shows, for the API description."""

    mode = fields.String()
    now = fields.DateTime()
    real_now = fields.DateTime()
    rate = fields.Float()
    next_timer = fields.Nested(TimerView, allow_none=True)


class ClockSetView(Answer):
    """What `clock_set_view` shows, for the API description."""

    clock = fields.Nested(ClockView)
    fired = fields.List(fields.Nested(FiredView))


class ExplanationView(Answer):
    """What `explanation_view` shows, for the API description."""

    state = fields.String()
    history = fields.List(fields.String())
    pending = fields.List(fields.String())
    due = fields.List(fields.Nested(TimerView))
    actions = fields.List(fields.String())


class MerchantsView(Answer):
    """The keys of merchants."""

    merchants = fields.List(fields.String())


class DiscardedView(Answer):
    """What `discarded_view` shows, for the API description."""

    merchant = fields.String()
    discarded = fields.Dict(values=fields.Integer())


class AllDiscardedView(Answer):
    """What was thrown away of each merchant."""

    merchants = fields.List(fields.Nested(DiscardedView))


class StepView(Answer):
    """A step of a scenario; `after` are seconds."""

    after = fields.Float()
    action = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    force = fields.Boolean()


class ScenarioView(Answer):
    """What `scenario_view` shows, for the API description."""

    name = fields.String()
    description = fields.String()
    in_words = fields.String()
    steps = fields.List(fields.Nested(StepView))
    returns = fields.String(allow_none=True)


class MagicAccountView(Answer):
    """What `magic_view` shows, for the API description."""

    sort_code = fields.String()
    account_number = fields.String()
    scenario = fields.String()
    recurring_only = fields.Boolean()


class ScenariosView(Answer):
    """All the scenarios and magic accounts."""

    scenarios = fields.List(fields.Nested(ScenarioView))
    magic_accounts = fields.List(fields.Nested(MagicAccountView))


def refund_view(refund: Refund) -> dict[str, Any]:
    """A refund as the tester sees it."""
    return {"id": refund.id, "refund": refund_answer(refund), "actions": refund.actions}


def payment_view(paid: PaymentWithRefunds) -> dict[str, Any]:
    """A payment session as the tester sees it."""
    payment, refunds = paid
    return {
        "payment_session": payment_answer(payment, refunds),
        "provider": payment.provider.name if payment.provider else None,
        "refunds": [refund_view(refund) for refund in refunds],
        "actions": payment.actions,
        "playing": payment.play.scenario.name if payment.play else None,
    }


def event_view(event: Event) -> dict[str, object]:
    """An event as it is shown."""
    return {
        "number": event.number,
        "at": iso(event.at),
        "real_at": iso(event.real_at),
        "kind": event.kind,
        "subject": event.subject,
        "because": event.because,
        "data": event.data,
    }


def events_view(events: Iterable[Event]) -> dict[str, object]:
    """Events as they are shown."""
    return {"events": [event_view(event) for event in events]}


def timer_view(timer: Timer) -> dict[str, object]:
    """A timer as it is shown."""
    return {"due": iso(timer.due), "kind": timer.kind, "subject": timer.public_subject, "because": timer.because}


def fired_view(fired: Fired) -> dict[str, object]:
    """A timer that went off, and what it caused."""
    return {**timer_view(fired.timer), "events": [event_view(event) for event in fired.events]}


def clock_view(clock_set: ClockSet) -> dict[str, object]:
    """A clock as it is shown."""
    clock = clock_set.clock
    return {
        "mode": clock.mode,
        "now": iso(clock_set.now),
        "real_now": iso(clock_set.real_now),
        "rate": clock.rate,
        "next_timer": timer_view(clock_set.next_timer) if clock_set.next_timer else None,
    }


def clock_set_view(clock_set: ClockSet) -> dict[str, object]:
    """A clock that was set, and what that fired, in order."""
    return {"clock": clock_view(clock_set), "fired": [fired_view(fired) for fired in clock_set.fired]}


def explanation_view(told: Explanation) -> dict[str, object]:
    """A payment in words."""
    return {
        "state": told.payment.state,
        "history": told.history,
        "pending": told.pending,
        "due": [timer_view(timer) for timer in told.due],
        "actions": told.payment.actions,
    }


def discarded_view(discarded: Discarded) -> dict[str, object]:
    """What a reset threw away."""
    return {"merchant": discarded.merchant.key, "discarded": discarded.things}


def scenario_view(scenario: Scenario) -> dict[str, object]:
    """A scenario as it is shown."""
    steps = [
        {"after": step.after, "action": step.action, "reason": step.reason or None, "force": step.force}
        for step in scenario.steps
    ]
    told = {"name": scenario.name, "description": scenario.description}
    return {**told, "in_words": describe(scenario), "steps": steps, "returns": scenario.returns}


def magic_view(magic: MagicAccount) -> dict[str, object]:
    """A magic account as it is shown."""
    return {
        "sort_code": magic.sort_code,
        "account_number": magic.account_number,
        "scenario": magic.scenario.name,
        "recurring_only": magic.recurring_only,
    }
