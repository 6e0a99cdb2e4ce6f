"""Histories: each way into a state is one that the state machine allows, and nothing of the past is in the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from simulator.domain.clock import EPOCH
from simulator.domain.errors import InvalidTime
from simulator.domain.histories import (
    PATHS,
    PAYOUT_PATHS,
    REFUND_PATHS,
    instant_of,
    path_to,
    pause_before,
    regret_after,
)
from simulator.domain.states import (
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
    PaymentAction,
    PaymentState,
    RefundAction,
    RefundState,
)

if TYPE_CHECKING:
    from simulator.domain.histories import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
IDS = [f"payment {number}" for number in range(200)]


def end_of(path: Path) -> PaymentState:
    """Where a new payment is after the actions of `path`."""
    state = PaymentState.AWAITING_PROVIDER
    for action in path:
        state = PAYMENT_TRANSITIONS[state, action].to
    return state


@pytest.mark.parametrize("state", PaymentState)
def test_every_way_into_a_state_leads_there(state: PaymentState) -> None:
    assert {end_of(path) for path in PATHS[state]} == {state}


@pytest.mark.parametrize("state", RefundState)
def test_the_way_into_a_refunds_state_leads_there(state: RefundState) -> None:
    reached = RefundState.AWAITING_DETAILS
    for action in REFUND_PATHS[state]:
        reached = REFUND_TRANSITIONS[reached, action]
    assert reached is state


@pytest.mark.parametrize(
    ("action", "state"), [(RefundAction.SETTLE, PaymentState.SENT), (RefundAction.FAIL, PaymentState.FAILED)]
)
def test_a_payout_ends_as_its_refund_does(action: RefundAction, state: PaymentState) -> None:
    assert end_of(PAYOUT_PATHS[action]) is state


@pytest.mark.parametrize("state", PaymentState)
def test_every_way_is_taken_and_the_same_payment_takes_the_same(state: PaymentState) -> None:
    taken = [path_to(state, id_) for id_ in IDS]
    assert set(taken) == set(PATHS[state])
    assert taken == [path_to(state, id_) for id_ in IDS]


def test_people_and_banks_take_seconds_to_minutes_and_regret_hours_to_days() -> None:
    steps = {action for paths in PATHS.values() for path in paths for action in path}
    for id_ in IDS:
        assert all(timedelta(seconds=2) <= pause_before(step, id_) <= timedelta(minutes=2) for step in steps)
        assert timedelta(hours=1) <= regret_after(id_) <= timedelta(days=3)
    assert len({pause_before(PaymentAction.SETTLE, id_) for id_ in IDS}) == len(IDS)


def test_a_moment_is_an_instant_or_so_long_ago() -> None:
    assert instant_of(timedelta(hours=2), NOW) == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert instant_of(timedelta(), NOW) == instant_of(NOW, NOW) == NOW
    assert instant_of(EPOCH, NOW) == instant_of(NOW - EPOCH, NOW) == EPOCH


@pytest.mark.parametrize(
    "moment",
    [
        NOW + timedelta(microseconds=1),
        EPOCH - timedelta(microseconds=1),
        NOW - EPOCH + timedelta(microseconds=1),
        timedelta.max,
        datetime.min.replace(tzinfo=UTC),
    ],
)
def test_a_moment_is_neither_in_the_future_nor_before_all_time(moment: datetime | timedelta) -> None:
    with pytest.raises(InvalidTime) as refused:
        instant_of(moment, NOW)
    assert refused.value.parameter == "created"
