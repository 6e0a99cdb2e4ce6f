"""What processes that share a database take on, and take over from one that is gone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING

import pytest

from simulator.adapters.sql import claims
from simulator.adapters.sql.opening import open_store
from simulator.domain.access import IdempotentCall
from simulator.domain.clock import MerchantClock
from simulator.domain.deliveries import Delivery, Outcome
from simulator.domain.timers import Timer, TimerKind
from simulator.service.simulation import sandbox_merchant
from tests.adapters.store_contract import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.adapters.sql.store import SqlStore

    Stores = tuple[SqlStore, SqlStore]

KEY = "pk_test_shop"
PATIENCE = 5
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """One database, as two processes have it open."""
    url = request.getfixturevalue(request.param)
    pair = open_store(url), open_store(url)
    pair[0].enrol(sandbox_merchant(KEY, "sk_test_shop"))
    yield pair
    for store in pair:
        store.stop()


def delivery(id_: str, outcome: Outcome) -> Delivery:
    return Delivery(
        id=id_,
        number=1,
        webhook_id="webhook",
        event="payment_sent",
        subject="payment",
        body="{}",
        created_at=NOON,
        because=None,
        outcome=outcome,
    )


def begin(store: SqlStore, *ids: str) -> None:
    with store.transaction(KEY) as world:
        for id_ in ids:
            world.add(delivery(id_, Outcome.DUE))
            world.save(delivery(id_, Outcome.SENDING))


def set_timer(store: SqlStore, *, minutes: int) -> None:
    with store.transaction(KEY) as world:
        world.add(Timer(NOON + timedelta(minutes=minutes), minutes, TimerKind.SESSION_EXPIRY, "payment"))


def test_a_merchant_for_whom_something_is_due_is_taken_on_by_one(stores: Stores) -> None:
    one, other = stores
    set_timer(one, minutes=5)
    late = NOON + timedelta(minutes=6)
    assert other.claims.take_on(NOON, late) == []
    assert other.claims.take_on(late, late + HOUR) == [KEY]
    assert one.claims.take_on(late, late + HOUR) == []
    assert one.claims.take_on(late + HOUR, late + 2 * HOUR) == [KEY]


def test_only_the_first_timer_and_the_clock_decide_when_that_is(stores: Stores) -> None:
    one, other = stores
    set_timer(one, minutes=30)
    set_timer(one, minutes=20)
    with one.transaction(KEY) as world:
        [first, _] = world.timers()
        world.remove(first)
    assert other.claims.take_on(NOON + timedelta(minutes=25), NOON + HOUR) == []
    with one.transaction(KEY) as world:
        merchant = world.merchant()
        world.save(type(merchant)(**{**_fields(merchant), "clock": MerchantClock(NOON, NOON, 2.0)}))
    assert other.claims.take_on(NOON + timedelta(minutes=14), NOON + HOUR) == []
    assert other.claims.take_on(NOON + timedelta(minutes=16), NOON + HOUR) == [KEY]
    with one.transaction(KEY) as world:
        world.clear()
    assert other.claims.take_on(NOON + 9 * HOUR, NOON + 9 * HOUR) == []


def _fields(merchant: object) -> dict[str, object]:
    return {name: getattr(merchant, name) for name in merchant.__slots__}  # type: ignore[attr-defined]


def test_a_merchants_transactions_are_serial_wherever_they_come_from(postgres: str) -> None:
    stores = open_store(postgres), open_store(postgres)
    stores[0].enrol(sandbox_merchant(KEY, "sk_test_shop"))

    def count(store: SqlStore) -> int:
        with store.transaction(KEY) as world:
            return world.count("thing")

    with ThreadPoolExecutor(8) as threads:
        counted = list(threads.map(count, stores * 100))
    for store in stores:
        store.stop()
    assert sorted(counted) == list(range(1, 201))


def test_racing_processes_take_on_each_merchant_once(stores: Stores) -> None:
    keys = [f"pk_test_{number}" for number in range(50)]
    for key in keys:
        stores[0].enrol(sandbox_merchant(key, "sk"))
        with stores[0].transaction(key) as world:
            world.add(Timer(NOON, 1, TimerKind.SESSION_EXPIRY, "payment"))
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda store: store.claims.take_on(NOON + HOUR, NOON + 2 * HOUR), stores * 8))
    assert sorted(key for some in taken for key in some) == sorted(keys)


def test_what_is_being_sent_stays_with_a_process_that_lives(stores: Stores) -> None:
    one, other = stores
    begin(one, "first")
    assert other.claims.take_over() == {}
    assert other.sent_by_others(KEY) == {"first"}
    assert one.sent_by_others(KEY) == set()


def test_what_was_being_sent_by_a_process_that_left_is_taken_over_at_once(stores: Stores) -> None:
    one, other = stores
    begin(one, "first", "second")
    one.claims.leave()
    assert other.claims.take_over() == {KEY: {"first", "second"}}
    assert other.claims.take_over() == {}
    assert one.sent_by_others(KEY) == {"first", "second"}


def test_a_process_that_stands_still_is_gone_after_a_while(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(claims, "monotonic", lambda: now)
    one, other = stores
    other.claims.take_over()
    begin(one, "first")
    for _ in range(3):  # it lives
        now += claims.LEASE / 3
        one.claims.beat()
        assert other.claims.take_over() == {}
    for _ in range(3):  # it does not, but that is not known yet
        now += claims.LEASE / 3
        assert other.claims.take_over() == {}
    now += claims.LEASE / 3
    assert other.claims.take_over() == {KEY: {"first"}}


def test_who_has_not_looked_for_long_waits_before_it_thinks_anybody_gone(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(claims, "monotonic", lambda: now)
    one, other = stores
    begin(one, "first")
    assert other.claims.take_over() == {}
    now += 100 * claims.LEASE
    assert other.claims.take_over() == {}


def test_a_delivery_that_is_done_is_nobodys(stores: Stores) -> None:
    one, other = stores
    begin(one, "first")
    with one.transaction(KEY) as world:
        world.save(delivery("first", Outcome.DELIVERED))
    one.claims.leave()
    assert other.claims.take_over() == {}


def test_a_call_that_nobody_works_on_any_more_can_be_made_again(stores: Stores) -> None:
    one, other = stores
    with one.transaction(KEY) as world:
        world.save(IdempotentCall("key", "fingerprint", "1", NOON))
    assert other.claims.take_over() == {}
    one.claims.leave()
    other.claims.take_over()
    with other.transaction(KEY) as world:
        assert world.call("key") is None


def test_processes_take_turns_at_a_clock(stores: Stores) -> None:
    one, other = stores
    begun, may_end = Event(), Event()

    def take_turn() -> None:
        with other.clock_turn(KEY):
            begun.set()

    with ThreadPoolExecutor() as threads:
        with one.clock_turn(KEY):
            waiting = threads.submit(take_turn)
            assert not begun.wait(0.2)
        waiting.result(PATIENCE)
    assert begun.is_set()
    may_end.set()


def test_the_turn_of_a_process_that_is_gone_is_over(stores: Stores) -> None:
    one, other = stores
    with one.clock_turn(KEY):
        one.claims.leave()
        other.claims.take_over()
        with other.clock_turn(KEY):
            pass


def test_all_know_the_same_secret(stores: Stores) -> None:
    one, other = stores
    assert len(one.secret()) >= 32
    assert one.secret() == other.secret()
