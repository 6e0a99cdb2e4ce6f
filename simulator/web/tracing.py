"""What every request gets, around all else: an id, two headers, and a line in the access log."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from flask import request

from simulator import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from simulator.domain.ports import Ids

    ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

REQUEST_ID = "simulator.request_id"
"""What a request's environment calls its id."""

_SIMULATOR = ("Simulator", f"banked-simulator/{__version__}")
_log = logging.getLogger("simulator.access")


class Tracing:
    """WSGI middleware that marks and logs what `app` answers."""

    def __init__(self, app: WSGIApplication, ids: Ids) -> None:
        self._app = app
        self._ids = ids

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as `app` does, with two headers more."""
        begun = perf_counter()
        request_id = environ[REQUEST_ID] = self._ids.new()

        def start(
            status: str, headers: list[tuple[str, str]], exc_info: ExceptionInfo | None = None, /
        ) -> Callable[[bytes], object]:
            if _log.isEnabledFor(logging.INFO):
                milliseconds = (perf_counter() - begun) * 1000
                method, path = environ["REQUEST_METHOD"], quote(environ["PATH_INFO"], encoding="latin-1")
                _log.info("%s %s %s %.1f ms %s", method, path, status[:3], milliseconds, request_id)
            return start_response(status, [*headers, _SIMULATOR, ("X-Request-Id", request_id)], exc_info)

        return self._app(environ, start)


def request_id() -> str:
    """The id of the request being answered, which its log lines and its answer carry."""
    return cast("str", request.environ[REQUEST_ID])
