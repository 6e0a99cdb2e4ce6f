"""A running simulator's merchant, and a receiver of webhooks that is a program of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from tests.actors import payment_request
from tests.hooks import KEY
from tests.mail import free_port

if TYPE_CHECKING:
    from tests.actors import Json

PATIENCE = 10
WORLD = "/__admin/merchants/pk_test_simulator"
PROGRESS = ("payment_initiated", "payment_pending", "payment_sent")
HOOKS = Path(__file__).parent / "hooks.py"


class Receiver:
    """The program at a port, and what it wrote down."""

    def __init__(self, file: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._file = file
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([sys.executable, HOOKS, str(self.port), self._file])
        end = time.monotonic() + PATIENCE
        while True:
            try:
                requests.get(self.url, timeout=PATIENCE)
            except requests.ConnectionError:
                assert time.monotonic() < end
                time.sleep(0.01)
            else:
                return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def lines(self) -> list[list[str]]:
        """Event, payment and delivery of each message that verified, the first first."""
        return [line.split() for line in self._file.read_text().splitlines()] if self._file.exists() else []


class World:
    """A merchant and its tester at a running simulator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.auth = ("pk_test_simulator", "sk_test_simulator")

    def ask(self, method: str, path: str, **body: Any) -> Json:
        answer = self._session.request(method, self.url + path, json=body or None, timeout=60)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def wants_webhook(self, url: str, *events: str) -> Json:
        return self.ask("POST", "/v2/webhooks", target_url=url, events=events or PROGRESS, signature_key=KEY)

    def pays(self, scenario: str = "approve") -> str:
        id_: str = self.ask("POST", "/v2/payment_sessions", **payment_request())["id"]
        self.ask("POST", f"/__admin/payment_sessions/{id_}/pay", scenario=scenario)
        return id_

    def waits(self, **query: str) -> Json:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return self.ask("GET", f"{WORLD}/wait?timeout={PATIENCE}&{words}")["event"]["data"]

    def deliveries(self, **query: str) -> list[Json]:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        found: list[Json] = self.ask("GET", f"{WORLD}/deliveries?{words}")["deliveries"]
        return found
