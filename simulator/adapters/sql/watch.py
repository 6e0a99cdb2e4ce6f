"""What a process does for all that share a database: what others left undone, and showing that it lives itself."""

from __future__ import annotations

import logging
from datetime import timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Protocol

from simulator.adapters.courier import ThreadCourier
from simulator.adapters.scheduler import Scheduler
from simulator.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from simulator.adapters.sql.store import SqlStore
    from simulator.domain.ports import Clock


class _Fire(Protocol):
    def __call__(self, merchant_key: str, lost: Collection[str] = ...) -> None: ...


_log = logging.getLogger(__name__)

_BEAT = 1.5
_LOOK = 0.25
_LATE = timedelta(seconds=0.25)
"""So late a timer is fired by any process, no longer only by the one that set it."""

_CLAIM = timedelta(seconds=5)
"""So much later another one tries, if nothing came of it."""

_SETTLE_POLL = 0.05


class SharedScheduler:
    """Has something fired when it is due at a merchant's, though the process that knew of it is gone."""

    def __init__(self, clock: Clock, store: SqlStore) -> None:
        self._clock, self._claims = clock, store.claims
        self._own = Scheduler(clock)
        self._fire: _Fire
        self._lost: dict[str, set[str]] = {}
        self._stopped = Event()
        self._threads = [
            Thread(target=self._repeat, args=(self._claims.beat, _BEAT), name="beat", daemon=True),
            Thread(target=self._repeat, args=(self._look, _LOOK), name="watch", daemon=True),
        ]

    def start(self, fire: _Fire) -> None:
        """Call `fire` with the key of the merchant from now on, and with the ids of its deliveries that were lost."""
        self._fire = fire
        self._own.start(fire)

    def watch(self) -> None:
        """Fire from now on also what was set by processes that are gone, and take over what they were sending."""
        for thread in self._threads:
            thread.start()

    def set(self, merchant_key: str, due: datetime | None) -> None:
        """Fire at the real instant `due`, and not at what was set before; None for not at all."""
        self._own.set(merchant_key, due)

    def stop(self) -> None:
        """Fire nothing more, and wait for what is being fired."""
        self._stopped.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._own.stop()

    def _repeat(self, do: Callable[[], None], seconds: float) -> None:
        is_lost = False
        while not self._stopped.wait(seconds):
            try:
                do()
            except StoreUnavailable as lost:
                if not is_lost:
                    _log.warning("%s", lost)
                is_lost = True
            except Exception:  # noqa: BLE001  whatever it was, it may be over the next time
                _log.exception("looking after the database failed")
            else:
                is_lost = False

    def _look(self) -> None:
        now = self._clock.now()
        for key in self._claims.take_on(now - _LATE, now + _CLAIM):
            self._own.set(key, now)
        for key, deliveries in self._claims.take_over().items():
            self._lost.setdefault(key, set()).update(deliveries)
        for key in tuple(self._lost):
            self._fire(key, self._lost[key])
            del self._lost[key]


class SharedCourier(ThreadCourier):
    """Runs errands, and knows of those that other processes run."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__()
        self._store = store

    def settle(self, merchant_key: str, seconds: float) -> bool:
        """Wait until all errands of a merchant that were taken by now are done; False when that took longer."""
        end = monotonic() + seconds
        awaited = self._store.sent_by_others(merchant_key)
        is_settled = super().settle(merchant_key, seconds)
        while is_settled and not awaited.isdisjoint(self._store.sent_by_others(merchant_key)):
            if monotonic() > end:
                return False
            sleep(_SETTLE_POLL)
        return is_settled
