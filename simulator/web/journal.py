"""Writes every call of a merchant in the event log, so that what it changes can say why."""

from __future__ import annotations

import re
from difflib import get_close_matches
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from flask import current_app, request
from werkzeug.exceptions import HTTPException

from simulator.domain.errors import Refusal
from simulator.domain.events import Cause
from simulator.service.journal import JournalService
from simulator.web.auth import authenticate, claimed
from simulator.web.context import call, calling_merchant
from simulator.web.json import read_body
from simulator.web.tracing import REQUEST_ID

if TYPE_CHECKING:
    from flask import Response

_LONGEST_BODY = 4096
_JSON_SECRET = re.compile(
    r'(?i)("\w{0,64}(?:secret|token|signature|api_key)\w{0,64}"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|$)', re.DOTALL
)
_SECRET_NAME = re.compile(r"(?i)secret|token|signature|api_key")
_FORM_PART = re.compile(r"(?:^|(?<=[&?]))([^&=\s]{0,512})=([^&\s]*)")
_API = "/v2"


def begin() -> None:
    """Remember the call that came in, once it is known whose, for the log of what it changes."""
    environ, this = request.environ, call()
    told = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "request_id": environ[REQUEST_ID]}
    this.begun, this.cause = perf_counter(), Cause(calling_merchant().generation, None, told)


def finish(response: Response) -> Response:
    """Write down what the call was answered, also when its path does not exist, or its credentials are no good."""
    environ, this = request.environ, call()
    if this.cause is None and request.url_rule is None:
        _begin_unmatched(environ["PATH_INFO"], exists=response.status_code == 405)
    elif this.cause is None and environ["PATH_INFO"].startswith(_API) and response.status_code in (401, 403):
        _begin_refused()
    if this.cause is not None:
        JournalService(this.simulation, calling_merchant().key).finish(
            this.cause,
            this.subject or (request.view_args or {}).get("id_"),
            query=_without_secrets(query) if (query := environ.get("QUERY_STRING", "")) else "",
            status=response.status_code,
            ms=round((perf_counter() - this.begun) * 1000, 1),
            request=_printed(body) if (body := _body()) else "",
            answer=_printed(b"".join(response.iter_encoded())),
        )
    return response


def _begin_refused() -> None:
    """Remember a call whose credentials were refused, if they name a merchant."""
    call().merchant = claimed()
    if call().merchant is not None:
        begin()


def _begin_unmatched(path: str, *, exists: bool) -> None:
    """Remember a call that no handler got, if it is known whose; if its path does not exist, with the nearest."""
    try:
        authenticate()
    except Refusal:
        return
    begin()
    cause = call().cause
    if cause is not None and not exists:
        paths = {rule.rule for rule in current_app.url_map.iter_rules()}
        nearest = get_close_matches(path, sorted(paths), 1, 0.0)[0]
        cause.call = {**(cause.call or {}), "unmatched": True, "nearest": nearest}


def _body() -> bytes:
    """What was sent, as far as it was read."""
    try:
        return read_body()
    except (HTTPException, OSError):
        return b""


def _printed(body: bytes) -> str:
    """A body as the log shows it: its beginning, and no secrets."""
    beginning = body[:_LONGEST_BODY]
    text, hints = beginning.decode(errors="replace"), beginning.lower()
    if b"secret" in hints or b"token" in hints or b"signature" in hints or b"%" in hints:
        text = _without_secrets(_JSON_SECRET.sub(r'\1"…"', text))
    return text if len(body) <= _LONGEST_BODY else f"{text}…"


def _without_secrets(form: str) -> str:
    """A query string, or a form, in which the values of secrets are not told, however their names are written."""
    return _FORM_PART.sub(lambda part: f"{part[1]}=…" if _SECRET_NAME.search(unquote_plus(part[1])) else part[0], form)
