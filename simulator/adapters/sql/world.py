"""A merchant's world in a database while it is open."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, func, select, update

from simulator.adapters.sql import tables
from simulator.adapters.sql.codec import (
    KINDS,
    Head,
    call_row,
    dumped,
    event_row,
    id_of,
    loaded,
    microseconds,
    thing_row,
    timer_row,
)
from simulator.adapters.sql.pending import Pending
from simulator.adapters.sql.prepared import Prepared
from simulator.adapters.sql.writing import SqlWriting
from simulator.domain.access import ClientKey, IdempotentCall, Token
from simulator.domain.deliveries import DELIVERIES_KEPT, OVER, Delivery
from simulator.domain.emails import EMAILS_KEPT, Email
from simulator.domain.errors import DuplicateId, NotFound
from simulator.domain.events import EVENTS_KEPT
from simulator.domain.inbox import INBOX_KEPT, Received
from simulator.domain.merchants import Merchant
from simulator.domain.payments import Payment
from simulator.domain.refunds import Refund
from simulator.domain.timers import Timer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table

    from simulator.adapters.sql.codec import Thing
    from simulator.adapters.sql.dialects import Dialect
    from simulator.domain.events import Event

_CLOSE = Prepared(
    update(tables.merchants)
    .where(tables.merchants.c.number == bindparam("of"))
    .values(value=bindparam("to_value"), head=bindparam("to_head"), due=bindparam("to_due"))
)

_KEPT: Mapping[type[Thing], int] = {Email: EMAILS_KEPT, Received: INBOX_KEPT, Delivery: DELIVERIES_KEPT}
"""Of what only so many are kept."""

_CLEARED = {
    "payment_sessions": Payment,
    "refunds": Refund,
    "tokens": Token,
    "client_keys": ClientKey,
    "emails": Email,
    "deliveries": Delivery,
    "inbox": Received,
}
"""How what was cleared is told."""


class SqlWorld(SqlWriting):
    """A `World` in a transaction that others have begun on `connection`, and commit or roll back."""

    def __init__(self, connection: Connection, dialect: Dialect, claimant: str, number: int) -> None:
        """Open the world of the `number`th merchant; the `claimant` takes on what is begun in it."""
        self._connection, self._dialect, self._claimant, self._number = connection, dialect, claimant, number
        row = dialect.open(connection, number)
        self._merchant, self._head = loaded(Merchant, row[0]), loaded(Head, row[1])
        self._was = self._merchant, row
        self._layers = [Pending(number)]
        self._marks = 0
        self._is_written_to = self._is_retimed = False
        self._known, self._known_events, self._known_calls, self._agenda = {}, {}, {}, None
        self._new_timers, self._gone_timers = {}, set()

    def finish(self) -> None:
        """Write down all that has changed."""
        self._write_down()
        before, (value, head, due) = self._was
        row = (
            value if self._merchant is before else dumped(self._merchant),
            dumped(self._head),
            self._due() if self._is_retimed or self._merchant.clock != before.clock else due,
        )
        if row != (value, head, due):
            self._begin_writing()
            _CLOSE.tell(
                self._connection, [{"of": self._number, "to_value": row[0], "to_head": row[1], "to_due": row[2]}]
            )

    def _due(self) -> int | None:
        """When the first timer is due, in real time, as a number."""
        timer = self.next_timer()
        instant = self._merchant.clock.when(timer.due) if timer else None
        return None if instant is None else microseconds(instant)

    def count(self, kind: str) -> int:
        """Return how many times this was asked for `kind`."""
        counts = self._head.counts
        counts[kind] = counts.get(kind, 0) + 1
        return counts[kind]

    def recount(self, counts: Mapping[str, int]) -> None:
        """Go on counting from `counts`."""
        self._head.counts.update(counts)

    def record(self, event: Event) -> None:
        """Keep an event."""
        head = self._head
        if event.number > head.last_event:
            head.last_event = event.number
            self._pending.insert(tables.events, event_row(event))
            if (too_old := event.number - EVENTS_KEPT) > 0:
                self._pending.delete(tables.events, too_old)
        elif self.event(event.number) is not None:
            self._pending.update(tables.events, event_row(event))
        else:
            return
        if event.number == head.last_event:
            head.latest = event.at
        self._known_events[event.number] = event

    def add(self, value: Thing | Timer) -> None:
        """Keep something new."""
        if isinstance(value, Timer):
            self._is_retimed = True
            self._pending.insert(tables.timers, timer_row(value))
            self._new_timers[value.id] = value
            self._gone_timers.discard(value.id)
            if self._agenda is not None:
                self._agenda.set(value)
            return
        id_ = id_of(value)
        if not self.is_free(id_):
            raise DuplicateId(id_)
        self._head.added += 1
        self._pending.insert(tables.things, thing_row(value, self._claimant, self._head.added))
        self._known[id_] = value
        if (limit := _KEPT.get(type(value))) is not None:
            self._make_room(type(value), limit)

    def save(self, value: Thing | Merchant | IdempotentCall) -> None:
        """Keep the next value of something."""
        if isinstance(value, Merchant):
            self._merchant = value
        elif isinstance(value, IdempotentCall):
            write = self._pending.insert if self.call(value.id) is None else self._pending.update
            write(tables.calls, call_row(value, self._claimant))
            self._known_calls[value.id] = value
        else:
            self._check(value)
            self._pending.update(tables.things, thing_row(value, self._claimant))
            self._known[id_of(value)] = value

    def remove(self, value: Payment | Token | IdempotentCall | Timer) -> None:
        """Forget something."""
        if isinstance(value, Timer):
            self._is_retimed = True
            self._pending.delete(tables.timers, value.id)
            self._gone_timers.add(value.id)
            if self._agenda is not None:
                self._agenda.unset(value)
        elif isinstance(value, IdempotentCall):
            if self.call(value.id) is None:
                raise NotFound("idempotent call", value.id)
            self._pending.delete(tables.calls, value.id)
            self._known_calls[value.id] = None
        else:
            self._check(value)
            self._remove_thing(value.id)

    def forget_expired(self, at: datetime) -> None:
        """Forget the tokens and idempotent calls whose time is over."""
        for id_ in self._over(tables.things, at):
            self._remove_thing(id_)
        for id_ in self._over(tables.calls, at):
            self._pending.delete(tables.calls, id_)
            self._known_calls[id_] = None

    def forget(self, things: Collection[Thing]) -> list[str]:
        """Forget things of which nothing that stays speaks; return of what kind each was."""
        kinds = [KINDS[type(thing)] for thing in things]
        for thing in things:
            self._remove_thing(id_of(thing))
        for kind in set(kinds) & set(self._head.kept):
            self._head.kept[kind] -= kinds.count(kind)
        return kinds

    def forget_events(self, below: int) -> int:
        """Forget the events with lower numbers, and return how many there were."""
        self._write_down()
        self._begin_writing()
        old = delete(tables.events).where(self._is_here(tables.events), tables.events.c.number < below)
        self._known_events.clear()
        return self._connection.execute(old).rowcount

    def clear(self) -> dict[str, int]:
        """Forget everything but the merchant."""
        kind = tables.things.c.kind
        by_kind = select(kind, func.count().label("size")).where(self._is_here(tables.things)).group_by(kind)
        sizes = {row.kind: row.size for row in self._rows(by_kind)}
        cleared = {
            **{name: sizes.get(KINDS[kind], 0) for name, kind in _CLEARED.items()},
            "idempotency_keys": self._size(tables.calls),
            "timers": self._size(tables.timers),
            "events": self._size(tables.events),
        }
        self._begin_writing()
        self._is_retimed = True
        for table in (tables.things, tables.calls, tables.timers, tables.events):
            self._connection.execute(delete(table).where(self._is_here(table)))
        self._head = Head()
        self._known, self._known_events, self._known_calls, self._agenda = {}, {}, {}, None
        self._new_timers, self._gone_timers = {}, set()
        return cleared

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what was done inside when it is left by an exception."""
        merchant, head, agenda = self._merchant, self._head.copy(), self._agenda and self._agenda.copy()
        known = dict(self._known), dict(self._known_events), dict(self._known_calls)
        new_timers, gone_timers = dict(self._new_timers), set(self._gone_timers)
        self._layers.append(Pending(self._number))
        depth = len(self._layers) - 1
        try:
            yield
        except BaseException:
            self._layers.pop()
            self._merchant, self._head, self._agenda = merchant, head, agenda
            self._known, self._known_events, self._known_calls = known
            self._new_timers, self._gone_timers = new_timers, gone_timers
            self._unmark(depth, "ROLLBACK TO SAVEPOINT")
            raise
        self._unmark(depth)
        self._layers[-2].absorb(self._layers.pop())

    def _check(self, thing: Thing) -> None:
        """NotFound when there is no such thing."""
        if not isinstance(self._learn(id_of(thing)), type(thing)):
            raise NotFound(KINDS[type(thing)], id_of(thing))

    def _remove_thing(self, id_: str) -> None:
        self._pending.delete(tables.things, id_)
        self._known[id_] = None

    def _make_room(self, kind: type[Thing], limit: int) -> None:
        """Let the oldest of a kind go when there are too many; of deliveries one that is over, if any is."""
        kept = self._head.kept
        kept[KINDS[kind]] = kept.get(KINDS[kind], 0) + 1
        if kept[KINDS[kind]] <= limit:
            return
        kept[KINDS[kind]] -= 1
        oldest = self._all(kind).order_by(tables.things.c.number).limit(1)
        found = kind is Delivery and self._rows(oldest.where(tables.things.c.state.in_(OVER)))
        for row in found or self._rows(oldest):
            for timer in self.timers([row.id]):
                self.remove(timer)
            self._remove_thing(row.id)

    def _over(self, table: Table, at: datetime) -> list[str]:
        """The ids of what is over."""
        query = select(table.c.id).where(self._is_here(table), table.c.expires <= microseconds(at))
        return [row.id for row in self._rows(query)]

    def _size(self, table: Table) -> int:
        [row] = self._rows(select(func.count().label("size")).select_from(table).where(self._is_here(table)))
        size: int = row.size
        return size

    def _is_here(self, table: Table) -> ColumnElement[bool]:
        return table.c.merchant == self._number
