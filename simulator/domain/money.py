"""Money: integer minor units and a currency."""

from __future__ import annotations

from enum import StrEnum

LARGEST_AMOUNT = 2**53 - 1
"""The largest sum, in minor units: what JSON carries unchanged to every receiver, those in JavaScript too."""


class Currency(StrEnum):
    """The ISO 4217 currencies Banked pays in (facts 2.1)."""

    GBP = "GBP"
    EUR = "EUR"
    AUD = "AUD"
    USD = "USD"


_SYMBOLS = {Currency.GBP: "£", Currency.EUR: "€", Currency.AUD: "$", Currency.USD: "$"}


def formatted(amount: int, currency: Currency) -> str:
    """`amount` minor units as Banked prints them: `£1,234.56` (facts 2.3, Q9)."""
    major, minor = divmod(amount, 100)
    return f"{_SYMBOLS[currency]}{major:,}.{minor:02}"
