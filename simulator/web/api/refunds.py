"""/v2/refunds (facts 3)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from simulator.web.context import acting_merchant, call
from simulator.web.json import answer, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.fields import ListQuery, page_limit
from simulator.web.schemas.refunds import NewRefund, RefundAnswer, refund_answer, refund_request

routes = Blueprint("refunds", __name__, url_prefix="/refunds")
_query = ListQuery()


@routes.post("")
@operation("Refund a payment, in full or in part", body=NewRefund, answers={201: RefundAnswer, 404: None})
def create() -> Response:
    """Send money back; who lacks the customer's account gets a `url` for the customer to give it."""
    refund = acting_merchant().create_refund(refund_request(read_object()))
    call().subject = refund.id
    return answer(refund_answer(refund), 201)


@routes.get("")
@operation("List refunds, the newest first (extension)", query=ListQuery, answers={200: [RefundAnswer]})
def list_() -> Response:
    """Look back at up to 100 refunds."""
    return answer(
        [refund_answer(refund) for refund in acting_merchant().refunds(page_limit(_query.load(request.args)))]
    )


@routes.get("/<id_>")
@operation("Read a refund (extension)", answers={200: RefundAnswer, 404: None})
def read(id_: str) -> Response:
    """See where a refund stands; its id is the last part of its `url`."""
    return answer(refund_answer(acting_merchant().refund(id_)))
