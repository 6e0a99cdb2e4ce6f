"""The bell of several processes: a ring in one is heard in the others."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

import pytest

from simulator.adapters.sql import bells
from simulator.adapters.sql.opening import open_bell, open_store
from simulator.service.simulation import sandbox_merchant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.adapters.sql.bells import SharedBell

    Bells = tuple[SharedBell, SharedBell]

PATIENCE = 5


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(bells, "_LOOK_AGAIN", 60.0)  # so that what is heard was rung
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def pair(url: str) -> Iterator[Bells]:
    pair = open_bell(url), open_bell(url)
    yield pair
    for bell in pair:
        bell.silence()


def change(url: str) -> None:
    """Write something, of which a bell may be told by the database itself."""
    store = open_store(url)
    store.enrol(sandbox_merchant("pk_test_new", "sk_test_new"))
    store.stop()


def test_a_ring_is_heard_elsewhere(url: str, pair: Bells) -> None:
    here, there = pair
    with there.listen(["payment"]) as listener:
        change(url)
        here.ring(["other", "payment"])
        assert listener.wait(PATIENCE)


def test_many_topics_are_heard_at_once(url: str, pair: Bells) -> None:
    here, there = pair
    with there.listen(["2999"]) as first, there.listen(["0"]) as last:
        change(url)
        here.ring([str(number) for number in range(3000)])
        assert first.wait(PATIENCE)
        assert last.wait(PATIENCE)


def test_a_ring_is_heard_here_at_once(pair: Bells) -> None:
    with pair[0].listen(["payment"]) as listener:
        sleep(0.1)
        while listener.wait(0.05):
            pass
        pair[0].ring(["payment"])
        assert listener.wait(0)


def test_other_topics_wake_nobody_elsewhere(postgres: str) -> None:
    here, there = open_bell(postgres), open_bell(postgres)
    with there.listen(["payment"]) as listener:
        here.ring(["other"])
        assert not listener.wait(0.3)
    here.silence()
    there.silence()


def test_silence_ends_all_waits(pair: Bells) -> None:
    with pair[0].listen(["payment"]) as listener:
        pair[0].silence()
        assert not listener.wait(PATIENCE)
