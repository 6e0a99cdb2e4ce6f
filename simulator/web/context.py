"""What a request handler works with: the simulation, the links into it, the merchant who calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app, g

from simulator.service.merchant import MerchantService

if TYPE_CHECKING:
    from flask import Flask

    from simulator.domain.events import Cause
    from simulator.domain.merchants import Merchant
    from simulator.service.simulation import Simulation

_SIMULATION, _PUBLIC_URL = "simulation", "PUBLIC_URL"


def provide(app: Flask, simulation: Simulation, public_url: str) -> None:
    """Let the handlers of `app` work with `simulation`; links start with `public_url`, which ends without a slash."""
    app.extensions[_SIMULATION] = simulation
    app.config[_PUBLIC_URL] = public_url


def simulation() -> Simulation:
    """The simulation that this app shows."""
    return cast("Simulation", current_app.extensions[_SIMULATION])


def public_url() -> str:
    """What links into the simulation start with."""
    return cast("str", current_app.config[_PUBLIC_URL])


def payment_url(payment_id: str) -> str:
    """Where the payer pays: the checkout page."""
    return f"{public_url()}/checkout/{payment_id}"


def refund_url(refund_id: str) -> str:
    """Where the customer says to which account a refund should go."""
    return f"{public_url()}/refunds/{refund_id}"


def calling_merchant() -> Merchant:
    """The merchant whose credentials came with the request."""
    return cast("Merchant", g.merchant)


def calling_as(merchant: Merchant) -> None:
    """Remember who calls, for the rest of the request."""
    g.merchant = merchant


def acting_merchant() -> MerchantService:
    """What the calling merchant can do."""
    return MerchantService(simulation(), calling_merchant().key, cause())


def about(id_: str) -> None:
    """Remember which thing this call turned out to be about."""
    g.subject = id_


def subject() -> str | None:
    """The id of what this call turned out to be about."""
    return cast("str | None", g.get("subject"))


def caused_by(cause: Cause) -> Cause:
    """Remember what this call causes, for the rest of the request."""
    g.cause = cause
    return cause


def cause() -> Cause | None:
    """What this call causes, once the merchant who makes it is known."""
    return cast("Cause | None", g.get("cause"))
