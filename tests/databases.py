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


@contextmanager
def postgres_server() -> Iterator[str]:
    """Run a server that listens on a socket of its own, and give the URL of its database."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        as_whom: list[str] = []
        if os.geteuid() == 0:  # the server refuses to be root
            shutil.chown(folder, "postgres")
            as_whom = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

        def run(program: str, *arguments: str) -> None:
            command = [*as_whom, _path_of(program), "-D", f"{folder}/data", *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

        run("initdb", "-U", "simulator", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=300"
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://simulator@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


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
