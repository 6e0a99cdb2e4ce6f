"""Writes every call of a merchant in the event log, so that what it changes can say why."""

from __future__ import annotations

import re
from difflib import get_close_matches
from time import perf_counter
from typing import TYPE_CHECKING

from flask import current_app, g, request
from werkzeug.exceptions import HTTPException

from simulator.domain.errors import Refusal
from simulator.service.journal import JournalService
from simulator.web.auth import authenticate
from simulator.web.context import calling_merchant, cause, caused_by, simulation
from simulator.web.tracing import request_id

if TYPE_CHECKING:
    from flask import Response

_LONGEST_BODY = 4096
_SECRET = re.compile(r'("(?:\w*secret|\w*token|signature(?:_key)?)"\s*:\s*)"[^"]*"')
_HINTS = (b"secret", b"token", b"signature")
_API = "/v2"


def begin() -> None:
    """Write down that a call came in, once it is known whose."""
    g.begun = perf_counter()
    caused_by(_service().begin(method=request.method, path=request.path, request_id=request_id()))


def finish(response: Response) -> Response:
    """Write down what the call was answered; one to a path that does not exist is written down whole."""
    if request.url_rule is None and request.path.startswith(_API):
        _begin_unmatched()
    call = cause()
    if call is not None:
        _service().finish(
            call,
            g.get("subject") or (request.view_args or {}).get("id_"),
            query=request.query_string.decode("latin-1"),
            status=response.status_code,
            ms=round((perf_counter() - g.begun) * 1000, 1),
            request=_printed(_body()),
            answer=_printed(response.get_data()),
        )
    return response


def _begin_unmatched() -> None:
    try:
        authenticate()
    except Refusal:
        return
    g.begun = perf_counter()
    paths = {rule.rule for rule in current_app.url_map.iter_rules() if rule.rule.startswith(_API)}
    nearest = get_close_matches(request.path, sorted(paths), 1, 0.0)[0]
    call = _service().begin(
        method=request.method, path=request.path, request_id=request_id(), unmatched=True, nearest=nearest
    )
    caused_by(call)


def _service() -> JournalService:
    return JournalService(simulation(), calling_merchant().key)


def _body() -> bytes:
    """What was sent, as far as it was read."""
    try:
        return request.get_data()
    except (HTTPException, OSError):
        return b""


def _printed(body: bytes) -> str:
    """A body as the log shows it: its beginning, and no secrets."""
    text = body[:_LONGEST_BODY].decode(errors="replace")
    if any(hint in body for hint in _HINTS):
        text = _SECRET.sub(r'\1"…"', text)
    return text if len(body) <= _LONGEST_BODY else f"{text}…"
