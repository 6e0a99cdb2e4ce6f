"""/livez and /readyz, for whoever starts and watches the server; /openapi.json, for whoever calls it."""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from simulator.web.context import simulation
from simulator.web.json import answer
from simulator.web.openapi import document_merchants_api

routes = Blueprint("probes", __name__)


@routes.get("/livez")
def live() -> Response:
    """Tell that the server answers."""
    return answer({"status": "ok"})


@routes.get("/readyz")
def ready() -> Response:
    """Tell that the server is ready: an app is only made once its fixtures are loaded, and the store can be reached."""
    simulation().store.owner("")
    return answer({"status": "ok"})


@routes.get("/openapi.json")
def openapi() -> Response:
    """Describe the merchant's API."""
    return answer(document_merchants_api(current_app))
