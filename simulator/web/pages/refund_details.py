"""The form for a refund's details: the customer says to which account the money should go (facts 3.7, Q19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for

from simulator.domain.errors import IllegalAction
from simulator.domain.states import RefundState
from simulator.service.payer import PayerService
from simulator.web.context import acting_merchant, call, calling_merchant, simulation
from simulator.web.pages import visits
from simulator.web.pages.account_fields import USUAL, TypedAccount

if TYPE_CHECKING:
    from werkzeug import Response

    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund

    Answer = Response | str | tuple[str, int]

routes = Blueprint("refund_details", __name__, url_prefix="/refunds/<id_>")

_LONGEST_NAME = 256
_NO_NAME = "Enter the name on the account, in at most 256 characters."


@routes.before_request
def visit() -> None:
    """Find the merchant whose refund this is."""
    visits.begin("refund")


@routes.errorhandler(IllegalAction)
def given_already(_: IllegalAction) -> Response:
    """Show what is known to whoever gives details once more."""
    return _to("show")


@routes.get("")
def show(id_: str) -> Answer:
    """Ask for the account, or tell how the refund stands when there is nothing to ask."""
    refund, payment = _refund(id_)
    if refund.state is not RefundState.AWAITING_DETAILS:
        return _show(f"refund_details/{refund.state}.html", refund, payment)
    payer = payment.request.payer
    return _ask(refund, payment, payer.name if payer else "", TypedAccount(USUAL[refund.currency]))


@routes.post("")
def provide(id_: str) -> Answer:
    """Take the details, unless they are known or the refund is over; the same ones again change nothing."""
    refund, payment = _refund(id_)
    name = " ".join(request.form.get("name", "").split())
    typed = TypedAccount.read(USUAL[refund.currency], request.form)
    if refund.state is not RefundState.AWAITING_DETAILS:
        is_same = not typed.wrong and refund.details is not None and typed.account(name).is_same_as(refund.details)
        return _to("confirm" if is_same else "show")
    wrong = "" if 0 < len(name) <= _LONGEST_NAME else _NO_NAME
    if wrong or typed.wrong:
        return _ask(refund, payment, name, typed, wrong), 422
    PayerService(simulation(), calling_merchant().key, call().cause).provide_details(id_, typed.account(name))
    return _to("confirm")


@routes.get("/confirmation")
def confirm(id_: str) -> Answer:
    """Tell where the money will go, while that is so."""
    refund, payment = _refund(id_)
    if refund.state is not RefundState.AWAITING_PAYMENT:
        return _to("show")
    return _show("refund_details/confirmation.html", refund, payment)


def _ask(refund: Refund, payment: Payment, name: str, typed: TypedAccount, wrong: str = "") -> str:
    return _show("refund_details/form.html", refund, payment, name=name, typed=typed, wrong=wrong)


def _show(template: str, refund: Refund, payment: Payment, **context: object) -> str:
    return render_template(template, refund=refund, payment=payment, merchant=calling_merchant(), **context)


def _refund(id_: str) -> tuple[Refund, Payment]:
    """The refund, and the payment of which it is."""
    refund = acting_merchant().refund(id_)
    return refund, acting_merchant().payment(refund.request.payment_session_id)[0]


def _to(endpoint: str) -> Response:
    """Go on to another page about the same refund."""
    return redirect(url_for(f"refund_details.{endpoint}", **(request.view_args or {})), 303)
