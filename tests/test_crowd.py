"""Many callers of many merchants at once, on one running server: nothing is mixed up, nothing is lost."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from tests.actors import basic, payment_request
from tests.processes import running_simulator

if TYPE_CHECKING:
    from tests.actors import Json

THREADS = MERCHANTS = 8
ROUNDS = 22
"""Each round of a thread makes seven calls of every merchant: 9,856 in all, and some hundred before and after."""
PENCE = THREADS * ROUNDS - 26
"""What the payment is worth that all threads refund a penny of at a time: they ask for a little more than that."""


class Connection:
    """A connection to the server over which merchants call, one after the other."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, merchant: int, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        headers = {"Authorization": basic(f"pk_test_{merchant}", f"sk_test_{merchant}")}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        with self._connection.getresponse() as response:
            content = response.read()
            return response.status, json.loads(content) if content else None

    def pays(self, merchant: int, payment: Json) -> None:
        assert self.call(merchant, "POST", f"/__admin/payment_sessions/{payment['id']}/pay")[0] == 200

    def creates(self, merchant: int, reference: str, pence: int = 1) -> Json:
        request = payment_request(reference=reference, pence=pence)
        status, payment = self.call(merchant, "POST", "/v2/payment_sessions", request)
        assert status == 201
        return payment


def test_eight_threads_with_eight_merchants_get_what_is_theirs() -> None:
    with running_simulator() as address, Connection(address) as connection:
        shared = [connection.creates(merchant, "shared", PENCE) for merchant in range(MERCHANTS)]
        for merchant, payment in enumerate(shared):
            connection.pays(merchant, payment)
        with ThreadPoolExecutor(THREADS) as threads:
            work = [threads.submit(crowd, address, thread, shared) for thread in range(THREADS)]
            refunded = [sum(counts) for counts in zip(*(each.result() for each in work), strict=True)]
        assert refunded == [PENCE] * MERCHANTS
        for merchant, payment in enumerate(shared):
            _, seen = connection.call(merchant, "GET", f"/v2/payment_sessions/{payment['id']}")
            assert sum(refund["amount"] for refund in seen["refunds"]) == PENCE


def crowd(address: str, thread: int, shared: list[Json]) -> list[int]:
    """Call for all merchants in turn; return how many pence were refunded for each."""
    refunded = [0] * MERCHANTS
    with Connection(address) as connection:
        for round_ in range(ROUNDS):
            for merchant in range(MERCHANTS):
                reference = f"{merchant} {thread} {round_}"
                path = f"/v2/payment_sessions/{connection.creates(merchant, reference)['id']}"
                status, mine = connection.call(merchant, "GET", path)
                assert (status, mine["reference"], mine["state"]) == (200, reference, "awaiting_provider")
                assert connection.call((merchant + 1) % MERCHANTS, "GET", path)[0] == 404
                connection.pays(merchant, mine)
                _, mine = connection.call(merchant, "GET", path)
                assert (mine["reference"], mine["state"], mine["refunds"]) == (reference, "sent", [])
                request = {"payment_session_id": shared[merchant]["id"], "amount": 1}
                status, answer = connection.call(merchant, "POST", "/v2/refunds", request)
                assert status == 201 or answer["errors"][0]["code"] == "invalid_amount"
                refunded[merchant] += status == 201
                status, newest = connection.call(merchant, "GET", "/v2/payment_sessions?limit=3")
                assert status == 200
                assert {payment["reference"].partition(" ")[0] for payment in newest} <= {str(merchant), "shared"}
    return refunded
