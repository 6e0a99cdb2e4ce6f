"""Webhooks on the wire (facts 4.5): requests, answers, and what is wrong with them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from marshmallow import fields

from simulator.domain.webhooks import WEBHOOK_EVENTS
from simulator.web.schemas.fields import REQUIRED, Answer, Choice, InvalidRequest, List, Request, Text, Url, ruby_time

if TYPE_CHECKING:
    from simulator.domain.webhooks import Webhook

WebhookEvent = StrEnum("WebhookEvent", {event.upper(): event for event in WEBHOOK_EVENTS})  # type: ignore[misc]  # of the domain's names
"""What a webhook may be told of."""


class Events(List):
    """Events, each of them once."""

    default_error_messages = {"twice": "Must have each event once."}  # noqa: RUF012  marshmallow's way

    def __init__(self, **options: Any) -> None:
        super().__init__(Choice(WebhookEvent), **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **options: Any) -> list[Any]:
        events = super()._deserialize(value, attr, data, **options)
        if len(set(events)) < len(events):
            raise self.make_error("twice")
        return events


class WebhookChange(Request):
    """What is to be different about a webhook; the key may be called `signature` too (Q23)."""

    target_url = Url()
    events = Events()
    signature_key = Text()
    signature = Text()


class NewWebhook(WebhookChange):
    """The request that creates a webhook."""

    target_url = Url(required=True)
    events = Events(required=True)


class WebhookAnswer(Answer):
    """What `webhook_answer` answers, for the API description: never the key."""

    id = fields.UUID()
    target_url = fields.String()
    events = fields.List(fields.String())
    live = fields.Boolean()
    created_at = fields.String()


_new_webhook, _webhook_change = NewWebhook(), WebhookChange()


def new_webhook(body: dict[str, Any]) -> dict[str, Any]:
    """URL, events and key of a webhook to be made; InvalidRequest without a key, and ValidationError."""
    webhook = with_key(_new_webhook.load(body))
    if "signature_key" not in webhook:
        raise InvalidRequest({"signature_key": [REQUIRED]})
    return webhook


def webhook_change(body: dict[str, Any]) -> dict[str, Any]:
    """What is to be different about a webhook; ValidationError when it cannot be."""
    return with_key(_webhook_change.load(body))


def webhook_answer(webhook: Webhook) -> dict[str, object]:
    """A webhook as it is answered."""
    return {
        "id": webhook.id,
        "target_url": webhook.target_url,
        "events": webhook.events,
        "live": False,
        "created_at": ruby_time(webhook.created_at),
    }


def with_key(webhook: dict[str, Any]) -> dict[str, Any]:
    """`webhook` with its key under one name."""
    other = webhook.pop("signature", None)
    changed = {**webhook, "events": tuple(map(str, webhook["events"]))} if "events" in webhook else webhook
    return {"signature_key": other, **changed} if other is not None else changed
