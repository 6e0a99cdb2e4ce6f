"""What each process that shares a database has taken on, and what of it others take over when that process is gone."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from threading import Lock
from time import monotonic, sleep
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import delete, insert, or_, select, union, update

from simulator.adapters.sql.codec import microseconds
from simulator.adapters.sql.tables import calls, merchants, things, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection, Delete, Update

LEASE = 6.0
"""Seconds after its last beat for which a process is believed to live."""

_AT_ONCE = 20
"""The most merchants taken on at once; other processes may be free for more."""

_TURN_POLL = 0.05


class Claims:
    """Those of this process, which is called `me`; `connect` is the way to the database.

    A claim is a column of what was taken on, so that it is known for as long as the thing itself.
    """

    def __init__(self, connect: Callable[[], AbstractContextManager[Connection]]) -> None:
        self.me = str(uuid4())
        self._connect = connect
        self._beat = 0
        self._seen: dict[str, tuple[int, float]] = {}
        self._looked = monotonic()
        self._turns: defaultdict[int, Lock] = defaultdict(Lock)

    def beat(self) -> None:
        """Show that this process lives."""
        self._beat += 1
        if not self._changed(update(workers).where(workers.c.id == self.me).values(beat=self._beat)):
            with self._connect() as connection:
                connection.execute(insert(workers).values(id=self.me, beat=self._beat))

    def leave(self) -> None:
        """Hand back everything: others take it over at once."""
        self._changed(delete(workers).where(workers.c.id == self.me))

    def take_on(self, due_by: datetime, until: datetime) -> list[str]:
        """Take on merchants for whom something should have been done by `due_by`; return their keys.

        Nobody else takes them on before `until`.
        """
        of = merchants.c
        is_due = of.due <= microseconds(due_by)
        first = select(of.number).where(is_due).order_by(of.due).limit(_AT_ONCE).with_for_update(skip_locked=True)
        with self._connect() as connection:
            if connection.scalar(select(of.number).where(is_due).limit(1)) is None:
                return []
            claim = update(merchants).where(of.number.in_(first.scalar_subquery()), is_due)
            return list(connection.scalars(claim.values(due=microseconds(until)).returning(of.key)))

    def take_over(self) -> dict[str, set[str]]:
        """Take over what processes have left that are gone; return the deliveries, by key of the merchant."""
        taken: defaultdict[str, set[str]] = defaultdict(set)
        with self._connect() as connection:
            gone = self._claimants(connection) - self._alive(connection)
            if not gone:
                return taken
            left = select(things.c.id).where(things.c.claim.in_(gone)).with_for_update(skip_locked=True)
            claim = update(things).where(things.c.id.in_(left.scalar_subquery()), things.c.claim.in_(gone))
            rows = connection.execute(claim.values(claim=self.me).returning(things.c.id, things.c.merchant)).all()
            keys = select(merchants.c.number, merchants.c.key).where(merchants.c.number.in_({row[1] for row in rows}))
            key_of = {row.number: row.key for row in connection.execute(keys)}
            for id_, number in rows:
                taken[key_of[number]].add(id_)
            connection.execute(delete(calls).where(calls.c.claim.in_(gone)))
            connection.execute(update(merchants).where(merchants.c.clock_turn.in_(gone)).values(clock_turn=None))
        return taken

    def sent_by_others(self, number: int) -> set[str]:
        """The ids of the deliveries of the `number`th merchant that other processes are sending."""
        of = things.c
        theirs = select(of.id).where(of.merchant == number, of.claim.is_not(None), of.claim != self.me)
        with self._connect() as connection:
            return set(connection.scalars(theirs))

    @contextmanager
    def clock_turn(self, number: int) -> Iterator[None]:
        """Wait for one's turn to set the clock of the `number`th merchant, among all threads of all processes."""
        of = merchants.c
        it = update(merchants).where(of.number == number)
        begin = it.where(or_(of.clock_turn.is_(None), of.clock_turn == self.me)).values(clock_turn=self.me)
        end = it.where(of.clock_turn == self.me).values(clock_turn=None)
        with self._turns[number]:
            while not self._changed(begin):
                sleep(_TURN_POLL)
            try:
                yield
            finally:
                self._changed(end)

    def _changed(self, change: Update | Delete) -> bool:
        """Whether there was anything to change."""
        with self._connect() as connection:
            return connection.execute(change).rowcount > 0

    def _claimants(self, connection: Connection) -> set[str]:
        """Who has taken on anything."""
        columns = (things.c.claim, calls.c.claim, merchants.c.clock_turn)
        return set(connection.scalars(union(*(select(column).where(column.is_not(None)) for column in columns))))

    def _alive(self, connection: Connection) -> set[str]:
        """The processes of which the beat was seen to change not long ago; those that stand still are struck out."""
        now = monotonic()
        if now - self._looked > LEASE / 2:  # who did not look could not see anybody's beat
            self._seen.clear()
        self._looked = now
        beats = {row.id: row.beat for row in connection.execute(select(workers.c.id, workers.c.beat))}
        self._seen = {
            id_: seen if (seen := self._seen.get(id_)) and seen[0] == beat else (beat, now)
            for id_, beat in beats.items()
        }
        for id_, (beat, since) in self._seen.items():
            if now - since > LEASE and id_ != self.me:
                still = delete(workers).where(workers.c.id == id_, workers.c.beat == beat)
                if connection.execute(still).rowcount:
                    del beats[id_]
        return {*beats, self.me}
