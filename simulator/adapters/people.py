"""Customers made up by Faker: the same seed is always the same person."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from simulator.domain.accounts import Account, IdentifierType
from simulator.domain.money import Currency

if TYPE_CHECKING:
    from faker import Faker


class FakerPeople:
    """British people with accounts at home and abroad. Faker is imported when the first one is asked for."""

    def __init__(self) -> None:
        self._lock = Lock()

    def account(self, seed: str, holder: str | None, currency: Currency) -> Account:
        """Return the account of the customer that `seed` stands for: IBAN for EUR, BSB for AUD, else UK."""
        with self._lock:
            fake = self._faker
            fake.seed_instance(seed)
            name = fake.name()
            holder = holder or name
            match currency:
                case Currency.EUR:
                    return Account.identified(IdentifierType.IBAN, fake.iban(), holder)
                case Currency.AUD:
                    identifier = fake.numerify("######%#######")
                    return Account.identified(IdentifierType.BSB_ACCOUNT_NUMBER, identifier, holder)
                case _:
                    return Account(holder, fake.numerify("%#######"), fake.numerify("######"))

    @cached_property
    def _faker(self) -> Faker:
        from faker import Faker  # noqa: PLC0415  importing it takes longer than starting the server

        return Faker("en_GB")
