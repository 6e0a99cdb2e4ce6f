"""How the databases differ: in how a connection is made, and in how one merchant's transactions come one by one."""

from __future__ import annotations

import os
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import finalize

from sqlalchemy import Engine, create_engine, event

from simulator.adapters.sql.prepared import driver_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import URL, Connection

_PATIENCE = 30
"""Seconds for a connection of the pool, and for the other writer of a SQLite file."""


_OPEN = "SELECT value, head, due FROM merchants WHERE number ="


class Dialect(Protocol):
    """A kind of database.

    A transaction begins with `begin`, if that says something; before its first change comes `begin_writing`.
    """

    begin: str
    begin_writing: str
    upgrades_itself: bool
    engine: Engine
    """The way to the database; each statement is committed at once unless a transaction was begun."""

    def turn(self, number: int) -> AbstractContextManager[None]:
        """Wait until no other process has the world of the `number`th merchant open."""

    def open(self, connection: Connection, number: int) -> tuple[Any, ...]:
        """Begin a transaction, if that is how to keep others away, and return the `number`th merchant's row."""

    def batch(self, connection: Connection) -> AbstractContextManager[Any]:
        """Send what is asked in this at once, if that is faster; only leaving it may tell what failed."""

    def close(self) -> None:
        """Let the database go."""


class Postgres:
    """PostgreSQL, where a merchant's row is locked for as long as its world is open."""

    begin, begin_writing = "BEGIN", ""
    upgrades_itself = False

    def __init__(self, url: URL) -> None:
        self.engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            isolation_level="AUTOCOMMIT",
            pool_size=16,
            max_overflow=48,
            pool_timeout=_PATIENCE,
            connect_args={
                "connect_timeout": 5,
                "application_name": "banked-simulator",
                "options": "-c synchronous_commit=off",
            },
        )

    def turn(self, number: int) -> AbstractContextManager[None]:  # noqa: ARG002  the database sees to it
        """Wait for nobody: whoever reads the merchant's row does."""
        return nullcontext()

    def open(self, connection: Connection, number: int) -> tuple[Any, ...]:
        """Begin a transaction and return the `number`th merchant's row, once nobody else has it."""
        cursor = driver_of(connection).execute(f"BEGIN; {_OPEN} {number:d} FOR UPDATE")
        cursor.nextset()
        return cast("tuple[Any, ...]", cursor.fetchone())

    def batch(self, connection: Connection) -> AbstractContextManager[Any]:
        """Send what is asked in this at once: each way to the server and back takes as long as an answer."""
        return cast("AbstractContextManager[Any]", driver_of(connection).pipeline())

    def close(self) -> None:
        """Let the database go."""
        self.engine.dispose()


class Sqlite:
    """A file of SQLite, which has one writer at a time; so who may open which world is told by locks in a file beside.

    A lock is on one byte for each merchant, and goes with the process that holds it.
    """

    begin, begin_writing = "", "BEGIN IMMEDIATE"
    upgrades_itself = True

    def __init__(self, url: URL, path: Path) -> None:
        self._locks = os.open(path.with_name(f"{path.name}-locks"), os.O_RDWR | os.O_CREAT, 0o600)
        finalize(self, os.close, self._locks)  # whoever comes late, when the server stops, still takes turns
        self.engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            paramstyle="named",
            pool_size=16,
            max_overflow=-1,
            connect_args={"timeout": _PATIENCE},
        )
        event.listen(self.engine, "connect", _prepare)

    @contextmanager
    def turn(self, number: int) -> Iterator[None]:
        """Wait until no other process has the world of the `number`th merchant open."""
        from fcntl import LOCK_EX, LOCK_UN, lockf  # noqa: PLC0415  Windows has none

        lockf(self._locks, LOCK_EX, 1, number)
        try:
            yield
        finally:
            lockf(self._locks, LOCK_UN, 1, number)

    def open(self, connection: Connection, number: int) -> tuple[Any, ...]:
        """Return the `number`th merchant's row: that nobody else has it `turn` sees to."""
        return cast("tuple[Any, ...]", driver_of(connection).execute(f"{_OPEN} {number:d}").fetchone())

    def batch(self, connection: Connection) -> AbstractContextManager[Any]:  # noqa: ARG002  no way is too far
        """Send one after the other."""
        return nullcontext()

    def close(self) -> None:
        """Let the database go."""
        self.engine.dispose()


def _prepare(connection: Any, _: object) -> None:
    """Let readers and the writer go side by side; what is committed survives the end of the process."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
