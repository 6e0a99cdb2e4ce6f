"""Lets the calls of a merchant go wrong as its faults say; costs nothing when there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from werkzeug.exceptions import HTTPException

from simulator.service.faults import FaultService
from simulator.web.context import call, calling_merchant
from simulator.web.errors import entry, envelope
from simulator.web.json import UndecodableBody, decode, read_body
from simulator.web.transport import TRANSPORT, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Response

    from simulator.domain.faults import Fault
    from simulator.domain.merchants import Merchant
    from simulator.domain.ports import Store

HEADER = "Simulator-Fault"

_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    409: "processing",
    422: "invalid_request",
    429: "rate_limit_exceeded",
    500: "internal_error",
}


def begin() -> Response | None:
    """Answer a call for which nothing is to be done; None lets it go on."""
    this, merchant = call(), calling_merchant()
    if not merchant.faults:
        return None
    service = FaultService(this.simulation, merchant.key)
    hit = this.fault_hit = service.hit(request.method, request.path, _body(merchant.faults), this.cause)
    if hit is None:
        return None
    fault, effect = hit.fault, hit.fault.effect
    if effect.drop:  # only the log ever shows this answer
        return envelope(503, entry("service_unavailable", f"The fault {fault.label} drops the connection."))
    if effect.status is None:
        return None
    code = _CODES.get(effect.status, "service_unavailable" if effect.status > 500 else "bad_request")
    response = envelope(effect.status, entry(code, f"The fault {fault.label} makes this call fail."))
    if effect.retry_after is not None:
        response.headers["Retry-After"] = str(effect.retry_after)
    return response


def finish(response: Response) -> Response:
    """Spoil the answer, once all else is done with it."""
    hit = call().fault_hit
    if hit is None:
        return response
    effect, body = hit.fault.effect, response.get_data()
    half = len(body) // 2
    response.headers[HEADER] = hit.fault.label
    if effect.malformed and body:
        response.set_data(body[:half])
    drop, keep = effect.drop or effect.lost_response, half if effect.truncate and body else None
    transport = Transport(hit.delay, drop, keep, outdated=_reset_since(call().simulation.store, calling_merchant()))
    if transport != Transport():
        request.environ[TRANSPORT] = transport
    return response


def _reset_since(store: Store, merchant: Merchant) -> Callable[[], bool]:
    """Whether the merchant was reset since it was read: then no answer from before may arrive."""

    def is_reset() -> bool:
        now = store.merchant(merchant.key)
        return now is None or now.generation != merchant.generation

    return is_reset


def _body(faults: Iterable[Fault]) -> object:
    """The JSON that was sent, if any of `faults` looks at it; None when it is no JSON."""
    if any(fault.match.body for fault in faults):
        try:
            return decode(read_body())
        except (HTTPException, UndecodableBody):
            pass
    return None
