"""/v2/payment_sessions (facts 2)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from simulator.service.merchant import SCENARIO_HEADER
from simulator.web.context import acting_merchant, call, calling_merchant
from simulator.web.json import answer, no_content, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.accounts import AccountAnswer, account_answer
from simulator.web.schemas.payment_sessions import (
    NewPaymentSession,
    PaymentSession,
    PaymentSessionQuery,
    payment_answer,
    payment_query,
    payment_request,
)

routes = Blueprint("payment_sessions", __name__, url_prefix="/payment_sessions")


@routes.post("")
@operation("Create a payment session", body=NewPaymentSession, answers={201: PaymentSession})
def create() -> Response:
    """Ask for a payment: send the payer to the answer's `url`."""
    asked = payment_request(read_object(), calling_merchant())
    payment = acting_merchant().create_payment(asked, request.headers.get(SCENARIO_HEADER))
    call().subject = payment.id
    return answer(payment_answer(payment, ()), 201)


@routes.get("")
@operation("List payment sessions, the newest first", query=PaymentSessionQuery, answers={200: [PaymentSession]})
def list_() -> Response:
    """Look back at up to 100 payment sessions."""
    payments = acting_merchant().payments(payment_query(request.args))
    return answer([payment_answer(*payment) for payment in payments])


@routes.get("/<id_>")
@operation("Read a payment session", answers={200: PaymentSession, 404: None})
def read(id_: str) -> Response:
    """See where a payment stands, and its refunds."""
    return answer(payment_answer(*acting_merchant().payment(id_)))


@routes.delete("/<id_>")
@operation("Delete a payment session that nobody paid", answers={204: None, 404: None})
def delete(id_: str) -> Response:
    """Make a payment link worthless."""
    acting_merchant().delete_payment(id_)
    return no_content()


@routes.get("/<id_>/consumer_account")
@operation("Read the payer's account, where the bank shared it", answers={200: AccountAnswer, 404: None})
def read_consumer_account(id_: str) -> Response:
    """See from which account a payment came."""
    return answer(account_answer(acting_merchant().consumer_account(id_)))
