"""The servers that are compared: how each is started, pinned, weighed and stopped."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from wrk import AUTHORISATION, HERE, MeasurementFailedError

POLL = 0.001
PATIENCE = 30.0
ENOUGH_CPUS = 4
PAYMENT = (HERE / "payment.json").read_bytes()


@dataclass(frozen=True)
class Contender:
    """A server to measure.

    `{port}` in the command becomes a free port; a command without it picks one itself and announces its address in
    a line `ready URL`.
    """

    name: str
    command: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Server:
    """A contender that runs and has answered."""

    url: str
    started_in_ms: float
    payment_id: str
    process_id: int

    def resident_bytes(self) -> int:
        """Memory that the process and all its descendants hold in RAM, pages they share counted for each."""
        return sum(_resident_bytes(process_id) for process_id in _family(self.process_id))


def floor(threads: int) -> Contender:
    """The floor app, served by granian with so many blocking threads."""
    options = ("--interface", "wsgi", "--no-ws", "--workers", "1", "--blocking-threads", str(threads))
    command = (sys.executable, "-m", "granian", *options, "--log-level", "error", "--port", "{port}", "floor:app")
    return Contender(f"floor, {threads} thread{'s' * (threads > 1)}", command, HERE)


def simulator(log_level: str) -> Contender:
    """The simulator, as its users start it."""
    command = (sys.executable, "-m", "simulator", "serve", "--port", "0", "--log-level", log_level)
    return Contender("simulator", command, HERE.parent)


def share_out_cpus() -> tuple[str, ...]:
    """Keep this process and wrk off two CPUs, and return the command prefix that pins a server to those two.

    With fewer than four CPUs nothing is pinned and the prefix is empty.
    """
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < ENOUGH_CPUS or shutil.which("taskset") is None:
        return ()
    os.sched_setaffinity(0, cpus[2:])
    return ("taskset", "--cpu-list", f"{cpus[0]},{cpus[1]}")


@contextmanager
def running(contender: Contender, pinned: tuple[str, ...], scratch: Path) -> Iterator[Server]:
    """Start a contender, wait until it has created its first payment, and stop it in the end.

    Raises `MeasurementFailedError` when it does not start within half a minute, or refuses that payment.
    """
    port = _free_port()
    command = [*pinned, *(part.format(port=port) for part in contender.command)]
    log = scratch / f"{port}.log"
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=contender.folder,
            env=_environment(scratch),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        if "{port}" not in contender.command:
            url = _patiently(lambda: _announced_url(log), process, log)
        payment_id = _patiently(lambda: _first_payment(url), process, log)
        started_in_ms = (time.perf_counter() - started) * 1000
        yield Server(url, started_in_ms, payment_id, process.pid)
    finally:
        _stop(process)


def _environment(scratch: Path) -> dict[str, str]:
    """Leave out settings of the servers that happen to be set here, and let Python keep its bytecode as usual."""
    settings = ("BANKED_SIMULATOR_", "GRANIAN_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return kept | {"PYTHONPYCACHEPREFIX": str(scratch / "bytecode")}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _announced_url(log: Path) -> str | None:
    announcement = re.search(r"^ready (\S+)\n", log.read_text(), re.MULTILINE)
    return announcement[1] if announcement else None


def _first_payment(url: str) -> str | None:
    address = urlsplit(url)
    headers = {"Authorization": AUTHORISATION, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE)
    try:
        connection.request("POST", "/v2/payment_sessions", PAYMENT, headers)
        answer = connection.getresponse()
        body = answer.read()
    except ConnectionError:
        return None
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.CREATED:
        sentence = f"The first payment was answered with {answer.status}: {body.decode()}"
        raise MeasurementFailedError(sentence)
    return str(json.loads(body)["id"])


def _patiently(attempt: Callable[[], str | None], process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if outcome := attempt():
            return outcome
        time.sleep(POLL)
    reason = "not ready in time" if process.returncode is None else f"over with exit status {process.returncode}"
    sentence = f"The server is {reason}; it said: {log.read_text() or 'nothing'}"
    raise MeasurementFailedError(sentence)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _family(process_id: int) -> Iterator[int]:
    yield process_id
    for children in Path(f"/proc/{process_id}/task").glob("*/children"):
        for child in children.read_text().split():
            yield from _family(int(child))


def _resident_bytes(process_id: int) -> int:
    resident_pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return resident_pages * os.sysconf("SC_PAGE_SIZE")
