"""/v2/checkout_sessions, for mobile and embedded checkouts, which have a client key and no secret (facts 5.3)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from simulator.domain.errors import InvalidProvider, NotAuthorised
from simulator.service.access import AccessService
from simulator.service.payer import PayerService
from simulator.web import faults, idempotency, journal
from simulator.web.context import acting_merchant, call, calling_merchant, simulation
from simulator.web.json import answer, no_content, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.checkout_sessions import (
    CheckoutQuery,
    CheckoutSession,
    ChosenSession,
    NewChoice,
    as_browsers_write,
    checkout_answer,
)

routes = Blueprint("checkout_sessions", __name__, url_prefix="/v2/checkout_sessions/<id_>")
routes.after_request(faults.finish)  # the last one first
routes.after_request(idempotency.finish)

_new_choice = NewChoice()
_HEADERS = "Content-Type, Idempotency-Key, Banked-Platform, Banked-Platform-Version"


@routes.before_request
def authenticate() -> None:
    """Find out whose client key it is; NotAuthorised when it is nobody's, or its pages are elsewhere."""
    this = call()
    merchant, key = AccessService(this.simulation).by_client_key(request.args.get("api_key", ""))
    origin = request.headers.get("Origin")
    if origin is not None and as_browsers_write(origin) not in key.domains:
        raise NotAuthorised(f"This client key is not for pages of {origin[:256]}.", "api_key")
    this.merchant = merchant


@routes.before_request
def begin() -> Response | None:
    """Let a call be one like those of the merchant itself; that a browser asks whether it may call is none."""
    if request.method == "OPTIONS":
        return None
    journal.begin()
    return faults.begin() or idempotency.begin()


@routes.after_request
def let_pages_read(response: Response) -> Response:
    """Let the pages for which the key is read the answer (CORS)."""
    response.headers["Vary"] = "Origin"
    if call().merchant is not None and "Origin" in request.headers:
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Allow-Methods"] = "GET, PATCH"
        response.headers["Access-Control-Allow-Headers"] = _HEADERS
    return response


@routes.get("")
@operation("Show a payment to its payer", query=CheckoutQuery, answers={200: CheckoutSession, 404: None})
def read(id_: str) -> Response:
    """See what is to be paid, and by which banks that can be."""
    payment, _ = acting_merchant().payment(id_)
    return answer(checkout_answer(payment, simulation().providers, call().public_url))


@routes.patch("")
@operation("Pick the bank to pay by", body=NewChoice, query=CheckoutQuery, answers={200: ChosenSession, 404: None})
def choose(id_: str) -> Response:
    """Pick a bank: send the payer to the answer's `redirect_url`."""
    this = call()
    provider = _new_choice.load(read_object())["provider_id"]
    try:
        payment = PayerService(this.simulation, calling_merchant().key, this.cause).choose_shown_provider(id_, provider)
    except InvalidProvider as refused:
        raise InvalidProvider(f"{refused} Try a different provider.", "provider_id") from refused
    session = checkout_answer(payment, this.simulation.providers, this.public_url)
    return answer({**session, "redirect_url": f"{this.public_url}/bank/{payment.id}"})


@routes.route("", methods=["OPTIONS"])
def may_pages_call(id_: str) -> Response:  # noqa: ARG001  it is the same for all payments
    """Tell a browser whether a page may call."""
    return no_content()
