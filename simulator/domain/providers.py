"""Providers: the mock banks a payer can choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.domain.accounts import IdentifierType
from simulator.domain.errors import InvalidProvider
from simulator.domain.money import Currency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A bank of the house `brand`, which payers are shown for payments in `currencies`.

    `unavailable_because` is empty while it works.
    `shares_account` tells whether Banked learns the payer's account from it; only then are a refund's details
    known beforehand (facts 3.1, Q29). `identifier_type` is how its customers name their accounts.
    """

    id: str
    name: str
    brand: str
    currencies: tuple[Currency, ...]
    supports_batch: bool = False
    shares_account: bool = False
    unavailable_because: str = ""
    identifier_type: IdentifierType = IdentifierType.SORT_CODE_ACCOUNT_NUMBER

    @property
    def status(self) -> str:
        """`AVAILABLE` or `UNAVAILABLE` (facts 5.1)."""
        return "UNAVAILABLE" if self.unavailable_because else "AVAILABLE"

    def accept_currency(self, currency: Currency) -> None:
        """Raise InvalidProvider when payers are not shown the bank for payments in `currency`."""
        if currency not in self.currencies:
            raise InvalidProvider(f"{self.name} does not pay in {currency}.", "provider")

    def accept_customer(self) -> None:
        """Raise InvalidProvider when the bank cannot be chosen now."""
        if self.unavailable_because:
            raise InvalidProvider(f"{self.name} is unavailable: {self.unavailable_because}", "provider")


class Providers:
    """All the banks there are, by id and by name."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self._all = tuple(providers)

    def __iter__(self) -> Iterator[Provider]:
        return iter(self._all)

    def usual(self, currency: Currency) -> Provider:
        """The first bank that works and pays in `currency`; InvalidProvider when there is none."""
        for provider in self._all:
            if currency in provider.currencies and not provider.unavailable_because:
                return provider
        raise InvalidProvider(f"No bank pays in {currency}.", "provider")

    def find(self, name_or_id: str) -> Provider:
        """The bank with this name (in any case) or id; InvalidProvider, naming the known ones, if there is none."""
        wanted = name_or_id.casefold()
        for provider in self._all:
            if wanted in (provider.id.casefold(), provider.name.casefold()):
                return provider
        known = ", ".join(provider.name for provider in self._all)
        raise InvalidProvider(f"There is no provider {name_or_id!r}; known are: {known}.", "provider")
