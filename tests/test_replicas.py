"""Simulators that share a database: each answers every call, and none of them is missed when it is killed."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import cycle, groupby
from multiprocessing import get_context
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
import requests

from simulator.adapters.sql.opening import upgrade
from simulator.bootstrap import build_app
from simulator.config import Settings
from tests import databases
from tests.actors import PUBLIC_URL, MerchantCaller, payment_request
from tests.hooks import KEY
from tests.processes import Replica, replicas
from tests.served import PATIENCE, PROGRESS, WORLD, Receiver, World
from tests.writer import write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.actors import Json

MERCHANT = ("pk_test_simulator", "sk_test_simulator")
LEASE = 12
"""Seconds within which somebody takes over from a process that is gone."""


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def three(store: str) -> Iterator[list[World]]:
    """The same merchant at three replicas."""
    with replicas(store, 3) as started:
        yield [World(replica.url) for replica in started]


def asks(world: World, method: str, path: str, headers: dict[str, str] | None = None, **body: Any) -> requests.Response:
    """What a call of nobody else's session is answered, whatever that is."""
    return requests.request(method, world.url + path, json=body or None, headers=headers, auth=MERCHANT, timeout=60)


# One process after another.


def test_all_is_there_after_a_kill_and_a_pending_scenario_goes_on(store: str) -> None:
    with replicas(store, 1) as [replica]:
        world = World(replica.url)
        payment = world.pays("approve_slowly")
        before = world.ask("GET", f"/v2/payment_sessions/{payment}")
        replica.kill()
        replica.start()
        after = world.ask("GET", f"/v2/payment_sessions/{payment}")
        assert {name: after[name] for name in before if name != "state"} == {
            name: before[name] for name in before if name != "state"
        }
        world.ask("GET", f"/__admin/payment_sessions/{payment}/wait?until=sent&timeout={PATIENCE}")


def test_what_a_killed_process_was_sending_is_sent_again(store: str, receiver: Receiver) -> None:
    with replicas(store, 1) as [replica]:
        world = World(replica.url)
        world.wants_webhook(f"{receiver.url}/hang")
        payment = world.pays()
        while not receiver.lines:
            time.sleep(0.01)
        replica.kill()
        replica.start()
        end = time.monotonic() + LEASE
        while len(receiver.lines) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        [delivery] = world.deliveries()
    assert receiver.lines == [["payment_sent", payment, delivery["id"]]] * 2


def test_what_a_stopped_process_was_sending_another_sends_at_once(store: str, receiver: Receiver) -> None:
    with replicas(store, 2) as [leaving, staying]:
        world = World(leaving.url)
        world.wants_webhook(f"{receiver.url}/hang")
        world.pays()
        while not receiver.lines:
            time.sleep(0.01)
        leaving.stop()
        stopped = time.monotonic()
        while len(receiver.lines) < 2:
            time.sleep(0.01)
            assert time.monotonic() < stopped + PATIENCE
        [delivery] = World(staying.url).deliveries()
    assert [line[2] for line in receiver.lines] == [delivery["id"]] * 2


def test_a_lost_database_is_told_and_found_again(receiver: Receiver) -> None:
    with databases.postgres_server() as server:
        upgrade(server.url)
        with replicas(server.url, 1) as [replica]:
            world = World(replica.url)
            world.wants_webhook(f"{receiver.url}/hooks", *PROGRESS)
            payment = world.pays("approve_slowly")
            page = world.ask("GET", f"/v2/payment_sessions/{payment}")["url"].removeprefix(world.url)
            server.stop()
            for method, path in (("GET", "/v2/payment_sessions"), ("GET", "/readyz"), ("POST", f"{WORLD}/reset")):
                answer = asks(world, method, path)
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
                assert answer.json()["errors"][0]["code"] == "service_unavailable"
            shown = asks(world, "GET", page)
            assert (shown.status_code, shown.headers["Retry-After"]) == (503, "1")
            assert "Back in a moment" in shown.text
            assert asks(world, "GET", "/livez").status_code == 200
            server.start()
            end = time.monotonic() + PATIENCE
            while asks(world, "GET", "/readyz").status_code != 200:
                assert time.monotonic() < end
                time.sleep(0.05)
            world.ask("GET", f"/__admin/payment_sessions/{payment}/wait?until=idle&timeout=30")
    assert [line[0] for line in receiver.lines] == list(PROGRESS)


def test_a_file_survives_a_hundred_kills_with_all_that_was_acknowledged(sqlite: str) -> None:
    forks = get_context("forkserver")
    forks.set_forkserver_preload(["tests.writer"])
    chance = random.Random(1)  # noqa: S311  no secret
    states: dict[str, str] = {}
    for _ in range(100):
        told, tell = forks.Pipe(duplex=False)
        writer = forks.Process(target=write, args=(sqlite, tell))
        writer.start()
        tell.close()
        states.update([told.recv()])
        time.sleep(chance.uniform(0, 0.1))
        writer.kill()
        writer.join()
        with suppress(EOFError):
            while told.poll():
                states.update([told.recv()])
        told.close()
    connection = sqlite3.connect(sqlite.removeprefix("sqlite:///"))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    app, simulation = build_app(Settings(store=sqlite, public_url=PUBLIC_URL))
    merchant = MerchantCaller(app.test_client())
    for payment, state in states.items():
        kept = merchant.ask("GET", f"/v2/payment_sessions/{payment}")["state"]
        assert kept == state or (kept, state) == ("sent", "awaiting_provider")  # it was paid, and not answered any more
    simulation.stop()
    assert len(states) > 100


# Several at once.


def test_a_payment_can_be_followed_from_replica_to_replica(three: list[World]) -> None:
    first, second, third = three
    payment = first.ask("POST", "/v2/payment_sessions", **payment_request())["id"]
    assert second.ask("GET", f"/v2/payment_sessions/{payment}")["state"] == "awaiting_provider"
    third.ask("POST", f"/__admin/payment_sessions/{payment}/pay", scenario="approve")
    assert first.ask("GET", f"/v2/payment_sessions/{payment}")["state"] == "sent"
    [listed] = second.ask("GET", "/v2/payment_sessions")
    assert listed["id"] == payment


def test_fifty_racing_refunds_are_no_more_than_was_paid(three: list[World]) -> None:
    payment = three[0].pays()
    body = {"payment_session_id": payment, "amount": 30, "currency": "GBP", "reference": "race"}
    with ThreadPoolExecutor(50) as threads:
        answers = list(
            threads.map(
                lambda world: asks(world, "POST", "/v2/refunds", **body), [world for world in three for _ in range(17)]
            )
        )
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 13
    assert set(statuses) == {201, 422}
    paid = three[1].ask("GET", f"/v2/payment_sessions/{payment}")
    assert sum(refund["amount"] for refund in paid["refunds"]) == 390


def test_an_idempotency_key_used_at_all_replicas_at_once_makes_one_payment(three: list[World]) -> None:
    key = {"Idempotency-Key": "once"}
    body = payment_request()
    with ThreadPoolExecutor(12) as threads:
        calls = [threads.submit(asks, world, "POST", "/v2/payment_sessions", key, **body) for world in three * 4]
        answers = [call.result() for call in calls]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert len(three[0].ask("GET", "/v2/payment_sessions")) == 1


def test_a_wait_ends_with_what_happens_at_another_replica(three: list[World]) -> None:
    payment = three[0].ask("POST", "/v2/payment_sessions", **payment_request())["id"]
    with ThreadPoolExecutor() as threads:
        path = f"/__admin/payment_sessions/{payment}/wait?until=sent&timeout={PATIENCE}"
        waits = [threads.submit(world.ask, "GET", path) for world in three]
        time.sleep(0.2)
        three[0].ask("POST", f"/__admin/payment_sessions/{payment}/pay", scenario="approve")
        assert [wait.result()["payment_session"]["state"] for wait in waits] == ["sent"] * 3


def test_a_fault_for_one_call_hits_one_call_of_all(three: list[World]) -> None:
    three[0].ask("POST", f"{WORLD}/faults", effect={"status": 503}, match={"path": "/v2/providers"}, times=1)
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda world: asks(world, "GET", "/v2/providers"), three * 6))
    assert sorted(answer.status_code for answer in answers) == [200] * 17 + [503]


def test_advances_take_turns_over_all_replicas(three: list[World], receiver: Receiver) -> None:
    three[0].ask("PUT", f"{WORLD}/clock", mode="frozen", at="2030-01-01T00:00:00Z")
    three[0].wants_webhook(f"{receiver.url}/status/500")
    three[0].pays()
    with ThreadPoolExecutor(12) as threads:
        done = list(threads.map(lambda world: world.ask("POST", f"{WORLD}/clock/advance", by="2d"), three * 4))
    shown = sorted(answer["clock"]["now"][:10] for answer in done)
    assert shown == [f"2030-01-{day:02}" for day in range(3, 27, 2)]
    [delivery] = three[1].deliveries()
    assert len(receiver.lines) == len(delivery["attempts"]) == 26


def test_nothing_of_before_arrives_after_a_reset_at_another_replica(three: list[World], receiver: Receiver) -> None:
    three[0].wants_webhook(f"{receiver.url}/hooks", *PROGRESS)
    with ThreadPoolExecutor(16) as threads:
        paying = [threads.submit(three[number % 2].pays) for number in range(100)]
        while len(receiver.lines) < 10:
            time.sleep(0.01)
        three[2].ask("POST", f"{WORLD}/reset")
        time.sleep(0.05)
        seen = len(receiver.lines)
        for each in paying:
            each.exception()
    three[0].ask("POST", f"{WORLD}/reset")
    time.sleep(1)
    assert len(receiver.lines) == seen


def test_a_visitor_stays_the_same_at_every_replica(three: list[World]) -> None:
    payment = three[0].ask("POST", "/v2/payment_sessions", **payment_request())
    page = payment["url"].removeprefix(three[0].url)
    with requests.Session() as visitor:
        first = visitor.get(three[0].url + page, timeout=PATIENCE)
        second = visitor.get(three[1].url + page, timeout=PATIENCE)
    assert (first.status_code, second.status_code) == (200, 200)
    assert len(_form_token(first.text)) == 64
    assert _form_token(first.text) == _form_token(second.text)


def _form_token(page: str) -> str:
    return page.partition('name="form_token" value="')[2].partition('"')[0]


def test_workers_share_a_port_and_one_that_is_killed_is_replaced(sqlite: str) -> None:
    with replicas(sqlite, 1, "--workers", "2") as [both]:
        world = World(both.url)
        payments = {world.pays() for _ in range(5)}
        first, second = both.workers
        os.kill(first, signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        while len(both.workers) < 2 or first in both.workers:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert second in both.workers
        with suppress(requests.ConnectionError):  # one call may have been the killed one's
            asks(world, "GET", "/livez")
        kept = {payment["id"] for payment in world.ask("GET", "/v2/payment_sessions")}
    assert kept == payments


# Killed at random.


def test_no_event_is_lost_while_replicas_are_killed_and_started(postgres: str, receiver: Receiver) -> None:
    with replicas(postgres, 3) as running:
        world = Crowd([World(replica.url) for replica in running])
        world.ask("POST", "/v2/webhooks", target_url=f"{receiver.url}/hooks", events=PROGRESS, signature_key=KEY)
        world.ask("PUT", f"{WORLD}/clock", mode="scaled", rate=1_000)
        over = Event()
        killer = Thread(target=kill_at_random, args=(running, over))
        killer.start()
        with ThreadPoolExecutor(8) as threads:
            payments = [payment for payment in threads.map(lambda _: world.pays(), range(1_000)) if payment]
        over.set()
        killer.join()
        for payment in payments:
            world.ask("GET", f"/__admin/payment_sessions/{payment}/wait?until=idle&timeout=60")
        states = {payment: world.ask("GET", f"/v2/payment_sessions/{payment}")["state"] for payment in payments}
        events = world.ask("GET", f"{WORLD}/events?kind=payment_session&limit=10000")["events"]
    assert len(payments) > 900
    assert set(states.values()) == {"sent"}
    by_payment = sorted(receiver.lines, key=lambda line: line[1])
    told = {payment: [line[0] for line in lines] for payment, lines in groupby(by_payment, lambda line: line[1])}
    assert set(told) >= set(payments)
    for payment in payments:
        assert list(dict.fromkeys(told[payment])) == list(PROGRESS)
        assert told[payment] == sorted(told[payment], key=PROGRESS.index)
    steps = [(event["subject"], event["kind"]) for event in events if event["kind"] == "payment_session.sent"]
    assert len(steps) == len(set(steps))


class Crowd:
    """A merchant that tries another replica whenever one does not answer."""

    def __init__(self, worlds: list[World]) -> None:
        self._worlds = worlds

    def ask(self, method: str, path: str, **body: Any) -> Json:
        """The answer; each replica is tried for as long as it is started again."""
        end = time.monotonic() + 60
        for world in cycle(random.sample(self._worlds, len(self._worlds))):
            try:
                answer = asks(world, method, path, **body)
            except requests.RequestException:
                pass
            else:
                if answer.status_code < 300 or (method == "POST" and answer.status_code == 409):
                    return answer.json()  # 409: it was done, and who did it was killed before it could say so
                assert answer.status_code == 503, answer.text
            assert time.monotonic() < end
            time.sleep(0.05)
        raise AssertionError

    def pays(self) -> str:
        """The id of a payment that was acknowledged, and authorised."""
        id_: str = self.ask("POST", "/v2/payment_sessions", **payment_request())["id"]
        self.ask("POST", f"/__admin/payment_sessions/{id_}/pay", scenario="approve_slowly")
        return id_


def kill_at_random(running: list[Replica], over: Event) -> None:
    """Kill and start one after the other, and leave all of them running."""
    chance = random.Random(1)  # noqa: S311  no secret
    while not over.wait(chance.uniform(0.2, 1)):
        replica = chance.choice(running)
        replica.kill()
        over.wait(chance.uniform(0, 0.5))
        replica.start()
