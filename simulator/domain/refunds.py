"""Refunds: money sent back to whoever paid, by a payment session that runs the other way (facts 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.domain.accounts import Account
from simulator.domain.errors import IllegalAction, InvalidAmount, NotRefundable
from simulator.domain.money import Currency, formatted
from simulator.domain.payments import LineItem, Payer, Payment, PaymentRequest
from simulator.domain.states import (
    REFUND_FINAL,
    REFUND_OUTCOMES,
    REFUND_TRANSITIONS,
    PaymentState,
    RefundAction,
    RefundState,
    refund_actions,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.merchants import Merchant


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """What the merchant sends to refund a payment; `amount` in minor units (facts 3.2)."""

    payment_session_id: str
    amount: int
    reference: str | None = None
    success_url: str | None = None
    error_url: str | None = None
    payee: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund of all or part of one payment; `details` is the account the money goes to."""

    id: str
    request: RefundRequest
    currency: Currency
    created_at: datetime
    state: RefundState = RefundState.AWAITING_DETAILS
    details: Account | None = None
    refund_payment_session_id: str | None = None

    @classmethod
    def of(cls, payment: Payment, request: RefundRequest, *, refunded: int, id_: str, at: datetime) -> Refund:
        """A new refund of `payment`, of which `refunded` minor units are refunded already.

        Raises NotRefundable unless the payment was sent and is no refund itself (Q27, Q28), and InvalidAmount when
        more would be refunded than was paid (Q13).
        """
        if payment.refund_id is not None:
            raise NotRefundable("A payment session that pays out a refund cannot be refunded.", "payment_session_id")
        if payment.state is not PaymentState.SENT:
            sentence = f"Only a payment in state sent can be refunded; this one is {payment.state}."
            raise NotRefundable(sentence, "payment_session_id")
        if request.amount < 1:
            raise InvalidAmount("A refund must be of 1 or more, in minor units.", "amount")
        left = payment.amount - refunded
        if request.amount > left:
            asked, rest, paid = (
                formatted(amount, payment.currency) for amount in (request.amount, left, payment.amount)
            )
            raise InvalidAmount(f"{asked} cannot be refunded: {rest} is left of the {paid} paid.", "amount")
        return cls(id=id_, request=request, currency=payment.currency, created_at=at)

    @property
    def amount(self) -> int:
        """What is to be refunded, in minor units."""
        return self.request.amount

    @property
    def is_final(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.state in REFUND_FINAL

    @property
    def actions(self) -> tuple[RefundAction, ...]:
        """What may happen next."""
        return refund_actions(self.state)

    def act(self, action: RefundAction) -> Refund:
        """The refund after `action`; IllegalAction when its state does not allow it."""
        state = REFUND_TRANSITIONS.get((self.state, action))
        if state is None:
            raise IllegalAction("refund", self.state, action, self.actions)
        return replace(self, state=state)

    def follow(self, session_state: PaymentState) -> Refund:
        """The refund once its payment session is in `session_state`; the same unless that ends it."""
        outcome = REFUND_OUTCOMES.get(session_state)
        state = REFUND_TRANSITIONS.get((self.state, outcome)) if outcome else None
        return replace(self, state=state) if state else self

    def force_follow(self, session_state: PaymentState, *, others: int, paid: int) -> Refund:
        """The refund once its payment session was forced into `session_state` out of a final one.

        `others` is what the other refunds take of the `paid` minor units; InvalidAmount when this one no longer fits.
        """
        if self.state not in (RefundState.SENT, RefundState.FAILED):
            return self
        if session_state is PaymentState.FAILED:
            return replace(self, state=RefundState.FAILED)
        if others + self.amount > paid:
            left = formatted(paid - others, self.currency)
            raise InvalidAmount(f"This refund failed, and only {left} of its payment is left since.", "amount")
        state = RefundState.SENT if session_state is PaymentState.SENT else RefundState.AWAITING_PAYMENT
        return replace(self, state=state)

    def provide_details(self, details: Account, refund_payment_session_id: str) -> Refund:
        """The refund once the customer's account is known and its payment session has an id."""
        provided = self.act(RefundAction.PROVIDE_DETAILS)
        return replace(provided, details=details, refund_payment_session_id=refund_payment_session_id)

    def payment_session(self, merchant: Merchant, *, reference: str, at: datetime) -> Payment:
        """The session by which `merchant` pays the refund out; `reference` stands in for a missing one (Q31).

        Only after `provide_details`.
        """
        if self.details is None or self.refund_payment_session_id is None:
            raise ValueError("a refund without details has no payment session")
        request = PaymentRequest(
            reference=self.request.reference or reference,
            line_items=(LineItem("Refund", self.amount, self.currency, 1),),
            payee=self.details,
            payer=Payer(merchant.name, merchant.email),
            success_url=self.request.success_url,
            error_url=self.request.error_url,
        )
        return Payment(id=self.refund_payment_session_id, request=request, created_at=at, refund_id=self.id)


def refunded(refunds: Iterable[Refund]) -> int:
    """What `refunds` take from their payment, in minor units: all but the failed ones (Q13)."""
    return sum(refund.amount for refund in refunds if refund.state is not RefundState.FAILED)
