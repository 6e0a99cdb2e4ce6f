"""Who may use the tester's API: programs on this machine, or whoever has the token (design section 7)."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from flask import current_app, request

from simulator.domain.errors import NotAuthorised, Unauthenticated
from simulator.web.context import call

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

View = TypeVar("View", bound="Callable[..., Any]")

_TOKEN = "ADMIN_TOKEN"  # noqa: S105  the name of a setting
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def provide(app: Flask, token: str) -> None:
    """Let nobody use the tester's API of `app` without `token`; an empty one lets in whoever is on this machine."""
    app.config[_TOKEN] = token


def open_to_links(view: View) -> View:
    """Let links of other sites lead a person to what `view` shows; the sites do not get to see it."""
    view.is_open_to_links = True  # type: ignore[attr-defined]
    return view


def check() -> None:
    """Keep out pages of other sites, which a tester's browser may show, and whoever lacks the token.

    Raises NotAuthorised or Unauthenticated.
    """
    here = request.host_url.rstrip("/")
    elsewhere = request.headers.get("Origin", here) not in (here, _origin(call().public_url))
    if elsewhere or (request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and not _followed_link()):
        raise NotAuthorised("Pages of other sites may not use the tester's API.")
    token: str = current_app.config[_TOKEN]
    if token:
        if not hmac.compare_digest(_token_sent().encode(), token.encode()):
            raise Unauthenticated("Send the token of --admin-token: Authorization: Bearer TOKEN.")
    elif _host(request.host_url) not in _HERE | {_host(call().public_url)}:
        raise NotAuthorised("Call the tester's API by the address of this machine, 127.0.0.1, or set --admin-token.")


def _token_sent() -> str:
    """The token that came with the request: by itself or, where links lead, as a password."""
    header = request.headers.get("Authorization", "")
    scheme, _, sent = header.partition(" ")
    if scheme.lower() == "bearer":
        return sent.strip()
    return (request.authorization.password or "") if request.authorization and _is_open_to_links() else ""


def _followed_link() -> bool:
    """Whether a person's browser goes where a link leads, and may."""
    fetched = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    return fetched == ("navigate", "document") and _is_open_to_links()


def _is_open_to_links() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "is_open_to_links", False)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
