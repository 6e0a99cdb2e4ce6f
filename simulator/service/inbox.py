"""The inbox: receives what is sent to it as a merchant's own receiver should."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simulator.domain.events import Cause, Kind
from simulator.domain.inbox import INBOX_BODY_LIMIT, Received
from simulator.domain.messages import DELIVERY_HEADER
from simulator.domain.signatures import SIGNATURE_HEADER, signed_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.merchants import Merchant
    from simulator.service.simulation import Simulation

PATH = "/inbox/"
"""Where inboxes are, each under its merchant's API key."""


class InboxService:
    """The inbox of one merchant; NotFound when there can be no such merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def received(self, limit: int) -> tuple[Received, ...]:
        """Return the newest messages, the newest first."""
        self._simulation.merchant(self._key)
        with self._simulation.store.transaction(self._key) as world:
            return world.inbox(limit)

    def receive(self, headers: Iterable[tuple[str, str]], body: bytes) -> Received:
        """Keep a message, and say whether it is signed with the key of one of the merchant's webhooks."""
        merchant = self._simulation.merchant(self._key)
        headers = tuple(headers)
        named = {name.lower(): value for name, value in headers}
        verdict = _verdict(merchant, named.get(SIGNATURE_HEADER), body)
        event, subject = _told(body)
        with self._simulation.work(self._key, Cause(merchant.generation)) as work:
            received = Received(
                id=work.new_id("received"),
                at=work.at,
                real_at=work.real_at,
                headers=headers,
                body=body[:INBOX_BODY_LIMIT].decode(errors="replace"),
                verdict=verdict,
                event=event,
                subject=subject,
                delivery_id=named.get(DELIVERY_HEADER.lower()),
            )
            work.world.add(received)
            told = {"message": received.id, "event": event, "verified": received.is_verified, "why": verdict or None}
            work.tell(Kind.INBOX_RECEIVED, subject, because=None, **told)
            return received


def _verdict(merchant: Merchant, signature: str | None, body: bytes) -> str:
    """What is wrong with a signature; nothing when it is sound."""
    if signature is None:
        return f"There is no {SIGNATURE_HEADER} header."
    here = [webhook for webhook in merchant.webhooks if PATH in webhook.target_url]
    if not here:
        return "No webhook of the merchant has an inbox for its target_url, so that no key is known."
    if all(signed_at(webhook.signature_key, signature, body) is None for webhook in here):
        return "It is not the signature of this body with the key of any webhook that has an inbox for its target_url."
    return ""


def _told(body: bytes) -> tuple[str | None, str | None]:
    """The event that a message tells of, and the id of what it happened to; None for what is not to be found out."""
    try:
        message = json.loads(body)
    except ValueError:
        return None, None
    if not isinstance(message, dict):
        return None, None
    event, subject = message.get("webhook_event"), message.get("id")
    return event if isinstance(event, str) else None, subject if isinstance(subject, str) else None
