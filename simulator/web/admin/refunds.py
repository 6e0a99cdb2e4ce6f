"""/__admin/refunds: any refund, and what may happen to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flask import Blueprint, Response, request

from simulator.domain.errors import NotFound
from simulator.domain.states import RefundAction
from simulator.service.tester import TesterService
from simulator.service.waiting import WaitService
from simulator.web.context import simulation
from simulator.web.json import answer, read_optional_object
from simulator.web.schemas.accounts import NewAccount, account
from simulator.web.schemas.refunds import refund_answer
from simulator.web.schemas.testers import WaitQuery, seconds

if TYPE_CHECKING:
    from simulator.domain.refunds import Refund

routes = Blueprint("refunds", __name__, url_prefix="/refunds")
_new_account, _wait_query = NewAccount(), WaitQuery()


@routes.get("/<id_>")
def read(id_: str) -> Response:
    """Show a refund, with its id, and its legal next actions."""
    return answer(refund_view(TesterService(simulation()).refund(id_)))


@routes.post("/<id_>/actions/provide_details")
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
def mark_externally_processed(id_: str) -> Response:
    """End the refund as paid some other way."""
    return answer(refund_view(TesterService(simulation()).mark_externally_processed(id_)))


@routes.get("/<id_>/wait")
def wait(id_: str) -> Response:
    """Answer once a refund is as `until` says: a state, `final`, or `idle`."""
    query = _wait_query.load(request.args)
    return answer(refund_view(WaitService(simulation()).refund(id_, query["until"], seconds(query))))


def refund_view(refund: Refund) -> dict[str, Any]:
    """A refund as the tester sees it."""
    return {"id": refund.id, "refund": refund_answer(refund), "actions": refund.actions}
