"""The schema of a database is looked at before anything is kept in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from simulator.adapters.sql.opening import dialect_of, open_store, upgrade
from simulator.adapters.sql.schema import REVISION, revision
from simulator.adapters.sql.tables import metadata
from simulator.domain.errors import UnusableStore
from simulator.service.simulation import sandbox_merchant
from tests import databases
from tests.adapters.store_contract import payment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bare_postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a PostgreSQL database without tables."""
    databases.empty(postgres_server)
    yield postgres_server
    databases.empty(postgres_server)
    upgrade(postgres_server)


def set_revision(url: str, number: str) -> None:
    dialect = dialect_of(url)
    with dialect.engine.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})
    dialect.close()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with all the tables."""
    url: str = request.getfixturevalue(request.param)
    yield url
    set_revision(url, REVISION)


def test_the_migrations_make_the_tables_that_the_store_works_with(url: str) -> None:
    dialect = dialect_of(url)
    with dialect.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    dialect.close()


def test_a_new_file_gets_its_tables_by_itself(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/new.db")
    assert store.merchants() == ()
    store.stop()


def test_a_server_without_tables_is_refused_until_it_is_upgraded(bare_postgres: str) -> None:
    with pytest.raises(UnusableStore, match="has no tables yet: run `banked-simulator db upgrade --store URL` first"):
        open_store(bare_postgres)
    assert upgrade(bare_postgres) == REVISION
    open_store(bare_postgres).stop()


def test_upgrading_again_changes_nothing(url: str) -> None:
    store = open_store(url)
    store.enrol(sandbox_merchant("pk_test_kept", "sk_test_kept"))
    with store.transaction("pk_test_kept") as world:
        world.add(payment("kept"))
    store.stop()
    assert upgrade(url) == REVISION
    store = open_store(url)
    assert store.owner("kept") == "pk_test_kept"
    store.stop()


def test_a_newer_schema_is_left_alone(url: str) -> None:
    set_revision(url, "9999")
    for attempt in (open_store, upgrade):
        with pytest.raises(UnusableStore, match=f"has schema 9999, and this simulator knows {REVISION}: use a newer"):
            attempt(url)
    dialect = dialect_of(url)
    assert revision(dialect) == "9999"
    dialect.close()


def test_a_server_with_an_older_schema_is_refused(postgres: str) -> None:
    set_revision(postgres, "0000")
    with pytest.raises(UnusableStore, match="has schema 0000, which is older than"):
        open_store(postgres)
    set_revision(postgres, REVISION)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:///no/such/folder/demo.db", "can be no file"),
        ("sqlite://", "can be no file"),
        ("postgresql://somebody@127.0.0.1:1/nothing", "cannot be opened: .*refused"),
        ("postgresql://host:port/database", "no URL of a database"),
    ],
)
def test_what_cannot_be_opened_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(UnusableStore, match=sentence):
        open_store(url)


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, I am no database, however long you look at me.")
    with pytest.raises(UnusableStore, match="file is not a database"):
        open_store(f"sqlite:///{file}")
    assert file.read_text().startswith("Dear Sir")
