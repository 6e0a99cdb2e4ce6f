"""Measures the simulator against the least that a Flask app could do: `python bench/run.py`.

Prints Markdown tables of the figures that the design sets targets for. It is a measurement, not a test: it succeeds
whatever the numbers are. It needs Linux and wrk; everything stays on the loopback interface.
"""

import argparse
import json
import logging
import os
import platform
import signal
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from measurements import Bench, compare, few_beside, grow, holding
from servers import floor, share_out_cpus, simulator
from tables import Samples, table
from wrk import MeasurementFailedError, require_wrk

COMPARE_TARGETS = {
    "start to first answer, ms": "≤ 1.3",
    "create, 16 connections: per second": "≥ 0.7",
    "read, 16 connections: per second": "≥ 0.7",
}
GROW_TARGETS = {f"{calls}: per second": "≥ 0.9" for calls in ("create", "read", "refund", "list, page 1")} | {
    "memory per finished payment, KB": "≤ 3 KB",
}


def main() -> None:
    """Measure what was asked for and print it."""
    options = parse_options()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    signal.signal(signal.SIGTERM, _stop)
    try:
        require_wrk()
        with tempfile.TemporaryDirectory() as scratch:
            bench = Bench(options.seconds, options.rounds, share_out_cpus(), Path(scratch))
            measured = measure(options, bench)
    except MeasurementFailedError as failure:
        sys.exit(str(failure))
    if options.json:
        numbers = {name: samples.numbers for name, samples in measured.items()}
        options.json.write_text(json.dumps({"conditions": conditions(bench)} | numbers, indent=2) + "\n")


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--seconds", type=_positive, default=1, help="how long each kind of call is made in a round")
    parser.add_argument("--rounds", type=_positive, default=9, help="how many rounds the medians are taken of")
    parser.add_argument("--payments", type=int, default=100_000, help="payments to fill the simulator with; 0: do not")
    parser.add_argument("--threads", type=_positive, default=8, help="threads of the second floor")
    parser.add_argument("--log-level", default="warning", help="what the simulator logs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write each round's numbers")
    return parser.parse_args()


def measure(options: argparse.Namespace, bench: Bench) -> dict[str, Samples]:
    """Take both measurements, and print each as soon as it is there."""
    contender = simulator(options.log_level)
    floors = [floor(threads) for threads in sorted({1, options.threads})]
    _say(f"Medians, also of the ratios within each round; {conditions(bench)}.\n")
    against_floor = compare([*floors, contender], bench)
    _say(table(against_floor, contender.name, [each.name for each in floors], COMPARE_TARGETS))
    if options.payments < 2:  # nothing to compare
        return {"against the floor": against_floor}
    grown = grow(contender, options.payments, bench)
    few = holding(few_beside(options.payments))
    _say("\nOne connection, simulators that hold so many paid payments:\n")
    _say(table(grown, holding(options.payments), [few], GROW_TARGETS))
    return {"against the floor": against_floor, "with many payments": grown}


def conditions(bench: Bench) -> str:
    """Say what the numbers depend on."""
    servers = f"servers on 2 of {os.cpu_count()} CPUs" if bench.pinned else f"{os.cpu_count()} CPUs, nothing pinned"
    versions = ", ".join(f"{name} {version(name)}" for name in ("flask", "marshmallow", "granian"))
    return f"{bench.rounds} rounds of {bench.seconds} s, {servers}, Python {platform.python_version()}, {versions}"


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _stop(*_: object) -> NoReturn:
    sys.exit("The measurement was stopped.")  # an exception, so that the servers are stopped too


if __name__ == "__main__":
    main()
