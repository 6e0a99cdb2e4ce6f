"""Time and chance from the operating system."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from simulator.adapters.system import RandomIds, SystemClock


def test_the_time_is_the_machines_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_an_id_is_a_random_uuid() -> None:
    id_ = RandomIds().new()
    assert id_ == str(UUID(id_))
    assert UUID(id_).version == 4
    assert UUID(id_).variant == "specified in RFC 4122"


def test_nothing_is_named_twice() -> None:
    one, other = RandomIds(), RandomIds()
    names = [ids.new() for ids in 500 * (one, other)]
    assert len(set(names)) == 1_000
