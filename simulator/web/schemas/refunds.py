"""Refunds on the wire (facts 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields, validate

from simulator.domain.money import formatted
from simulator.domain.refunds import RefundRequest
from simulator.domain.states import RefundState
from simulator.web.context import refund_url
from simulator.web.schemas.accounts import NewAccount, account
from simulator.web.schemas.fields import Answer, Object, Reference, Request, Text, Url, WholeNumber

if TYPE_CHECKING:
    from simulator.domain.refunds import Refund


class NewRefund(Request):
    """The request that refunds a payment; `amount` is in minor units."""

    payment_session_id = Text(required=True)
    amount = WholeNumber(required=True)
    reference = Reference(allow_none=True, load_default=None)
    success_url = Url(allow_none=True, load_default=None)
    error_url = Url(allow_none=True, load_default=None)
    payee = Object(NewAccount, allow_none=True, load_default=None)


class RefundEntry(Answer):
    """What `refund_entry` answers, for the API description."""

    amount = fields.Integer()
    amount_formatted = fields.String()
    payment_session_id = fields.UUID()
    refund_payment_session_id = fields.UUID(allow_none=True)
    state = fields.String(validate=validate.OneOf(tuple(RefundState)))


class RefundAnswer(RefundEntry):
    """What `refund_answer` answers, for the API description."""

    url = fields.Url()


_new_refund = NewRefund()


def refund_request(body: dict[str, Any]) -> RefundRequest:
    """What the merchant asks for; ValidationError with everything that is wrong with it."""
    data = _new_refund.load(body)
    payee = account(data["payee"]) if data["payee"] else None
    return RefundRequest(**{**data, "payee": payee})


def refund_answer(refund: Refund) -> dict[str, object]:
    """A refund as it is answered: the six documented keys, in their order; its id is in `url` only."""
    return {**refund_entry(refund), "url": refund_url(refund.id)}


def refund_entry(refund: Refund) -> dict[str, object]:
    """A refund as it stands in its payment session's `refunds`."""
    return {
        "amount": refund.amount,
        "amount_formatted": formatted(refund.amount, refund.currency),
        "payment_session_id": refund.request.payment_session_id,
        "refund_payment_session_id": refund.refund_payment_session_id,
        "state": refund.state,
    }
