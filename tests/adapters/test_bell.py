"""The bell wakes whoever waits for a topic, at once, and nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import monotonic
from typing import TYPE_CHECKING

import pytest

from simulator.adapters.bell import LocalBell

if TYPE_CHECKING:
    from concurrent.futures import Future

PATIENCE = 5
"""Seconds within which whoever is woken wakes; nobody waits that long in a test that passes."""


@pytest.fixture
def bell() -> LocalBell:
    return LocalBell()


def listening(bell: LocalBell, threads: ThreadPoolExecutor, *topics: str, begun: Barrier) -> Future[bool]:
    """Somebody in a thread who waits for these topics."""

    def wait() -> bool:
        with bell.listen(topics) as listener:
            begun.wait(PATIENCE)
            return listener.wait(PATIENCE)

    return threads.submit(wait)


def test_a_ring_is_heard_by_whoever_waits(bell: LocalBell) -> None:
    begun = Barrier(4)
    with ThreadPoolExecutor() as threads:
        waits = [listening(bell, threads, "payment", topic, begun=begun) for topic in ("a", "b", "c")]
        begun.wait(PATIENCE)
        at = monotonic()
        bell.ring(["payment"])
        assert [wait.result(PATIENCE) for wait in waits] == [True, True, True]
    assert monotonic() - at < 1


def test_a_ring_before_the_wait_is_not_missed(bell: LocalBell) -> None:
    with bell.listen(["payment"]) as listener:
        bell.ring(["payment"])
        assert listener.wait(0)


def test_rings_since_the_last_wait_are_heard_once(bell: LocalBell) -> None:
    with bell.listen(["payment"]) as listener:
        bell.ring(["payment"])
        bell.ring(["payment"])
        assert listener.wait(0)
        assert not listener.wait(0)
        bell.ring(["payment"])
        assert listener.wait(0)


def test_a_ring_before_anybody_listened_is_not_heard(bell: LocalBell) -> None:
    bell.ring(["payment"])
    with bell.listen(["payment"]) as listener:
        assert not listener.wait(0)


def test_other_topics_wake_nobody(bell: LocalBell) -> None:
    with bell.listen(["payment", "merchant"]) as one, bell.listen(["other"]) as other:
        bell.ring(["other", "nobody's"])
        assert not one.wait(0)
        assert other.wait(0)
        bell.ring(["merchant"])
        assert one.wait(0)
        assert not other.wait(0)


def test_whoever_stopped_listening_leaves_the_others_to_it(bell: LocalBell) -> None:
    with bell.listen(["payment"]) as stays:
        with bell.listen(["payment"]) as goes:
            pass
        bell.ring(["payment"])
        assert stays.wait(0)
        assert not goes.wait(0)


def test_a_wait_lasts_no_longer_than_asked(bell: LocalBell) -> None:
    begun = monotonic()
    with bell.listen(["payment"]) as listener:
        assert not listener.wait(0.02)
    assert 0.02 <= monotonic() - begun < 1


def test_silence_ends_all_waits_and_those_to_come(bell: LocalBell) -> None:
    begun = Barrier(3)
    with ThreadPoolExecutor() as threads:
        waits = [listening(bell, threads, topic, begun=begun) for topic in ("a", "b")]
        begun.wait(PATIENCE)
        bell.silence()
        assert [wait.result(PATIENCE) for wait in waits] == [False, False]
    with bell.listen(["a"]) as late:
        bell.ring(["a"])
        assert not late.wait(PATIENCE)


def test_no_ring_is_lost_between_two_waits(bell: LocalBell) -> None:
    """One counts what the other rings: it may hear two at once, but never misses the last."""
    rung: list[int] = []

    def count() -> int:
        with bell.listen(["payment"]) as listener:
            begun.wait(PATIENCE)
            while len(rung) < 1000:
                if not listener.wait(PATIENCE):
                    return -1
            return len(rung)

    begun = Barrier(2)
    with ThreadPoolExecutor() as threads:
        counted = threads.submit(count)
        begun.wait(PATIENCE)
        for number in range(1000):
            rung.append(number)
            bell.ring(["payment"])
        assert counted.result(PATIENCE) == 1000
