"""Webhooks: where a merchant wants to be told which events, and how the messages are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from simulator.domain.errors import InvalidWebhook, Refusals

if TYPE_CHECKING:
    from collections.abc import Iterable

PAYMENT_EVENTS = ("payment_initiated", "payment_pending", "payment_sent", "payment_failed")
"""What a payment session goes through, with all that is known of it."""

REDACTED_EVENTS = tuple(f"redacted_{event}" for event in PAYMENT_EVENTS)
"""The same without payee and payer. How to ask for them is inferred: on the wire they say what the others say."""

BATCH_EVENTS = ("batch_payment_accepted", "batch_payment_failed")

NEVER_SENT = (
    *(f"mandate_{event}" for event in ("pending", "active", "declined", "suspended", "cancelled", "expired", "failed")),
    *(f"payout_{event}" for event in ("pending", "canceled", "sent", "failed")),
)
"""What may be asked for, as at Banked, and never happens here."""

WEBHOOK_EVENTS = (*PAYMENT_EVENTS, *REDACTED_EVENTS, *BATCH_EVENTS, *NEVER_SENT)
"""All that a webhook may be for (facts 4.1)."""

URLS_PER_EVENT = 5
"""How many URLs may be told of one event (facts 4.5)."""

LONGEST_TIMEOUT = 60.0
"""The most seconds that a receiver is given."""

DEFAULT_SIGNATURE_KEY = "simulator-signature-key"
"""What webhooks from settings and fixtures are signed with, unless they say otherwise."""


class DeliveryMode(StrEnum):
    """When messages are sent: at once, never (they are only kept), or each on the tester's demand."""

    DELIVER = "deliver"
    COLLECT = "collect"
    MANUAL = "manual"


class DeliveryOrder(StrEnum):
    """What a message waits for: the end of the earlier ones about its payment, or nothing."""

    PAYMENT = "payment"
    ANY = "any"


class SignatureTime(StrEnum):
    """Which time signatures show: the merchant's clock, the real one, or real as long as the clock runs unset."""

    AUTO = "auto"
    CLOCK = "clock"
    REAL = "real"


class TypeKeys(StrEnum):
    """What the type of a message is under: the key in Banked's documentation, or the well-spelt one too (Q20)."""

    BOTH = "both"
    DOCUMENTED = "documented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where to send which events, signed with which key."""

    id: str
    target_url: str
    events: tuple[str, ...]
    signature_key: str = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How a merchant's messages are sent; a receiver has `timeout` seconds to answer (Q21)."""

    mode: DeliveryMode = DeliveryMode.DELIVER
    order: DeliveryOrder = DeliveryOrder.PAYMENT
    timeout: float = 10.0
    verify_tls: bool = True
    signature_time: SignatureTime = SignatureTime.AUTO
    type_keys: TypeKeys = TypeKeys.BOTH


AS_BANKED = DeliverySettings()
"""How Banked sends them, as far as is known."""


def redacted(event: str) -> str:
    """The event that tells the same without payee and payer."""
    return f"redacted_{event}"


def check_webhook(webhook: Webhook, others: Iterable[Webhook]) -> None:
    """Raise Refusals when `webhook` cannot be beside `others`: its URL and event are there, or too many URLs are."""
    others = tuple(others)
    problems = [problem for event in webhook.events if (problem := _problem(event, webhook.target_url, others))]
    if problems:
        raise Refusals([InvalidWebhook(problem, "events") for problem in problems])


def _problem(event: str, url: str, others: Iterable[Webhook]) -> str:
    urls = {other.target_url for other in others if event in other.events}
    if url in urls:
        return f"{url} is told of {event} already."
    if len(urls) >= URLS_PER_EVENT:
        return f"{URLS_PER_EVENT} URLs are told of {event} already, and there can be no more."
    return ""
