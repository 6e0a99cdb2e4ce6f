"""The bridge: which calls are answered in the event loop, and which in threads."""

from __future__ import annotations

import asyncio
from threading import Event, current_thread, main_thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from simulator.bridge import Bridge

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE = 5


class App:
    """Tells where each call is answered; the one to /long takes until it may end."""

    def __init__(self) -> None:
        self.begun, self.may_end = Event(), Event()
        self.in_loop: dict[str, bool] = {}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.in_loop[path] = current_thread() is main_thread()
        if path.endswith("/long"):
            self.begun.set()
            assert self.may_end.wait(PATIENCE)
        start_response("200 OK", [])
        return [b"done"]


async def asks(bridge: Bridge, method: str, path: str) -> None:
    scope = SimpleNamespace(
        method=method,
        path=path,
        query_string="",
        scheme="http",
        http_version="1.1",
        authority="127.0.0.1",
        headers={},
        server="127.0.0.1:2265",
        client="127.0.0.1:50000",
    )
    await bridge.__rsgi__(scope, SimpleNamespace(response_bytes=lambda *_: None))  # type: ignore[arg-type]  # a fake


async def _around(bridge: Bridge, app: App, method: str) -> None:
    """Ask for something brief while something long is done, and after that."""
    long = asyncio.create_task(asks(bridge, method, "/__admin/long"))
    await asyncio.to_thread(app.begun.wait, PATIENCE)
    await asks(bridge, "GET", "/v2/meanwhile")
    app.may_end.set()
    await long
    await asks(bridge, "GET", "/v2/afterwards")


def around(method: str) -> dict[str, bool]:
    """Which calls were answered in the event loop."""
    app = App()
    bridge = Bridge(app, ("/v2/",), lambda _: 1024, lambda: None)  # type: ignore[arg-type]  # a WSGI app all the same
    asyncio.run(_around(bridge, app, method))
    bridge.__rsgi_del__(None)
    return app.in_loop


def test_what_is_brief_is_answered_in_the_loop_unless_something_is_being_changed() -> None:
    assert around("POST") == {"/__admin/long": False, "/v2/meanwhile": False, "/v2/afterwards": True}


def test_who_only_waits_or_reads_holds_up_nobody() -> None:
    assert around("GET") == {"/__admin/long": False, "/v2/meanwhile": True, "/v2/afterwards": True}
