"""/__admin/payment_sessions: any payment session, and what may happen to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response

from simulator.domain.errors import NotFound
from simulator.domain.states import PaymentAction
from simulator.service.tester import DEFAULT_PROVIDER, TesterService
from simulator.web.admin.refunds import refund_view
from simulator.web.context import simulation
from simulator.web.json import answer, read_optional_object
from simulator.web.schemas.fields import Request, Text
from simulator.web.schemas.payment_sessions import payment_answer

if TYPE_CHECKING:
    from simulator.service.merchant import PaymentWithRefunds

routes = Blueprint("payment_sessions", __name__, url_prefix="/payment_sessions")


class ChosenProvider(Request):
    """The name or id of a bank."""

    provider = Text(load_default=DEFAULT_PROVIDER)


_chosen_provider = ChosenProvider()


@routes.get("/<id_>")
def read(id_: str) -> Response:
    """Show a payment session, its bank, its refunds with their ids, and its legal next actions."""
    return answer(_view(TesterService(simulation()).payment(id_)))


@routes.post("/<id_>/actions/<action>")
def act(id_: str, action: str) -> Response:
    """Make an action happen; `provider` in the body is the bank for `choose_provider`."""
    return answer(_view(TesterService(simulation()).act(id_, _action(action), _provider())))


@routes.post("/<id_>/pay")
def pay(id_: str) -> Response:
    """Walk the payer's whole path, at `provider` of the body."""
    return answer(_view(TesterService(simulation()).pay(id_, _provider())))


def _provider() -> str:
    provider: str = _chosen_provider.load(read_optional_object())["provider"]
    return provider


def _action(name: str) -> PaymentAction:
    try:
        return PaymentAction(name)
    except ValueError:
        raise NotFound("action", name, known=tuple(PaymentAction)) from None


def _view(paid: PaymentWithRefunds) -> dict[str, Any]:
    payment, refunds = paid
    return {
        "payment_session": payment_answer(payment, refunds),
        "provider": payment.provider.name if payment.provider else None,
        "refunds": [refund_view(refund) for refund in refunds],
        "actions": payment.actions,
    }
