"""/__admin/merchants/<key>/snapshot: a merchant's whole world, to be kept, compared and put back."""

from __future__ import annotations

from flask import Blueprint, Response

from simulator.service.snapshots import SnapshotService
from simulator.web.context import simulation
from simulator.web.json import answer, document, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.snapshots import SnapshotView, contents_for, snapshot_view
from simulator.web.schemas.views import DiscardedView, discarded_view

routes = Blueprint("snapshots", __name__)


@routes.get("/merchants/<key>/snapshot")
@operation("Take a snapshot of a merchant's whole world", answers={200: SnapshotView, 404: None})
def take(key: str) -> Response:
    """Show everything in a merchant's world, the same to the byte as long as it is the same."""
    return document(snapshot_view(SnapshotService(simulation(), key).take()))


@routes.put("/merchants/<key>/snapshot")
@operation(
    "Put a snapshot in the place of a merchant's world", body=SnapshotView, answers={200: DiscardedView, 404: None}
)
def restore(key: str) -> Response:
    """Put a snapshot, also another merchant's, in the place of all that there is, and say what was thrown away."""
    return answer(discarded_view(SnapshotService(simulation(), key).restore(contents_for(key, read_object()))))
