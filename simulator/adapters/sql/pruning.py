"""Forgetting what is long over, so that a database that is used for years does not grow for years."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from simulator.domain.deliveries import DELIVERIES_KEPT, Delivery, DeliveryQuery
from simulator.domain.errors import NotFound
from simulator.domain.payments import Payment
from simulator.domain.ports import PaymentQuery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from simulator.adapters.sql.store import SqlStore
    from simulator.adapters.sql.world import SqlWorld
    from simulator.domain.refunds import Refund

_AT_ONCE = 200
"""How many payments are looked at in one transaction; calls of the merchant come in between."""


def prune(store: SqlStore, older_than: timedelta, real_now: datetime) -> Counter[str]:
    """Forget what is older on its merchant's clock, and over; return how much there was, by kind.

    A payment goes with its refunds, their payment sessions, and the deliveries that told of all these, once none of
    them has anything to come. Events go by their age alone.
    """
    forgotten: Counter[str] = Counter()
    for key in store.merchants():
        with store.transaction(key) as world:
            before = until = world.merchant().clock.at(real_now) - older_than
            world.forget_expired(world.merchant().clock.at(real_now))
            forgotten["event"] += world.forget_events(_first_since(world, before))
        limit, some = _AT_ONCE, tuple[Payment, ...]()
        while not some or len(some) == limit:
            with store.transaction(key) as world:
                some = world.payments(PaymentQuery(limit=limit, created_at_to=until))
                for payment in some:
                    if payment.refund_id is None:
                        forgotten.update(_forget(world, _family(world, payment), before))
            if not some:
                break
            limit *= 1 + (some[-1].created_at == until)  # all at the same instant: there may be more of these
            until = some[-1].created_at
    return +forgotten


def _family(world: SqlWorld, payment: Payment) -> list[Payment | Refund | Delivery]:
    """A payment, and all that came of it."""
    refunds = world.refunds_of([payment.id])[payment.id]
    payouts = [payout for refund in refunds if (payout := _payout(world, refund)) is not None]
    told_of = [payment.id, *(payout.id for payout in payouts)]
    deliveries = [
        delivery
        for subject in told_of
        for delivery in world.deliveries(DeliveryQuery(limit=DELIVERIES_KEPT, subject=subject))
    ]
    return [payment, *refunds, *payouts, *deliveries]


def _payout(world: SqlWorld, refund: Refund) -> Payment | None:
    """The payment session of a refund, unless it was deleted."""
    with suppress(NotFound):
        return world.payment(refund.refund_payment_session_id or "")
    return None


def _forget(world: SqlWorld, family: Sequence[Payment | Refund | Delivery], before: datetime) -> Iterator[str]:
    """Forget all of a family if nothing is to come of any of them, and they are old; tell of what kinds they were."""
    if all(_is_over(thing, before) for thing in family) and not world.timers([thing.id for thing in family]):
        yield from world.forget(family)


def _is_over(thing: Payment | Refund | Delivery, before: datetime) -> bool:
    is_over = thing.is_over if isinstance(thing, Delivery) else thing.is_final
    return is_over and thing.created_at < before


def _first_since(world: SqlWorld, instant: datetime) -> int:
    """The number of the first event that is not older: the log is in the order of the clock."""
    low, high = 1, world.last_event() + 1
    while low < high:
        middle = (low + high) // 2
        event = world.event(middle)
        if event is None or event.at < instant:  # those that are no longer kept are the oldest
            low = middle + 1
        else:
            high = middle
    return low
