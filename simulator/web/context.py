"""What a request handler works with: the simulation, the links into it, the merchant who calls."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.service.merchant import MerchantService

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from simulator.domain.access import IdempotentCall
    from simulator.domain.events import Cause
    from simulator.domain.merchants import Merchant
    from simulator.service.faults import Hit
    from simulator.service.simulation import Simulation


@dataclass(slots=True)
class Call:
    """A request while it is answered, and what was found out about it so far.

    Links start with `public_url`, which ends without a slash. `subject` is the id of what it turned out to be about,
    `cause` what it causes; `begun` is when it began, by the performance counter.
    """

    simulation: Simulation
    public_url: str
    merchant: Merchant | None = None
    cause: Cause | None = None
    subject: str | None = None
    begun: float = 0.0
    idempotent_call: IdempotentCall | None = None
    fault_hit: Hit | None = None


_call: ContextVar[Call] = ContextVar("call")


class Calls:
    """WSGI middleware that lets the handlers of `app` work with `simulation`, each request in a `Call` of its own."""

    def __init__(self, app: WSGIApplication, simulation: Simulation, public_url: str) -> None:
        self._app = app
        self._simulation = simulation
        self._public_url = public_url

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as `app` does."""
        _call.set(Call(self._simulation, self._public_url))
        return self._app(environ, start_response)


def call() -> Call:
    """The request that is being answered."""
    return _call.get()


def simulation() -> Simulation:
    """The simulation that this app shows."""
    return _call.get().simulation


def payment_url(payment_id: str, public_url: str | None = None) -> str:
    """Where the payer pays: the checkout page; outside a request, `public_url` has to be told."""
    return f"{_call.get().public_url if public_url is None else public_url}/checkout/{payment_id}"


def refund_url(refund_id: str, public_url: str | None = None) -> str:
    """Where the customer says to which account a refund should go; outside a request, `public_url` has to be told."""
    return f"{_call.get().public_url if public_url is None else public_url}/refunds/{refund_id}"


def calling_merchant() -> Merchant:
    """The merchant whose credentials came with the request; only once it is known."""
    merchant = _call.get().merchant
    if merchant is None:
        raise LookupError("nobody has been authenticated")
    return merchant


def acting_merchant() -> MerchantService:
    """What the calling merchant can do."""
    this = _call.get()
    return MerchantService(this.simulation, calling_merchant().key, this.cause)
