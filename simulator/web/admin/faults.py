"""/__admin/merchants/<key>/faults: which of a merchant's calls go wrong, and how."""

from __future__ import annotations

from flask import Blueprint, Response

from simulator.service.faults import FaultService
from simulator.web.context import simulation
from simulator.web.json import answer, no_content, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.faults import (
    FaultsView,
    FaultView,
    NewFault,
    NewFaults,
    PresetsView,
    fault_view,
    faults_view,
    new_fault,
    new_faults,
    presets_view,
)

routes = Blueprint("faults", __name__)


@routes.get("/fault_presets")
@operation("List the faults that have a name", answers={200: PresetsView})
def list_presets() -> Response:
    """List the faults that can be added by name."""
    return answer(presets_view(simulation().fault_presets.values()))


@routes.get("/merchants/<key>/faults")
@operation("List a merchant's faults", answers={200: FaultsView, 404: None})
def list_(key: str) -> Response:
    """List a merchant's faults, the first to be tried first, each with how many times are left."""
    return answer(faults_view(_faults(key).all()))


@routes.post("/merchants/<key>/faults")
@operation("Let some of a merchant's calls go wrong", body=NewFault, answers={201: FaultView, 404: None})
def add(key: str) -> Response:
    """Add a fault to those there are: one's own, or a preset with what is to be different."""
    return answer(fault_view(_faults(key).add(new_fault(read_object(), simulation().fault_presets))), 201)


@routes.put("/merchants/<key>/faults")
@operation("Replace all of a merchant's faults", body=NewFaults, answers={200: FaultsView, 404: None})
def replace_all(key: str) -> Response:
    """Let a merchant have these faults and no others."""
    return answer(faults_view(_faults(key).replace_all(new_faults(read_object(), simulation().fault_presets))))


@routes.delete("/merchants/<key>/faults")
@operation("Remove all of a merchant's faults", answers={204: None, 404: None})
def remove_all(key: str) -> Response:
    """Let all of a merchant's calls go well."""
    _faults(key).remove_all()
    return no_content()


@routes.get("/merchants/<key>/faults/<fault_id>")
@operation("Show a fault", answers={200: FaultView, 404: None})
def read(key: str, fault_id: str) -> Response:
    """Show a fault, unless it was hit for the last time."""
    return answer(fault_view(_faults(key).find(fault_id)))


@routes.delete("/merchants/<key>/faults/<fault_id>")
@operation("Remove a fault", answers={204: None, 404: None})
def remove(key: str, fault_id: str) -> Response:
    """Remove a fault."""
    _faults(key).remove(fault_id)
    return no_content()


def _faults(key: str) -> FaultService:
    return FaultService(simulation(), key)
