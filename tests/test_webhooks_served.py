"""Webhooks of the real command, to a receiver that is a program of its own and knows nothing of the simulator."""

from __future__ import annotations

import signal
import subprocess
import time
from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from tests.processes import COMMAND, running_simulator
from tests.served import PATIENCE, PROGRESS, WORLD, Receiver, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with running_simulator() as url:
        yield World(url)


def test_a_receiver_that_knows_the_facts_alone_verifies_what_it_gets(world: World, receiver: Receiver) -> None:
    world.wants_webhook(f"{receiver.url}/hooks")
    payment = world.pays()
    told = world.waits(kind="delivery", event="payment_sent", subject=payment)
    assert (told["status"], told["outcome"]) == (200, "delivered")
    [delivery] = world.deliveries()
    assert receiver.lines == [["payment_sent", payment, delivery["id"]]]


@pytest.mark.parametrize(
    ("path", "outcome", "status"),
    [("/status/500", "due", 500), ("/status/410", "refused", 410), ("/redirect", "delivered", 302)],
)
def test_what_the_receiver_answers_decides_what_follows(
    world: World, receiver: Receiver, path: str, outcome: str, status: int
) -> None:
    world.wants_webhook(receiver.url + path)
    payment = world.pays()
    told = world.waits(kind="delivery", event="payment_sent", subject=payment)
    assert (told["outcome"], told["status"]) == (outcome, status)
    assert len(receiver.lines) == 1


def test_a_failed_message_comes_again_when_the_clock_advances_a_day(world: World, receiver: Receiver) -> None:
    world.wants_webhook(f"{receiver.url}/hooks")
    receiver.kill()
    payment = world.pays()
    told = world.waits(kind="delivery", event="payment_sent", subject=payment)
    assert "connection refused" in told["error"]
    receiver.start()
    fired = world.ask("POST", f"{WORLD}/clock/advance", by="1d")["fired"]
    assert [event["kind"] for each in fired for event in each["events"]] == ["delivery.succeeded"]
    [delivery] = world.deliveries(subject=payment)
    world.ask("POST", f"/__admin/deliveries/{delivery['id']}/resend")
    assert receiver.lines == [["payment_sent", payment, delivery["id"]]] * 2


def test_a_receiver_that_hangs_delays_nobody_and_is_given_up_on(world: World, receiver: Receiver) -> None:
    world.ask("PUT", WORLD, delivery={"timeout": 1})
    world.wants_webhook(f"{receiver.url}/hang")
    world.wants_webhook(f"{receiver.url}/hooks")
    begun = time.monotonic()
    for _ in range(20):
        world.waits(kind="delivery.succeeded", event="payment_sent", subject=world.pays())
    assert time.monotonic() - begun < PATIENCE
    late = world.waits(kind="delivery.failed", event="payment_sent")
    assert late["error"] == "No whole answer within 1 s."


def test_under_a_clock_that_stands_still_messages_go_out_all_the_same(world: World, receiver: Receiver) -> None:
    world.ask("PUT", f"{WORLD}/clock", mode="frozen")
    world.wants_webhook(f"{receiver.url}/hooks")
    payment = world.pays()
    assert world.waits(kind="delivery", event="payment_sent", subject=payment)["outcome"] == "delivered"


def test_what_is_under_way_when_the_clock_advances_belongs_to_the_time_before(world: World, receiver: Receiver) -> None:
    world.ask("PUT", WORLD, delivery={"timeout": 0.5})
    world.ask("PUT", f"{WORLD}/clock", mode="frozen", at="2030-01-01T09:00:00Z")
    world.wants_webhook(f"{receiver.url}/hang")
    world.pays()
    while not receiver.lines:
        time.sleep(0.01)
    fired = world.ask("POST", f"{WORLD}/clock/advance", by="20s")["fired"]
    [delivery] = world.deliveries()
    assert delivery["attempts"][0]["at"][:19] == "2030-01-01T09:00:00"
    assert [each["due"][:18] for each in fired] == ["2030-01-01T09:00:1"]
    assert len(delivery["attempts"]) == 2


def test_tls_is_refused_when_nobody_trusts_it(world: World, receiver: Receiver) -> None:
    world.wants_webhook(f"https://127.0.0.1:{receiver.port}/hooks")
    told = world.waits(kind="delivery", event="payment_sent", subject=world.pays())
    assert "does not speak TLS" in told["error"]


def test_every_event_arrives_in_order_however_often_the_receiver_is_killed(world: World, receiver: Receiver) -> None:
    world.ask("PUT", f"{WORLD}/clock", mode="scaled", rate=2_000)
    world.wants_webhook(f"{receiver.url}/hooks")
    payments = []
    for number in range(500):
        payments.append(world.pays("approve_slowly"))
        if number % 125 == 60:
            receiver.kill()
        elif number % 125 == 100:
            receiver.start()
    for payment in payments:
        world.ask("GET", f"/__admin/payment_sessions/{payment}/wait?until=idle&timeout=60")
    by_payment = sorted(receiver.lines, key=lambda line: line[1])
    told = {payment: [line[0] for line in lines] for payment, lines in groupby(by_payment, lambda line: line[1])}
    assert set(told) == set(payments)
    for events in told.values():
        assert list(dict.fromkeys(events)) == list(PROGRESS)
        assert events == sorted(events, key=PROGRESS.index)


def test_nothing_arrives_after_a_reset(world: World, receiver: Receiver) -> None:
    world.ask("PUT", f"{WORLD}/clock", mode="scaled", rate=100)
    world.wants_webhook(f"{receiver.url}/hooks")
    receiver.kill()
    for _ in range(20):
        world.pays()
    world.waits(kind="delivery.failed", event="payment_sent")
    world.ask("POST", f"{WORLD}/reset")
    receiver.start()
    time.sleep(0.5)
    assert receiver.lines == []
    assert world.deliveries() == []


def test_every_merchant_tells_the_webhook_of_the_settings_signed_with_the_key_that_is_printed(
    receiver: Receiver,
) -> None:
    command = [*COMMAND, "serve", "--port", "0", "--webhook", f"{receiver.url}/hooks"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(12)]
        world = World(lines[0].split()[1])
        assert f"  webhook {receiver.url}/hooks with the signature key simulator-signature-key\n" in lines
        told = world.waits(kind="delivery", event="payment_sent", subject=world.pays())
        assert told["status"] == 401  # its key is another
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)


def test_a_server_that_stops_waits_a_moment_and_says_what_it_leaves_behind(receiver: Receiver) -> None:
    command = [*COMMAND, "serve", "--port", "0", "--log-level", "warning"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        world = World(process.stdout.readline().split()[1])
        world.wants_webhook(f"{receiver.url}/hang")
        world.pays()
        while not receiver.lines:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    assert "webhook messages that were not sent, or not answered: 1" in errors
