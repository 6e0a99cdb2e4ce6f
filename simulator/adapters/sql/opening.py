"""Opening the store that a URL names."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from simulator.adapters.sql import schema
from simulator.adapters.sql.bells import PostgresBell, SharedBell, SqliteBell
from simulator.adapters.sql.dialects import Dialect, Postgres, Sqlite
from simulator.adapters.sql.store import SqlStore
from simulator.domain.errors import UnusableStore


def open_store(url: str) -> SqlStore:
    """Open a database with the schema that this simulator needs; UnusableStore when it has, or gets, another."""
    dialect = dialect_of(url)
    try:
        schema.prepare(dialect)
    except BaseException:
        dialect.close()
        raise
    return SqlStore(dialect)


def open_bell(url: str) -> SharedBell:
    """What tells all processes that share a database what has changed."""
    parts = make_url(url)
    return SqliteBell(parts.database or "") if parts.drivername == "sqlite" else PostgresBell(parts)


def upgrade(url: str) -> str:
    """Give a database the newest schema, and return which that is; UnusableStore when it has a newer one."""
    dialect = dialect_of(url)
    try:
        schema.check_not_newer(schema.revision(dialect))
        schema.upgrade(dialect)
    finally:
        dialect.close()
    return schema.REVISION


def dialect_of(url: str) -> Dialect:
    """The way to the database that a URL names; UnusableStore when it names none."""
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError) as broken:
        raise UnusableStore("It is no URL of a database.") from broken
    return _sqlite(parts) if parts.drivername == "sqlite" else Postgres(parts)


def _sqlite(url: URL) -> Sqlite:
    path = Path(url.database or "")
    if url.host or not path.name or not path.absolute().parent.is_dir() or path.is_dir():
        raise UnusableStore(f"{url.database or url!r} can be no file: write sqlite:///demo.db, in a folder there is.")
    return Sqlite(url, path)
