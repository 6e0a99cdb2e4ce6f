"""The courier: in order, many at once, and nobody in the way of others."""

from __future__ import annotations

from collections import Counter
from threading import Condition, Event, Lock
from typing import TYPE_CHECKING

import pytest

from simulator.adapters.courier import ThreadCourier
from simulator.domain.deliveries import Errand

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 5


class Carrier:
    """Carries errands; those to a URL with `hangs` in it until they may go on."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.may_go_on = Event()
        self._changed = Condition(Lock())

    def __call__(self, errand: Errand) -> None:
        with self._changed:
            self.under_way[errand.merchant_key] += 1
            self.under_way[errand.url] += 1
            for name in (errand.merchant_key, errand.url):
                self.most[name] = max(self.most[name], self.under_way[name])
            self._changed.notify_all()
        if "hangs" in errand.url:
            assert self.may_go_on.wait(PATIENCE)
        if "fails" in errand.url:
            raise RuntimeError(errand.delivery_id)
        with self._changed:
            self.under_way[errand.merchant_key] -= 1
            self.under_way[errand.url] -= 1
            self.done.append(errand.delivery_id)
            self._changed.notify_all()

    def waits_until(self, name: str, number: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.under_way[name] == number, PATIENCE)


def errand(id_: object, merchant: str = "ada", url: str = "http://shop.example") -> Errand:
    return Errand(merchant, url, str(id_), 0)


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def courier(carrier: Carrier) -> Iterator[ThreadCourier]:
    courier = ThreadCourier(places=8, per_receiver=2)
    courier.start(carrier)
    yield courier
    carrier.may_go_on.set()
    courier.stop(PATIENCE)


def test_errands_are_run_in_order(carrier: Carrier) -> None:
    courier = ThreadCourier(places=1)
    courier.start(carrier)
    for number in range(100):
        courier.take(errand(number))
    assert courier.settle("ada", PATIENCE)
    assert carrier.done == [str(number) for number in range(100)]
    assert courier.stop(PATIENCE) == 0


def test_no_url_is_sent_more_than_its_share_at_once(courier: ThreadCourier, carrier: Carrier) -> None:
    for number in range(20):
        courier.take(errand(number, url="http://hangs"))
    assert carrier.waits_until("http://hangs", 2)
    carrier.may_go_on.set()
    assert courier.settle("ada", PATIENCE)
    assert carrier.most["http://hangs"] == 2
    assert len(carrier.done) == 20


def test_other_urls_do_not_wait_for_one_that_hangs(courier: ThreadCourier, carrier: Carrier) -> None:
    for number in range(5):
        courier.take(errand(f"stuck {number}", url="http://hangs"))
    for number in range(5):
        courier.take(errand(number))
    courier.take(errand("other", "bob"))
    assert courier.settle("bob", PATIENCE)
    while len(carrier.done) < 6:
        pass
    assert sorted(carrier.done) == ["0", "1", "2", "3", "4", "other"]


def test_of_two_that_are_taken_at_once_neither_waits_for_the_other(courier: ThreadCourier, carrier: Carrier) -> None:
    courier.take(errand("warm"))
    while not courier._idle:  # noqa: SLF001  until the one thread waits for more
        pass
    courier.take(errand("stuck", url="http://hangs"))
    courier.take(errand("free", "bob"))
    assert courier.settle("bob", PATIENCE)
    assert carrier.done[-1] == "free"


def test_there_is_always_a_place_for_somebody_new(courier: ThreadCourier, carrier: Carrier) -> None:
    for merchant, share in (("ada", 4), ("bob", 2), ("eve", 1)):
        for number in range(10):
            courier.take(errand(number, merchant, f"http://hangs.{merchant}.example/{number}"))
        assert carrier.waits_until(merchant, share)
    courier.take(errand("new", "zoe"))
    assert courier.settle("zoe", PATIENCE)
    assert carrier.most["ada"] == 4


def test_merchants_take_turns(carrier: Carrier) -> None:
    courier = ThreadCourier(places=1)
    courier.start(carrier)
    courier.take(errand("first", url="http://hangs"))
    assert carrier.waits_until("ada", 1)
    for number in range(3):
        courier.take(errand(f"ada {number}"))
    courier.take(errand("bob 0", "bob"))
    carrier.may_go_on.set()
    assert courier.settle("ada", PATIENCE)
    assert courier.settle("bob", PATIENCE)
    assert carrier.done.index("bob 0") <= 2
    courier.stop(PATIENCE)


def test_one_that_fails_stops_no_other(
    courier: ThreadCourier, carrier: Carrier, caplog: pytest.LogCaptureFixture
) -> None:
    courier.take(errand("broken", url="http://fails"))
    courier.take(errand("whole", url="http://works"))
    assert courier.settle("ada", PATIENCE)
    assert carrier.done == ["whole"]
    assert "the errand for delivery broken failed" in caplog.text


def test_settling_waits_for_what_was_taken_by_then_and_no_longer(courier: ThreadCourier) -> None:
    assert courier.settle("nobody", 0)
    courier.take(errand(1, url="http://hangs"))
    assert not courier.settle("ada", 0.01)
    assert courier.settle("bob", 0)


def test_stopping_drops_what_has_not_begun_and_counts_what_is_left(carrier: Carrier) -> None:
    courier = ThreadCourier(places=1)
    courier.start(carrier)
    for number in range(5):
        courier.take(errand(number, url="http://hangs"))
    assert carrier.waits_until("ada", 1)
    assert courier.stop(0.01) == 5
    carrier.may_go_on.set()
    courier.take(errand("late"))
    assert courier.stop(PATIENCE) == 0
    assert carrier.done == ["0"]


def test_ten_thousand_errands_to_one_url_are_taken_and_run_swiftly(courier: ThreadCourier, carrier: Carrier) -> None:
    for number in range(10_000):
        courier.take(errand(number))
    assert courier.settle("ada", 30)
    assert len(carrier.done) == 10_000
