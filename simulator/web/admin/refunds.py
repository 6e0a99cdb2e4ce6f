"""/__admin/refunds: any refund, and what may happen to it."""

from __future__ import annotations

from typing import NoReturn

from flask import Blueprint, Response, request

from simulator.domain.errors import NotFound
from simulator.domain.states import RefundAction
from simulator.service.tester import TesterService
from simulator.service.waiting import WaitService
from simulator.web.context import simulation
from simulator.web.json import answer, read_optional_object
from simulator.web.openapi import operation
from simulator.web.schemas.accounts import NewAccount, account
from simulator.web.schemas.testers import WaitQuery, seconds
from simulator.web.schemas.views import RefundView, refund_view

routes = Blueprint("refunds", __name__, url_prefix="/refunds")
_new_account, _wait_query = NewAccount(), WaitQuery()


@routes.get("/<id_>")
@operation("Show a refund, and what may happen to it", answers={200: RefundView, 404: None})
def read(id_: str) -> Response:
    """Show a refund, with its id, and its legal next actions."""
    return answer(refund_view(TesterService(simulation()).refund(id_)))


@routes.post("/<id_>/actions/provide_details")
@operation("Give the customer's account", body=NewAccount, answers={200: RefundView, 404: None, 409: None})
def provide_details(id_: str) -> Response:
    """Give the account in the body as the customer's, or one made up when the body is empty or missing."""
    body = read_optional_object()
    details = account(_new_account.load(body)) if body else None
    return answer(refund_view(TesterService(simulation()).provide_details(id_, details)))


@routes.post("/<id_>/actions/<action>")
def act(id_: str, action: str) -> NoReturn:  # noqa: ARG001  whatever the refund
    """Tell which actions there are."""
    raise NotFound("action", action, known=(RefundAction.PROVIDE_DETAILS, RefundAction.MARK_EXTERNALLY_PROCESSED))


@routes.post("/<id_>/actions/mark_externally_processed")
@operation("End a refund as paid some other way", answers={200: RefundView, 404: None, 409: None})
def mark_externally_processed(id_: str) -> Response:
    """End the refund as paid some other way."""
    return answer(refund_view(TesterService(simulation()).mark_externally_processed(id_)))


@routes.get("/<id_>/wait")
@operation(
    "Wait until a refund is in a state", query=WaitQuery, answers={200: RefundView, 404: None, 408: None, 409: None}
)
def wait(id_: str) -> Response:
    """Answer once a refund is as `until` says: a state, `final`, or `idle`."""
    query = _wait_query.load(request.args)
    return answer(refund_view(WaitService(simulation()).refund(id_, query["until"], seconds(query))))
