"""The scheduler fires what is due when it is due, in a thread of its own, whatever goes wrong."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Event
from threading import enumerate as threads
from time import sleep
from typing import TYPE_CHECKING

import pytest

from simulator.adapters.scheduler import Scheduler
from simulator.adapters.system import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 5
"""Seconds within which something happens that will; nobody waits that long in a test that passes."""

FAR = timedelta(hours=1)


class Log:
    """Remembers for whom it was fired, and when."""

    def __init__(self) -> None:
        self.fired: SimpleQueue[tuple[str, datetime]] = SimpleQueue()

    def fire(self, merchant_key: str) -> None:
        self.fired.put((merchant_key, datetime.now(UTC)))

    def next(self) -> str:
        return self.fired.get(timeout=PATIENCE)[0]

    @property
    def is_empty(self) -> bool:
        return self.fired.empty()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def scheduler(log: Log) -> Iterator[Scheduler]:
    scheduler = Scheduler(SystemClock())
    scheduler.start(log.fire)
    yield scheduler
    scheduler.stop()


def soon(milliseconds: float = 0) -> datetime:
    """So many milliseconds from now."""
    return datetime.now(UTC) + timedelta(milliseconds=milliseconds)


def test_there_is_no_thread_before_there_is_an_alarm(log: Log) -> None:
    before = set(threads())
    scheduler = Scheduler(SystemClock())
    scheduler.start(log.fire)
    scheduler.set("a", None)
    assert set(threads()) <= before
    scheduler.stop()


def test_what_is_due_is_fired_in_the_order_it_is_due_and_not_before(scheduler: Scheduler, log: Log) -> None:
    dues = {"late": soon(140), "early": soon(100), "middle": soon(120)}
    for key, due in dues.items():
        scheduler.set(key, due)
    fired = [log.fired.get(timeout=PATIENCE) for _ in dues]
    assert [key for key, _ in fired] == ["early", "middle", "late"]
    for key, at in fired:
        assert dues[key] <= at < dues[key] + timedelta(seconds=1)


def test_what_was_due_before_is_fired_at_once(scheduler: Scheduler, log: Log) -> None:
    scheduler.set("a", soon() - FAR)
    assert log.next() == "a"


def test_an_earlier_alarm_of_another_merchant_wakes_the_thread(scheduler: Scheduler, log: Log) -> None:
    scheduler.set("far", soon() + FAR)
    sleep(0.005)
    scheduler.set("near", soon(5))
    assert log.next() == "near"


def test_an_earlier_alarm_replaces_a_later_one(scheduler: Scheduler, log: Log) -> None:
    scheduler.set("a", soon() + FAR)
    scheduler.set("a", soon(5))
    assert log.next() == "a"
    scheduler.set("marker", soon(5))
    assert (log.next(), log.is_empty) == ("marker", True)


def test_a_later_alarm_replaces_an_earlier_one(scheduler: Scheduler, log: Log) -> None:
    scheduler.set("a", soon(100))
    scheduler.set("a", soon() + FAR)
    scheduler.set("marker", soon(110))
    assert (log.next(), log.is_empty) == ("marker", True)


def test_a_cancelled_alarm_is_not_fired(scheduler: Scheduler, log: Log) -> None:
    scheduler.set("a", soon(100))
    scheduler.set("a", None)
    scheduler.set("never set", None)
    scheduler.set("marker", soon(110))
    assert (log.next(), log.is_empty) == ("marker", True)


def test_an_alarm_is_fired_once_however_often_it_was_set(scheduler: Scheduler, log: Log) -> None:
    due = soon(100)
    for _ in range(3):
        scheduler.set("a", due)
    assert log.next() == "a"
    scheduler.set("marker", soon(5))
    assert (log.next(), log.is_empty) == ("marker", True)


def test_what_fires_may_set_the_next_alarm(log: Log) -> None:
    scheduler = Scheduler(SystemClock())

    def fire_and_set_again(key: str) -> None:
        log.fire(key)
        if key < "c":
            scheduler.set(chr(ord(key) + 1), soon(1))

    scheduler.start(fire_and_set_again)
    scheduler.set("a", soon(1))
    assert [log.next(), log.next(), log.next()] == ["a", "b", "c"]
    scheduler.stop()


def test_one_failure_does_not_stop_the_others_and_is_tried_again(caplog: pytest.LogCaptureFixture, log: Log) -> None:
    scheduler = Scheduler(SystemClock())

    def fail_at_first(key: str) -> None:
        log.fire(key)
        if key == "broken" and "failed" not in caplog.text:
            raise RuntimeError("the bank is on fire")

    scheduler.start(fail_at_first)
    with caplog.at_level(logging.ERROR):
        scheduler.set("broken", soon(1))
        scheduler.set("sound", soon(5))
        assert [log.next(), log.next(), log.next()] == ["broken", "sound", "broken"]
    scheduler.stop()
    [record] = caplog.records
    assert record.getMessage() == "the timers of broken failed"
    assert "the bank is on fire" in str(record.exc_info)


def test_nothing_is_fired_after_the_stop(scheduler: Scheduler, log: Log) -> None:
    scheduler.set("a", soon(100))
    scheduler.stop()
    scheduler.set("b", soon())
    with pytest.raises(Empty):
        log.fired.get(timeout=0.12)


def test_the_stop_waits_for_what_is_being_fired() -> None:
    scheduler, began, done = Scheduler(SystemClock()), Event(), Event()

    def take_a_while(_: str) -> None:
        began.set()
        sleep(0.02)
        done.set()

    before = set(threads())
    scheduler.start(take_a_while)
    scheduler.set("a", soon())
    assert began.wait(PATIENCE)
    scheduler.stop()
    assert done.is_set()
    assert set(threads()) <= before


def test_a_scheduler_is_stopped_before_it_began_and_twice(scheduler: Scheduler) -> None:
    scheduler.stop()
    scheduler.stop()
