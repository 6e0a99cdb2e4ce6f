"""The store in a SQL database passes the contract on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.adapters.sql.opening import open_store
from tests.adapters.store_contract import StoreContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.domain.ports import Store


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, sqlite: str) -> Iterator[Store]:
        store = open_store(sqlite)
        yield store
        store.stop()


class TestPostgres(StoreContract):
    @pytest.fixture
    def store(self, postgres: str) -> Iterator[Store]:
        store = open_store(postgres)
        yield store
        store.stop()
