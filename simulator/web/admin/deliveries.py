"""/__admin: webhook messages, the inbox, and what a webhook would be sent."""

from __future__ import annotations

from flask import Blueprint, Response, request

from simulator.domain.inbox import INBOX_KEPT
from simulator.service.deliveries import DeliveryService
from simulator.service.inbox import InboxService
from simulator.service.tester import TesterService
from simulator.web.context import simulation
from simulator.web.json import answer, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.deliveries import (
    DeliveriesQuery,
    DeliveriesView,
    DeliveryView,
    DryRun,
    DryRunView,
    InboxQuery,
    InboxView,
    deliveries_view,
    delivery_query,
    delivery_view,
    dry_run_view,
    inbox_view,
)

routes = Blueprint("deliveries", __name__)

_deliveries_query, _inbox_query, _dry_run = DeliveriesQuery(), InboxQuery(), DryRun()


@routes.get("/merchants/<key>/deliveries")
@operation(
    "List a merchant's webhook messages, the newest first",
    query=DeliveriesQuery,
    answers={200: DeliveriesView, 404: None},
)
def list_(key: str) -> Response:
    """List webhook messages with every attempt to send them, the newest first."""
    query = delivery_query(_deliveries_query.load(request.args))
    return answer(deliveries_view(_deliveries().list(TesterService(simulation()).merchant(key).key, query)))


@routes.post("/merchants/<key>/deliveries/flush")
@operation("Send all that waits for its next attempt now", answers={200: DeliveriesView, 404: None})
def flush(key: str) -> Response:
    """Send all messages that wait for their next attempt, or for the tester, now, and say what came of it."""
    return answer(deliveries_view(_deliveries().flush(TesterService(simulation()).merchant(key).key)))


@routes.get("/deliveries/<id_>")
@operation("Show a webhook message and every attempt to send it", answers={200: DeliveryView, 404: None})
def read(id_: str) -> Response:
    """Show a webhook message and every attempt to send it."""
    return answer(delivery_view(_deliveries().delivery(id_)))


@routes.post("/deliveries/<id_>/resend")
@operation("Send a webhook message once more, now", answers={200: DeliveryView, 404: None, 409: None})
def resend(id_: str) -> Response:
    """Send a message once more, now, whatever became of it: freshly signed, the same body."""
    return answer(delivery_view(_deliveries().resend(id_)))


@routes.get("/merchants/<key>/inbox")
@operation(
    "List the messages in a merchant's inbox, the newest first", query=InboxQuery, answers={200: InboxView, 404: None}
)
def list_inbox(key: str) -> Response:
    """List what came into the built-in receiver, the newest first."""
    limit = int(_inbox_query.load(request.args).get("limit", INBOX_KEPT))
    return answer(inbox_view(InboxService(simulation(), key).received(limit)))


@routes.post("/webhooks/dry-run")
@operation("Show what a webhook would be sent", body=DryRun, answers={200: DryRunView, 404: None})
def dry_run() -> Response:
    """Show the exact bytes that a webhook would be sent about a payment session now, and send nothing."""
    asked = _dry_run.load(read_object())
    return answer(dry_run_view(_deliveries().dry_run(asked["payment_session"], asked["event"], asked.get("webhook"))))


def _deliveries() -> DeliveryService:
    return DeliveryService(simulation())
