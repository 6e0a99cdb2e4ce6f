"""What a page of the checkout is about, in words: a payment to the merchant, or a refund by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.web.pages.words import money

if TYPE_CHECKING:
    from simulator.domain.merchants import Merchant
    from simulator.domain.payments import Payment


@dataclass(frozen=True, slots=True)
class Matter:
    """A payment as its payer speaks of it; the payer of a refund is the merchant."""

    payment: Payment
    merchant: Merchant

    @property
    def is_refund(self) -> bool:
        """Whether the merchant pays a customer back."""
        return self.payment.refund_id is not None

    @property
    def noun(self) -> str:
        """What it is called."""
        return "refund" if self.is_refund else "payment"

    @property
    def sum(self) -> str:
        """How much, as people write it."""
        return money(self.payment.amount, self.payment.currency)

    @property
    def whom(self) -> str:
        """Who gets the money."""
        return (self.payment.request.payee.name or "your customer") if self.is_refund else self.merchant.name

    @property
    def request(self) -> str:
        """What the payer is asked for."""
        return f"Refund {self.sum} to {self.whom}" if self.is_refund else f"Pay {self.whom} {self.sum}"

    @property
    def bank(self) -> str:
        """The bank that was picked, or any."""
        return self.payment.provider.name if self.payment.provider else "the bank"
