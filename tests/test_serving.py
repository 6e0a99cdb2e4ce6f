"""The real command in a child process, over real sockets: starts, serves, stops, refuses."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import pytest
import requests

from simulator.config import ENVIRONMENT_PREFIX
from simulator.web.json import BODY_LIMIT
from tests.actors import basic, payment_request, refund_id
from tests.processes import COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from tests.actors import Json

PATIENCE = 5
"""Seconds after which something does not happen any more."""
JSON = {"Content-Type": "application/json"}
UNSET = {name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}

linux = pytest.mark.skipif(sys.platform != "linux", reason="finds the worker process in /proc")


@dataclass(frozen=True)
class Server:
    """A running simulator."""

    process: subprocess.Popen[str]
    ready: str
    stderr: IO[str]

    @property
    def address(self) -> str:
        return self.ready.split()[1]

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()] if children.exists() else []

    def log(self) -> str:
        """What it wrote on standard error so far."""
        self.stderr.seek(0)
        return self.stderr.read()


@contextmanager
def serving(*arguments: str, **settings: str) -> Iterator[Server]:
    """Serve on a free port with these arguments and environment variables; kill all of it in the end."""
    command = [*COMMAND, "serve", "--port", "0", *arguments]
    with (
        TemporaryFile("a+") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=UNSET | settings) as process,
    ):
        assert process.stdout is not None
        server = Server(process, process.stdout.readline(), stderr)
        try:
            yield server
        finally:
            for pid in server.workers():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.kill()


@contextmanager
def calling(server: Server, key: str, secret: str = "") -> Iterator[Callable[..., requests.Response]]:
    """Call as a merchant, over one connection; the secret of `pk_test_NAME` goes without saying."""
    with requests.Session() as session:
        session.trust_env = False
        session.auth = (key, secret or key.replace("pk", "sk", 1))

        def call(method: str, path: str, **options: Any) -> requests.Response:
            return session.request(method, server.address + path, timeout=PATIENCE, **options)

        yield call


def refusal(*arguments: str, **settings: str) -> str:
    """What the command says, in its last line, when it refuses to serve."""
    done = subprocess.run(
        [*COMMAND, "serve", *arguments],
        capture_output=True,
        text=True,
        env=UNSET | settings,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    *_, last = done.stderr.splitlines()
    assert last.startswith("Error: ")
    return last


def is_gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def soon(pids: list[int]) -> bool:
    """Whether these processes are gone in the end."""
    deadline = time.monotonic() + PATIENCE
    while not all(map(is_gone, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def first_half_of_a_request(server: Server) -> socket.socket:
    """A connection on which no more will come."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    head = (
        "POST /v2/payment_sessions HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: {basic('pk_test_stalled', 'sk_test_stalled')}",
        "Content-Type: application/json",
        "Content-Length: 1000",
    )
    connection.sendall("\r\n".join((*head, "", '{"reference":')).encode())
    return connection


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def test_the_first_line_tells_where_it_is_ready(server: Server) -> None:
    assert re.fullmatch(r"ready http://127\.0\.0\.1:[1-9]\d*\n", server.ready)
    with calling(server, "pk_test_ready") as call:
        assert call("GET", "/readyz").json() == {"status": "ok"}


def test_the_refund_guide_can_be_followed(server: Server) -> None:
    with calling(server, "pk_test_guide") as call:

        def asks(method: str, path: str, body: Json = None, expect: int = 200) -> Json:
            response = call(method, path, json=body)
            assert response.status_code == expect, response.text
            return response.json()

        def refunds_of_payment() -> Json:
            return asks("GET", f"/v2/payment_sessions/{payment['id']}")["refunds"]

        payment = asks("POST", "/v2/payment_sessions", payment_request(pence=400), expect=201)
        asks("POST", f"/__admin/payment_sessions/{payment['id']}/pay")
        request = {
            "success_url": "http://example.com/success?id=__PAYMENT_ID__",
            "error_url": "http://example.com/error",
            "amount": 400,
            "reference": "refund Candles",
            "payment_session_id": payment["id"],
        }
        refund = asks("POST", "/v2/refunds", request, expect=201)
        assert (refund["state"], refund["refund_payment_session_id"]) == ("awaiting_details", None)
        customer = {"account_number": "87654321", "name": "Jane Doe", "sort_code": "040506"}
        asks("POST", f"/__admin/refunds/{refund_id(refund)}/actions/provide_details", customer)
        [entry] = refunds_of_payment()
        assert entry["state"] == "awaiting_payment"
        id_ = entry["refund_payment_session_id"]
        session = asks("GET", f"/v2/payment_sessions/{id_}")
        assert (session["state"], session["amount"], session["payee"]) == ("awaiting_provider", 400, customer)
        assert session["reference"] == "refund Candles"
        assert session["url"] == f"{server.address}/checkout/{id_}"
        asks("POST", f"/__admin/payment_sessions/{id_}/actions/choose_provider", {"provider": "Mock Bank"})
        asks("POST", f"/__admin/payment_sessions/{id_}/actions/settle")
        session = asks("GET", f"/v2/payment_sessions/{id_}")
        assert session["state"] == "sent"
        assert session["sent_at"] is not None
        [entry] = refunds_of_payment()
        assert entry["state"] == "sent"


def test_a_connection_serves_many_requests(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/livez")
        with connection.getresponse() as response:
            assert response.read() == b'{"status":"ok"}'
        assert connection.sock is first
    connection.close()


def test_a_body_may_come_in_chunks(server: Server) -> None:
    body = json.dumps(payment_request()).encode()
    with calling(server, "pk_test_chunks") as call:
        response = call("POST", "/v2/payment_sessions", data=iter([body[:40], body[40:]]), headers=JSON)
    assert response.request.headers["Transfer-Encoding"] == "chunked"
    assert response.status_code == 201, response.text


@pytest.mark.parametrize("chunked", [True, False], ids=["in chunks", "at once"])
def test_a_body_that_is_too_long_is_refused(server: Server, *, chunked: bool) -> None:
    body = b" " * (BODY_LIMIT + 1)
    with calling(server, "pk_test_long") as call:
        response = call("POST", "/v2/payment_sessions", data=iter([body]) if chunked else body, headers=JSON)
    assert response.status_code == 413
    assert response.json()["errors"][0]["code"] == "decoding"


def test_who_stalls_in_the_middle_of_a_body_stops_nobody_else(server: Server) -> None:
    with ExitStack() as stalled, calling(server, "pk_test_brisk") as call:
        for _ in range(50):
            stalled.enter_context(first_half_of_a_request(server))
        for _ in range(20):
            assert call("GET", "/v2/payment_sessions").status_code == 200


def test_a_header_that_is_not_ascii_is_not_overlooked(server: Server) -> None:
    with calling(server, "pk_test_header") as call:
        response = call("DELETE", "/v2/payment_sessions/none", headers={"Idempotency-Key": "é"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["source"] == {"parameter": "Idempotency-Key"}


def test_headers_of_one_name_are_read_as_one(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.putrequest("GET", "/v2/payment_sessions")
    for credentials in ("Basic", "twice"):
        connection.putheader("Authorization", credentials)
    connection.endheaders()
    with connection.getresponse() as response:
        assert response.status == 401
    connection.close()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@linux
def test_a_signal_stops_all_of_it(ending: signal.Signals, *, busy: bool) -> None:
    with serving() as server:
        workers = server.workers()
        assert workers
        connection = first_half_of_a_request(server) if busy else socket.create_connection(("127.0.0.1", server.port))
        with connection:
            server.process.send_signal(ending)
            assert server.process.wait(PATIENCE) == 0
        assert soon(workers)
        assert server.log() == ""
        with serving("--port", str(server.port)) as next_one:
            assert next_one.port == server.port


@linux
def test_the_worker_ends_with_its_parent_however_that_ends() -> None:
    with serving() as server:
        workers = server.workers()
        server.process.kill()
        server.process.wait(PATIENCE)
        assert workers
        assert soon(workers)


def test_an_access_log_goes_to_standard_error() -> None:
    with serving() as server, calling(server, "pk_test_log") as call:
        call("GET", "/v2/payment_sessions?limit=1")
        assert re.search(r" INFO GET /v2/payment_sessions 200 \d+\.\d ms [0-9a-f-]{36}\n", server.log())


def test_log_level_warning_silences_the_access_log() -> None:
    with serving("--log-level", "warning") as server, calling(server, "pk_test_log") as call:
        call("GET", "/v2/payment_sessions")
        assert server.log() == ""


@pytest.mark.parametrize("by_flag", [True, False], ids=["flag", "environment"])
def test_links_start_with_the_public_url(*, by_flag: bool) -> None:
    url = "https://pay.example/banked"
    started = serving("--public-url", url) if by_flag else serving(BANKED_SIMULATOR_PUBLIC_URL=url)
    with started as server, calling(server, "pk_test_links") as call:
        payment = call("POST", "/v2/payment_sessions", json=payment_request()).json()
    assert server.address.startswith("http://127.0.0.1:")
    assert payment["url"] == f"{url}/checkout/{payment['id']}"


def test_a_merchant_can_be_given_and_be_the_only_one() -> None:
    with serving("--merchant", "shop:of:colons", "--strict-keys") as server:
        statuses = []
        for key, secret in (("shop", "of:colons"), ("shop", "of"), ("pk_test_other", "sk_test_other")):
            with calling(server, key, secret) as call:
                statuses.append(call("GET", "/v2/bank_accounts").status_code)
    assert statuses == [200, 401, 401]


def test_a_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refusal("--port", str(port))
    assert sentence == f"Error: Port {port} is taken on 127.0.0.1: choose another, or 0 for any."


def test_a_port_taken_by_another_simulator_is_refused(server: Server) -> None:
    sentence = refusal("--port", str(server.port))
    assert sentence == f"Error: Port {server.port} is taken on 127.0.0.1: choose another, or 0 for any."


def test_an_address_of_another_machine_is_refused() -> None:
    sentence = refusal("--host", "192.0.2.1", "--port", "0")
    assert sentence.startswith("Error: The server cannot listen on 192.0.2.1: ")


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--port", "70000"),
        ("--port", "abc"),
        ("--public-url", "ftp://x"),
        ("--log-level", "loud"),
        ("--fixtures", "missing.json"),
        ("--fixtures", "broken.json"),
    ],
)
@pytest.mark.parametrize("by_flag", [True, False], ids=["flag", "environment"])
def test_a_bad_setting_is_refused_and_named(tmp_path: Path, flag: str, value: str, *, by_flag: bool) -> None:
    (tmp_path / "broken.json").write_text('{"merchants": [{"key": "shop"}]}')
    if flag == "--fixtures":
        value = str(tmp_path / value)
    twin = ENVIRONMENT_PREFIX + flag.removeprefix("--").replace("-", "_").upper()
    sentence = refusal(flag, value) if by_flag else refusal(**{twin: value})
    assert value in sentence
    assert flag in sentence


def test_a_live_key_is_refused_and_not_repeated() -> None:
    sentence = refusal("--merchant", "pk_live_shop:sk_live_hush")
    assert "--merchant" in sentence
    assert "live key" in sentence
    assert "hush" not in sentence


def test_a_bad_merchant_is_refused_without_being_repeated() -> None:
    sentence = refusal("--merchant", "nocolon")
    assert "--merchant" in sentence
    assert "KEY:SECRET" in sentence
    assert "nocolon" not in sentence


def test_a_misspelt_setting_is_refused_and_the_right_ones_are_told() -> None:
    sentence = refusal(BANKED_SIMULATOR_PROT="1")
    assert "There is no setting BANKED_SIMULATOR_PROT" in sentence
    assert "BANKED_SIMULATOR_PORT" in sentence


def test_strict_keys_that_leave_nobody_in_are_refused() -> None:
    assert "--merchant" in refusal("--strict-keys")
    assert "--merchant" in refusal(BANKED_SIMULATOR_STRICT_KEYS="yes")


def test_workers_that_would_share_nothing_are_refused() -> None:
    assert "give --store as well" in refusal("--workers", "2")
