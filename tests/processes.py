"""The real command in a child process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mail import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (sys.executable, "-m", "simulator")


@contextmanager
def running_simulator(*arguments: str) -> Iterator[str]:
    """Serve on a free port, and give the address that the ready line tells."""
    command = [*COMMAND, "serve", "--port", "0", "--log-level", "warning", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("ready "), line
            yield line.split()[1]
        finally:
            process.terminate()
            try:
                process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


class Replica:
    """A simulator that keeps everything in a database, and may be killed and started again at the same address."""

    def __init__(self, store: str, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [*COMMAND, "serve", "--port", str(self.port), "--log-level", "warning", "--store", store]
        self._command += arguments
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, and wait until it is ready."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("ready "), line

    @property
    def workers(self) -> list[int]:
        """The process ids of those that serve."""
        assert self._process is not None
        task = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [int(child) for child in task.read_text().split()]

    def kill(self) -> None:
        """End it and its workers without a warning, if it runs."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        os.killpg(self._process.pid, how)
        self._process.communicate(timeout=10)
        self._process = None


@contextmanager
def replicas(store: str, number: int, *arguments: str) -> Iterator[list[Replica]]:
    """Run some simulators that share a database."""
    started = [Replica(store, *arguments) for _ in range(number)]
    try:
        for replica in started:
            replica.start()
        yield started
    finally:
        for replica in started:
            replica.kill()
