"""Faults over real sockets: what only a server can do to a connection."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.actors import payment_request
from tests.processes import running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.actors import Json

PATIENCE = 5
SESSIONS = "/v2/payment_sessions"
KEY = {"Idempotency-Key": "key 1"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_simulator() as address:
        yield address


class Merchant:
    """A merchant's backend, with one connection of its own, and the faults it suffers from."""

    def __init__(self, address: str, name: str) -> None:
        self.address = address
        self.key = f"pk_test_{name}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = (self.key, f"sk_test_{name}")

    def calls(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.address + path, timeout=PATIENCE, **options)

    def creates(self, **options: Any) -> requests.Response:
        return self.calls("POST", SESSIONS, json=payment_request(), **options)

    def payments(self) -> Json:
        return self.calls("GET", SESSIONS).json()

    def suffers(self, **fault: Any) -> None:
        path = f"/__admin/merchants/{self.key}/faults"
        assert self.calls("POST", path, json=fault).status_code == 201


@pytest.fixture
def merchant(address: str, request: pytest.FixtureRequest) -> Iterator[Merchant]:
    name = request.node.name.removeprefix("test_")[:64]
    merchant = Merchant(address, name)
    with merchant.session:
        yield merchant


def test_a_dropped_connection_answers_nothing_and_does_nothing(merchant: Merchant) -> None:
    merchant.suffers(effect={"drop": True}, times=1)
    with pytest.raises(requests.ConnectionError):
        merchant.creates()
    assert merchant.payments() == []


def test_the_connection_that_is_dropped_is_the_callers_alone(address: str, merchant: Merchant) -> None:
    bystander = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    bystander.connect()
    kept = bystander.sock
    merchant.suffers(effect={"drop": True}, times=1)
    with pytest.raises(requests.ConnectionError):
        merchant.payments()
    bystander.request("GET", "/livez")
    with bystander.getresponse() as answer:
        assert answer.status == 200
    assert bystander.sock is kept
    bystander.close()


def test_a_lost_response_is_repeated_and_only_one_payment_exists(merchant: Merchant) -> None:
    merchant.suffers(preset="lost_response")
    with pytest.raises(requests.ConnectionError):
        merchant.creates(headers=KEY)
    [payment] = merchant.payments()
    repeated = merchant.creates(headers=KEY)
    assert (repeated.status_code, repeated.json()["id"]) == (201, payment["id"])
    assert len(merchant.payments()) == 1


def test_a_truncated_answer_ends_in_the_middle(address: str, merchant: Merchant) -> None:
    merchant.suffers(effect={"truncate": True}, times=1)
    connection = HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    whole = merchant.session.prepare_request(requests.Request("GET", address + "/v2/providers"))
    connection.request("GET", "/v2/providers", headers=dict(whole.headers))
    answer = connection.getresponse()
    with pytest.raises(IncompleteRead) as broken:
        answer.read()
    sound = merchant.calls("GET", "/v2/providers").content
    assert broken.value.partial == sound[: len(sound) // 2]
    connection.close()


def test_a_delay_holds_up_nobody_else(address: str, merchant: Merchant) -> None:
    merchant.suffers(effect={"latency": 0.6})
    other = Merchant(address, "brisk")
    with ThreadPoolExecutor(1) as slow, other.session:
        begun = time.monotonic()
        held_back = slow.submit(merchant.creates)
        answers = 0
        while not held_back.done():
            assert other.payments() == []
            answers += 1
        assert held_back.result().status_code == 201
        assert 0.6 <= time.monotonic() - begun < PATIENCE
    assert answers > 10


def test_a_caller_who_does_not_wait_for_a_slow_answer_harms_nobody(address: str, merchant: Merchant) -> None:
    merchant.suffers(effect={"latency": 0.3}, times=3)
    for effect in ({"latency": 0.3, "drop": True}, {"latency": 0.3, "truncate": True}):
        merchant.suffers(effect=effect, times=1)
    for _ in range(5):
        with pytest.raises(requests.Timeout):
            requests.get(address + SESSIONS, auth=merchant.session.auth, timeout=0.05)
    time.sleep(0.4)
    assert merchant.payments() == []
