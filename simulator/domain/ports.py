"""What the rules need from outside: a place to keep things, the time, fresh ids, made-up people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from simulator.domain.access import IdempotentCall, Token
    from simulator.domain.accounts import Account
    from simulator.domain.merchants import Merchant
    from simulator.domain.money import Currency
    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund
    from simulator.domain.states import PaymentState

PAGE_LIMIT = 100
"""How many records a list answers at most (facts 2.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentQuery:
    """Which payments to list; both ends of the time range are included."""

    limit: int = PAGE_LIMIT
    state: PaymentState | None = None
    created_at_from: datetime | None = None
    created_at_to: datetime | None = None


class World(Protocol):
    """All that belongs to one merchant, open for one unit of work.

    Lookups raise NotFound. What is given and taken are values: changing one needs `save`.
    """

    def merchant(self) -> Merchant:
        """Return the merchant whose world this is."""

    def payment(self, id_: str) -> Payment:
        """Return the payment session `id_`."""

    def payments(self, query: PaymentQuery) -> tuple[Payment, ...]:
        """Return what `query` asks for, the newest first; of equal instants the one added later first."""

    def refund(self, id_: str) -> Refund:
        """Return the refund `id_`."""

    def refunds(self, limit: int) -> tuple[Refund, ...]:
        """Return the refunds added last, the newest first."""

    def refunds_of(self, payment_ids: Iterable[str]) -> dict[str, tuple[Refund, ...]]:
        """Return the refunds of each payment in the order they were added; none is an empty tuple."""

    def token(self, id_: str) -> Token:
        """Return the token `id_`."""

    def call(self, id_: str) -> IdempotentCall | None:
        """Return the call made with the idempotency key `id_`."""

    def add(self, value: Payment | Refund | Token) -> None:
        """Keep something new; DuplicateId when any merchant has its id already."""

    def save(self, value: Payment | Refund | Merchant | IdempotentCall) -> None:
        """Keep the next value of something; an idempotent call may be new."""

    def remove(self, value: Payment | IdempotentCall) -> None:
        """Forget something."""

    def forget_expired(self, at: datetime) -> None:
        """Forget the tokens and idempotent calls whose time is over at `at`."""

    def clear(self) -> None:
        """Forget everything but the merchant."""


class Store(Protocol):
    """Where the worlds of all merchants are kept."""

    def transaction(self, merchant_key: str) -> AbstractContextManager[World]:
        """Open a merchant's world; leaving it by an exception undoes all that was done in it.

        Transactions of one merchant are serial, those of different merchants run side by side; they do not nest.
        NotFound when there is no such merchant.
        """

    def enrol(self, merchant: Merchant) -> Merchant:
        """Keep `merchant` unless its key is known; return whoever has the key. TooManyMerchants when full."""

    def merchant(self, key: str) -> Merchant | None:
        """Return the merchant with this API key."""

    def owner(self, id_: str) -> str | None:
        """Return the key of the merchant that has the payment session, refund or token `id_`, or is adding it."""


class Clock(Protocol):
    """The time in a merchant's world."""

    def now(self, merchant_key: str) -> datetime:
        """Return the present instant, in UTC."""


class Ids(Protocol):
    """Fresh names for things."""

    def new(self) -> str:
        """Return a UUID that nothing has yet."""

    def token(self) -> str:
        """Return an unguessable token: 43 URL-safe characters (facts 1.2)."""

    def reference(self) -> str:
        """Return a reference as Banked makes them up: `bnkd` and 8 letters or digits (Q31)."""


class People(Protocol):
    """Believable customers."""

    def account(self, seed: str, holder: str | None, currency: Currency) -> Account:
        """Return the bank account of the customer that `seed` stands for, in the form usual for `currency`.

        The same seed is always the same customer. `holder` is the name to use, if it is known.
        """
