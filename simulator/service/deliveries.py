"""Deliveries: sends webhook messages, writes down what came back, and lets testers look and send again."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from simulator.domain.clock import ClockMode, iso
from simulator.domain.deliveries import DELIVERIES_KEPT, ON_ITS_WAY, Attempt, Delivery, DeliveryQuery, Errand, Outcome
from simulator.domain.errors import NotFound, Superseded
from simulator.domain.events import Cause, Kind
from simulator.domain.ids import chance_of
from simulator.domain.messages import REPLY_LIMIT, Envelope
from simulator.domain.states import TARGETS
from simulator.domain.timers import TimerKind
from simulator.domain.twists import twist_of
from simulator.domain.webhooks import SignatureTime, redacted
from simulator.service.outgoing import begin, keep, webhook_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from simulator.domain.merchants import Merchant
    from simulator.domain.messages import Message, Reply
    from simulator.domain.payments import Payment
    from simulator.domain.webhooks import Webhook
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work


class DeliveryService:
    """The deliveries of any merchant: ids need no merchant beside them."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def list(self, merchant_key: str, query: DeliveryQuery) -> tuple[Delivery, ...]:
        """Return the deliveries of a merchant that `query` asks for, the newest first."""
        with self._simulation.store.transaction(merchant_key) as world:
            return world.deliveries(query)

    def delivery(self, id_: str) -> Delivery:
        """Return any delivery; NotFound when there is none, or it is no longer kept."""
        with self._simulation.store.transaction(self._simulation.owner("delivery", id_)) as world:
            return world.delivery(id_)

    def is_awaited(self, merchant_key: str, payment_id: str) -> bool:
        """Whether a message about a payment is on its way and was not tried yet."""
        on_their_way = self.list(merchant_key, DeliveryQuery(subject=payment_id, outcomes=ON_ITS_WAY))
        return any(not delivery.attempts for delivery in on_their_way)

    def dry_run(self, payment_id: str, event: str, webhook_id: str | None = None) -> Message:
        """Return what a webhook would be sent now if `event` happened to a payment, and send nothing.

        Without `webhook_id` it is the first that is told of `event`. NotFound when there is no such webhook.
        """
        with self._simulation.work(self._simulation.owner("payment session", payment_id)) as work:
            webhook = _told_of(work.merchant, event) if webhook_id is None else webhook_of(work.merchant, webhook_id)
            payment = _as_of(work.world.payment(payment_id), event, work.at)
            refunds = work.world.refunds_of([payment_id])[payment_id]
            body = self._simulation.payload(payment, refunds, event, work.merchant.delivery.type_keys)
            return _envelope(work, webhook, "dry-run").message(body.encode(), _unix_time(work))

    def resend(self, id_: str) -> Delivery:
        """Send a message once more, now, and return what came of it; IllegalAction while it is being sent."""
        key = self._simulation.owner("delivery", id_)
        with self._simulation.work(key) as work:
            delivery = work.world.delivery(id_)
            webhook_of(work.merchant, delivery.webhook_id)
            again = delivery.resend(work.at)
            work.blame(Kind.TESTER, delivery.subject, did="resend", delivery=id_)
            _resend(work, again)
        self._simulation.settle(key)
        return self.delivery(id_)

    def flush(self, merchant_key: str) -> tuple[Delivery, ...]:
        """Send all messages that wait for their next try, or for the tester, now; return them as they are after it."""
        with self._simulation.work(merchant_key) as work:
            query = DeliveryQuery(limit=DELIVERIES_KEPT, outcomes={Outcome.DUE, Outcome.HELD})
            waiting = work.world.deliveries(query)[::-1]
            if waiting:
                work.blame(Kind.TESTER, did="flush", deliveries=len(waiting))
            for delivery in waiting:
                _resend(work, delivery.resend(work.at))
        self._simulation.settle(merchant_key)
        with self._simulation.store.transaction(merchant_key) as world:
            return tuple(world.delivery(delivery.id) for delivery in waiting if not world.is_free(delivery.id))

    def run(self, errand: Errand) -> None:
        """Send a message and write down what came back, unless the world was reset since it was due."""
        with suppress(Superseded, NotFound):
            sent = self._sending(errand)
            if sent is None:
                return
            arrived = self._send(errand, sent)
            if arrived and sent.effect is not None and sent.effect.duplicate:
                self._send(errand, sent)

    def _sending(self, errand: Errand) -> Delivery | None:
        """What an errand is about; None when it was cancelled meanwhile."""
        with self._simulation.store.transaction(errand.merchant_key) as world:
            delivery = world.delivery(errand.delivery_id)
        return delivery if delivery.outcome is Outcome.SENDING else None

    def _send(self, errand: Errand, sent: Delivery) -> bool:
        """Send a message, write down what came back, and return whether the receiver took it."""
        with self._simulation.work(errand.merchant_key, Cause(errand.generation)) as work:
            envelope = _envelope(work, webhook_of(work.merchant, sent.webhook_id), sent.id)
            message = envelope.message(sent.body.encode(), _unix_time(work), twist_of(sent.effect))
        reply = self._simulation.sender.send(message, self._gate(errand))
        return reply is not None and self._record(errand, sent, message, reply)

    @contextmanager
    def _gate(self, errand: Errand) -> Iterator[bool]:
        """Keep resets away, and tell whether there was none since the errand was due."""
        with self._simulation.store.transaction(errand.merchant_key) as world:
            yield world.merchant().generation == errand.generation

    def _record(self, errand: Errand, sent: Delivery, message: Message, reply: Reply) -> bool:
        with self._simulation.work(errand.merchant_key, Cause(errand.generation, sent.because)) as work:
            delivery = work.world.delivery(sent.id)
            body = message.body.decode(errors="replace")
            attempt = Attempt(
                at=work.at,
                real_at=work.real_at,
                url=message.url,
                headers=message.headers,
                reply=reply,
                body=None if body == sent.body else body[:REPLY_LIMIT],
                fault=sent.fault,
            )
            chance = chance_of(work.merchant.seed, errand.merchant_key, "retry", sent.number, len(delivery.attempts))
            after = delivery.attempted(attempt, chance)
            _tell(work, after, attempt)
            keep(work, after)
            return attempt.is_success


def _envelope(work: Work, webhook: Webhook, delivery_id: str) -> Envelope:
    settings = work.merchant.delivery
    return Envelope(
        url=webhook.target_url,
        key=webhook.signature_key,
        sender=work.simulation.user_agent,
        delivery_id=delivery_id,
        patience=settings.timeout,
        verify_tls=settings.verify_tls,
    )


def _told_of(merchant: Merchant, event: str) -> Webhook:
    """The first webhook that is told of `event`."""
    for webhook in merchant.webhooks:
        if event in webhook.events:
            return webhook
    raise NotFound("webhook for", event)


def _as_of(payment: Payment, event: str, at: datetime) -> Payment:
    """`payment` as it would be if `event` happened to it now."""
    action = next(action for action, edge in TARGETS.items() if edge.event == event.removeprefix(redacted("")))
    return payment if payment.state is TARGETS[action].to else payment.force(action, at)


def _unix_time(work: Work) -> int:
    """The time that a signature made now shows."""
    setting, mode = work.merchant.delivery.signature_time, work.merchant.clock.mode
    is_real = setting is SignatureTime.REAL or (
        setting is SignatureTime.AUTO and mode in (ClockMode.REAL, ClockMode.SCALED)
    )
    instant: datetime = work.real_at if is_real else work.at
    return int(instant.timestamp())


def _resend(work: Work, delivery: Delivery) -> None:
    """Send `delivery` now, and not when it was due."""
    work.cancel(delivery.id, TimerKind.DELIVERY)
    work.world.save(delivery)
    begin(work, delivery.id)


def _tell(work: Work, delivery: Delivery, attempt: Attempt) -> None:
    """Write down what came of an attempt."""
    reply = attempt.reply
    kind = Kind.DELIVERY_SUCCEEDED if attempt.is_success else Kind.DELIVERY_FAILED
    told: dict[str, Any] = {"delivery": delivery.id, "event": delivery.event, "attempt": len(delivery.attempts)}
    told |= {"url": attempt.url, "status": reply.status, "error": reply.error or None, "ms": reply.ms}
    told |= {"outcome": delivery.outcome.value, "next_attempt_at": iso(delivery.due) if delivery.due else None}
    work.tell(kind, delivery.subject, **{name: value for name, value in told.items() if value is not None})
