"""The scheduler: a thread that sleeps until the next timer of any merchant is due, and has it fired."""

from __future__ import annotations

import logging
from datetime import timedelta
from heapq import heappop, heappush
from threading import Condition, Thread
from typing import TYPE_CHECKING

from simulator.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from simulator.domain.ports import Clock

_log = logging.getLogger(__name__)

_LONGEST_SLEEP = 3600.0
_AFTER_FAILURE = timedelta(seconds=1)


class Scheduler:
    """Has something fired when it is due at a merchant's. The thread begins with the first alarm."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._fire: Callable[[str], None]
        self._changed = Condition()
        self._due: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._thread: Thread | None = None
        self._stopped = False

    def start(self, fire: Callable[[str], None]) -> None:
        """Call `fire` with the key of the merchant from now on."""
        self._fire = fire

    def watch(self) -> None:
        """Fire what others have set: there are no others."""

    def set(self, merchant_key: str, due: datetime | None) -> None:
        """Fire at the real instant `due`, and not at what was set before; None for not at all."""
        with self._changed:
            if due is None:
                self._due.pop(merchant_key, None)
                return
            if self._due.get(merchant_key) == due:
                return
            self._due[merchant_key] = due
            heappush(self._heap, (due, merchant_key))
            if self._thread is None:
                self._thread = Thread(target=self._run, name="scheduler", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        """Fire nothing more, and wait for what is being fired."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (merchant_key := self._next()) is not None:
            try:
                self._fire(merchant_key)
            except StoreUnavailable:
                self.set(merchant_key, self._clock.now() + _AFTER_FAILURE)
            except Exception:  # noqa: BLE001  whatever it was, the others must not wait
                _log.exception("the timers of %s failed", merchant_key)
                self.set(merchant_key, self._clock.now() + _AFTER_FAILURE)

    def _next(self) -> str | None:
        """Sleep until something is due, and say for which merchant; None when stopped."""
        with self._changed:
            while not self._stopped:
                seconds = _LONGEST_SLEEP
                while self._heap:
                    due, merchant_key = self._heap[0]
                    if self._due.get(merchant_key) != due:
                        heappop(self._heap)
                        continue
                    seconds = (due - self._clock.now()).total_seconds()
                    if seconds <= 0:
                        heappop(self._heap)
                        del self._due[merchant_key]
                        return merchant_key
                    break
                self._changed.wait(min(seconds, _LONGEST_SLEEP))
        return None
