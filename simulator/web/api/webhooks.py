"""/v2/webhooks (facts 4.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from simulator.web.context import call, calling_merchant
from simulator.web.json import answer, no_content, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.webhooks import (
    NewWebhook,
    WebhookAnswer,
    WebhookChange,
    new_webhook,
    webhook_answer,
    webhook_change,
)

if TYPE_CHECKING:
    from simulator.service.webhooks import WebhookService

routes = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@routes.post("")
@operation("Create a webhook", body=NewWebhook, answers={201: WebhookAnswer})
def create() -> Response:
    """Be told of events from now on."""
    webhook = _webhooks().create(**new_webhook(read_object()))
    call().subject = webhook.id
    return answer(webhook_answer(webhook), 201)


@routes.get("")
@operation("List all webhooks", answers={200: [WebhookAnswer]})
def list_() -> Response:
    """See who is told of what."""
    return answer([webhook_answer(webhook) for webhook in _webhooks().webhooks()])


@routes.get("/<id_>")
@operation("Read a webhook", answers={200: WebhookAnswer, 404: None})
def read(id_: str) -> Response:
    """See what one URL is told of."""
    return answer(webhook_answer(_webhooks().webhook(id_)))


@routes.patch("/<id_>")
@operation("Change a webhook", body=WebhookChange, answers={200: WebhookAnswer, 404: None})
def change(id_: str) -> Response:
    """Be told elsewhere, of something else, or with another key."""
    return answer(webhook_answer(_webhooks().change(id_, **webhook_change(read_object()))))


@routes.delete("/<id_>")
@operation("Delete a webhook", answers={204: None, 404: None})
def delete(id_: str) -> Response:
    """Be told nothing more."""
    _webhooks().delete(id_)
    return no_content()


def _webhooks() -> WebhookService:
    from simulator.service.webhooks import WebhookService  # noqa: PLC0415  costs start-up time

    this = call()
    return WebhookService(this.simulation, calling_merchant().key, this.cause)
