"""The store in a SQL database."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from secrets import token_hex
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from simulator.adapters.sql.claims import Claims
from simulator.adapters.sql.codec import Head, dumped, loaded
from simulator.adapters.sql.prepared import Prepared, driver_of
from simulator.adapters.sql.tables import merchants, shared, things
from simulator.adapters.sql.world import SqlWorld
from simulator.domain.errors import DuplicateId, NotFound, StoreUnavailable
from simulator.domain.merchants import Merchant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from simulator.adapters.sql.dialects import Dialect


_MERCHANT = Prepared(select(merchants.c.value).where(merchants.c.key == bindparam("of")))
_NUMBER = Prepared(select(merchants.c.number).where(merchants.c.key == bindparam("of")))
_OWNER = Prepared(
    select(merchants.c.key).join(things, things.c.merchant == merchants.c.number).where(things.c.id == bindparam("of"))
)


class SqlStore:
    """Keeps everything in the database of which `dialect` knows the way; StoreUnavailable whenever that is lost."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._numbers: dict[str, int] = {}
        self._turns: dict[str, Lock] = {}
        self._is_over = False
        self._idle: list[Connection] = []
        driver = dialect.engine.dialect.loaded_dbapi
        self._broken = driver.OperationalError, driver.InterfaceError
        self.claims = Claims(self._connected)
        self.claims.beat()
        self._secret = self._agreed("secret", token_hex())

    @contextmanager
    def transaction(self, merchant_key: str) -> Iterator[SqlWorld]:
        """Open the merchant's world."""
        number = self._number(merchant_key)
        turn = self._turns.setdefault(merchant_key, Lock())
        with turn, self._dialect.turn(number), self._connected() as connection:
            world: SqlWorld | None = None
            try:
                world = SqlWorld(connection, self._dialect, self.claims.me, number)
                yield world
                with self._dialect.batch(connection):
                    world.finish()
                    self._end(connection, world, "COMMIT")
            except self._dialect.engine.dialect.loaded_dbapi.IntegrityError as taken:
                self._end(connection, world, "ROLLBACK")
                raise DuplicateId("Another merchant was given one of the ids meanwhile.") from taken
            except BaseException:
                self._end(connection, world, "ROLLBACK")
                raise

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
            found = _MERCHANT.rows(connection, of=key)
        return loaded(Merchant, found[0][0]) if found else None

    def merchants(self) -> tuple[str, ...]:
        """Return the API keys of all merchants."""
        with self._connected() as connection:
            return tuple(connection.scalars(select(merchants.c.key).order_by(merchants.c.number)))

    def owner(self, id_: str) -> str | None:
        """Return the key of the merchant that has the thing `id_`."""
        if "\0" in id_:
            return None
        with self._connected() as connection:
            found = _OWNER.rows(connection, of=id_)
        return found[0][0] if found else None

    def clock_turn(self, merchant_key: str) -> AbstractContextManager[None]:
        """Wait for one's turn to set the merchant's clock, in this process or another."""
        return self.claims.clock_turn(self._number(merchant_key))

    def secret(self) -> str:
        """Return what only those know who share the database."""
        return self._secret

    def sent_by_others(self, merchant_key: str) -> set[str]:
        """Return the ids of the merchant's deliveries that other processes are sending."""
        return self.claims.sent_by_others(self._number(merchant_key))

    def stop(self) -> None:
        """Let the database go, and what this process has taken on."""
        with suppress(StoreUnavailable):
            self.claims.leave()
        self._is_over = True
        while self._idle:
            self._idle.pop().close()
        self._dialect.close()

    def _agreed(self, name: str, proposed: str) -> str:
        """What all processes take for `name`: what the first of them proposed."""
        with self._connected() as connection:
            with suppress(IntegrityError):
                connection.execute(insert(shared).values(name=name, value=proposed))
            value: str = connection.scalars(select(shared.c.value).where(shared.c.name == name)).one()
        return value

    def _number(self, merchant_key: str) -> int:
        """Which merchant this is in the tables; NotFound when none has the key."""
        if merchant_key not in self._numbers:
            with self._connected() as connection:
                found = _NUMBER.rows(connection, of=merchant_key.replace("\0", ""))
            if not found:
                raise NotFound("merchant", merchant_key)
            self._numbers[merchant_key] = found[0][0]
        return self._numbers[merchant_key]

    def _end(self, connection: Connection, world: SqlWorld | None, how: str) -> None:
        begun = self._dialect.begin or (world is not None and world.is_written_to)
        if begun and not connection.invalidated:
            driver_of(connection).execute(how)

    def _give_back(self, connection: Connection) -> None:
        """Keep a connection for the next one: SQLAlchemy's own pool takes longer than most answers do."""
        if not (self._is_over or connection.invalidated):
            self._idle.append(connection)
            return
        if not connection.invalidated:
            connection.detach()
        connection.close()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            connection = self._idle.pop() if self._idle else self._dialect.engine.connect()
            try:
                yield connection
            except self._broken:
                connection.invalidate()
                raise
            finally:
                self._give_back(connection)
        except (*self._broken, OperationalError, InterfaceError, NoConnection) as lost:
            raise StoreUnavailable("The database cannot be reached: try again.") from lost
