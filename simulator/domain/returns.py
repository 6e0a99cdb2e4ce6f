"""The way back to the merchant: how a payment ended for its payer, and the URL that tells it (facts 6)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from simulator.domain.states import PaymentState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.domain.payments import Payment

PLACEHOLDER = "__PAYMENT_ID__"
"""What stands for the payment session's id in the merchant's URLs; in a refund's, for its own session's (Q14)."""


class Outcome(StrEnum):
    """How a payment ended for the payer, in the word of the query parameters."""

    SUCCESS = "success"
    PENDING = "pending"
    FAILURE = "failure"
    USER_CANCELLED = "user-cancelled"


class RedirectParameters(StrEnum):
    """Which query parameters tell the outcome: the latest set of v2, that of 2024, or none (Q35)."""

    RESULT = "result"
    STATUS = "status"
    NONE = "none"


class ReturnBehaviour(StrEnum):
    """What the way back is like: as it should be, or as merchants get to know it sooner or later.

    The payer arrives before the webhook, after it, or there is none at all; twice, when the payer comes back to the
    checkout; or never.
    """

    NORMAL = "normal"
    BEFORE_WEBHOOK = "before_webhook"
    AFTER_WEBHOOK = "after_webhook"
    WITHOUT_WEBHOOK = "without_webhook"
    TWICE = "twice"
    NEVER = "never"

    @property
    def arrivals(self) -> int:
        """How often one outcome takes one browser to the merchant."""
        return {ReturnBehaviour.TWICE: 2, ReturnBehaviour.NEVER: 0}.get(self, 1)


_WELCOME = frozenset({Outcome.SUCCESS, Outcome.PENDING})


def outcome(payment: Payment) -> Outcome | None:
    """How `payment` ended for its payer; None while the bank is at it, and before the payer authorised it."""
    if payment.state is PaymentState.SENT:
        return Outcome.SUCCESS
    if payment.state is PaymentState.FAILED:
        return Outcome.FAILURE
    if payment.is_under_way:
        return None
    if payment.is_authorised:
        return Outcome.PENDING
    return Outcome.USER_CANCELLED if payment.cancelled else None


def return_url(payment: Payment, how: Outcome, parameters: RedirectParameters) -> str | None:
    """Where the payer goes when `payment` ended like `how`; None when the merchant gave no URL for that."""
    request = payment.request
    url = request.success_url if how in _WELCOME else request.error_url
    if not url:
        return None
    return _with_query(url.replace(PLACEHOLDER, payment.id), _told(payment, how, parameters))


def _told(payment: Payment, how: Outcome, parameters: RedirectParameters) -> Mapping[str, str]:
    match parameters:
        case RedirectParameters.RESULT:
            return {
                "banked-checkout-result": how,
                "payment_result": payment.state,
                "payment_id": payment.id,
            }
        case RedirectParameters.STATUS:
            return {"banked-checkout-status": how}
        case RedirectParameters.NONE:
            return {}


def _with_query(url: str, told: Mapping[str, str]) -> str:
    """`url` with `told` after what its query says already, a parameter of the same name replaced."""
    if not told:
        return url
    rest, mark, fragment = url.partition("#")
    address, _, query = rest.partition("?")
    kept = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in told]
    return f"{address}?{'&'.join([*kept, *(f'{name}={value}' for name, value in told.items())])}{mark}{fragment}"
