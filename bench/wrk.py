"""Drives a server with wrk, and says how it did."""

import base64
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
AUTHORISATION = "Basic " + base64.b64encode(b"pk_test_simulator:sk_test_simulator").decode()
LONGER_THAN_ANY_FILLING = 24 * 3600
NUMBERS_OF_A_RESULT = 5  # what result.lua prints


class MeasurementFailedError(Exception):
    """The measurement cannot go on; the sentence says why."""


@dataclass(frozen=True)
class Load:
    """How a server did under one kind of call."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def require_wrk() -> None:
    """Raise `MeasurementFailedError` where wrk is not installed."""
    if shutil.which("wrk") is None:
        sentence = "The servers are driven with wrk, which is not here: `apt install wrk` installs it on Debian."
        raise MeasurementFailedError(sentence)


def drive(url: str, script: str, *arguments: str, connections: int, seconds: int) -> Load:
    """Make the calls of a script, one after the other on each connection, for so many seconds.

    `script` is the name of a Lua file of this folder, without `.lua`; the arguments are for that script.
    """
    output = _run(url, script, *arguments, connections=connections, seconds=seconds)
    result = output.rpartition("result ")[2].split()
    if len(result) != NUMBERS_OF_A_RESULT:
        sentence = f"wrk has no result for {script}.lua: {output}"
        raise MeasurementFailedError(sentence)
    calls, duration, p50, p99, failed = map(float, result)
    return Load(calls / duration, p50 / 1000, p99 / 1000, int(failed))


def fill(url: str, payments: int, scratch: Path) -> list[str]:
    """Create and pay so many payments, as fast as the server goes, and return their ids."""
    ids = scratch / "filled"
    _run(url, "fill", str(payments), str(ids), connections=16, seconds=LONGER_THAN_ANY_FILLING)
    return ids.read_text().split()


def _run(url: str, script: str, *arguments: str, connections: int, seconds: int) -> str:
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command += ["--timeout", "30s", "--header", f"Authorization: {AUTHORISATION}", "--script", f"{script}.lua"]
    finished = subprocess.run([*command, url, "--", *arguments], cwd=HERE, capture_output=True, text=True, check=False)
    if finished.returncode:
        sentence = f"wrk could not run {script}.lua to its end: {finished.stdout}{finished.stderr}"
        raise MeasurementFailedError(sentence)
    return finished.stdout
