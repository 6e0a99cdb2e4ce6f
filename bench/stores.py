"""Measures the stores: `python bench/stores.py`: calls a second in memory, SQLite and PostgreSQL, with some workers.

It needs Linux, wrk and PostgreSQL's server programs; 64 merchants call over 16 connections.
"""

import argparse
import http.client
import json
import logging
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from servers import Contender, running, share_out_cpus, simulator
from tables import Samples
from wrk import HERE, MeasurementFailedError, drive, require_wrk

sys.path.append(str(HERE.parent))
from simulator.adapters.sql.opening import upgrade
from tests.databases import clear, postgres_server

MERCHANTS = 64
CONNECTIONS = 16
CALLS = ("create", "read", "pay", "refund")
LARGEST_GENERATION = 10_000

log = logging.getLogger(__name__)


class Crowd:
    """The merchants of a server."""

    def __init__(self, url: str, scratch: Path, seconds: int) -> None:
        """Begin with no payments."""
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=600)
        self._url, self._scratch, self._seconds = url, scratch, seconds

    def drive(self, calls: Iterable[str], name: str, column: str, samples: Samples) -> None:
        """Make the calls for a while, and note how that went."""
        path = self._scratch / "calls"
        path.write_text("".join(f"{call}\n" for call in calls))
        load = drive(self._url, "crowd", str(path), connections=CONNECTIONS, seconds=self._seconds)
        samples.add_load(name, column, load)

    def measure(self, column: str, samples: Samples) -> None:
        """Create, read, pay and refund."""
        creates = [f"POST /v2/payment_sessions {credentials(number)} @payment.json" for number in range(MERCHANTS)]
        for _ in range(2):  # the first time is only to warm up, and for payments to do something with
            begun = Samples()
            self.drive(creates, "create", column, begun)
        [load] = [begun]
        for figure, numbers in load.numbers.items():
            samples.add(figure, column, numbers[column][0])
        mine = list(self._payments("?state=awaiting_provider"))
        reads = [f"GET /v2/payment_sessions/{id_} {credentials(number)} -" for number, id_ in mine]
        self.drive(reads, "read", column, samples)
        self.drive((f"POST /__admin/payment_sessions/{id_}/pay - -" for _, id_ in mine), "pay", column, samples)
        paid = list(self._payments("?state=sent"))
        refunds = [
            f'POST /v2/refunds {credentials(number)} {{"payment_session_id":"{id_}","amount":1}}'
            for number, id_ in paid
        ]
        self.drive(refunds, "refund", column, samples)

    def generate(self, payments: int) -> None:
        """Let the first merchants have so many payments."""
        for number in range(-(-payments // LARGEST_GENERATION)):
            some = min(LARGEST_GENERATION, payments - number * LARGEST_GENERATION)
            body = json.dumps({"payments": some, "days": 30})
            self._ask("POST", f"/__admin/merchants/pk_test_{number}/generate", body)

    def _payments(self, query: str = "") -> Iterator[tuple[int, str]]:
        """The newest payments of each merchant, one of each in turn."""
        of_each = [
            [
                (number, payment["id"])
                for payment in self._ask("GET", f"/v2/payment_sessions{query}", None, number)
                if not payment["refunds"]
            ]
            for number in range(MERCHANTS)
        ]
        for place in range(max(map(len, of_each))):
            yield from (payments[place] for payments in of_each if place < len(payments))

    def _ask(self, method: str, path: str, body: str | None = None, number: int = 0) -> list[dict[str, str]]:
        headers = {"Authorization": f"Basic {credentials(number)}", "Content-Type": "application/json"}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            sentence = f"{method} {path} was answered with {answer.status}: {text.decode()}"
            raise MeasurementFailedError(sentence)
        found: list[dict[str, str]] = json.loads(text)
        return found


def credentials(number: int) -> str:
    """The API key and secret of a merchant, for HTTP Basic."""
    return b64encode(f"pk_test_{number}:sk_test_{number}".encode()).decode()


def main() -> None:
    """Measure one configuration after the other, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--seconds", type=int, default=2, help="how long each kind of call is made in a round")
    parser.add_argument("--rounds", type=int, default=3, help="how many rounds the medians are taken of")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4], help="numbers of workers on PostgreSQL")
    parser.add_argument("--payments", type=int, default=0, help="payments that are there before")
    parser.add_argument("--pin", action="store_true", help="servers on two CPUs, wrk on the others")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        require_wrk()
        samples = measure(options, share_out_cpus() if options.pin else ())
    except MeasurementFailedError as failure:
        sys.exit(str(failure))
    print_table(samples)


def measure(options: argparse.Namespace, pinned: tuple[str, ...]) -> Samples:
    """Measure all stores in turn, round by round."""
    samples = Samples()
    with tempfile.TemporaryDirectory() as folder, postgres_server() as postgres:
        scratch = Path(folder)
        upgrade(postgres.url)
        for turn in range(options.rounds):
            log.info("round %d of %d", turn + 1, options.rounds)
            columns = {"memory": contender("memory", 1), "SQLite": contender(f"sqlite:///{scratch}/{turn}.db", 1)}
            for workers in options.workers:
                columns[f"PostgreSQL, {workers}"] = contender(postgres.url, workers)
            for column, server_ in columns.items():
                clear(postgres.url)
                with running(server_, pinned, scratch) as server:
                    crowd = Crowd(server.url, scratch, options.seconds)
                    crowd.generate(options.payments)
                    crowd.measure(column, samples)
    return samples


def contender(store: str, workers: int) -> Contender:
    """The simulator that keeps everything in a store."""
    plain = simulator("warning")
    return Contender(store, (*plain.command, "--store", store, "--workers", str(workers)), plain.folder)


def print_table(samples: Samples) -> None:
    """Print the medians, and what they are of memory's."""
    columns = list(next(iter(samples.numbers.values())))
    rows = [["", *columns], ["---", *["---:"] * len(columns)]]
    for figure in samples.numbers:
        cells = [figure]
        for column in columns:
            ratio = samples.ratio(figure, column, "memory")
            cells.append(f"{samples.median(figure, column) or 0:,.0f}" + (f" ({ratio:.0%})" if ratio else ""))
        rows.append(cells)
    sys.stdout.write("".join(f"| {' | '.join(row)} |\n" for row in rows))


if __name__ == "__main__":
    main()
