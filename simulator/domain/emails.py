"""E-mails: what is sent to a payer, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from simulator.domain.events import Cause
from simulator.domain.payments import Payer, Payment
from simulator.domain.refunds import Refund

EMAILS_KEPT = 1_000
"""How many e-mails of a merchant are kept: the newest."""


class EmailKind(StrEnum):
    """What an e-mail is about."""

    REFUND_DETAILS = "refund_details"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A message to `to` in the name of the merchant, about a payment as it was then.

    One that asks for the details of a refund has the `refund` too (facts 7).
    """

    id: str
    kind: EmailKind
    created_at: datetime
    to: Payer
    merchant_name: str
    merchant_email: str
    payment: Payment
    refund: Refund | None = None

    @property
    def subject_id(self) -> str:
        """The id of what it is about: the refund, or else the payment session."""
        return self.refund.id if self.refund else self.payment.id


@dataclass(frozen=True, slots=True)
class Posting:
    """An e-mail on its way out of a merchant's world; its cause is the event that tells of it."""

    merchant_key: str
    email: Email
    cause: Cause


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail in words."""

    title: str
    text: str
    html: str
