"""Databases for the tests: files of SQLite, and a PostgreSQL server from the machine's packages.

A machine that has no PostgreSQL fails them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian keeps the server's programs, by version; they are not on the path."""


class PostgresServer:
    """A server that listens on a socket in `folder` alone."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._as_whom: list[str] = []
        if os.geteuid() == 0:  # the server refuses to be root
            shutil.chown(folder, "postgres")
            self._as_whom = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._run("initdb", "-U", "simulator", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def url(self) -> str:
        """The URL of its database."""
        return f"postgresql://simulator@/postgres?host={self._folder}"

    def start(self) -> None:
        """Serve."""
        options = f"-k {self._folder} -c listen_addresses= -c fsync=off -c max_connections=300"
        self._run("pg_ctl", "-w", "-l", f"{self._folder}/log", "-o", options, "start")

    def stop(self) -> None:
        """Go away without waiting for anybody."""
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_whom, _path_of(program), "-D", f"{self._folder}/data", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def empty(url: str) -> None:
    """Leave a PostgreSQL database without any tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def clear(url: str) -> str:
    """Leave the tables of a PostgreSQL database without any rows, and return its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE merchants, things, calls, timers, events RESTART IDENTITY")
    return url


def _path_of(program: str) -> str:
    found = shutil.which(program) or max(_DEBIAN.glob(f"*/bin/{program}"), default=None)
    assert found, f"{program} is missing: install PostgreSQL (Debian: postgresql)"
    return str(found)
