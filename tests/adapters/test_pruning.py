"""What is long over is forgotten, whole, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from simulator.adapters.sql.pruning import prune
from simulator.cli import main
from tests.actors import refund_id

if TYPE_CHECKING:
    from simulator.service.simulation import Simulation
    from tests.actors import ManualClock, MerchantCaller, Tester

KEY = "pk_test_simulator"
MONTH = timedelta(days=30)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Where the simulation of a test keeps everything."""
    url: str = request.getfixturevalue(request.param)
    return url


def prunes(simulation: Simulation, clock: ManualClock) -> dict[str, int]:
    store: Any = simulation.store
    return dict(prune(store, MONTH, clock.now()))


def test_an_old_payment_goes_with_all_that_came_of_it(
    simulation: Simulation, clock: ManualClock, merchant: MerchantCaller, tester: Tester
) -> None:
    merchant.wants_webhook("payment_sent")
    refund = merchant.refunds(tester.pays(merchant.requests_payment()), pence=100)
    tester.provides_details(refund)
    tester.pays({"id": merchant.reads_refund(refund)["refund_payment_session_id"]})
    tester.ask("POST", f"/__admin/merchants/{KEY}/clock/advance", json={"by": "1s"})
    clock.advance(days=30, seconds=1)
    young = merchant.requests_payment()
    forgotten = prunes(simulation, clock)
    assert (forgotten["payment session"], forgotten["refund"], forgotten["delivery"]) == (2, 1, 2)
    assert [payment["id"] for payment in merchant.ask("GET", "/v2/payment_sessions")] == [young["id"]]
    assert merchant.ask("GET", "/v2/refunds") == []
    assert simulation.store.owner(refund_id(refund)) is None
    log = tester.ask("GET", f"/__admin/merchants/{KEY}/events")["events"]
    assert log[0]["at"] >= (clock.now() - MONTH).isoformat()[:19]
    assert prunes(simulation, clock) == {}


def test_what_is_young_or_not_over_stays_whole(
    simulation: Simulation, clock: ManualClock, merchant: MerchantCaller, tester: Tester
) -> None:
    waiting = merchant.requests_payment()
    paid = tester.pays(merchant.requests_payment())
    refund = merchant.refunds(paid, pence=100)
    clock.advance(days=30, seconds=1)
    young = tester.pays(merchant.requests_payment())
    kept = merchant.ask("GET", "/v2/payment_sessions")
    assert set(prunes(simulation, clock)) == {"event"}
    assert merchant.ask("GET", "/v2/payment_sessions") == kept
    assert {payment["id"] for payment in kept} == {each["id"] for each in (waiting, paid, young)}
    assert merchant.reads_refund(refund)["state"] == "awaiting_details"


def test_more_than_are_looked_at_at_once_go_all(simulation: Simulation, clock: ManualClock, tester: Tester) -> None:
    tester.ask("POST", f"/__admin/merchants/{KEY}/generate", json={"payments": 500, "days": 90}, expect=201)
    with simulation.store.transaction(KEY) as world:
        before = len(world.contents().payment_sessions)
    forgotten = prunes(simulation, clock)["payment session"]
    with simulation.store.transaction(KEY) as world:
        assert len(world.contents().payment_sessions) == before - forgotten
    assert forgotten > 200
    assert prunes(simulation, clock) == {}


def test_the_command_says_what_it_forgot(store_url: str) -> None:
    done = CliRunner().invoke(main, ["db", "prune", "--store", store_url, "--older-than", "30d"])
    assert (done.exit_code, done.output) == (0, "Forgotten: nothing.\n")
    wrong = CliRunner().invoke(main, ["db", "prune", "--store", store_url, "--older-than", "a month"])
    assert wrong.exit_code == 2
    assert "is no duration" in wrong.output
