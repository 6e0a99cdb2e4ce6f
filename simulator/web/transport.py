"""What a fault does to an answer on its way: hold it back, cut it off, drop its connection."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TRANSPORT = "simulator.transport"
"""Where the environment of a call has the `Transport` of its answer, if it is a special one."""

IN_GOOD_HANDS = "simulator.transport.done_by_server"
"""Whether the server itself does what `TRANSPORT` says, as it can without holding a thread."""


@dataclass(frozen=True, slots=True)
class Transport:
    """How an answer is sent: after `delay` seconds, with a `drop` not at all, else the first `keep` bytes of it.

    What is `outdated` once the delay is over is not sent either.
    """

    delay: float = 0.0
    drop: bool = False
    keep: int | None = None
    outdated: Callable[[], bool] = field(default=lambda: False, compare=False)


class Transporting:
    """WSGI middleware that does what the `Transport` of an answer says, as far as WSGI can, for any server.

    Raises ConnectionResetError for a connection to be dropped.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as `app` does, sooner or later."""
        chunks = self._app(environ, start_response)
        transport: Transport | None = environ.get(TRANSPORT)
        if transport is None or IN_GOOD_HANDS in environ:
            return chunks
        try:
            time.sleep(transport.delay)
            if transport.drop or transport.outdated():
                raise ConnectionResetError("A fault drops the connection.")
            return [b"".join(chunks)[: transport.keep]]
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
