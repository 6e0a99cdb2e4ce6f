"""What can be read of a merchant's world in memory."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING

from simulator.domain.clock import EPOCH
from simulator.domain.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from simulator.adapters.memory_things import Position, Space
    from simulator.domain.access import ClientKey, IdempotentCall, Token
    from simulator.domain.contents import Contents
    from simulator.domain.deliveries import Delivery, DeliveryQuery
    from simulator.domain.emails import Email
    from simulator.domain.events import Event, EventQuery
    from simulator.domain.inbox import Received
    from simulator.domain.merchants import Merchant
    from simulator.domain.payments import Payment
    from simulator.domain.ports import PaymentQuery
    from simulator.domain.refunds import Refund
    from simulator.domain.timers import Timer


def _instant(position: Position) -> datetime:
    return position[0]


class MemoryReading:
    """The lookups of a `World`; they change nothing."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def merchant(self) -> Merchant:
        """Return the merchant whose world this is."""
        return self._space.merchant

    def payment(self, id_: str) -> Payment:
        """Return the payment session `id_`."""
        try:
            return self._space.things.payments[id_][0]
        except KeyError:
            raise NotFound("payment session", id_) from None

    def payments(self, query: PaymentQuery) -> tuple[Payment, ...]:
        """Return what `query` asks for, the newest first."""
        things = self._space.things
        positions = things.positions if query.state is None else things.positions_in.get(query.state, [])
        start, end = 0, len(positions)
        if query.created_at_from is not None:
            start = bisect_left(positions, query.created_at_from, key=_instant)
        if query.created_at_to is not None:
            end = bisect_right(positions, query.created_at_to, key=_instant)
        page = reversed(positions[max(start, end - query.limit) : end])
        return tuple(things.payments[id_][0] for _, _, id_ in page)

    def refund(self, id_: str) -> Refund:
        """Return the refund `id_`."""
        try:
            return self._space.things.refunds[id_]
        except KeyError:
            raise NotFound("refund", id_) from None

    def refunds(self, limit: int) -> tuple[Refund, ...]:
        """Return the refunds added last, the newest first."""
        return tuple(islice(reversed(self._space.things.refunds.values()), limit))

    def refunds_of(self, payment_ids: Iterable[str]) -> dict[str, tuple[Refund, ...]]:
        """Return the refunds of each payment in the order they were added."""
        things = self._space.things
        return {id_: tuple(things.refunds[refund] for refund in things.refund_ids.get(id_, ())) for id_ in payment_ids}

    def token(self, id_: str) -> Token:
        """Return the token `id_`."""
        try:
            return self._space.things.tokens[id_]
        except KeyError:
            raise NotFound("token", "…") from None

    def client_key(self, token: str) -> ClientKey:
        """Return the client key with this token."""
        try:
            return self._space.things.client_keys[token]
        except KeyError:
            raise NotFound("client key", "…") from None

    def call(self, id_: str) -> IdempotentCall | None:
        """Return the call made with the idempotency key `id_`."""
        return self._space.things.calls.get(id_)

    def email(self, id_: str) -> Email:
        """Return the e-mail `id_`."""
        try:
            return self._space.things.emails[id_]
        except KeyError:
            raise NotFound("e-mail", id_) from None

    def emails(self, limit: int) -> tuple[Email, ...]:
        """Return the newest e-mails, the newest first."""
        return tuple(islice(reversed(self._space.things.emails.values()), limit))

    def delivery(self, id_: str) -> Delivery:
        """Return the delivery `id_`."""
        try:
            return self._space.things.deliveries[id_]
        except KeyError:
            raise NotFound("delivery", id_) from None

    def deliveries(self, query: DeliveryQuery) -> tuple[Delivery, ...]:
        """Return what `query` asks for, the newest first."""
        things = self._space.things
        turns = things.turns_open if query.is_of_open else things.turns
        if query.subject is not None:
            turns = things.turns_of.get(query.subject, [])
        newest_first = (things.deliveries[id_] for _, id_ in reversed(turns))
        return tuple(islice(filter(query.wants, newest_first), query.limit))

    def inbox(self, limit: int) -> tuple[Received, ...]:
        """Return the newest messages in the inbox, the newest first."""
        return tuple(islice(reversed(self._space.things.inbox.values()), limit))

    def latest(self) -> datetime:
        """Return the instant of the newest event."""
        things = self._space.things
        return things.events[things.last_event].at if things.last_event else EPOCH

    def last_event(self) -> int:
        """Return the number of the newest event."""
        return self._space.things.last_event

    def event(self, number: int) -> Event | None:
        """Return the event `number`."""
        return self._space.things.events.get(number)

    def events(self, query: EventQuery) -> tuple[Event, ...]:
        """Return what `query` asks for, the oldest first."""
        things = self._space.things
        first = max(query.after, things.last_event - len(things.events)) + 1
        kept = (things.events[number] for number in range(first, things.last_event + 1))
        return tuple(islice(filter(query.wants, kept), query.limit))

    def next_timer(self) -> Timer | None:
        """Return the timer that is due first."""
        timers = self._space.things.timers
        return timers[0] if timers else None

    def timers(self, subjects: Collection[str] | None = None) -> tuple[Timer, ...]:
        """Return all timers, or those of `subjects`."""
        things = self._space.things
        if subjects is None:
            return tuple(things.timers)
        return tuple(sorted(timer for subject in set(subjects) for timer in things.timers_of.get(subject, ())))

    def contents(self) -> Contents:
        """Return all that there is."""
        return self._space.things.contents(self._space.merchant)
