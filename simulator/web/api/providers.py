"""/v2/providers (facts 5.1)."""

from __future__ import annotations

from flask import Blueprint, Response

from simulator.web.context import simulation
from simulator.web.json import answer
from simulator.web.openapi import operation
from simulator.web.schemas.banks import ProviderAnswer, provider_answer

routes = Blueprint("providers", __name__, url_prefix="/providers")


@routes.get("")
@operation("List the banks a payer can choose", answers={200: [ProviderAnswer]})
def list_() -> Response:
    """See which banks there are."""
    return answer([provider_answer(provider) for provider in simulation().providers])
