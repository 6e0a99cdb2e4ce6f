"""/inbox: the built-in receiver of each merchant's webhooks."""

from __future__ import annotations

from flask import Blueprint, Response, request

from simulator.web.context import simulation
from simulator.web.json import answer, read_body

routes = Blueprint("inbox", __name__)


@routes.post("/inbox/<key>")
def receive(key: str) -> Response:
    """Keep a message and say what is wrong with it: 200 when it is signed as it should be, else 400."""
    from simulator.service.inbox import InboxService  # noqa: PLC0415  costs start-up time

    received = InboxService(simulation(), key).receive(request.headers.items(), read_body())
    told = {"id": received.id, "verified": received.is_verified, "why": received.verdict or None}
    return answer(told, 200 if received.is_verified else 400)
