"""Histories on the wire: how much of a merchant's past to make up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import fields

from simulator.web.schemas.fields import Answer, WholeNumber
from simulator.web.schemas.testers import Command

if TYPE_CHECKING:
    from simulator.service.trade import Generated

MOST_PAYMENTS = 10_000
_A_YEAR = 365


class NewHistory(Command):
    """How much of a merchant's past to make up."""

    payments = WholeNumber(most=MOST_PAYMENTS, required=True)
    days = WholeNumber(most=_A_YEAR, load_default=14)


class HistoryView(Answer):
    """What `history_view` shows, for the API description."""

    payment_sessions = fields.Integer()
    refunds = fields.Integer()
    states = fields.Dict(values=fields.Integer())


def history_view(generated: Generated) -> dict[str, object]:
    """What was made up."""
    return {"payment_sessions": generated.payments, "refunds": generated.refunds, "states": generated.states}
