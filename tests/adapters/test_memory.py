"""The store in memory passes the contract, and has room for so many merchants."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from simulator.adapters.memory import MemoryStore
from simulator.domain.errors import TooManyMerchants
from tests.adapters.store_contract import ADA, BOB, StoreContract, side_by_side


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


def test_a_full_store_takes_no_more_merchants_and_says_what_to_do() -> None:
    store = MemoryStore(merchants_limit=1)
    store.enrol(ADA)
    with pytest.raises(TooManyMerchants, match="There are 1 merchants already; restart to make room"):
        store.enrol(BOB)
    assert store.merchant(BOB.key) is None


def test_a_full_store_still_knows_its_merchants() -> None:
    store = MemoryStore(merchants_limit=1)
    store.enrol(ADA)
    assert store.enrol(ADA) == ADA


def test_merchants_who_come_at_once_do_not_overfill_the_store() -> None:
    store = MemoryStore(merchants_limit=3)

    def enrol(number: int) -> bool:
        try:
            store.enrol(replace(BOB, key=f"pk_test_{number}"))
        except TooManyMerchants:
            return False
        return True

    enrolled = side_by_side(*[partial(enrol, number) for number in range(8)])
    assert enrolled.count(True) == 3
