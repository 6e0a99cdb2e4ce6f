"""The tables. Instants are microseconds since the epoch, values are JSON; other columns repeat what is asked for."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text

metadata = MetaData()

_Count = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite counts only rows of which the number is an INTEGER."""


def _index_of_few(name: str, column: str, *columns: str) -> Index:
    """An index, by that column or several, of the rows that have something in a `column` where most have nothing."""
    has_some = text(f"{column} IS NOT NULL")
    return Index(name, *(columns or (column,)), postgresql_where=has_some, sqlite_where=has_some)


merchants = Table(
    "merchants",
    metadata,
    Column("number", _Count, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("value", Text, nullable=False),
    Column("head", Text, nullable=False),
    Column("due", BigInteger),
    Column("clock_turn", Text),
    _index_of_few("merchants_by_due", "due"),
    _index_of_few("merchants_by_clock_turn", "clock_turn"),
)
"""The merchants in the order they came, each with what is counted in its world.

`due` is the real instant at which something is to be done for it; `clock_turn` which process sets its clock.
"""

things = Table(
    "things",
    metadata,
    Column("id", Text, primary_key=True),
    Column("merchant", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text),
    Column("parent", Text),
    Column("event", Text),
    Column("expires", BigInteger),
    Column("claim", Text),
    Column("value", Text, nullable=False),
    _index_of_few("things_by_claim", "claim"),
    Index("things_by_number", "merchant", "kind", "number"),
    Index("things_by_time", "merchant", "kind", "at", "number"),
    Index("things_by_state", "merchant", "kind", "state", "at", "number"),
    _index_of_few("things_by_parent", "parent", "merchant", "parent", "kind", "number"),
    _index_of_few("things_by_expiry", "expires", "merchant", "expires"),
)
"""Everything with an id that no two merchants share.

`parent` is the payment that a refund or a delivery is about, `claim` which process sends the delivery.
"""

calls = Table(
    "calls",
    metadata,
    Column("merchant", BigInteger, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("expires", BigInteger, nullable=False),
    Column("claim", Text),
    Column("value", Text, nullable=False),
    _index_of_few("calls_by_claim", "claim"),
    Index("calls_by_expiry", "merchant", "expires"),
)
"""Idempotent calls; `claim` is which process works on the call."""

timers = Table(
    "timers",
    metadata,
    Column("merchant", BigInteger, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    Column("due", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("because", BigInteger),
    Index("timers_by_due", "merchant", "due", "id"),
    Index("timers_by_subject", "merchant", "subject"),
)
"""What is due later."""

events = Table(
    "events",
    metadata,
    Column("merchant", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text),
    Column("webhook_event", Text),
    Column("value", Text, nullable=False),
    Index("events_by_subject", "merchant", "subject", "number"),
)
"""The event logs."""

workers = Table("workers", metadata, Column("id", Text, primary_key=True), Column("beat", BigInteger, nullable=False))
"""The processes that share the database; each counts up its beat for as long as it lives."""

shared = Table("shared", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
"""What all of them have to know."""
