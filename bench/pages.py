"""Measures how long the payer's pages take, over one connection: `python bench/pages.py`; prints milliseconds."""

import http.client
import json
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlsplit

from servers import PATIENCE, running, share_out_cpus, simulator
from wrk import AUTHORISATION, MeasurementFailedError

VISITS = 500


def main() -> None:
    """Walk one payment and its refund through their pages, looking at each many times."""
    try:
        with (
            tempfile.TemporaryDirectory() as scratch,
            running(simulator("warning"), share_out_cpus(), Path(scratch)) as server,
        ):
            measure(Caller(server.url), server.payment_id)
    except MeasurementFailedError as failure:
        sys.exit(str(failure))


class Caller:
    """One connection, and what is done over it."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)

    def call(self, method: str, path: str, body: object = None) -> bytes:
        """Send JSON, and return the answer to it."""
        headers = {"Authorization": AUTHORISATION, "Content-Type": "application/json"}
        self._connection.request(method, path, json.dumps(body or {}), headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise MeasurementFailedError(f"{method} {path} was answered with {answer.status}: {content.decode()}")
        return content

    def visit(self, path: str) -> float:
        """Look at a page, and return the milliseconds it took."""
        started = perf_counter()
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        answer.read()
        taken = (perf_counter() - started) * 1000
        if answer.status != http.HTTPStatus.OK:
            raise MeasurementFailedError(f"{path} was answered with {answer.status}")
        return taken


def measure(caller: Caller, payment_id: str) -> None:
    """Print a table of the pages."""
    payment, checkout = f"/__admin/payment_sessions/{payment_id}", f"/checkout/{payment_id}"
    print("| page | first, ms | median, ms | p99, ms |\n| --- | --- | --- | --- |")
    show(caller, "the banks", checkout)
    caller.call("POST", f"{payment}/actions/choose_provider")
    show(caller, "on to the bank", f"{checkout}/continue")
    show(caller, "login at the bank", f"/bank/{payment_id}")
    caller.call("POST", f"{payment}/pay")
    show(caller, "already paid", checkout)
    refund = caller.call("POST", "/v2/refunds", {"payment_session_id": payment_id, "amount": 1})
    show(caller, "details for a refund", urlsplit(json.loads(refund)["url"]).path)


def show(caller: Caller, name: str, path: str) -> None:
    """Look at a page many times, and print the row of the table."""
    first, *others = (caller.visit(path) for _ in range(VISITS))
    print(f"| {name} | {first:.1f} | {median(others):.1f} | {quantiles(others, n=100)[-1]:.1f} |")


if __name__ == "__main__":
    main()
