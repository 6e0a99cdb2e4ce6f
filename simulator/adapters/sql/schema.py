"""The schema of a database: which one it has, and how it gets the one that this simulator needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError

from simulator.domain.errors import UnusableStore

if TYPE_CHECKING:
    from simulator.adapters.sql.dialects import Dialect

REVISION = "0001"
"""The newest of the migrations."""


def prepare(dialect: Dialect) -> None:
    """Check that a database can be worked with, which may upgrade it; UnusableStore when it cannot."""
    found = revision(dialect)
    check_not_newer(found)
    if found == REVISION:
        return
    if not dialect.upgrades_itself:
        has = "no tables yet" if found is None else f"schema {found}, which is older than {REVISION}"
        raise UnusableStore(f"The database has {has}: run `banked-simulator db upgrade --store URL` first.")
    upgrade(dialect)


def check_not_newer(found: str | None) -> None:
    """Refuse a schema that is newer than this simulator."""
    if found is not None and found > REVISION:
        sentence = f"The database has schema {found}, and this simulator knows {REVISION}: use a newer simulator."
        raise UnusableStore(sentence)


def revision(dialect: Dialect) -> str | None:
    """Return which schema a database has, None for none; UnusableStore when it cannot be opened."""
    try:
        with dialect.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found
    except DBAPIError as unreachable:
        reason = " ".join(str(unreachable.orig).split())
        raise UnusableStore(f"The database cannot be opened: {reason}") from unreachable


def upgrade(dialect: Dialect) -> None:
    """Give a database the newest schema, whole or not at all."""
    from alembic import command  # noqa: PLC0415  costs start-up time, and there is rarely anything to upgrade
    from alembic.config import Config  # noqa: PLC0415  likewise

    config = Config()
    config.set_main_option("script_location", "simulator.adapters.sql:migrations")
    with dialect.engine.connect() as connection:
        connection.exec_driver_sql(dialect.begin or dialect.begin_writing)
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
