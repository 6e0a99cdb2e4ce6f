"""The store in a SQL database."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from simulator.adapters.sql.codec import KINDS, Head, dumped, loaded
from simulator.adapters.sql.tables import merchants, things, timers
from simulator.adapters.sql.world import SqlWorld
from simulator.domain.deliveries import Delivery, Outcome
from simulator.domain.errors import NotFound, StoreUnavailable
from simulator.domain.merchants import Merchant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from simulator.adapters.sql.dialects import Dialect
    from simulator.domain.ports import World


class SqlStore:
    """Keeps everything in the database of which `dialect` knows the way; StoreUnavailable whenever that is lost."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._numbers: dict[str, int] = {}
        self._turns: dict[str, Lock] = {}

    @contextmanager
    def transaction(self, merchant_key: str) -> Iterator[World]:
        """Open the merchant's world."""
        number = self._number(merchant_key)
        turn = self._turns.setdefault(merchant_key, Lock())
        with turn, self._dialect.turn(number), self._connected() as connection:
            if self._dialect.begin:
                connection.exec_driver_sql(self._dialect.begin)
            world: SqlWorld | None = None
            try:
                world = self._world(connection, number)
                yield world
                world.finish()
            except BaseException:
                self._end(connection, world, "ROLLBACK")
                raise
            self._end(connection, world, "COMMIT")

    def enrol(self, merchant: Merchant) -> Merchant:
        """Keep `merchant` unless its key is known; return whoever has the key."""
        row = {"key": merchant.key, "value": dumped(merchant), "head": dumped(Head())}
        with self._connected() as connection:
            try:
                connection.execute(insert(merchants).values(row))
            except IntegrityError:
                return self.merchant(merchant.key) or merchant
        return merchant

    def merchant(self, key: str) -> Merchant | None:
        """Return the merchant with this API key."""
        if "\0" in key:
            return None
        with self._connected() as connection:
            value = connection.scalar(select(merchants.c.value).where(merchants.c.key == key))
        return None if value is None else loaded(Merchant, value)

    def merchants(self) -> tuple[str, ...]:
        """Return the API keys of all merchants."""
        with self._connected() as connection:
            return tuple(connection.scalars(select(merchants.c.key).order_by(merchants.c.number)))

    def unfinished(self) -> tuple[str, ...]:
        """Return the API keys of the merchants for whom something is due, or on its way."""
        sending = (things.c.kind == KINDS[Delivery]) & (things.c.state == Outcome.SENDING)
        those = select(timers.c.merchant).union(select(things.c.merchant).where(sending))
        with self._connected() as connection:
            return tuple(connection.scalars(select(merchants.c.key).where(merchants.c.number.in_(those))))

    def owner(self, id_: str) -> str | None:
        """Return the key of the merchant that has the thing `id_`."""
        if "\0" in id_:
            return None
        owner = select(merchants.c.key).join(things, things.c.merchant == merchants.c.number)
        with self._connected() as connection:
            key: str | None = connection.scalar(owner.where(things.c.id == id_))
        return key

    def stop(self) -> None:
        """Let the database go."""
        self._dialect.close()

    def _number(self, merchant_key: str) -> int:
        """Which merchant this is in the tables; NotFound when none has the key."""
        if merchant_key not in self._numbers:
            of = merchants.c
            with self._connected() as connection:
                number = connection.scalar(select(of.number).where(of.key == merchant_key.replace("\0", "")))
            if number is None:
                raise NotFound("merchant", merchant_key)
            self._numbers[merchant_key] = number
        return self._numbers[merchant_key]

    def _world(self, connection: Connection, number: int) -> SqlWorld:
        of = merchants.c
        mine = select(of.value, of.head).where(of.number == number).with_for_update()
        row = connection.execute(mine).one()
        return SqlWorld(connection, self._dialect, number, loaded(Merchant, row.value), loaded(Head, row.head))

    def _end(self, connection: Connection, world: SqlWorld | None, how: str) -> None:
        begun = self._dialect.begin or (world is not None and world.is_written_to)
        if begun and not connection.invalidated:
            connection.exec_driver_sql(how)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._dialect.engine.connect() as connection:
                yield connection
        except (OperationalError, InterfaceError, NoConnection) as lost:
            raise StoreUnavailable("The database cannot be reached: try again.") from lost
