"""A merchant's world in memory while it is open: changed in place, and undone on error."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from heapq import heappop, heappush
from typing import TYPE_CHECKING, TypeVar

from simulator.adapters.memory_reading import MemoryReading
from simulator.adapters.memory_things import Things
from simulator.domain.access import ClientKey, IdempotentCall, Token
from simulator.domain.emails import EMAILS_KEPT, Email
from simulator.domain.errors import DuplicateId, NotFound
from simulator.domain.events import EVENTS_KEPT
from simulator.domain.merchants import Merchant
from simulator.domain.payments import Payment
from simulator.domain.refunds import Refund
from simulator.domain.timers import Timer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from types import TracebackType

    from simulator.adapters.memory_things import Space
    from simulator.domain.deliveries import Delivery
    from simulator.domain.events import Event
    from simulator.domain.inbox import Received
    from simulator.domain.ports import World

Key = TypeVar("Key")
Value = TypeVar("Value")


class MemoryTransaction(MemoryReading):
    """A `World` while it is entered. Each change leaves behind what takes it back."""

    def __init__(self, space: Space, owners: dict[str, str]) -> None:
        super().__init__(space)
        self._owners = owners
        self._undo: list[Callable[[], object]] = []
        self._disowned: set[str] = set()

    def __enter__(self) -> World:
        self._space.lock.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if error is None:
                for id_ in self._disowned:
                    del self._owners[id_]
                self._space.published = self._space.merchant
            else:
                for undo in reversed(self._undo):
                    undo()
        finally:
            self._space.lock.release()

    def count(self, kind: str) -> int:
        """Return how many times this was asked for `kind`."""
        counts = self._space.things.counts
        self._put(counts, kind, counts.get(kind, 0) + 1)
        return counts[kind]

    def record(self, event: Event) -> None:
        """Keep an event."""
        things = self._space.things
        if event.number <= things.last_event:
            if event.number in things.events:
                self._put(things.events, event.number, event)
            return
        last = things.last_event
        oldest = things.events.pop(event.number - EVENTS_KEPT, None)
        things.events[event.number] = event
        things.last_event = event.number

        def undo() -> None:
            del things.events[event.number]
            things.last_event = last
            if oldest is not None:
                things.events[oldest.number] = oldest

        self._undo.append(undo)

    def add(self, value: Payment | Refund | Token | Timer | Email | ClientKey | Delivery | Received) -> None:
        """Keep something new."""
        things = self._space.things
        if isinstance(value, Timer):
            things.set(value)
            self._undo.append(lambda: things.unset(value))
            return
        self._own(value.token if isinstance(value, ClientKey) else value.id)
        match value:
            case Payment():
                things.added += 1
                things.place(value, (value.created_at, things.added, value.id))
                self._undo.append(lambda: things.displace(value.id))
            case Refund():
                siblings = things.refund_ids[value.request.payment_session_id]
                siblings.append(value.id)
                self._undo.append(siblings.pop)
                self._put(things.refunds, value.id, value)
            case Token():
                self._put(things.tokens, value.id, value)
                heappush(things.expiries, (value.expires_at, value.id))
            case ClientKey():
                self._put(things.client_keys, value.token, value)
            case Email():
                self._put_newest("emails", value, EMAILS_KEPT)
            case _:
                self._add_message(value)

    def _add_message(self, value: Delivery | Received) -> None:
        """Keep a webhook's message: one that came into the inbox, or one that goes out."""
        from simulator.domain.inbox import INBOX_KEPT, Received  # noqa: PLC0415  costs start-up time

        if isinstance(value, Received):
            self._put_newest("inbox", value, INBOX_KEPT)
        else:
            self._line_up(value)

    def save(self, value: Payment | Refund | Merchant | IdempotentCall | Delivery) -> None:
        """Keep the next value of something."""
        space = self._space
        match value:
            case Payment():
                old = self.payment(value.id)
                space.things.replace(value)
                self._undo.append(lambda: space.things.replace(old))
            case Refund():
                self._put(space.things.refunds, self.refund(value.id).id, value)
            case IdempotentCall():
                self._put(space.things.calls, value.id, value)
                heappush(space.things.expiries, (value.expires_at, value.id))
            case Merchant():
                before = space.merchant
                self._undo.append(lambda: setattr(space, "merchant", before))
                space.merchant = value
            case _:
                delivery = self.delivery(value.id)
                space.things.move_on(value)
                self._undo.append(lambda: space.things.move_on(delivery))

    def remove(self, value: Payment | Token | IdempotentCall | Timer) -> None:
        """Forget something."""
        things = self._space.things
        match value:
            case Timer():
                things.unset(value)
                self._undo.append(lambda: things.set(value))
            case Token():
                self._drop(things.tokens, self.token(value.id).id)
                self._disown([value.id])
            case Payment():
                payment, position = things.payments[self.payment(value.id).id]
                things.displace(payment.id)
                self._undo.append(lambda: things.place(payment, position))
                self._disown([payment.id])
            case IdempotentCall():
                if value.id not in things.calls:
                    raise NotFound("idempotent call", value.id)
                self._drop(things.calls, value.id)

    def forget_expired(self, at: datetime) -> None:
        """Forget the tokens and idempotent calls whose time is over, looking at no others."""
        things = self._space.things
        while things.expiries and things.expiries[0][0] <= at:
            expiry = heappop(things.expiries)
            self._undo.append(partial(heappush, things.expiries, expiry))
            _, id_ = expiry
            if (token := things.tokens.get(id_)) and token.expires_at <= at:
                self._drop(things.tokens, id_)
                self._disown([id_])
            if (call := things.calls.get(id_)) and call.expires_at <= at:
                self._drop(things.calls, id_)

    def _put_newest(self, name: str, value: Email | Received, limit: int) -> None:
        """Put something in a table of which the newest are kept."""
        things = self._space.things
        before = getattr(things, name)
        self._put(before, value.id, value)
        if len(before) > limit:
            oldest = next(iter(before))
            setattr(things, name, {id_: thing for id_, thing in before.items() if id_ != oldest})
            self._undo.append(lambda: setattr(things, name, before))
            self._disown([oldest])

    def _line_up(self, delivery: Delivery) -> None:
        """Put a delivery where it belongs; of too many the oldest that is over goes, or else the oldest."""
        from simulator.domain.deliveries import DELIVERIES_KEPT  # noqa: PLC0415  costs start-up time

        things = self._space.things
        things.line_up(delivery)
        self._undo.append(lambda: things.step_out(delivery))
        if len(things.turns) <= DELIVERIES_KEPT:
            return
        _, id_ = (things.turns_over or things.turns)[0]
        oldest = things.deliveries[id_]
        for timer in self.timers([id_]):
            self.remove(timer)
        things.step_out(oldest)
        self._undo.append(lambda: things.line_up(oldest))
        self._disown([id_])

    def clear(self) -> dict[str, int]:
        """Forget everything but the merchant."""
        space, before = self._space, self._space.things
        tables = (before.payments, before.refunds, before.tokens, before.client_keys, before.emails)
        for table in (*tables, before.deliveries, before.inbox):
            self._disown(table)
        space.things = Things()
        self._undo.append(lambda: setattr(space, "things", before))
        return {
            "payment_sessions": len(before.payments),
            "refunds": len(before.refunds),
            "tokens": len(before.tokens),
            "client_keys": len(before.client_keys),
            "idempotency_keys": len(before.calls),
            "emails": len(before.emails),
            "deliveries": len(before.deliveries),
            "inbox": len(before.inbox),
            "timers": len(before.timers),
            "events": len(before.events),
        }

    def is_free(self, id_: str) -> bool:
        """Whether nothing of any merchant has this id."""
        return id_ not in self._owners or id_ in self._disowned

    def recount(self, counts: Mapping[str, int]) -> None:
        """Go on counting from `counts`."""
        for kind, count in counts.items():
            self._put(self._space.things.counts, kind, count)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what was done inside when it is left by an exception."""
        done = len(self._undo)
        disowned = set(self._disowned)
        try:
            yield
        except BaseException:
            while len(self._undo) > done:
                self._undo.pop()()
            self._disowned = disowned
            raise

    def _put(self, table: dict[Key, Value], id_: Key, value: Value) -> None:
        before = table.get(id_)
        table[id_] = value
        self._undo.append(lambda: table.pop(id_) if before is None else table.update({id_: before}))

    def _drop(self, table: dict[Key, Value], id_: Key) -> None:
        before = table.pop(id_)
        self._undo.append(lambda: table.update({id_: before}))

    def _own(self, id_: str) -> None:
        key = self._space.merchant.key
        if id_ in self._disowned:
            self._disowned.remove(id_)
        elif id_ in self._owners or self._owners.setdefault(id_, key) != key:
            raise DuplicateId(id_)
        else:
            self._undo.append(lambda: self._owners.pop(id_))

    def _disown(self, ids: Iterable[str]) -> None:
        """Free the ids once the transaction is over; until then nobody else may have them."""
        self._disowned.update(ids)
