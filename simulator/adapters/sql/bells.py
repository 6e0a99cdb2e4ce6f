"""The bell for all processes that share a database: a change in one of them ends the waits in the others.

A ring may be lost with its process, so whoever waits is woken each second to look again.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing, contextmanager
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING
from uuid import uuid4
from zlib import crc32

import psycopg

from simulator.adapters.bell import LocalBell

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from sqlalchemy import URL

    from simulator.domain.ports import Listener

_log = logging.getLogger(__name__)

_LOOK_AGAIN = 1.0
_SQLITE_POLL = 0.04
_PATIENCE = 0.5
"""Seconds that the first one who listens waits until others are heard."""

_GATHERING = 0.005
"""Seconds for which rings are gathered after some were told, so that telling takes little of a busy server's time."""

_CHANNEL = "banked_simulator"
_TOPICS_AT_ONCE = 500
"""A notification of PostgreSQL has less than 8,000 bytes, and a topic takes nine of them."""


class SharedBell(LocalBell):
    """A bell that other processes ring too, which a thread hears from when somebody listens for the first time."""

    def __init__(self) -> None:
        super().__init__()
        self._is_heard = Event()
        self._is_over = Event()
        self._is_wanted = Event()
        self._threads: dict[str, Thread] = {}

    @contextmanager
    def listen(self, topics: Collection[str]) -> Iterator[Listener]:
        """Hear the ringing for `topics` from now on."""
        self._always("hear", self._hear)
        self._is_heard.wait(_PATIENCE)
        self._is_wanted.set()
        with super().listen(topics) as listener:
            yield listener

    def silence(self) -> None:
        """End all waits, for the server stops."""
        self._is_over.set()
        super().silence()

    def _hear(self) -> None:
        """Ring for other processes until there is silence, or that fails."""
        raise NotImplementedError

    def _always(self, name: str, do: Callable[[], None]) -> None:
        """Do something in a thread again and again, whether it fails or not."""
        if name in self._threads:
            return

        def repeat() -> None:
            while not self._is_over.is_set():
                try:
                    do()
                except (psycopg.Error, sqlite3.Error) as failure:
                    _log.debug("the bell is out of order: %s", failure)
                    self._is_heard.clear()
                    self._is_over.wait(_LOOK_AGAIN)
                    self.ring_all()

        thread = self._threads.setdefault(name, Thread(target=repeat, name=f"bell {name}", daemon=True))
        with self._lock:
            if thread.ident is None:
                thread.start()


class PostgresBell(SharedBell):
    """Tells other processes of topics by NOTIFY, many at once and after the change, so that no change waits for it.

    Topics are told by a number that others may share: then somebody looks in vain.
    """

    def __init__(self, url: URL) -> None:
        super().__init__()
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._me = uuid4().hex
        self._rung: set[str] = set()
        self._some = Condition()

    def ring(self, topics: Collection[str]) -> None:
        """Wake whoever listens to one of `topics`, here and elsewhere."""
        super().ring(topics)
        with self._some:
            self._rung.update(map(_number, topics))
            self._some.notify()
        self._always("ring", self._tell)

    def silence(self) -> None:
        """End all waits, for the server stops."""
        super().silence()
        with self._some:
            self._some.notify()

    def _tell(self) -> None:
        with self._connection() as connection:
            while not self._is_over.is_set():
                with self._some:
                    self._some.wait_for(lambda: self._rung or self._is_over.is_set())
                    numbers, self._rung = sorted(self._rung), set()
                for first in range(0, len(numbers), _TOPICS_AT_ONCE):
                    words = " ".join([self._me, *numbers[first : first + _TOPICS_AT_ONCE]])
                    connection.execute("SELECT pg_notify(%s, %s)", (_CHANNEL, words))
                self._is_over.wait(_GATHERING)

    def _hear(self) -> None:
        with self._connection() as connection:
            connection.execute(f"LISTEN {_CHANNEL}")
            self._is_heard.set()
            while not self._is_over.is_set():
                for notify in connection.notifies(timeout=_LOOK_AGAIN):
                    who, *numbers = notify.payload.split()
                    if who != self._me:
                        super().ring([topic for topic in self.topics() if _number(topic) in numbers])
                self.ring_all()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
            connection.execute("SET synchronous_commit = off")
            yield connection


class SqliteBell(SharedBell):
    """Looks whether anything was written to the file; what it was is not known, so that everybody looks again."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def _hear(self) -> None:
        with closing(sqlite3.connect(self._path)) as connection:
            before = None
            self._is_heard.set()
            while not self._is_over.wait(_SQLITE_POLL):
                version = connection.execute("PRAGMA data_version").fetchone()
                if version != before:
                    self.ring_all()
                before = version
                if not self.topics():
                    self._is_wanted.clear()
                    self._is_wanted.wait(_LOOK_AGAIN)


def _number(topic: str) -> str:
    return f"{crc32(topic.encode()):08x}"
