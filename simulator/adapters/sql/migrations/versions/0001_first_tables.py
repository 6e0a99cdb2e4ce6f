"""The first tables."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, Text, text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make them, with their indexes."""
    count = BigInteger().with_variant(Integer(), "sqlite")
    op.create_table(
        "merchants",
        Column("number", count, primary_key=True, autoincrement=True),
        Column("key", Text, nullable=False, unique=True),
        Column("value", Text, nullable=False),
        Column("head", Text, nullable=False),
        Column("due", BigInteger),
        Column("clock_turn", Text),
    )
    op.create_table(
        "things",
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
    )
    op.create_table(
        "calls",
        Column("merchant", BigInteger, primary_key=True),
        Column("id", Text, primary_key=True),
        Column("expires", BigInteger, nullable=False),
        Column("claim", Text),
        Column("value", Text, nullable=False),
    )
    op.create_table(
        "timers",
        Column("merchant", BigInteger, primary_key=True),
        Column("id", BigInteger, primary_key=True),
        Column("due", BigInteger, nullable=False),
        Column("kind", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("because", BigInteger),
    )
    op.create_table(
        "events",
        Column("merchant", BigInteger, primary_key=True),
        Column("number", BigInteger, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("subject", Text),
        Column("webhook_event", Text),
        Column("value", Text, nullable=False),
    )
    op.create_table("workers", Column("id", Text, primary_key=True), Column("beat", BigInteger, nullable=False))
    op.create_table("shared", Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
    for name, table, *columns in _INDEXES:
        op.create_index(name, table, columns)
    for name, table, column, *columns in _INDEXES_OF_FEW:
        has_some = text(f"{column} IS NOT NULL")
        op.create_index(name, table, columns or [column], postgresql_where=has_some, sqlite_where=has_some)


_INDEXES_OF_FEW = [
    ("merchants_by_due", "merchants", "due"),
    ("merchants_by_clock_turn", "merchants", "clock_turn"),
    ("things_by_claim", "things", "claim"),
    ("things_by_parent", "things", "parent", "merchant", "parent", "kind", "number"),
    ("things_by_expiry", "things", "expires", "merchant", "expires"),
    ("calls_by_claim", "calls", "claim"),
]


_INDEXES = [
    ("things_by_number", "things", "merchant", "kind", "number"),
    ("things_by_time", "things", "merchant", "kind", "at", "number"),
    ("things_by_state", "things", "merchant", "kind", "state", "at", "number"),
    ("calls_by_expiry", "calls", "merchant", "expires"),
    ("timers_by_due", "timers", "merchant", "due", "id"),
    ("timers_by_subject", "timers", "merchant", "subject"),
    ("events_by_subject", "events", "merchant", "subject", "number"),
]
