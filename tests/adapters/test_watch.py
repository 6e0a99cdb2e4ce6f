"""What others have left undone is done, however often that fails."""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

import pytest

from simulator.adapters.sql.opening import open_store
from simulator.adapters.sql.watch import SharedCourier, SharedScheduler
from simulator.adapters.system import SystemClock
from simulator.domain.deliveries import Errand, Outcome
from simulator.domain.errors import StoreUnavailable
from simulator.domain.timers import Timer, TimerKind
from simulator.service.simulation import sandbox_merchant
from tests.adapters.store_contract import NOON
from tests.adapters.test_claims import KEY, PATIENCE, begin, delivery

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from simulator.adapters.sql.store import SqlStore

    Stores = tuple[SqlStore, SqlStore]
    Fired = SimpleQueue[tuple[str, set[str]]]


@pytest.fixture
def stores(sqlite: str) -> Iterator[Stores]:
    """One database, as two processes have it open."""
    pair = open_store(sqlite), open_store(sqlite)
    pair[0].enrol(sandbox_merchant(KEY, "sk_test_shop"))
    yield pair
    for store in pair:
        store.stop()


class Firing:
    """Fires for a scheduler; the first time it fails."""

    def __init__(self, store: SqlStore) -> None:
        self.fired: Fired = SimpleQueue()
        self._fails = True
        self._scheduler = SharedScheduler(SystemClock(), store)
        self._scheduler.start(self.fire)
        self._scheduler.watch()

    def fire(self, merchant_key: str, lost: Collection[str] = ()) -> None:
        if self._fails:
            self._fails = False
            raise StoreUnavailable("It is away.")
        self.fired.put((merchant_key, set(lost)))

    def stop(self) -> None:
        self._scheduler.stop()


@pytest.fixture
def firing(stores: Stores) -> Iterator[Firing]:
    firing = Firing(stores[1])
    yield firing
    firing.stop()


def test_a_timer_that_another_process_set_is_fired(stores: Stores, firing: Firing) -> None:
    with stores[0].transaction(KEY) as world:
        world.add(Timer(NOON, 1, TimerKind.SESSION_EXPIRY, "payment"))
    assert firing.fired.get(timeout=PATIENCE) == (KEY, set())


def test_what_another_process_was_sending_is_taken_up(stores: Stores, firing: Firing) -> None:
    begin(stores[0], "first", "second")
    stores[0].claims.leave()
    assert firing.fired.get(timeout=PATIENCE) == (KEY, {"first", "second"})


def test_a_courier_settles_when_the_errands_of_others_are_done(stores: Stores) -> None:
    courier = SharedCourier(stores[1])
    begin(stores[0], "theirs")
    assert not courier.settle(KEY, 0.1)
    with stores[0].transaction(KEY) as world:
        world.save(delivery("theirs", Outcome.DELIVERED))
    assert courier.settle(KEY, PATIENCE)


def test_an_errand_is_run_again_when_the_store_was_away(stores: Stores) -> None:
    courier, runs = SharedCourier(stores[1]), SimpleQueue[str]()

    def carry(errand: Errand) -> None:
        runs.put(errand.delivery_id)
        if runs.qsize() == 1:
            raise StoreUnavailable("It is away.")

    courier.start(carry)
    courier.take(Errand(KEY, "http://127.0.0.1/hooks", "first", 0))
    assert courier.settle(KEY, PATIENCE)
    while runs.qsize() < 2:
        assert courier.settle(KEY, PATIENCE)
    courier.stop(PATIENCE)
