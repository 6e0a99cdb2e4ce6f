"""The access log: one line for each request, nothing secret in it."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

from tests.actors import basic, payment_request

if TYPE_CHECKING:
    from flask import Flask

    from tests.actors import MerchantCaller

LOGGER = "simulator.access"
LINE = re.compile(r"(?P<method>\S+) (?P<path>/\S*) (?P<status>\d{3}) \d+\.\d ms (?P<id>[0-9a-f-]{36})")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, LOGGER)
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.name == LOGGER]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/payment_sessions", 200),
        ("POST", "/v2/payment_sessions", 415),
        ("DELETE", "/v2/payment_sessions/x", 404),
        ("PUT", "/v2/refunds", 405),
        ("GET", "/nothing", 404),
        ("GET", "/livez", 200),
        ("POST", "/oauth/token", 400),
    ],
)
def test_a_request_has_one_line_with_its_method_path_status_time_and_id(
    merchant: MerchantCaller, log: pytest.LogCaptureFixture, method: str, path: str, status: int
) -> None:
    response = merchant.call(method, path)
    [line] = lines(log)
    found = LINE.fullmatch(line)
    assert found is not None, line
    assert found.groupdict() == {
        "method": method,
        "path": path,
        "status": str(status),
        "id": response.headers["X-Request-Id"],
    }


def test_every_request_has_an_id_of_its_own(merchant: MerchantCaller, log: pytest.LogCaptureFixture) -> None:
    ids = {merchant.call("GET", "/livez").headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3
    assert ids == {line.rpartition(" ")[2] for line in lines(log)}


@pytest.mark.parametrize(
    "path", ["/a%0Ab", "/a%0D%0AGET%20/x", "/%1b[31m", "/a b", "/ä", "/%00", "/\u2028", "/%E2%80%AE"]
)
def test_a_path_cannot_make_up_lines(merchant: MerchantCaller, log: pytest.LogCaptureFixture, path: str) -> None:
    merchant.call("GET", path)
    [line] = lines(log)
    assert LINE.fullmatch(line)
    assert line.isascii()
    assert line.isprintable()


def test_nothing_secret_is_logged(merchant: MerchantCaller, log: pytest.LogCaptureFixture) -> None:
    asked = {"grant_type": "client_credentials", "client_id": "pk_test_simulator", "client_secret": "sk_test_simulator"}
    token = merchant.ask("POST", "/oauth/token", query_string=asked)["access_token"]
    merchant.call("GET", "/v2/providers", headers={"Authorization": f"Bearer {token}"})
    merchant.call("GET", "/v2/providers", headers={"Authorization": basic("pk_live_leak", "sk_live_leak")})
    merchant.requests_payment(payer={"name": "Jane Doe", "email": "jane@doe.com"})
    assert len(lines(log)) == 4
    for secret in ("sk_test_simulator", token, "live_leak", "jane", "Jane", merchant.headers["Authorization"]):
        assert secret not in log.text


def test_a_quiet_log_has_no_lines(merchant: MerchantCaller, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, LOGGER)
    assert merchant.call("GET", "/livez").headers["X-Request-Id"]
    assert lines(caplog) == []


def test_the_line_of_a_failed_request_has_the_id_of_its_stack_trace(
    app: Flask, merchant: MerchantCaller, log: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError

    app.view_functions["api.payment_sessions.create"] = fail
    id_ = merchant.call("POST", "/v2/payment_sessions", json=payment_request()).headers["X-Request-Id"]
    [line] = lines(log)
    assert " 500 " in line
    assert line.endswith(id_)
    assert [id_ in record.getMessage() for record in log.records] == [True, True]
