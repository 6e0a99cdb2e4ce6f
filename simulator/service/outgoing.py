"""Webhook messages on their way out: which are queued, which is next, and which lets others go first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from simulator.domain.deliveries import (
    DELIVERIES_KEPT,
    ON_ITS_WAY,
    REORDER_SECONDS,
    Delivery,
    DeliveryQuery,
    Errand,
    Outcome,
)
from simulator.domain.errors import NotFound
from simulator.domain.events import Kind
from simulator.domain.returns import ReturnBehaviour
from simulator.domain.timers import TimerKind
from simulator.domain.webhooks import DeliveryMode, DeliveryOrder, redacted
from simulator.service.faults import hit_message

if TYPE_CHECKING:
    from collections.abc import Collection

    from simulator.domain.merchants import Merchant
    from simulator.domain.payments import Payment
    from simulator.domain.webhooks import Webhook
    from simulator.service.work import Work

LATE_SECONDS = 10.0
"""How long a message waits that is to come after the payer has returned."""

_FIRST = {DeliveryMode.COLLECT: Outcome.COLLECTED, DeliveryMode.MANUAL: Outcome.HELD}
"""What becomes of a message at first when it is not sent at once."""


def announce(work: Work, payment: Payment, event: str | None) -> None:
    """Queue what the merchant's webhooks are told of what happened to `payment`, if that is an event."""
    merchant = work.merchant
    if event is None:
        return
    refunds = work.world.refunds_of([payment.id])[payment.id]
    for name in (event, redacted(event)):
        webhooks = [webhook for webhook in merchant.webhooks if name in webhook.events]
        if webhooks:
            body = work.simulation.payload(payment, refunds, name, merchant.delivery.type_keys)
            for webhook in webhooks:
                _queue(work, webhook, name, payment, body)


def begin(work: Work, delivery_id: str) -> None:
    """Try a delivery that is due."""
    delivery = work.world.delivery(delivery_id)
    if delivery.outcome is not Outcome.DUE:
        return
    url = webhook_of(work.merchant, delivery.webhook_id).target_url
    if delivery.effect is None and (hit := hit_message(work, delivery, url)):
        delivery = delivery.hit(hit.fault)
        if hit.fault.effect.drop:
            keep(work, delivery.end(Outcome.DROPPED))
            _tell_end(work, delivery, Outcome.DROPPED)
            return
        lets_pass = hit.fault.effect.reorder and not _held_back(work, delivery)
        wait = hit.delay or (REORDER_SECONDS if lets_pass else 0)
        if wait:
            keep(work, delivery.wait_until(work.at + timedelta(seconds=wait)))
            if lets_pass:
                _call_next(work, delivery)
            return
    work.world.save(delivery.begin())
    work.send(Errand(work.merchant.key, url, delivery_id, work.merchant.generation))


def are_being_sent(work: Work) -> bool:
    """Whether anything is being sent for the merchant."""
    return bool(work.world.deliveries(DeliveryQuery(limit=1, outcomes={Outcome.SENDING})))


def cancel(work: Work, webhook_id: str) -> None:
    """Let nothing more be sent to a webhook that is gone."""
    query = DeliveryQuery(limit=DELIVERIES_KEPT, outcomes={*ON_ITS_WAY, Outcome.HELD})
    for delivery in work.world.deliveries(query):
        if delivery.webhook_id == webhook_id:
            work.cancel(delivery.id, TimerKind.DELIVERY)
            work.world.save(delivery.end(Outcome.CANCELLED))
            _tell_end(work, delivery, Outcome.CANCELLED)


def take_up(work: Work, delivery_ids: Collection[str] | None = None) -> None:
    """Try again what was being sent when the world stood still, all of it or some."""
    for delivery in work.world.deliveries(DeliveryQuery(limit=DELIVERIES_KEPT, outcomes={Outcome.SENDING})):
        if delivery_ids is None or delivery.id in delivery_ids:
            _try(work, delivery.wait_until(work.at))


def keep(work: Work, delivery: Delivery) -> None:
    """Keep what became of `delivery`, and let what waited for its end follow."""
    work.world.save(delivery)
    work.touch(delivery.subject)
    if delivery.due is not None:
        work.schedule(TimerKind.DELIVERY, delivery.id, (delivery.due - work.at).total_seconds())
    if delivery.is_over:
        for late in _held_back(work, delivery):
            work.cancel(late.id, TimerKind.DELIVERY)
            _try(work, late.wait_until(work.at))
        _call_next(work, delivery)


def webhook_of(merchant: Merchant, id_: str) -> Webhook:
    """The webhook of `merchant` with this id; NotFound when it has none."""
    for webhook in merchant.webhooks:
        if webhook.id == id_:
            return webhook
    raise NotFound("webhook", id_)


def _queue(work: Work, webhook: Webhook, event: str, payment: Payment, body: str) -> None:
    outcome, wait = _first_outcome(work, webhook, payment)
    delivery = Delivery(
        id=work.new_id("delivery"),
        number=work.world.count("delivery number"),
        webhook_id=webhook.id,
        event=event,
        subject=payment.id,
        body=body,
        created_at=work.at,
        because=None,
        outcome=outcome,
    )
    told: dict[str, Any] = {"delivery": delivery.id, "event": event, "url": webhook.target_url}
    told["outcome"] = outcome.value
    delivery = replace(delivery, because=work.tell(Kind.WEBHOOK_QUEUED, payment.id, **told))
    if outcome is Outcome.DUE:
        delivery = delivery.wait_until(work.at + timedelta(seconds=wait))
        work.schedule(TimerKind.DELIVERY, delivery.id, wait)
    work.world.add(delivery)


def _first_outcome(work: Work, webhook: Webhook, payment: Payment) -> tuple[Outcome, float]:
    """What becomes of a message at first and, if it is due, in how many seconds."""
    settings = work.merchant.delivery
    returns = payment.returns or work.merchant.return_behaviour
    if settings.mode in _FIRST:
        return _FIRST[settings.mode], 0
    if returns is ReturnBehaviour.WITHOUT_WEBHOOK:
        return Outcome.DROPPED, 0
    if settings.order is DeliveryOrder.PAYMENT and not all(
        each.is_held_back for each in _lane(work, webhook.id, payment.id)
    ):
        return Outcome.WAITING, 0
    return Outcome.DUE, LATE_SECONDS if returns is ReturnBehaviour.BEFORE_WEBHOOK else 0


def _lane(work: Work, webhook_id: str, subject: str) -> list[Delivery]:
    """What is still to be told to a webhook about a payment, the oldest first."""
    query = DeliveryQuery(limit=DELIVERIES_KEPT, subject=subject, outcomes=ON_ITS_WAY)
    return [delivery for delivery in work.world.deliveries(query)[::-1] if delivery.webhook_id == webhook_id]


def _held_back(work: Work, passing: Delivery) -> list[Delivery]:
    """What lets `passing` go first."""
    lane = _lane(work, passing.webhook_id, passing.subject)
    return [delivery for delivery in lane if delivery.is_held_back and delivery.id != passing.id]


def _try(work: Work, delivery: Delivery) -> None:
    """Let `delivery` be tried now."""
    work.world.save(delivery)
    work.schedule(TimerKind.DELIVERY, delivery.id, 0)


def _call_next(work: Work, before: Delivery) -> None:
    """Let what waits for `before`, and for nothing else, be tried."""
    lane = _lane(work, before.webhook_id, before.subject)
    following = next((delivery for delivery in lane if not delivery.is_held_back), None)
    if following is not None and following.outcome is Outcome.WAITING:
        _try(work, following.wait_until(work.at))


def _tell_end(work: Work, delivery: Delivery, outcome: Outcome) -> None:
    told: dict[str, Any] = {"delivery": delivery.id, "event": delivery.event, "outcome": outcome.value}
    work.tell(Kind.DELIVERY_ENDED, delivery.subject, **told)
