"""The courier: a bounded pool of threads that runs the errands of all merchants, so that nobody holds up others."""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict, deque
from threading import Condition, Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, TypeVar

from simulator.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.domain.deliveries import Errand

    Receiver = tuple[str, str]
    """A merchant's key, and a URL to which it sends."""

Key = TypeVar("Key")

_log = logging.getLogger(__name__)

PLACES = 64
"""How many errands are run at once."""

PLACES_PER_RECEIVER = 4
"""How many of them to one URL of one merchant."""

_AFTER_FAILURE = 1.0


class ThreadCourier:
    """Runs errands in the order they were taken, to each URL some at once; merchants take turns.

    A merchant begins another one only while fewer of its own are under way than there are free places: one whose
    receivers hang gets half of them, the next one a quarter, so that there is always a place for somebody new.
    Threads begin when there is work for them, and stay.
    """

    def __init__(self, places: int = PLACES, per_receiver: int = PLACES_PER_RECEIVER) -> None:
        self._places, self._per_receiver = places, per_receiver
        self._waiting: OrderedDict[str, OrderedDict[str, deque[tuple[int, Errand]]]] = OrderedDict()
        self._of_merchants: Counter[str] = Counter()
        self._of_receivers: Counter[Receiver] = Counter()
        self._undone: dict[str, set[int]] = {}
        self._running = self._threads = self._idle = self._taken = 0
        self._stopped = False
        lock = Lock()
        self._work, self._done = Condition(lock), Condition(lock)
        self._carry: Callable[[Errand], None]

    def start(self, carry: Callable[[Errand], None]) -> None:
        """Run each errand by `carry`, which may take its time, and may fail."""
        self._carry = carry

    def take(self, errand: Errand) -> None:
        """Run an errand as soon as it is its turn."""
        with self._work:
            if self._stopped:
                return
            self._taken += 1
            queues = self._waiting.setdefault(errand.merchant_key, OrderedDict())
            queues.setdefault(errand.url, deque()).append((self._taken, errand))
            self._undone.setdefault(errand.merchant_key, set()).add(self._taken)
            self._call_somebody()

    def settle(self, merchant_key: str, seconds: float) -> bool:
        """Wait until all errands of a merchant that were taken by now are done; False when that took longer."""
        with self._done:
            awaited = set(self._undone.get(merchant_key, ()))
            return self._done.wait_for(lambda: awaited.isdisjoint(self._undone.get(merchant_key, ())), seconds)

    def stop(self, seconds: float) -> int:
        """Begin no more errands, wait for those that are under way, and return how many were left undone."""
        with self._done:
            self._stopped = True
            dropped = sum(len(queue) for queues in self._waiting.values() for queue in queues.values())
            self._waiting.clear()
            self._work.notify_all()
            self._done.wait_for(lambda: not self._running, seconds)
            return dropped + self._running

    def _call_somebody(self) -> None:
        """Wake a thread that has nothing to do, or begin another one."""
        if self._idle:
            self._idle -= 1  # who is called may come late, and must not be called for the next errand too
            self._work.notify()
        elif self._threads < self._places:
            self._threads += 1
            # A daemon, so that no receiver that hangs holds up the end of the process.
            Thread(target=self._run, name=f"courier {self._threads}", daemon=True).start()

    def _run(self) -> None:
        while (next_ := self._next()) is not None:
            number, errand = next_
            try:
                self._carry(errand)
            except StoreUnavailable:
                sleep(_AFTER_FAILURE)
                self.take(errand)  # what came of it was not written down
            except Exception:  # noqa: BLE001  whatever it was, the next must not wait
                _log.exception("the errand for delivery %s failed", errand.delivery_id)
            finally:
                self._finish(number, errand)

    def _next(self) -> tuple[int, Errand] | None:
        """Wait for an errand whose turn it is; None when stopped."""
        with self._work:
            while not self._stopped:
                if (found := self._pick()) is not None:
                    return found
                self._idle += 1
                self._work.wait()
            return None

    def _pick(self) -> tuple[int, Errand] | None:
        free = self._places - self._running
        for merchant_key, queues in self._waiting.items():
            if self._of_merchants[merchant_key] >= free:
                continue
            for url, queue in queues.items():
                if self._of_receivers[merchant_key, url] < self._per_receiver:
                    found = queue.popleft()
                    self._begin(merchant_key, url)
                    return found
        return None

    def _begin(self, merchant_key: str, url: str) -> None:
        """Count one more that is under way, and let others come first the next time."""
        self._running += 1
        self._of_merchants[merchant_key] += 1
        self._of_receivers[merchant_key, url] += 1
        queues = self._waiting[merchant_key]
        if queues[url]:
            queues.move_to_end(url)
        else:
            del queues[url]
        if queues:
            self._waiting.move_to_end(merchant_key)
        else:
            del self._waiting[merchant_key]

    def _finish(self, number: int, errand: Errand) -> None:
        with self._done:
            self._running -= 1
            _count_down(self._of_merchants, errand.merchant_key)
            _count_down(self._of_receivers, (errand.merchant_key, errand.url))
            undone = self._undone[errand.merchant_key]
            undone.remove(number)
            if not undone:
                del self._undone[errand.merchant_key]
            self._done.notify_all()
            if self._waiting and self._idle:
                self._call_somebody()


def _count_down(counter: Counter[Key], key: Key) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
