"""The bell inside one process: wakes the threads that wait for a topic, and nobody else."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from threading import Event, Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from simulator.domain.ports import Listener


class LocalBell:
    """Knows who listens to what; after `silence` nobody waits any more."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: defaultdict[str, set[_Listener]] = defaultdict(set)
        self._silent = False

    def ring(self, topics: Collection[str]) -> None:
        """Wake whoever listens to one of `topics`."""
        if not self._listeners:
            return
        with self._lock:
            for topic in topics:
                for listener in self._listeners.get(topic, ()):
                    listener.rung.set()

    @contextmanager
    def listen(self, topics: Collection[str]) -> Iterator[Listener]:
        """Hear the ringing for `topics` from now on."""
        listener = _Listener(self)
        with self._lock:
            for topic in topics:
                self._listeners[topic].add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                for topic in topics:
                    self._listeners[topic].discard(listener)
                    if not self._listeners[topic]:
                        del self._listeners[topic]

    def topics(self) -> tuple[str, ...]:
        """Return what anybody listens for."""
        with self._lock:
            return tuple(self._listeners)

    def ring_all(self) -> None:
        """Wake everybody, for it is not known what has changed."""
        with self._lock:
            for listeners in self._listeners.values():
                for listener in listeners:
                    listener.rung.set()

    def silence(self) -> None:
        """End all waits, for the server stops."""
        self._silent = True
        self.ring_all()

    @property
    def is_silent(self) -> bool:
        """Whether it will not ring again."""
        return self._silent


class _Listener:
    def __init__(self, bell: LocalBell) -> None:
        self._bell = bell
        self.rung = Event()

    def wait(self, seconds: float) -> bool:
        """Wait for a ring since the last wait; False when there was none, or there will be no more."""
        rang = not self._bell.is_silent and self.rung.wait(seconds)
        self.rung.clear()
        return rang and not self._bell.is_silent
