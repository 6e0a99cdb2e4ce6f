"""The actors of the tests: each does what its verb says over HTTP, and checks that it worked."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulator.domain.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from simulator.domain.deliveries import Errand
    from simulator.domain.messages import Message

    Json = Any

PUBLIC_URL = "http://127.0.0.1:2265"
HOOKS = "http://shop.example/hooks"
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


class ManualClock:
    """Stands still, until it is told to advance."""

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> datetime:
        return self.instant

    def advance(self, **by: float) -> None:
        self.instant += timedelta(**by)


class NoAlarm:
    """Wakes nobody: in a test time passes when the test says so."""

    def watch(self) -> None:
        pass

    def set(self, merchant_key: str, due: datetime | None) -> None:
        pass

    def stop(self) -> None:
        pass


class AtOnce:
    """A courier who runs each errand while the others wait."""

    def start(self, carry: Callable[[Errand], None]) -> None:
        self._carry = carry

    def take(self, errand: Errand) -> None:
        self._carry(errand)

    def settle(self, merchant_key: str, seconds: float) -> bool:  # noqa: ARG002  nothing is ever under way
        return True

    def stop(self, seconds: float) -> int:  # noqa: ARG002  likewise
        return 0


class Receivers:
    """All receivers of webhooks: they keep what they are sent, and reply 200 until told otherwise."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.reply = Reply(status=200)
        self.hook: Callable[[], object] = lambda: None

    def send(self, message: Message, gate: AbstractContextManager[bool]) -> Reply | None:
        self.hook()
        with gate as is_open:
            if not is_open:
                return None
            self.messages.append(message)
        return self.reply

    @property
    def events(self) -> list[Json]:
        """What they were told of, the first first."""
        return [json.loads(message.body)["webhook_event"] for message in self.messages]


class Caller:
    """Somebody who calls the simulator over HTTP."""

    def __init__(self, client: FlaskClient, authorization: str = "") -> None:
        self.client = client
        self.headers = {"Authorization": authorization} if authorization else {}

    def call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> TestResponse:
        return self.client.open(path, method=method, headers={**self.headers, **(headers or {})}, **options)

    def ask(self, method: str, path: str, *, expect: int = 200, **options: Any) -> Json:
        response = self.call(method, path, **options)
        assert response.status_code == expect, response.text
        return response.json if response.data else None


class MerchantCaller(Caller):
    """A merchant's backend, with API key and secret."""

    def __init__(self, client: FlaskClient, key: str = "pk_test_simulator", secret: str = "sk_test_simulator") -> None:
        super().__init__(client, basic(key, secret))
        self.key = key

    def requests_payment(self, *, pence: int = 400, expect: int = 201, **fields: Any) -> Json:
        return self.ask("POST", "/v2/payment_sessions", json=payment_request(pence=pence, **fields), expect=expect)

    def reads_payment(self, id_: str, expect: int = 200) -> Json:
        return self.ask("GET", f"/v2/payment_sessions/{id_}", expect=expect)

    def refunds(self, payment: Json, *, pence: int = 400, expect: int = 201, **fields: Any) -> Json:
        body = {"payment_session_id": payment["id"], "amount": pence, **fields}
        return self.ask("POST", "/v2/refunds", json=body, expect=expect)

    def reads_refund(self, refund: Json) -> Json:
        return self.ask("GET", f"/v2/refunds/{refund_id(refund)}")

    def wants_webhook(self, *events: str, url: str = HOOKS, key: str = "secret", expect: int = 201) -> Json:
        body = {"target_url": url, "events": events or ["payment_sent"], "signature_key": key}
        return self.ask("POST", "/v2/webhooks", json=body, expect=expect)


class Tester(Caller):
    """Whoever controls the simulation; plays the payers and the banks too."""

    def pays(self, payment: Json, provider: str | None = None) -> Json:
        body = {"provider": provider} if provider else {}
        return self.ask("POST", f"/__admin/payment_sessions/{payment['id']}/pay", json=body)["payment_session"]

    def acts(self, id_: str, action: str, expect: int = 200, **body: Any) -> Json:
        return self.ask("POST", f"/__admin/payment_sessions/{id_}/actions/{action}", json=body, expect=expect)

    def provides_details(self, refund: Json, expect: int = 200, **account: str) -> Json:
        account = account or {"name": "Jane Doe", "account_number": "87654321", "sort_code": "040506"}
        path = f"/__admin/refunds/{refund_id(refund)}/actions/provide_details"
        return self.ask("POST", path, json=account, expect=expect)


def payment_request(*, pence: int = 400, **fields: Any) -> dict[str, Any]:
    """The smallest request that asks for `pence`; `fields` are added or replace what is there."""
    return {
        "reference": "Illuminate",
        "line_items": [{"name": "Candles", "amount": pence, "currency": "GBP", "quantity": 1}],
        "payee": {"name": "Gerald Wiley", "account_number": "12345678", "sort_code": "010203"},
        **fields,
    }


def basic(key: str, secret: str) -> str:
    """The Authorization header of HTTP Basic."""
    return "Basic " + b64encode(f"{key}:{secret}".encode()).decode()


def refund_id(refund: Json) -> str:
    """The id of a refund, which only its `url` tells."""
    id_: str = refund["url"].rpartition("/")[2]
    return id_


def parameters(answer: Json) -> dict[str, str]:
    """The codes of an error envelope by the field at fault."""
    return {error["source"].get("parameter", ""): error["code"] for error in answer["errors"]}
