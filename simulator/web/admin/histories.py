"""/__admin/merchants/<key>/generate: a past for a merchant."""

from __future__ import annotations

from flask import Blueprint, Response

from simulator.service.trade import TradeService
from simulator.web.context import simulation
from simulator.web.json import answer, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.histories import HistoryView, NewHistory, history_view

routes = Blueprint("histories", __name__)

_new_history = NewHistory()


@routes.post("/merchants/<key>/generate")
@operation("Make up what a merchant sold lately", body=NewHistory, answers={201: HistoryView, 404: None})
def generate(key: str) -> Response:
    """Make up payments of the past days, in all states, and refunds of some of them."""
    return answer(history_view(TradeService(simulation(), key).generate(**_new_history.load(read_object()))), 201)
