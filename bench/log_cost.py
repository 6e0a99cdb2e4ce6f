"""Measures what the event log costs a call, in process: `python bench/log_cost.py`.

The same app answers the same calls with and without the journal and the log, in turn; prints microseconds a call.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from statistics import median

from flask import Flask
from wrk import AUTHORISATION, HERE

from simulator.bootstrap import build_app
from simulator.config import Settings
from simulator.service.work import Work
from simulator.serving import tune_garbage_collection
from simulator.web import journal

ROUNDS = 15
CALLS = 2_000
PAYMENT = (HERE / "payment.json").read_bytes()


def main() -> None:
    """Measure both kinds of call and print the ratio."""
    with_log, without_log = _app(logged=True), _app(logged=False)
    tune_garbage_collection()
    created = _call(with_log, "POST", "/v2/payment_sessions", PAYMENT)
    start = created.index(b'"id":"') + len(b'"id":"')
    path = "/v2/payment_sessions/" + created[start : start + 36].decode()
    for name, method, where, body in (
        ("create", "POST", "/v2/payment_sessions", PAYMENT),
        ("read", "GET", path, b""),
    ):
        logged, unlogged = [], []
        for _ in range(ROUNDS):
            logged.append(_microseconds(with_log, method, where, body))
            with _unlogged():
                unlogged.append(_microseconds(without_log, method, where, body))
        ratios = [one / other for one, other in zip(logged, unlogged, strict=True)]
        print(f"{name}: {median(logged):.0f} µs logged, {median(unlogged):.0f} not, {median(ratios):.2f} times")


@contextmanager
def _unlogged() -> Iterator[None]:
    """Write nothing in the event log."""
    tell = Work.tell
    Work.tell = lambda *_, **__: 0  # type: ignore[assignment, method-assign, return-value]
    try:
        yield
    finally:
        Work.tell = tell  # type: ignore[method-assign]


def _app(*, logged: bool) -> Flask:
    app, _ = build_app(Settings())
    if not logged:
        app.before_request_funcs["api"].remove(journal.begin)
        app.after_request_funcs[None].remove(journal.finish)
    return app


def _call(app: Flask, method: str, path: str, body: bytes) -> bytes:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "simulator.body": body,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": AUTHORISATION,
    }
    return b"".join(app(environ, lambda *_: None))


def _microseconds(app: Flask, method: str, path: str, body: bytes) -> float:
    begun = time.perf_counter()
    for _ in range(CALLS):
        _call(app, method, path, body)
    return (time.perf_counter() - begun) / CALLS * 1e6


if __name__ == "__main__":
    main()
