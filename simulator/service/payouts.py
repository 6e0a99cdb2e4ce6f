"""How a refund and the payment session that pays it out keep together, inside an open world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.states import PaymentState, RefundAction

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.domain.accounts import Account
    from simulator.domain.payments import Payment
    from simulator.domain.ports import Ids, World
    from simulator.domain.refunds import Refund

_OUTCOMES = {PaymentState.SENT: RefundAction.SETTLE, PaymentState.FAILED: RefundAction.FAIL}


def open_payout(world: World, refund: Refund, details: Account, ids: Ids, at: datetime) -> Refund:
    """Give `refund` the customer's account and create its payment session; the refund is saved by the caller."""
    provided = refund.provide_details(details, ids.new())
    world.add(provided.payment_session(world.merchant(), reference=ids.reference(), at=at))
    return provided


def save_payment(world: World, payment: Payment) -> None:
    """Save `payment`, and when it ended the payout of a refund, end the refund likewise."""
    world.save(payment)
    outcome = _OUTCOMES.get(payment.state)
    if payment.refund_id is not None and outcome is not None:
        end_payout(world, payment.refund_id, outcome)


def end_payout(world: World, refund_id: str, outcome: RefundAction) -> None:
    """Move the refund to how its payment session ended, unless it was ended otherwise before."""
    refund = world.refund(refund_id)
    if outcome in refund.actions:
        world.save(refund.act(outcome))
