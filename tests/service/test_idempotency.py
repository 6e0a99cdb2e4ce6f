"""Idempotency keys: what was done once is not done again (facts 1.3, Q3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from simulator.domain.access import Answer
from simulator.domain.errors import IdempotencyConflict, InProgress
from simulator.service import tester
from simulator.service.idempotency import IdempotencyService

if TYPE_CHECKING:
    from simulator.domain.access import IdempotentCall
    from simulator.service.simulation import Simulation
    from tests.actors import ManualClock

KEY = "pk_test_simulator"
CREATED = Answer(201, "application/json", b"{}")


@pytest.fixture
def keys(simulation: Simulation) -> IdempotencyService:
    return IdempotencyService(simulation, KEY)


def test_a_new_key_has_no_answer(keys: IdempotencyService) -> None:
    assert keys.begin("key", "request").answer is None


def test_a_repeated_call_gets_the_answer_of_the_first(keys: IdempotencyService) -> None:
    keys.finish(keys.begin("key", "request"), CREATED)
    assert keys.begin("key", "request").answer == CREATED
    assert keys.begin("key", "request").answer == CREATED


def test_another_key_is_another_call(keys: IdempotencyService) -> None:
    keys.finish(keys.begin("key", "request"), CREATED)
    assert keys.begin("other key", "request").answer is None


def test_a_key_is_for_one_request(keys: IdempotencyService) -> None:
    call = keys.begin("key", "request")
    with pytest.raises(IdempotencyConflict) as refused:
        keys.begin("key", "other request")
    assert refused.value.parameter == "Idempotency-Key"
    keys.finish(call, CREATED)
    with pytest.raises(IdempotencyConflict):
        keys.begin("key", "other request")
    assert keys.begin("key", "request").answer == CREATED


def test_a_call_that_is_being_worked_on_is_not_done_beside_it(keys: IdempotencyService) -> None:
    keys.begin("key", "request")
    with pytest.raises(InProgress) as refused:
        keys.begin("key", "request")
    assert refused.value.parameter == "Idempotency-Key"


def test_without_an_answer_to_keep_the_key_is_free_for_any_request(keys: IdempotencyService) -> None:
    keys.finish(keys.begin("key", "request"), None)
    assert keys.begin("key", "other request").answer is None


def test_a_key_belongs_to_one_merchant(keys: IdempotencyService, simulation: Simulation) -> None:
    other = IdempotencyService(simulation, simulation.merchant("pk_test_other").key)
    keys.finish(keys.begin("key", "request"), CREATED)
    assert other.begin("key", "other request").answer is None


def test_an_answer_is_kept_for_30_days(keys: IdempotencyService, clock: ManualClock) -> None:
    keys.finish(keys.begin("key", "request"), CREATED)
    clock.advance(days=30, microseconds=-1)
    assert keys.begin("key", "request").answer == CREATED
    clock.advance(microseconds=1)
    assert keys.begin("key", "other request").answer is None


def test_an_answer_whose_time_is_over_takes_no_room(
    keys: IdempotencyService, clock: ManualClock, simulation: Simulation
) -> None:
    keys.finish(keys.begin("key", "request"), CREATED)
    clock.advance(days=30)
    keys.begin("other key", "request")
    with simulation.store.transaction(KEY) as world:
        assert world.call("key") is None


def test_an_answer_is_not_kept_longer_because_another_call_was_refused(
    keys: IdempotencyService, clock: ManualClock
) -> None:
    keys.finish(keys.begin("key", "request"), CREATED)
    clock.advance(days=1)
    keys.finish(keys.begin("later key", "request"), CREATED)
    clock.advance(days=29)
    with pytest.raises(IdempotencyConflict):
        keys.begin("later key", "other request")
    assert keys.begin("key", "request").answer is None


def test_a_call_that_was_lost_is_free_to_be_made_again_after_a_minute(
    keys: IdempotencyService, clock: ManualClock
) -> None:
    lost = keys.begin("key", "request")
    clock.advance(minutes=1, microseconds=-1)
    with pytest.raises(InProgress):
        keys.begin("key", "request")
    clock.advance(microseconds=1)
    assert keys.begin("key", "request").answer is None
    keys.finish(lost, CREATED)
    with pytest.raises(InProgress):
        keys.begin("key", "request")


def test_an_answer_from_before_a_reset_is_not_given_after_it(keys: IdempotencyService, simulation: Simulation) -> None:
    call = keys.begin("key", "request")
    tester.TesterService(simulation).reset(KEY)
    keys.finish(call, CREATED)
    assert keys.begin("key", "request").answer is None


def test_a_call_from_before_a_reset_does_not_answer_one_from_after_it(
    keys: IdempotencyService, simulation: Simulation
) -> None:
    call = keys.begin("key", "request")
    tester.TesterService(simulation).reset(KEY)
    keys.begin("key", "request")
    keys.finish(call, CREATED)
    with pytest.raises(InProgress):
        keys.begin("key", "request")


def test_of_many_calls_with_one_key_at_once_one_is_done(keys: IdempotencyService) -> None:
    start = Barrier(16)

    def begin(_: int) -> IdempotentCall | None:
        start.wait(5)
        try:
            return keys.begin("key", "request")
        except InProgress:
            return None

    with ThreadPoolExecutor(16) as threads:
        begun = [call for call in threads.map(begin, range(16)) if call is not None]
    assert len(begun) == 1
