"""The event log: what happened in a merchant's world, to what, when and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

EVENTS_KEPT = 10_000
"""How many events of a merchant are kept: the newest."""


class Kind:
    """What can happen; a prefix of a kind, up to a dot, stands for all that begin with it."""

    REQUEST = "request"
    PAGE = "page"
    TESTER = "tester"
    PAYMENT_CREATED = "payment_session.created"
    PAYMENT_CHANGED = "payment_session.changed"
    PAYMENT_INTRODUCED = "payment_session.introduced"
    PAYMENT_CANCELLED = "payment_session.cancelled"
    PAYMENT_DELETED = "payment_session.deleted"
    REFUND_CREATED = "refund.created"
    REFUND_CHANGED = "refund.changed"
    SCENARIO_CHOSEN = "scenario.chosen"
    SCENARIO_STARTED = "scenario.started"
    SCENARIO_STOPPED = "scenario.stopped"
    TOKEN_ISSUED = "token.issued"  # noqa: S105  no secret
    TOKEN_EXPIRED = "token.expired"  # noqa: S105  no secret
    CLIENT_KEY_CREATED = "client_key.created"
    CLOCK_CHANGED = "clock.changed"
    MERCHANT_CHANGED = "merchant.changed"
    FAULT_HIT = "fault.hit"
    EMAIL_SENT = "email.sent"
    EMAIL_DELIVERED = "email.delivered"
    EMAIL_FAILED = "email.failed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_DELETED = "webhook.deleted"
    WEBHOOK_QUEUED = "webhook.queued"
    DELIVERY_SUCCEEDED = "delivery.succeeded"
    DELIVERY_FAILED = "delivery.failed"
    DELIVERY_ENDED = "delivery.ended"
    INBOX_RECEIVED = "inbox.received"
    TIMER_FAILED = "timer.failed"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log.

    `number` counts from 1; `at` is the instant on the merchant's clock and `real_at` the real one, both UTC;
    `subject` is the id of what it happened to; `because` is the number of the event that caused it.
    """

    number: int
    at: datetime
    real_at: datetime
    kind: str
    subject: str | None = None
    because: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Cause:
    """What makes somebody act in a generation of the world: an event, or a call that the first work makes one.

    `kind` is what a call is in the log: a merchant's request, or a visit of a page.
    """

    generation: int
    event: int | None = None
    call: Mapping[str, Any] | None = None
    kind: str = Kind.REQUEST


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events to list, the oldest first: at most `limit`, numbered above `after`.

    `webhook_event` is what a message that they are about tells of.
    """

    after: int = 0
    limit: int = EVENTS_KEPT
    subjects: Collection[str] | None = None
    kind: str | None = None
    webhook_event: str | None = None

    def wants(self, event: Event) -> bool:
        """Whether `event` is of the kind and about one of the subjects."""
        if self.subjects is not None and event.subject not in self.subjects:
            return False
        if self.webhook_event not in (None, event.data.get("event")):
            return False
        return self.kind is None or event.kind == self.kind or event.kind.startswith(f"{self.kind}.")
