"""How a refund and the payment session that pays it out keep together, inside an open world."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.domain.accounts import Account
    from simulator.domain.payments import Payment
    from simulator.domain.ports import Ids, World
    from simulator.domain.refunds import Refund
    from simulator.domain.states import PaymentState


def open_payout(world: World, refund: Refund, details: Account, ids: Ids, at: datetime) -> Refund:
    """Give `refund` the customer's account and create its payment session; the refund is saved by the caller."""
    provided = refund.provide_details(details, ids.new())
    world.add(provided.payment_session(world.merchant(), reference=ids.reference(), at=at))
    return provided


def save_payment(world: World, payment: Payment) -> None:
    """Save `payment`, and the refund that it pays out, if it is a payout."""
    world.save(payment)
    follow_payout(world, payment, payment.state)


def follow_payout(world: World, payment: Payment, state: PaymentState) -> None:
    """Let the refund that `payment` pays out, if it is a payout, follow it into `state`."""
    if payment.refund_id is not None:
        world.save(world.refund(payment.refund_id).follow(state))
