"""The store in memory: every merchant's world behind a lock of its own, changed in place and undone on error."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from functools import partial
from heapq import heappop, heappush
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from simulator.domain.access import IdempotentCall, Token
from simulator.domain.errors import DuplicateId, NotFound, TooManyMerchants
from simulator.domain.merchants import Merchant
from simulator.domain.payments import Payment
from simulator.domain.refunds import Refund

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from types import TracebackType

    from simulator.domain.ports import PaymentQuery, World
    from simulator.domain.states import PaymentState

    Position = tuple[datetime, int, str]
    """A payment's place in the lists: when it was created, the how-manieth it is, its id."""

MERCHANTS_LIMIT = 100_000

Value = TypeVar("Value")


class MemoryStore:
    """Keeps everything in this process, for as long as it lives."""

    def __init__(self, merchants_limit: int = MERCHANTS_LIMIT) -> None:
        self._spaces: dict[str, _Space] = {}
        self._owners: dict[str, str] = {}
        self._enrolling = Lock()
        self._merchants_limit = merchants_limit

    def transaction(self, merchant_key: str) -> MemoryTransaction:
        """Open the merchant's world."""
        space = self._spaces.get(merchant_key)
        if space is None:
            raise NotFound("merchant", merchant_key)
        return MemoryTransaction(space, self._owners)

    def enrol(self, merchant: Merchant) -> Merchant:
        """Keep `merchant` unless its key is known; return whoever has the key."""
        with self._enrolling:
            space = self._spaces.get(merchant.key)
            if space is None:
                if len(self._spaces) >= self._merchants_limit:
                    raise TooManyMerchants(
                        f"There are {self._merchants_limit} merchants already; restart to make room."
                    )
                space = self._spaces[merchant.key] = _Space(merchant)
            return space.merchant

    def merchant(self, key: str) -> Merchant | None:
        """Return the merchant with this API key."""
        space = self._spaces.get(key)
        return space.merchant if space else None

    def owner(self, id_: str) -> str | None:
        """Return the key of the merchant that has the payment session, refund or token `id_`."""
        return self._owners.get(id_)


class _Space:
    """One merchant's things, and the indexes that keep every call short however many there are."""

    def __init__(self, merchant: Merchant) -> None:
        self.lock = Lock()
        self.merchant = merchant
        self.things = _Things()


class _Things:
    """Payments and their positions by creation, in all and by state; all else in the order it was added.

    `expiries` is a heap of when to look again at which token or call; that may have gone, or live longer by then.
    """

    def __init__(self) -> None:
        self.payments: dict[str, tuple[Payment, Position]] = {}
        self.refunds: dict[str, Refund] = {}
        self.tokens: dict[str, Token] = {}
        self.calls: dict[str, IdempotentCall] = {}
        self.refund_ids: defaultdict[str, list[str]] = defaultdict(list)
        self.positions: list[Position] = []
        self.positions_in: defaultdict[PaymentState, list[Position]] = defaultdict(list)
        self.expiries: list[tuple[datetime, str]] = []
        self.added = 0

    def place(self, payment: Payment, position: Position) -> None:
        self.payments[payment.id] = payment, position
        insort(self.positions, position)
        insort(self.positions_in[payment.state], position)

    def replace(self, payment: Payment) -> None:
        old, position = self.payments[payment.id]
        self.payments[payment.id] = payment, position
        if payment.state is not old.state:
            _discard(self.positions_in[old.state], position)
            insort(self.positions_in[payment.state], position)

    def displace(self, id_: str) -> None:
        payment, position = self.payments.pop(id_)
        _discard(self.positions, position)
        _discard(self.positions_in[payment.state], position)


def _instant(position: Position) -> datetime:
    return position[0]


def _discard(positions: list[Position], position: Position) -> None:
    del positions[bisect_left(positions, position)]


class MemoryTransaction:
    """A `World` while it is entered. Each change leaves behind what takes it back."""

    def __init__(self, space: _Space, owners: dict[str, str]) -> None:
        self._space = space
        self._owners = owners
        self._undo: list[Callable[[], object]] = []
        self._disowned: set[str] = set()

    def __enter__(self) -> World:
        self._space.lock.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if error is None:
                for id_ in self._disowned:
                    del self._owners[id_]
            else:
                for undo in reversed(self._undo):
                    undo()
        finally:
            self._space.lock.release()

    def merchant(self) -> Merchant:
        """Return the merchant whose world this is."""
        return self._space.merchant

    def payment(self, id_: str) -> Payment:
        """Return the payment session `id_`."""
        try:
            return self._space.things.payments[id_][0]
        except KeyError:
            raise NotFound("payment session", id_) from None

    def payments(self, query: PaymentQuery) -> tuple[Payment, ...]:
        """Return what `query` asks for, the newest first."""
        things = self._space.things
        positions = things.positions if query.state is None else things.positions_in.get(query.state, [])
        start, end = 0, len(positions)
        if query.created_at_from is not None:
            start = bisect_left(positions, query.created_at_from, key=_instant)
        if query.created_at_to is not None:
            end = bisect_right(positions, query.created_at_to, key=_instant)
        page = reversed(positions[max(start, end - query.limit) : end])
        return tuple(things.payments[id_][0] for _, _, id_ in page)

    def refund(self, id_: str) -> Refund:
        """Return the refund `id_`."""
        try:
            return self._space.things.refunds[id_]
        except KeyError:
            raise NotFound("refund", id_) from None

    def refunds(self, limit: int) -> tuple[Refund, ...]:
        """Return the refunds added last, the newest first."""
        return tuple(islice(reversed(self._space.things.refunds.values()), limit))

    def refunds_of(self, payment_ids: Iterable[str]) -> dict[str, tuple[Refund, ...]]:
        """Return the refunds of each payment in the order they were added."""
        things = self._space.things
        return {id_: tuple(things.refunds[refund] for refund in things.refund_ids.get(id_, ())) for id_ in payment_ids}

    def token(self, id_: str) -> Token:
        """Return the token `id_`."""
        try:
            return self._space.things.tokens[id_]
        except KeyError:
            raise NotFound("token", "…") from None

    def call(self, id_: str) -> IdempotentCall | None:
        """Return the call made with the idempotency key `id_`."""
        return self._space.things.calls.get(id_)

    def add(self, value: Payment | Refund | Token) -> None:
        """Keep something new."""
        self._own(value.id)
        things = self._space.things
        match value:
            case Payment():
                things.added += 1
                things.place(value, (value.created_at, things.added, value.id))
                self._undo.append(lambda: things.displace(value.id))
            case Refund():
                siblings = things.refund_ids[value.request.payment_session_id]
                siblings.append(value.id)
                self._undo.append(siblings.pop)
                self._put(things.refunds, value.id, value)
            case Token():
                self._put(things.tokens, value.id, value)
                heappush(things.expiries, (value.expires_at, value.id))

    def save(self, value: Payment | Refund | Merchant | IdempotentCall) -> None:
        """Keep the next value of something."""
        space = self._space
        match value:
            case Payment():
                old = self.payment(value.id)
                space.things.replace(value)
                self._undo.append(lambda: space.things.replace(old))
            case Refund():
                self._put(space.things.refunds, self.refund(value.id).id, value)
            case IdempotentCall():
                self._put(space.things.calls, value.id, value)
                heappush(space.things.expiries, (value.expires_at, value.id))
            case Merchant():
                before = space.merchant
                self._undo.append(lambda: setattr(space, "merchant", before))
                space.merchant = value

    def remove(self, value: Payment | IdempotentCall) -> None:
        """Forget something."""
        things = self._space.things
        match value:
            case Payment():
                payment, position = things.payments[self.payment(value.id).id]
                things.displace(payment.id)
                self._undo.append(lambda: things.place(payment, position))
                self._disown([payment.id])
            case IdempotentCall():
                if value.id not in things.calls:
                    raise NotFound("idempotent call", value.id)
                self._drop(things.calls, value.id)

    def forget_expired(self, at: datetime) -> None:
        """Forget the tokens and idempotent calls whose time is over, looking at no others."""
        things = self._space.things
        while things.expiries and things.expiries[0][0] <= at:
            expiry = heappop(things.expiries)
            self._undo.append(partial(heappush, things.expiries, expiry))
            _, id_ = expiry
            if (token := things.tokens.get(id_)) and token.expires_at <= at:
                self._drop(things.tokens, id_)
                self._disown([id_])
            if (call := things.calls.get(id_)) and call.expires_at <= at:
                self._drop(things.calls, id_)

    def clear(self) -> None:
        """Forget everything but the merchant."""
        space, before = self._space, self._space.things
        self._disown([*before.payments, *before.refunds, *before.tokens])
        space.things = _Things()
        self._undo.append(lambda: setattr(space, "things", before))

    def _put(self, table: dict[str, Value], id_: str, value: Value) -> None:
        before = table.get(id_)
        table[id_] = value
        self._undo.append(lambda: table.pop(id_) if before is None else table.update({id_: before}))

    def _drop(self, table: dict[str, Value], id_: str) -> None:
        before = table.pop(id_)
        self._undo.append(lambda: table.update({id_: before}))

    def _own(self, id_: str) -> None:
        key = self._space.merchant.key
        if id_ in self._disowned:
            self._disowned.remove(id_)
        elif id_ in self._owners or self._owners.setdefault(id_, key) != key:
            raise DuplicateId(id_)
        else:
            self._undo.append(lambda: self._owners.pop(id_))

    def _disown(self, ids: Iterable[str]) -> None:
        """Free the ids once the transaction is over; until then nobody else may have them."""
        self._disowned.update(ids)
