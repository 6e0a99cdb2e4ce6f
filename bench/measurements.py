"""The two measurements: the simulator against the floor, and with many payments against itself with few."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from servers import Contender, Server, running
from tables import Samples
from wrk import drive, fill

STARTS_PER_ROUND = 3
AT_MOST_FEW = 2_000
SPOKEN = {"list": "list, page 1"}
BYTES_PER_KB = 1_000
BYTES_PER_MB = 1_000_000

log = logging.getLogger(__name__)
Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Bench:
    """How to measure: for how long, how often, where servers are pinned and where temporary files go."""

    seconds: int
    rounds: int
    pinned: tuple[str, ...]
    scratch: Path

    def turns(self) -> Iterator[int]:
        """Count the rounds from 0, and tell whoever waits."""
        for turn in range(self.rounds):
            log.info("round %d of %d", turn + 1, self.rounds)
            yield turn

    def file_of(self, ids: Sequence[str]) -> str:
        """Write payment ids where the next wrk script finds them, and return the path."""
        path = self.scratch / "ids"
        path.write_text("".join(f"{payment_id}\n" for payment_id in ids))
        return str(path)


def alternate(things: Sequence[Thing], turn: int) -> list[Thing]:
    """Turn the order round every other turn, so that nothing always comes first."""
    return list(reversed(things)) if turn % 2 else list(things)


def compare(contenders: Sequence[Contender], bench: Bench) -> Samples:
    """Measure start-up, memory, creates and reads of contenders that run side by side and are driven in turn."""
    for contender in contenders:
        _start(contender, bench)  # not counted: it compiles bytecode and warms the disk cache
    samples = Samples()
    for turn in bench.turns():
        in_turn = alternate(contenders, turn)
        for contender in in_turn * (STARTS_PER_ROUND - 1):
            samples.add("start to first answer, ms", contender.name, _start(contender, bench))
        with ExitStack() as stack:
            servers: dict[str, Server] = {}
            for contender in in_turn:
                server = stack.enter_context(running(contender, bench.pinned, bench.scratch))
                servers[contender.name] = server
                samples.add("start to first answer, ms", contender.name, server.started_in_ms)
                samples.add("resident memory after it, MB", contender.name, server.resident_bytes() / BYTES_PER_MB)
            for server in servers.values():
                drive(server.url, "create", connections=16, seconds=1)
            for connections in (1, 16):
                _compare_loads(servers, connections, bench, samples)
    return samples


def _start(contender: Contender, bench: Bench) -> float:
    with running(contender, bench.pinned, bench.scratch) as server:
        return server.started_in_ms


def _compare_loads(servers: dict[str, Server], connections: int, bench: Bench, samples: Samples) -> None:
    on = f"{connections} connection{'s' * (connections > 1)}"
    for name, server in servers.items():
        load = drive(server.url, "create", connections=connections, seconds=bench.seconds)
        samples.add_load(f"create, {on}", name, load)
    for name, server in servers.items():
        ids = bench.file_of([server.payment_id])
        load = drive(server.url, "read", ids, connections=connections, seconds=bench.seconds)
        samples.add_load(f"read, {on}", name, load)


def grow(simulator: Contender, payments: int, bench: Bench) -> Samples:
    """Measure what a call costs with few and with so many paid payments in memory, and what each of them weighs.

    The simulator with few is started anew each round, since measuring adds payments to it.
    """
    samples = Samples()
    few = few_beside(payments)
    with running(simulator, bench.pinned, bench.scratch) as full:
        fill(full.url, few, bench.scratch)  # so that what the first calls load is not counted as payments
        empty = full.resident_bytes()
        log.info("filling the simulator with %d paid payments", payments)
        full_ids = fill(full.url, payments, bench.scratch)
        weight = (full.resident_bytes() - empty) / payments / BYTES_PER_KB
        for turn in bench.turns():
            with running(simulator, bench.pinned, bench.scratch) as fresh:
                stocks = {
                    holding(few): Stock(fresh, fill(fresh.url, few, bench.scratch)),
                    holding(payments): Stock(full, full_ids),
                }
                _compare_stocks(stocks, few, turn, bench, samples)
    samples.add("memory per finished payment, KB", holding(payments), weight)
    return samples


def few_beside(payments: int) -> int:
    """Return how many payments are few beside so many (two or more)."""
    return min(AT_MOST_FEW, payments // 2)


def holding(payments: int) -> str:
    """Name a simulator by the number of payments that it holds."""
    return f"{payments:,} payments"


@dataclass(frozen=True)
class Stock:
    """A simulator and the ids of the paid payments that it holds."""

    server: Server
    ids: Sequence[str]

    def spread(self, few: int, turn: int) -> Sequence[str]:
        """Return so few payments or some more, old ones and new ones alike, and others each turn."""
        stride = len(self.ids) // few
        return self.ids[turn % stride :: stride]


def _compare_stocks(stocks: dict[str, Stock], few: int, turn: int, bench: Bench, samples: Samples) -> None:
    for script in ("create", "read", "refund", "list"):
        for name, stock in alternate(list(stocks.items()), turn):
            # As many refunds a payment in both, because a payment with many refunds costs more.
            ids = bench.file_of(stock.spread(few, turn) if script == "refund" else stock.ids)
            load = drive(stock.server.url, script, ids, connections=1, seconds=bench.seconds)
            samples.add_load(SPOKEN.get(script, script), name, load)
