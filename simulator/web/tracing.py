"""What every request gets: an id, two headers, and one line in the access log."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

from flask import g, request

from simulator import __version__

if TYPE_CHECKING:
    from flask import Flask, Response

_log = logging.getLogger("simulator.access")


def register(app: Flask) -> None:
    """Watch every request of `app`."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.begun = perf_counter()
    g.request_id = str(uuid4())


def _end(response: Response) -> Response:
    response.headers["Simulator"] = f"banked-simulator/{__version__}"
    response.headers["X-Request-Id"] = g.request_id
    milliseconds = (perf_counter() - g.begun) * 1000
    _log.info(
        "%s %s %d %.1f ms %s", request.method, quote(request.path), response.status_code, milliseconds, g.request_id
    )
    return response
