"""Deliveries and the inbox on the wire, as a tester sees them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from marshmallow import fields

from simulator.domain.clock import iso
from simulator.domain.deliveries import DELIVERIES_KEPT, DELIVERIES_LIMIT, DeliveryQuery, Outcome
from simulator.domain.webhooks import PAYMENT_EVENTS, REDACTED_EVENTS
from simulator.web.schemas.fields import Answer, Choice, Text
from simulator.web.schemas.testers import Command
from simulator.web.schemas.webhooks import WebhookEvent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.domain.deliveries import Attempt, Delivery
    from simulator.domain.inbox import Received
    from simulator.domain.messages import Message

_LIMIT = "[1-9][0-9]{0,8}"
_LIMIT_RULE = "Must be a whole number, 1 or more."


_PaymentEvent = StrEnum("_PaymentEvent", {event.upper(): event for event in (*PAYMENT_EVENTS, *REDACTED_EVENTS)})  # type: ignore[misc]  # of the domain's names


class DeliveriesQuery(Command):
    """Which deliveries to list: all about one payment session, of one event, or of which something has become."""

    event = Choice(WebhookEvent)
    subject = Text()
    outcome = Choice(Outcome)
    limit = Text(pattern=_LIMIT, rule=_LIMIT_RULE)


class InboxQuery(Command):
    """How many messages to list."""

    limit = Text(pattern=_LIMIT, rule=_LIMIT_RULE)


class DryRun(Command):
    """What a webhook would be sent now, if `event` happened to a payment session; by default to the first webhook."""

    payment_session = Text(required=True)
    event = Choice(_PaymentEvent, required=True)
    webhook = Text()


class RequestView(Answer):
    """A request, to the byte."""

    url = fields.String()
    headers = fields.List(fields.List(fields.String()))
    body = fields.String()


class ReplyView(Answer):
    """What came back."""

    status = fields.Integer(allow_none=True)
    headers = fields.List(fields.List(fields.String()))
    body = fields.String()


class AttemptView(Answer):
    """What `_attempt_view` shows, for the API description."""

    number = fields.Integer()
    at = fields.DateTime()
    real_at = fields.DateTime()
    ms = fields.Float()
    request = fields.Nested(RequestView)
    response = fields.Nested(ReplyView)
    error = fields.String(allow_none=True)
    fault = fields.String(allow_none=True)


class DeliveryView(Answer):
    """What `delivery_view` shows, for the API description."""

    id = fields.UUID()
    webhook_id = fields.UUID()
    event = fields.String()
    subject = fields.UUID()
    outcome = fields.String()
    created_at = fields.DateTime()
    next_attempt_at = fields.DateTime(allow_none=True)
    because = fields.Integer(allow_none=True)
    body = fields.String()
    attempts = fields.List(fields.Nested(AttemptView))


class DeliveriesView(Answer):
    """A list of deliveries."""

    deliveries = fields.List(fields.Nested(DeliveryView))


class DryRunView(RequestView):
    """What `dry_run_view` shows, for the API description."""

    curl = fields.String()


class ReceivedView(Answer):
    """What `received_view` shows, for the API description."""

    id = fields.UUID()
    at = fields.DateTime()
    real_at = fields.DateTime()
    verified = fields.Boolean()
    why = fields.String(allow_none=True)
    event = fields.String(allow_none=True)
    subject = fields.String(allow_none=True)
    delivery_id = fields.String(allow_none=True)
    headers = fields.List(fields.List(fields.String()))
    body = fields.String()


class InboxView(Answer):
    """The messages in an inbox."""

    messages = fields.List(fields.Nested(ReceivedView))


def delivery_query(data: Mapping[str, Any]) -> DeliveryQuery:
    """The query that a loaded `DeliveriesQuery` asks for."""
    return DeliveryQuery(
        limit=min(int(data.get("limit", DELIVERIES_LIMIT)), DELIVERIES_KEPT),
        event=data.get("event"),
        subject=data.get("subject"),
        outcomes={data["outcome"]} if "outcome" in data else None,
    )


def delivery_view(delivery: Delivery) -> dict[str, Any]:
    """A delivery as it is shown, with all its attempts."""
    return {
        "id": delivery.id,
        "webhook_id": delivery.webhook_id,
        "event": delivery.event,
        "subject": delivery.subject,
        "outcome": delivery.outcome,
        "created_at": iso(delivery.created_at),
        "next_attempt_at": iso(delivery.due) if delivery.due else None,
        "because": delivery.because,
        "body": delivery.body,
        "attempts": [_attempt_view(number, attempt, delivery) for number, attempt in enumerate(delivery.attempts, 1)],
    }


def deliveries_view(deliveries: Iterable[Delivery]) -> dict[str, Any]:
    """A list of deliveries as it is shown."""
    return {"deliveries": [delivery_view(delivery) for delivery in deliveries]}


def dry_run_view(message: Message) -> dict[str, Any]:
    """A message that is not sent, and how to send it by hand."""
    body = message.body.decode()
    lines = [f"curl {_quoted(message.url)}"]
    lines += [f"  -H {_quoted(f'{name}: {value}')}" for name, value in message.headers]
    lines.append(f"  --data-binary {_quoted(body)}")
    return {"url": message.url, "headers": message.headers, "body": body, "curl": " \\\n".join(lines)}


def inbox_view(messages: Iterable[Received]) -> dict[str, Any]:
    """The messages in an inbox as they are shown."""
    return {"messages": [_received_view(message) for message in messages]}


def _attempt_view(number: int, attempt: Attempt, delivery: Delivery) -> dict[str, Any]:
    reply = attempt.reply
    body = delivery.body if attempt.body is None else attempt.body
    return {
        "number": number,
        "at": iso(attempt.at),
        "real_at": iso(attempt.real_at),
        "ms": reply.ms,
        "request": {"url": attempt.url, "headers": attempt.headers, "body": body},
        "response": {"status": reply.status, "headers": reply.headers, "body": reply.body},
        "error": reply.error or None,
        "fault": attempt.fault or None,
    }


def _received_view(message: Received) -> dict[str, Any]:
    return {
        "id": message.id,
        "at": iso(message.at),
        "real_at": iso(message.real_at),
        "verified": message.is_verified,
        "why": message.verdict or None,
        "event": message.event,
        "subject": message.subject,
        "delivery_id": message.delivery_id,
        "headers": message.headers,
        "body": message.body,
    }


def _quoted(text: str) -> str:
    """`text` as a word of a shell."""
    return "'" + text.replace("'", "'\\''") + "'"
