"""The contents of a merchant's world: all that there is in it, and what makes it whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from simulator.domain.access import ClientKey, IdempotentCall, Token
from simulator.domain.clock import END_OF_TIME, EPOCH, FASTEST, iso
from simulator.domain.deliveries import DELIVERIES_KEPT, Delivery, Outcome
from simulator.domain.emails import EMAILS_KEPT, Email, EmailKind
from simulator.domain.errors import InvalidContents, Refusals
from simulator.domain.events import EVENTS_KEPT, Event
from simulator.domain.inbox import INBOX_KEPT, Received
from simulator.domain.merchants import Merchant
from simulator.domain.payments import Payment, currency_refusal, total_refusal
from simulator.domain.refunds import Refund, refunded
from simulator.domain.scenarios import PLAYED_IN, Progression
from simulator.domain.states import PaymentAction, PaymentState, RefundState
from simulator.domain.timers import Timer, TimerKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from simulator.domain.payments import LineItem

    Problems = Iterator[tuple[str, str]]
    """Slash paths of what is broken, and sentences that say how."""


_PAID_OUT = frozenset({RefundState.AWAITING_PAYMENT, RefundState.SENT})
"""How a refund can stand only once its payment session was made."""

_HIGHEST_COUNT = 2**52
"""Nobody counts that far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The merchant and its things: timers by when they are due, refunds and events as added, all else by creation.

    `counts` tells how many of each kind have had a name so far, so that no name is given again.
    """

    merchant: Merchant
    counts: Mapping[str, int] = field(default_factory=dict)
    payment_sessions: tuple[Payment, ...] = ()
    refunds: tuple[Refund, ...] = ()
    tokens: tuple[Token, ...] = ()
    client_keys: tuple[ClientKey, ...] = ()
    idempotent_calls: tuple[IdempotentCall, ...] = ()
    emails: tuple[Email, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    inbox: tuple[Received, ...] = ()
    timers: tuple[Timer, ...] = ()
    events: tuple[Event, ...] = ()

    def check(self) -> None:
        """Raise Refusals with all that no world can be like."""
        checks = (
            *(self._merchant, self._names, self._instants, self._payments, self._refunds, self._answers, self._emails),
            *(self._deliveries, self._timers, self._events),
        )
        problems = [InvalidContents(sentence, place) for check in checks for place, sentence in check()]
        if problems:
            raise Refusals(problems)

    def _merchant(self) -> Problems:
        clock, lifetime = self.merchant.clock, self.merchant.session_expires_after
        if not 0 <= clock.rate <= FASTEST:
            yield "merchant/clock/rate", f"A rate is between 0 and {FASTEST} seconds a second."
        if not clock.rate and self.events and clock.base < self.events[-1].at:
            yield "merchant/clock/base", f"Must not be earlier than the last event, at {iso(self.events[-1].at)}."
        if clock.base > END_OF_TIME:
            yield "merchant/clock/base", f"A clock goes no further than {iso(END_OF_TIME)}."
        if lifetime is not None and lifetime < 1:
            yield "merchant/session_expires_after", "Must be 1 or more, or null."
        for number, fault in enumerate(self.merchant.faults):
            if not fault.is_possible:
                yield f"merchant/faults/{number}", "There is no such fault: its numbers are out of range."

    def _names(self) -> Problems:
        """Whether every name is there once, and none of them is yet to be given."""
        things = {
            "payment_sessions": ("payment_session", [payment.id for payment in self.payment_sessions]),
            "refunds": ("refund", [refund.id for refund in self.refunds]),
            "tokens": ("token", [token.id for token in self.tokens]),
            "client_keys": ("client_key", [key.token for key in self.client_keys]),
            "emails": ("email", [email.id for email in self.emails]),
            "deliveries": ("delivery", [delivery.id for delivery in self.deliveries]),
            "inbox": ("received", [received.id for received in self.inbox]),
        }
        seen = Counter(id_ for _, ids in things.values() for id_ in ids)
        for place, (kind, ids) in things.items():
            yield from ((f"{place}/{number}/id", "Is there twice.") for number, id_ in enumerate(ids) if seen[id_] > 1)
            if self.counts.get(kind, 0) < len(ids):
                yield f"counts/{kind}", f"There are {len(ids)} already."
        for kind, count in self.counts.items():
            if count > _HIGHEST_COUNT:
                yield f"counts/{kind}", f"Must be at most {_HIGHEST_COUNT}."
        limits = {"emails": EMAILS_KEPT, "deliveries": DELIVERIES_KEPT, "inbox": INBOX_KEPT}
        for place, limit in limits.items():
            if len(things[place][1]) > limit:
                yield place, f"Must be at most {limit}."
        for number in _repeated([call.id for call in self.idempotent_calls]):
            yield f"idempotent_calls/{number}/id", "Is there twice."

    def _payments(self) -> Problems:
        refunds = {refund.id for refund in self.refunds}
        awaited = {timer.subject for timer in self.timers if timer.kind is TimerKind.SCENARIO_STEP}
        for number, payment in enumerate(self.payment_sessions):
            place, items = f"payment_sessions/{number}", payment.request.line_items
            yield from ((f"{place}/request/line_items", sentence) for sentence in _wrong_with(items))
            if (payment.state is PaymentState.SENT) != (payment.sent_at is not None):
                yield f"{place}/sent_at", f"Does not go with the state {payment.state}."
            if payment.refund_id is not None and payment.refund_id not in refunds:
                yield f"{place}/refund_id", "There is no such refund."
            if payment.play is not None and payment.state not in PLAYED_IN:
                yield f"{place}/play", f"No scenario is played in the state {payment.state}."
            if payment.play is not None and self.merchant.progression is Progression.TIME and payment.id not in awaited:
                yield f"{place}/play", "There is no timer of kind scenario_step for its next step."
            if payment.play is not None and not 0 <= payment.play.step <= len(payment.play.scenario.steps):
                yield f"{place}/play/step", "There is no such step."
            if payment.play is not None and PaymentAction.CHOOSE_PROVIDER in (
                step.action for step in payment.play.scenario.steps
            ):
                yield f"{place}/play/scenario", "The payer chooses the provider, no bank does."

    def _refunds(self) -> Problems:
        payments = {payment.id: payment for payment in self.payment_sessions}
        siblings: dict[str, list[Refund]] = {}
        for number, refund in enumerate(self.refunds):
            place, payment = f"refunds/{number}", payments.get(refund.request.payment_session_id)
            if payment is None:
                yield f"{place}/request/payment_session_id", "There is no such payment session."
                continue
            siblings.setdefault(payment.id, []).append(refund)
            if refund.amount < 1 or refunded(siblings[payment.id]) > payment.amount:
                yield f"{place}/request/amount", "Must be above 0, and no more than is left of what was paid."
            if refund.currency is not payment.currency:
                yield f"{place}/currency", f"Must be that of the payment, {payment.currency}."
            if refund.state in _PAID_OUT and None in (refund.details, refund.refund_payment_session_id):
                yield f"{place}/state", f"A refund without details and payment session cannot be {refund.state}."
            payout = payments.get(refund.refund_payment_session_id or "")
            if payout is not None and payout.refund_id != refund.id:
                yield f"{place}/refund_payment_session_id", "That payment session pays out no such refund."

    def _instants(self) -> Problems:
        """Whether everything happened before the end of time."""
        instants = {
            "payment_sessions": [max(each.created_at, each.sent_at or EPOCH) for each in self.payment_sessions],
            "refunds": [refund.created_at for refund in self.refunds],
            "tokens": [token.created_at for token in self.tokens],
            "client_keys": [key.created_at for key in self.client_keys],
            "idempotent_calls": [call.created_at for call in self.idempotent_calls],
            "emails": [max(email.created_at, email.payment.sent_at or EPOCH) for email in self.emails],
            "events": [max(event.at, event.real_at) for event in self.events],
        }
        for place, all_of_them in instants.items():
            for number, instant in enumerate(all_of_them):
                if instant > END_OF_TIME:
                    yield f"{place}/{number}", f"Must not be later than {iso(END_OF_TIME)}."

    def _answers(self) -> Problems:
        for number, call in enumerate(self.idempotent_calls):
            answer = call.answer
            if answer is not None and not (200 <= answer.status <= 599 and answer.content_type.isprintable()):
                yield f"idempotent_calls/{number}/answer", "There is no such answer in HTTP."

    def _emails(self) -> Problems:
        for number, email in enumerate(self.emails):
            for sentence in _wrong_with(email.payment.request.line_items):
                yield f"emails/{number}/payment/request/line_items", sentence
            if (email.kind is EmailKind.REFUND_DETAILS) != (email.refund is not None):
                yield f"emails/{number}/refund", f"Does not go with the kind {email.kind}."

    def _deliveries(self) -> Problems:
        given = self.counts.get("delivery number", 0)
        awaited = {timer.subject for timer in self.timers if timer.kind is TimerKind.DELIVERY}
        repeated = set(_repeated([str(delivery.number) for delivery in self.deliveries]))
        for number, delivery in enumerate(self.deliveries):
            if number in repeated or not 0 < delivery.number <= given:
                yield (
                    f"deliveries/{number}/number",
                    f"Must be there once, and from 1 to {given}.",
                )
            if (delivery.outcome is Outcome.DUE) != (delivery.due is not None):
                yield f"deliveries/{number}/due", f"Does not go with the outcome {delivery.outcome}."
            if (delivery.outcome is Outcome.DUE) != (delivery.id in awaited):
                yield f"deliveries/{number}/outcome", "There must be a timer of kind delivery for it if it is due only."

    def _timers(self) -> Problems:
        payments = {payment.id for payment in self.payment_sessions}
        subjects = dict.fromkeys(TimerKind, payments) | {
            TimerKind.TOKEN_EXPIRY: {each.id for each in self.tokens},
            TimerKind.DELIVERY: {each.id for each in self.deliveries},
        }
        given = self.counts.get("timer", 0)
        repeated = set(_repeated([str(timer.id) for timer in self.timers]))
        for number, timer in enumerate(self.timers):
            if timer.subject not in subjects[timer.kind]:
                yield f"timers/{number}/subject", "There is no such thing."
            if number in repeated or not 0 < timer.id <= given:
                yield f"timers/{number}/id", f"Must be there once, and from 1 to counts/timer, {given}."

    def _events(self) -> Problems:
        if len(self.events) > EVENTS_KEPT:
            yield "events", f"Must be at most {EVENTS_KEPT}."
        if self.events and self.events[0].number < 1:
            yield "events/0/number", "Must be 1 or more."
        for number, (before, event) in enumerate(pairwise(self.events), 1):
            if event.number != before.number + 1:
                yield f"events/{number}/number", f"Must be {before.number + 1}, for it follows that event."
            if event.at < before.at:
                yield f"events/{number}/at", "Must not be earlier than the event before."
        for number, event in enumerate(self.events):
            if event.because is not None and not 0 < event.because < event.number:
                yield f"events/{number}/because", "Must be the number of an earlier event."


def _wrong_with(items: Sequence[LineItem]) -> list[str]:
    """What is wrong with line items, a sentence each."""
    if not items or any(item.amount < 1 or item.quantity < 1 for item in items):
        return ["Must be one or more, each with an amount and a quantity above 0."]
    refusals = (currency_refusal({item.currency for item in items}), total_refusal(items))
    return [str(refusal) for refusal in refusals if refusal is not None]


def _repeated(names: list[str]) -> Iterator[int]:
    """Where in the list there is a name that is in it twice."""
    seen = Counter(names)
    return (number for number, name in enumerate(names) if seen[name] > 1)
