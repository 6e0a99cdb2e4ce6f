"""Writes every visit of a page in the event log of the merchant whose it is, so that what it changes can say why."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from flask import request

from simulator.domain.events import Cause, Kind
from simulator.service.journal import JournalService
from simulator.web.context import call, calling_merchant, simulation
from simulator.web.tracing import REQUEST_ID

if TYPE_CHECKING:
    from flask import Response


def begin(kind: str) -> None:
    """Find the merchant who has the `kind` of thing that the page is about; NotFound when nobody has it."""
    this, environ = call(), request.environ
    key = simulation().owner(kind, (request.view_args or {})["id_"])
    this.merchant = simulation().merchant(key)
    told = {"method": environ["REQUEST_METHOD"], "path": environ["PATH_INFO"], "request_id": environ[REQUEST_ID]}
    this.begun, this.cause = perf_counter(), Cause(this.merchant.generation, None, told, Kind.PAGE)


def forget() -> None:
    """Do not write this visit down: a page that only looks again whether something is new."""
    call().cause = None


def finish(response: Response) -> Response:
    """Write down the visit and how it was answered."""
    this = call()
    if this.cause is not None:
        JournalService(this.simulation, calling_merchant().key).finish(
            this.cause,
            (request.view_args or {})["id_"],
            status=response.status_code,
            ms=round((perf_counter() - this.begun) * 1000, 1),
        )
    return response
