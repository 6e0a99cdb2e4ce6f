"""The Flask application: its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

from simulator.web import context, errors, journal, oauth, probes
from simulator.web.admin import admin, guard
from simulator.web.api import api
from simulator.web.json import BODY_LIMIT
from simulator.web.tracing import Tracing
from simulator.web.transport import Transporting

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.service.simulation import Simulation


def create_app(simulation: Simulation, public_url: str, admin_token: str = "") -> Flask:
    """The app that shows `simulation`; the links in its answers start with `public_url`.

    Without `admin_token` the tester's API is for this machine only.
    """
    app = _SyncFlask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=BODY_LIMIT + 1, MAX_FORM_MEMORY_SIZE=BODY_LIMIT + 1, PROVIDE_AUTOMATIC_OPTIONS=False
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    context.provide(app, simulation, public_url)
    guard.provide(app, admin_token)
    setattr(app, "wsgi_app", Tracing(Transporting(app.wsgi_app), simulation.ids))  # noqa: B010  a method that Flask means to be replaced
    errors.register(app)
    app.after_request(journal.finish)
    app.register_blueprint(api)
    app.register_blueprint(oauth.routes)
    app.register_blueprint(admin)
    app.register_blueprint(probes.routes)
    return app


class _SyncFlask(Flask):
    """Flask without asking, at every step of every request, whether a function is asynchronous: none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func
