"""The Flask application: its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

from simulator.web import context, errors, oauth, probes, tracing
from simulator.web.admin import admin
from simulator.web.api import api

if TYPE_CHECKING:
    from simulator.service.simulation import Simulation

BODY_LIMIT = 1024 * 1024
"""The most bytes of a request's body that are read."""


def create_app(simulation: Simulation, public_url: str) -> Flask:
    """The app that shows `simulation`; the links in its answers start with `public_url`."""
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=BODY_LIMIT, MAX_FORM_MEMORY_SIZE=BODY_LIMIT, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    context.provide(app, simulation, public_url)
    tracing.register(app)
    errors.register(app)
    app.register_blueprint(api)
    app.register_blueprint(oauth.routes)
    app.register_blueprint(admin)
    app.register_blueprint(probes.routes)
    return app
