"""What the store in memory keeps of one merchant, in the order and by the indexes in which it is asked for."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from simulator.domain.access import ClientKey, IdempotentCall, Token
    from simulator.domain.contents import Contents
    from simulator.domain.deliveries import Delivery
    from simulator.domain.emails import Email
    from simulator.domain.events import Event
    from simulator.domain.inbox import Received
    from simulator.domain.merchants import Merchant
    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund
    from simulator.domain.states import PaymentState
    from simulator.domain.timers import Timer

    Position = tuple[datetime, int, str]
    """A payment's place in the lists: when it was created, the how-manieth it is, its id."""

    Turn = tuple[int, str]
    """A delivery's place in the lists: the how-manieth it is, its id."""

Place = TypeVar("Place", "Position", "Turn")


class Space:
    """One merchant's things, and the merchant: in the transaction that is open, and as everybody else knows it."""

    def __init__(self, merchant: Merchant) -> None:
        self.lock = Lock()
        self.merchant = self.published = merchant
        self.things = Things()


class Things:
    """Payments and their positions by creation, in all and by state; all else in the order it was added.

    Deliveries have their turns: in all, by subject, of those that are over and of those that are not.
    `expiries` is a heap of when to look again at which token or call; that may have gone, or live longer by then.
    """

    def __init__(self) -> None:
        self.payments: dict[str, tuple[Payment, Position]] = {}
        self.refunds: dict[str, Refund] = {}
        self.tokens: dict[str, Token] = {}
        self.client_keys: dict[str, ClientKey] = {}
        self.calls: dict[str, IdempotentCall] = {}
        self.emails: dict[str, Email] = {}
        self.deliveries: dict[str, Delivery] = {}
        self.turns: list[Turn] = []
        self.turns_of: defaultdict[str, list[Turn]] = defaultdict(list)
        self.turns_over: list[Turn] = []
        self.turns_open: list[Turn] = []
        self.inbox: dict[str, Received] = {}
        self.refund_ids: defaultdict[str, list[str]] = defaultdict(list)
        self.positions: list[Position] = []
        self.positions_in: defaultdict[PaymentState, list[Position]] = defaultdict(list)
        self.expiries: list[tuple[datetime, str]] = []
        self.added = 0
        self.counts: dict[str, int] = {}
        self.events: dict[int, Event] = {}
        self.last_event = 0
        self.timers: list[Timer] = []
        self.timers_of: defaultdict[str, list[Timer]] = defaultdict(list)

    def place(self, payment: Payment, position: Position) -> None:
        """Put a payment where it belongs."""
        self.payments[payment.id] = payment, position
        insort(self.positions, position)
        insort(self.positions_in[payment.state], position)

    def replace(self, payment: Payment) -> None:
        """Put the next value of a payment in its place."""
        old, position = self.payments[payment.id]
        self.payments[payment.id] = payment, position
        if payment.state is not old.state:
            _discard(self.positions_in[old.state], position)
            insort(self.positions_in[payment.state], position)

    def set(self, timer: Timer) -> None:
        """Put a timer where it is due."""
        insort(self.timers, timer)
        insort(self.timers_of[timer.subject], timer)

    def unset(self, timer: Timer) -> None:
        """Take a timer away."""
        siblings = self.timers_of[timer.subject]
        siblings.remove(timer)
        if not siblings:
            del self.timers_of[timer.subject]
        del self.timers[bisect_left(self.timers, timer)]

    def displace(self, id_: str) -> None:
        """Take a payment away."""
        payment, position = self.payments.pop(id_)
        _discard(self.positions, position)
        _discard(self.positions_in[payment.state], position)

    def line_up(self, delivery: Delivery) -> None:
        """Put a delivery where it belongs."""
        turn = delivery.number, delivery.id
        self.deliveries[delivery.id] = delivery
        insort(self.turns, turn)
        insort(self.turns_of[delivery.subject], turn)
        insort(self._those_like(delivery), turn)

    def step_out(self, delivery: Delivery) -> None:
        """Take a delivery away."""
        turn = delivery.number, delivery.id
        siblings = self.turns_of[delivery.subject]
        del self.deliveries[delivery.id]
        _discard(self.turns, turn)
        _discard(siblings, turn)
        if not siblings:
            del self.turns_of[delivery.subject]
        _discard(self._those_like(delivery), turn)

    def move_on(self, delivery: Delivery) -> None:
        """Put the next value of a delivery in its place."""
        turn, before = (delivery.number, delivery.id), self.deliveries[delivery.id]
        self.deliveries[delivery.id] = delivery
        if delivery.is_over is not before.is_over:
            _discard(self._those_like(before), turn)
            insort(self._those_like(delivery), turn)

    def _those_like(self, delivery: Delivery) -> list[Turn]:
        return self.turns_over if delivery.is_over else self.turns_open

    def contents(self, merchant: Merchant) -> Contents:
        """All that there is."""
        from simulator.domain.contents import Contents  # noqa: PLC0415  costs start-up time, and few take snapshots

        return Contents(
            merchant=merchant,
            counts=dict(sorted(self.counts.items())),
            payment_sessions=tuple(self.payments[id_][0] for _, _, id_ in self.positions),
            refunds=tuple(self.refunds.values()),
            tokens=tuple(sorted(self.tokens.values(), key=_age)),
            client_keys=tuple(sorted(self.client_keys.values(), key=_age)),
            idempotent_calls=tuple(sorted((call for call in self.calls.values() if call.answer), key=_age)),
            emails=tuple(self.emails.values()),
            deliveries=tuple(self.deliveries[id_] for _, id_ in self.turns),
            inbox=tuple(self.inbox.values()),
            timers=tuple(self.timers),
            events=tuple(self.events[number] for number in sorted(self.events)),
        )


def _age(thing: Token | ClientKey | IdempotentCall) -> tuple[datetime, str]:
    return thing.created_at, thing.id


def _discard(places: list[Place], place: Place) -> None:
    del places[bisect_left(places, place)]
