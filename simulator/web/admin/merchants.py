"""/__admin/merchants: whole worlds."""

from __future__ import annotations

from flask import Blueprint, Response

from simulator.service.tester import TesterService
from simulator.web.context import simulation
from simulator.web.json import answer

routes = Blueprint("merchants", __name__, url_prefix="/merchants")


@routes.post("/<key>/reset")
def reset(key: str) -> Response:
    """Put a merchant back to how it started."""
    return answer({"merchant": TesterService(simulation()).reset(key).key})
