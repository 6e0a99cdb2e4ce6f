"""Customers made up by Faker: the same seed is always the same person."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from simulator.domain.accounts import Account, IdentifierType
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payer

if TYPE_CHECKING:
    from faker import Faker

_GOODS = (
    ("Apron", 1850),
    ("Beeswax candles", 1295),
    ("Bookmark", 250),
    ("Coffee beans, 250 g", 895),
    ("Enamel mug", 1100),
    ("Gift card", 2500),
    ("Greetings card", 325),
    ("Honey, 340 g", 675),
    ("Linen tea towel", 950),
    ("Loose leaf tea, 100 g", 720),
    ("Notebook, A5", 799),
    ("Sourdough loaf", 480),
    ("Tote bag", 1400),
    ("Wool blanket", 6495),
    ("Wrapping paper", 400),
)
"""What a small shop has, and its price in minor units."""


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

    def balance(self, seed: str) -> int:
        """Return how much is in the account that `seed` stands for, in minor units."""
        with self._lock:
            fake = self._faker
            fake.seed_instance(seed)
            balance: int = fake.random_int(48_000, 950_000)
            return balance

    def customer(self, seed: str) -> Payer:
        """Return the person that `seed` stands for, with an e-mail address at example.com."""
        with self._lock:
            fake = self._faker
            fake.seed_instance(seed)
            first, last = fake.first_name(), fake.last_name()
            return Payer(f"{first} {last}", f"{first}.{last}@example.com".lower())

    def purchase(self, seed: str, currency: Currency) -> tuple[LineItem, ...]:
        """Return one to three kinds of things, up to three of each."""
        with self._lock:
            fake = self._faker
            fake.seed_instance(seed)
            bought = fake.random_elements(_GOODS, length=fake.random_int(1, 3), unique=True)
            return tuple(LineItem(name, price, currency, fake.random_int(1, 3)) for name, price in bought)

    @cached_property
    def _faker(self) -> Faker:
        from faker import Faker  # noqa: PLC0415  importing it takes longer than starting the server

        return Faker("en_GB")
