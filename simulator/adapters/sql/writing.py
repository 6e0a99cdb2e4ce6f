"""How what changes in an open world gets to the database: gathered, and written when a list is asked for, or it ends.

So an open world keeps SQLite, which has one writer at a time, from others no longer than it must, and PostgreSQL gets
what belongs together at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.adapters.sql.pending import Pending
from simulator.adapters.sql.prepared import driver_of
from simulator.adapters.sql.reading import SqlReading

if TYPE_CHECKING:
    from simulator.adapters.sql.dialects import Dialect


class SqlWriting(SqlReading):
    """The changes of a `World`: a layer for each savepoint that it is in, of which some are marked in the database."""

    _dialect: Dialect
    _layers: list[Pending]
    _marks: int
    _is_written_to: bool

    @property
    def is_written_to(self) -> bool:
        """Whether the database has been told of any change."""
        return self._is_written_to

    @property
    def _pending(self) -> Pending:
        """What the innermost savepoint has changed, and the database has not been told of."""
        return self._layers[-1]

    def _write_down(self) -> None:
        """Let the database see what has changed so far."""
        if any(self._layers):
            with self._dialect.batch(self._connection):
                self._begin_writing()
                self._pending.write(self._connection)
            self._layers[-1] = Pending(self._number)
            self._new_timers, self._gone_timers = {}, set()

    def _begin_writing(self) -> None:
        """Become the writer, and mark in the database where savepoints are, each after what comes before it."""
        if not self._is_written_to and self._dialect.begin_writing:
            driver_of(self._connection).execute(self._dialect.begin_writing)
        self._is_written_to = True
        for depth in range(self._marks + 1, len(self._layers)):
            self._layers[depth - 1].write(self._connection)
            self._layers[depth - 1] = Pending(self._number)
            driver_of(self._connection).execute(f"SAVEPOINT depth_{depth}")
            self._marks = depth

    def _unmark(self, depth: int, *how: str) -> None:
        """Leave a savepoint, also in the database if it is marked there."""
        if self._marks == depth:
            for command in (*how, "RELEASE SAVEPOINT"):
                driver_of(self._connection).execute(f"{command} depth_{depth}")
            self._marks -= 1
