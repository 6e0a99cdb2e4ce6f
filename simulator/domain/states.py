"""The state machines of payments and refunds, as data: one row an edge."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class PaymentState(StrEnum):
    """Where a payment session stands (facts 2.5)."""

    AWAITING_PROVIDER = "awaiting_provider"
    AWAITING_PAYMENT_CONSENT = "awaiting_payment_consent"
    INITIATED = "initiated"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class PaymentAction(StrEnum):
    """What moves a payment session."""

    CHOOSE_PROVIDER = "choose_provider"
    INITIATE = "initiate"
    ACCEPT = "accept"
    SETTLE = "settle"
    REJECT = "reject"
    FAIL = "fail"
    EXPIRE = "expire"


class RefundState(StrEnum):
    """Where a refund stands (facts 3.3, Q15)."""

    AWAITING_DETAILS = "awaiting_details"
    AWAITING_PAYMENT = "awaiting_payment"
    SENT = "sent"
    FAILED = "failed"
    EXTERNALLY_PROCESSED = "externally_processed"


class RefundAction(StrEnum):
    """What moves a refund; the last two follow from its payment session (REFUND_OUTCOMES)."""

    PROVIDE_DETAILS = "provide_details"
    MARK_EXTERNALLY_PROCESSED = "mark_externally_processed"
    SETTLE = "settle"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Edge:
    """Where an action leads, and the webhook event that a payment emits on the way."""

    to: PaymentState
    event: str | None = None


_P, _A = PaymentState, PaymentAction

PAYMENT_TRANSITIONS: Mapping[tuple[PaymentState, PaymentAction], Edge] = {
    (_P.AWAITING_PROVIDER, _A.CHOOSE_PROVIDER): Edge(_P.AWAITING_PAYMENT_CONSENT),
    (_P.AWAITING_PROVIDER, _A.EXPIRE): Edge(_P.FAILED, "payment_failed"),
    (_P.AWAITING_PAYMENT_CONSENT, _A.CHOOSE_PROVIDER): Edge(_P.AWAITING_PAYMENT_CONSENT),
    (_P.AWAITING_PAYMENT_CONSENT, _A.INITIATE): Edge(_P.INITIATED, "payment_initiated"),
    (_P.AWAITING_PAYMENT_CONSENT, _A.ACCEPT): Edge(_P.PENDING, "payment_pending"),
    (_P.AWAITING_PAYMENT_CONSENT, _A.SETTLE): Edge(_P.SENT, "payment_sent"),
    (_P.AWAITING_PAYMENT_CONSENT, _A.REJECT): Edge(_P.FAILED, "payment_failed"),
    (_P.AWAITING_PAYMENT_CONSENT, _A.FAIL): Edge(_P.FAILED, "payment_failed"),
    (_P.AWAITING_PAYMENT_CONSENT, _A.EXPIRE): Edge(_P.FAILED, "payment_failed"),
    (_P.INITIATED, _A.ACCEPT): Edge(_P.PENDING, "payment_pending"),
    (_P.INITIATED, _A.SETTLE): Edge(_P.SENT, "payment_sent"),
    (_P.INITIATED, _A.FAIL): Edge(_P.FAILED, "payment_failed"),
    (_P.PENDING, _A.SETTLE): Edge(_P.SENT, "payment_sent"),
    (_P.PENDING, _A.FAIL): Edge(_P.FAILED, "payment_failed"),
}

DELETABLE = frozenset({_P.AWAITING_PROVIDER, _P.AWAITING_PAYMENT_CONSENT})
"""The states in which a merchant may delete a payment session (Q11)."""

EXPIRABLE = frozenset(state for state, action in PAYMENT_TRANSITIONS if action is _A.EXPIRE)
"""The states in which nobody has authorised the payment, so that its link may expire (Q12)."""

FINAL = frozenset({_P.SENT, _P.FAILED})
"""The states that a payment session does not leave, unless it is forced."""

TARGETS: Mapping[PaymentAction, Edge] = {action: edge for (_, action), edge in PAYMENT_TRANSITIONS.items()}
"""Where an action leads from wherever it is allowed, and from everywhere else when it is forced."""

_R, _B = RefundState, RefundAction

REFUND_TRANSITIONS: Mapping[tuple[RefundState, RefundAction], RefundState] = {
    (_R.AWAITING_DETAILS, _B.PROVIDE_DETAILS): _R.AWAITING_PAYMENT,
    (_R.AWAITING_DETAILS, _B.MARK_EXTERNALLY_PROCESSED): _R.EXTERNALLY_PROCESSED,
    (_R.AWAITING_PAYMENT, _B.MARK_EXTERNALLY_PROCESSED): _R.EXTERNALLY_PROCESSED,
    (_R.AWAITING_PAYMENT, _B.SETTLE): _R.SENT,
    (_R.AWAITING_PAYMENT, _B.FAIL): _R.FAILED,
}

REFUND_OUTCOMES: Mapping[PaymentState, RefundAction] = {_P.SENT: _B.SETTLE, _P.FAILED: _B.FAIL}
"""What the end of its payment session does to a refund."""


REFUND_FINAL = frozenset({_R.SENT, _R.FAILED, _R.EXTERNALLY_PROCESSED})
"""The states that a refund does not leave, unless its payment session is forced."""


def payment_actions(state: PaymentState) -> tuple[PaymentAction, ...]:
    """The actions that `state` allows, in the order of the table."""
    return tuple(action for start, action in PAYMENT_TRANSITIONS if start is state)


def refund_actions(state: RefundState) -> tuple[RefundAction, ...]:
    """The actions that somebody may take in `state`, in the order of the table."""
    outcomes = REFUND_OUTCOMES.values()
    return tuple(action for start, action in REFUND_TRANSITIONS if start is state and action not in outcomes)
