"""The Flask applications: their parts."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from flask import Flask

from simulator.web import errors, inbox, journal, oauth, probes
from simulator.web.api import api, checkout_sessions
from simulator.web.context import Calls
from simulator.web.json import BODY_LIMIT, SNAPSHOT_LIMIT
from simulator.web.tracing import Tracing
from simulator.web.transport import Transporting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from simulator.service.simulation import Simulation

_TESTERS_API = "/__admin"
_PAGES = ("/checkout/", "/bank/", "/refunds/", "/assets/")


def create_app(simulation: Simulation, public_url: str, admin_token: str = "") -> Flask:
    """The app that shows `simulation`; the links in its answers start with `public_url`.

    Without `admin_token` the tester's API is for this machine only.
    """
    app = _flask()
    app.after_request(journal.finish)
    app.register_blueprint(api)
    app.register_blueprint(checkout_sessions.routes)
    app.register_blueprint(oauth.routes)
    app.register_blueprint(inbox.routes)
    app.register_blueprint(probes.routes)
    with_testers = _Lazily(app.wsgi_app, (_TESTERS_API,), lambda: create_testers_app(admin_token).wsgi_app)
    with_pages = _Lazily(with_testers, _PAGES, lambda: create_pages_app(simulation.store.secret()).wsgi_app)
    calls = Calls(Transporting(with_pages), simulation, public_url)
    setattr(app, "wsgi_app", Tracing(calls, simulation.ids))  # noqa: B010  a method that Flask means to be replaced
    return app


def create_testers_app(admin_token: str) -> Flask:
    """The app of the tester's API alone, to be called as a part of `create_app`."""
    from simulator.web.admin import admin, guard  # noqa: PLC0415  costs start-up time, and production code never asks

    app = _flask(SNAPSHOT_LIMIT)
    guard.provide(app, admin_token)
    app.register_blueprint(admin)
    return app


def create_pages_app(secret: str) -> Flask:
    """The app of the payer's pages alone, to be called as a part of `create_app`; `secret` signs its cookies."""
    from simulator.web.pages import furnish  # noqa: PLC0415  costs start-up time, and many tests show no page

    app = _flask()
    furnish(app, secret)
    return app


def _flask(body_limit: int = BODY_LIMIT) -> Flask:
    app = _SyncFlask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=body_limit + 1, MAX_FORM_MEMORY_SIZE=body_limit + 1, PROVIDE_AUTOMATIC_OPTIONS=False
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    errors.register(app)
    return app


class _SyncFlask(Flask):
    """Flask without asking, at every step of every request, whether a function is asynchronous: none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


class _Lazily:
    """Has what is under `prefixes` answered by an app that is made with the first such call, all else by `app`."""

    def __init__(self, app: WSGIApplication, prefixes: tuple[str, ...], make: Callable[[], WSGIApplication]) -> None:
        self._app = app
        self._prefixes = prefixes
        self._make = make
        self._made: WSGIApplication | None = None
        self._making = Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(self._prefixes):
            return self._app(environ, start_response)
        if self._made is None:
            with self._making:
                self._made = self._made or self._make()
        return self._made(environ, start_response)
