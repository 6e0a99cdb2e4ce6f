"""What follows from a change of a payment or a refund: the other half of it, its timers, and a line in the log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.domain.events import Kind
from simulator.domain.refunds import refunded
from simulator.domain.states import EXPIRABLE, TARGETS, PaymentState
from simulator.domain.timers import TimerKind
from simulator.service.emails import send_receipt

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund
    from simulator.domain.states import PaymentAction
    from simulator.service.work import Work


def add_payment(work: Work, payment: Payment, by: str) -> None:
    """Keep a new payment session, which expires if the merchant wants that."""
    work.world.add(payment)
    work.tell(Kind.PAYMENT_CREATED, payment.id, by=by, amount=payment.amount, refund_id=payment.refund_id)
    let_expire(work, payment)


def let_expire(work: Work, payment: Payment) -> None:
    """Let a payment session expire, if the merchant wants that, unless somebody pays it or turns out to have paid."""
    lifetime = work.merchant.session_expires_after
    if lifetime is None or payment.state not in EXPIRABLE or payment.play is not None:
        return
    if not any(timer.kind is TimerKind.SESSION_EXPIRY for timer in work.world.timers([payment.id])):
        work.schedule(TimerKind.SESSION_EXPIRY, payment.id, lifetime)


def change_payment(
    work: Work, before: Payment, after: Payment, action: PaymentAction, by: str, **details: Any
) -> Payment:
    """Keep `before` as `after`, what `action` made of it, and let its timers and the refund that it pays out follow.

    `by` is who acted; `details` are for the log. A final state ends the play, unless the play itself went there.
    """
    if after.is_final and after.play is not None and "step" not in details:
        after = replace(after, play=None)
    work.world.save(after)
    if before.play is not None and after.play is None:
        work.cancel(after.id, TimerKind.SCENARIO_STEP)
        let_expire(work, after)
    if before.state in EXPIRABLE and after.state not in EXPIRABLE:
        work.cancel(after.id, TimerKind.SESSION_EXPIRY)
    details = {name: value for name, value in details.items() if value not in (None, "", False)}
    moves: dict[str, Any] = {"action": action.value, "from": before.state.value, "to": after.state.value}
    event = work.tell(Kind.PAYMENT_CHANGED, after.id, by=by, **moves, **details)
    _follow(work, before, after.state, event)
    if after.state is not before.state and work.merchant.webhooks and not work.is_past:
        from simulator.service.outgoing import announce  # noqa: PLC0415  costs start-up time

        announce(work, after, TARGETS[action].event)
    if after.state is PaymentState.SENT and before.state is not PaymentState.SENT:
        send_receipt(work, after)
    return after


def delete_payment(work: Work, payment: Payment) -> None:
    """Forget a payment session that nobody paid; a refund that it was to pay out fails (Q11)."""
    work.world.remove(payment)
    work.cancel(payment.id, *TimerKind)
    event = work.tell(Kind.PAYMENT_DELETED, payment.id, by="merchant")
    _follow(work, payment, PaymentState.FAILED, event)


def open_payout(work: Work, refund: Refund, details: Account) -> Refund:
    """Give `refund` the customer's account and create its payment session; the refund is kept by the caller."""
    provided = refund.provide_details(details, work.new_id("payment_session"))
    session = provided.payment_session(work.merchant, reference=work.new_reference(), at=work.at)
    add_payment(work, session, by="simulator")
    return provided


def change_refund(work: Work, before: Refund, after: Refund, by: str, because: int | None = None) -> None:
    """Keep `before` as `after`."""
    work.world.save(after)
    work.touch(after.id)
    work.touch(after.request.payment_session_id)
    if after.state is not before.state:
        moves: dict[str, Any] = {"from": before.state.value, "to": after.state.value}
        work.tell(Kind.REFUND_CHANGED, after.id, because=because, by=by, **moves)


def touch_payout(work: Work, payment: Payment) -> None:
    """Let whoever waits for the refund that `payment` pays out, if it is a payout, look again."""
    if payment.refund_id is not None:
        work.touch(payment.refund_id)
        work.touch(work.world.refund(payment.refund_id).request.payment_session_id)


def _follow(work: Work, before: Payment, state: PaymentState, because: int) -> None:
    """Let the refund that `before` pays out, if it is a payout, follow it into `state`."""
    if before.refund_id is None:
        return
    refund = work.world.refund(before.refund_id)
    if before.is_final and before.state is not state:
        payment_id = refund.request.payment_session_id
        siblings = [other for other in work.world.refunds_of([payment_id])[payment_id] if other.id != refund.id]
        paid = work.world.payment(payment_id).amount
        followed = refund.force_follow(state, others=refunded(siblings), paid=paid)
    else:
        followed = refund.follow(state)
    change_refund(work, refund, followed, by="simulator", because=because)
