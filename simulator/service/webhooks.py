"""Webhooks: where a merchant is told of events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.domain.events import Kind
from simulator.domain.webhooks import Webhook, check_webhook
from simulator.service import outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.events import Cause
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work


class WebhookService:
    """The webhooks of one merchant. Its verbs raise NotFound for ids that it has not."""

    def __init__(self, simulation: Simulation, merchant_key: str, cause: Cause | None = None) -> None:
        self._simulation = simulation
        self._key = merchant_key
        self._cause = cause

    def webhooks(self) -> tuple[Webhook, ...]:
        """Return all webhooks, in the order they were made."""
        return self._simulation.merchant(self._key).webhooks

    def webhook(self, id_: str) -> Webhook:
        """Return one webhook."""
        return outgoing.webhook_of(self._simulation.merchant(self._key), id_)

    def create(self, target_url: str, events: Iterable[str], signature_key: str) -> Webhook:
        """Tell `target_url` of `events` from now on; Refusals as in `check_webhook`."""
        with self._simulation.work(self._key, self._cause) as work:
            webhook = Webhook(
                id=work.new_id("webhook"),
                target_url=target_url,
                events=tuple(events),
                signature_key=signature_key,
                created_at=work.at,
            )
            check_webhook(webhook, work.merchant.webhooks)
            _keep(work, (*work.merchant.webhooks, webhook))
            work.tell(Kind.WEBHOOK_CREATED, webhook.id, url=target_url, events=list(webhook.events))
            return webhook

    def change(self, id_: str, **changes: Any) -> Webhook:
        """Change the URL, the events or the key of a webhook, also for what is on its way; Refusals as in `create`."""
        with self._simulation.work(self._key, self._cause) as work:
            before = outgoing.webhook_of(work.merchant, id_)
            after = replace(before, **changes)
            check_webhook(after, (other for other in work.merchant.webhooks if other.id != id_))
            _keep(work, tuple(after if webhook.id == id_ else webhook for webhook in work.merchant.webhooks))
            work.tell(Kind.WEBHOOK_CHANGED, id_, url=after.target_url, events=list(after.events))
            return after

    def delete(self, id_: str) -> None:
        """Tell a URL nothing more, also not what is on its way to it."""
        with self._simulation.work(self._key, self._cause) as work:
            gone = outgoing.webhook_of(work.merchant, id_)
            work.blame(Kind.WEBHOOK_DELETED, id_, url=gone.target_url)
            _keep(work, tuple(webhook for webhook in work.merchant.webhooks if webhook.id != id_))
            outgoing.cancel(work, id_)


def _keep(work: Work, webhooks: tuple[Webhook, ...]) -> None:
    work.world.save(replace(work.merchant, webhooks=webhooks))
