"""What keeps the pages safe: headers that allow nothing foreign, and forms that no other site can post."""

from __future__ import annotations

import hmac
import re
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app, g, request, session

from simulator.domain.errors import NotAuthorised

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Response

FIELD = "form_token"
"""The field in which a form carries its token."""

_VISITOR = "visitor"
_STALE = "This page is too old, or was opened in another browser. Go back, reload it and try again; nothing was done."
_ASSETS = "static"
_NOBODY = "'none'"
_HOST = re.compile("[A-Za-z0-9._-]+")


def form_token() -> str:
    """What a form on this page must carry: it belongs to this visitor and to the thing that the page is about."""
    visitor = session.setdefault(_VISITOR, token_hex())
    return _token(visitor)


def check() -> None:
    """Let nobody post a form but the visitor to whom it was shown, here; NotAuthorised for all others."""
    if request.method in ("GET", "HEAD") or request.url_rule is None:
        return
    visitor, sent = session.get(_VISITOR, ""), request.form.get(FIELD, "")
    foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if foreign or not visitor or not hmac.compare_digest(sent.encode(), _token(visitor).encode()):
        raise NotAuthorised(_STALE)


def allow_redirects_to(urls: Iterable[str | None]) -> None:
    """Let the forms of the page being made lead, in the end, to these URLs; browsers ask for leave."""
    g.form_targets = sorted({_source(url) for url in urls if url})


def allow_frame(origin: str | None) -> None:
    """Let pages of `origin` show the page being made in a frame; without one, nobody may."""
    g.frame_ancestor = origin or _NOBODY


def harden(response: Response) -> Response:
    """Add the headers: no script, style or frame from elsewhere, no guessing of types, no leaking of addresses."""
    if request.endpoint == _ASSETS:
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
    targets = " ".join(["'self'", *g.get("form_targets", [])])
    response.headers.update(
        {
            "Content-Security-Policy": (
                "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
                f"form-action {targets}; frame-ancestors {g.get('frame_ancestor', _NOBODY)}; base-uri 'none'"
            ),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
    )
    return response


def _token(visitor: str) -> str:
    subject = (request.view_args or {}).get("id_", "")
    key = str(current_app.secret_key).encode()
    return hmac.new(key, f"{visitor} {subject}".encode(), "sha256").hexdigest()


def _source(url: str) -> str:
    """The origin of `url`, as a policy can name it; all of its scheme when a policy has no words for its host."""
    parts = urlsplit(url)
    try:
        host = (parts.hostname or "").encode("idna").decode()
    except UnicodeError:
        host = ""
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{host}{port}" if _HOST.fullmatch(host) else f"{parts.scheme}:"
