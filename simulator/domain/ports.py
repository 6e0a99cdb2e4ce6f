"""What the rules need from outside: a place to keep things, the time, fresh ids, made-up people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from simulator.domain.access import ClientKey, IdempotentCall, Token
    from simulator.domain.accounts import Account
    from simulator.domain.contents import Contents
    from simulator.domain.deliveries import Delivery, DeliveryQuery, Errand
    from simulator.domain.emails import Email, Posting
    from simulator.domain.events import Event, EventQuery
    from simulator.domain.inbox import Received
    from simulator.domain.merchants import Merchant
    from simulator.domain.messages import Message, Reply
    from simulator.domain.money import Currency
    from simulator.domain.payments import LineItem, Payer, Payment
    from simulator.domain.refunds import Refund
    from simulator.domain.states import PaymentState
    from simulator.domain.timers import Timer
    from simulator.domain.webhooks import TypeKeys

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

    def client_key(self, token: str) -> ClientKey:
        """Return the client key with this token."""

    def call(self, id_: str) -> IdempotentCall | None:
        """Return the call made with the idempotency key `id_`."""

    def email(self, id_: str) -> Email:
        """Return the e-mail `id_`."""

    def emails(self, limit: int) -> tuple[Email, ...]:
        """Return the newest e-mails, the newest first."""

    def delivery(self, id_: str) -> Delivery:
        """Return the delivery `id_`."""

    def deliveries(self, query: DeliveryQuery) -> tuple[Delivery, ...]:
        """Return what `query` asks for, the newest first."""

    def inbox(self, limit: int) -> tuple[Received, ...]:
        """Return the newest messages in the inbox, the newest first."""

    def count(self, kind: str) -> int:
        """Return how many times this was asked for `kind`, this time included."""

    def latest(self) -> datetime:
        """Return the instant of the newest event, or the epoch."""

    def last_event(self) -> int:
        """Return the number of the newest event, or 0."""

    def event(self, number: int) -> Event | None:
        """Return the event `number`, unless it is too old to be kept."""

    def events(self, query: EventQuery) -> tuple[Event, ...]:
        """Return what `query` asks for, the oldest first."""

    def record(self, event: Event) -> None:
        """Keep an event in place of the one with its number, or else of the oldest when there are EVENTS_KEPT."""

    def next_timer(self) -> Timer | None:
        """Return the timer that is due first."""

    def timers(self, subjects: Collection[str] | None = None) -> tuple[Timer, ...]:
        """Return all timers, or those of `subjects`, the first due first."""

    def add(self, value: Payment | Refund | Token | Timer | Email | ClientKey | Delivery | Received) -> None:
        """Keep something new; DuplicateId when any merchant has its id already (timers' ids are the merchant's own).

        When there are EMAILS_KEPT e-mails or INBOX_KEPT messages, the oldest goes; of DELIVERIES_KEPT deliveries the
        oldest that is over, or else the oldest, with its timers.
        """

    def save(self, value: Payment | Refund | Merchant | IdempotentCall | Delivery) -> None:
        """Keep the next value of something; an idempotent call may be new."""

    def remove(self, value: Payment | Token | IdempotentCall | Timer) -> None:
        """Forget something."""

    def forget_expired(self, at: datetime) -> None:
        """Forget the tokens and idempotent calls whose time is over at `at`."""

    def clear(self) -> dict[str, int]:
        """Forget everything but the merchant; return how much of what there was."""

    def contents(self) -> Contents:
        """Return all that there is, but for idempotent calls that are still worked on."""

    def is_free(self, id_: str) -> bool:
        """Whether nothing of any merchant has this id."""

    def recount(self, counts: Mapping[str, int]) -> None:
        """Go on counting from `counts`, by kind."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Leaving this by an exception undoes all that was done in it, and nothing before."""


class Store(Protocol):
    """Where the worlds of all merchants are kept; its verbs raise StoreUnavailable while that cannot be reached."""

    def transaction(self, merchant_key: str) -> AbstractContextManager[World]:
        """Open a merchant's world; leaving it by an exception undoes all that was done in it.

        Transactions of one merchant are serial, those of different merchants run side by side; they do not nest.
        NotFound when there is no such merchant.
        """

    def enrol(self, merchant: Merchant) -> Merchant:
        """Keep `merchant` unless its key is known; return whoever has the key. TooManyMerchants when full."""

    def merchant(self, key: str) -> Merchant | None:
        """Return the merchant with this API key."""

    def merchants(self) -> tuple[str, ...]:
        """Return the API keys of all merchants."""

    def owner(self, id_: str) -> str | None:
        """Return the key of the merchant that has the thing `id_` (all but timers and events), or is adding it."""

    def clock_turn(self, merchant_key: str) -> AbstractContextManager[Any]:
        """Wait for one's turn to set the merchant's clock, and keep others waiting until this is left."""

    def secret(self) -> str:
        """Return what all who share the store know, and nobody else can guess."""

    def stop(self) -> None:
        """Need what things are kept in no more."""


class Clock(Protocol):
    """The real time."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""


class Ids(Protocol):
    """Fresh names for what is outside all worlds."""

    def new(self) -> str:
        """Return a UUID that nothing has yet."""


class Alarm(Protocol):
    """Whoever wakes up to fire the timers of a merchant."""

    def watch(self) -> None:
        """Fire from now on also what was set by others who are gone."""

    def set(self, merchant_key: str, due: datetime | None) -> None:
        """Fire at the real instant `due`, and not at what was set before; None for not at all."""

    def stop(self) -> None:
        """Fire nothing more, and wait for what is being fired."""


class Bell(Protocol):
    """What tells waiting readers that something has changed."""

    def ring(self, topics: Collection[str]) -> None:
        """Wake whoever listens to one of `topics`: ids of things, keys of merchants."""

    def listen(self, topics: Collection[str]) -> AbstractContextManager[Listener]:
        """Hear the ringing for `topics` from now on."""

    def silence(self) -> None:
        """End all waits."""


class Listener(Protocol):
    """Somebody who waits for a ring."""

    def wait(self, seconds: float) -> bool:
        """Wait for a ring since the last wait; False when there was none, or there will be no more."""


class Post(Protocol):
    """Who carries e-mails to mail servers."""

    def take(self, posting: Posting) -> None:
        """Send an e-mail, later and only once; never wait for that, and never fail."""

    def stop(self) -> None:
        """Send nothing more."""


class Sender(Protocol):
    """Who sends messages to webhook receivers."""

    def send(self, message: Message, gate: AbstractContextManager[bool]) -> Reply | None:
        """Send a message and return what came back; only passing the `gate` may fail.

        That is passed once connected, while the first bytes go out. None when it was closed, for the message was no
        longer wanted: the receiver has seen nothing of it.
        """


class Courier(Protocol):
    """Who runs the errands of all merchants, many side by side, so that no receiver holds up another."""

    def take(self, errand: Errand) -> None:
        """Run an errand, as soon as it is its turn; never wait for that, and never fail."""

    def settle(self, merchant_key: str, seconds: float) -> bool:
        """Wait until all errands of a merchant that were taken by now are done; False when that took longer."""

    def stop(self, seconds: float) -> int:
        """Begin no more errands, wait for those that are under way, and return how many were left undone."""


class Payload(Protocol):
    """Who writes webhook messages as Banked does."""

    def __call__(self, payment: Payment, refunds: Iterable[Refund], event: str, type_keys: TypeKeys) -> str:
        """Return the body of the message that tells of `event`, which has happened to `payment`, in JSON."""


class People(Protocol):
    """Believable customers."""

    def account(self, seed: str, holder: str | None, currency: Currency) -> Account:
        """Return the bank account of the customer that `seed` stands for, in the form usual for `currency`.

        The same seed is always the same customer. `holder` is the name to use, if it is known.
        """

    def balance(self, seed: str) -> int:
        """Return how much is in the account that `seed` stands for: some hundred to some thousand pounds, in pence."""

    def customer(self, seed: str) -> Payer:
        """Return the person that `seed` stands for."""

    def purchase(self, seed: str, currency: Currency) -> tuple[LineItem, ...]:
        """Return what the customer that `seed` stands for buys in a shop, for the price of 1 to some 100 pounds."""
