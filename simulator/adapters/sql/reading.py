"""What can be read of a merchant's world in a database, as the open transaction sees it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Select, and_, or_, select

from simulator.adapters.sql import questions, tables
from simulator.adapters.sql.agenda import LENGTH, Agenda
from simulator.adapters.sql.codec import KINDS, loaded, microseconds, timer_of
from simulator.domain.access import ClientKey, IdempotentCall, Token
from simulator.domain.contents import Contents
from simulator.domain.deliveries import Delivery
from simulator.domain.emails import Email
from simulator.domain.errors import NotFound
from simulator.domain.events import Event
from simulator.domain.inbox import Received
from simulator.domain.payments import Payment
from simulator.domain.refunds import Refund

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from simulator.adapters.sql.codec import Head, Thing
    from simulator.domain.deliveries import DeliveryQuery
    from simulator.domain.events import EventQuery
    from simulator.domain.merchants import Merchant
    from simulator.domain.ports import PaymentQuery
    from simulator.domain.timers import Timer

T = TypeVar("T", Payment, Refund, Token, ClientKey, Email, Delivery, Received)

_things, _events, _timers, _calls = tables.things, tables.events, tables.timers, tables.calls


class SqlReading:
    """The lookups of a `World`; they change nothing but what is known of the database.

    `_known` are the things that were looked up or changed, None for what there is not. `_new_timers` and
    `_gone_timers` are those of which the database has not been told yet.
    """

    _connection: Connection
    _number: int
    _merchant: Merchant
    _head: Head
    _known: dict[str, Thing | None]
    _known_events: dict[int, Event]
    _known_calls: dict[str, IdempotentCall | None]
    _agenda: Agenda | None
    _new_timers: dict[int, Timer]
    _gone_timers: set[int]

    def _write_down(self) -> None:
        """Let the database see what has changed so far."""
        raise NotImplementedError

    def merchant(self) -> Merchant:
        """Return the merchant whose world this is."""
        return self._merchant

    def payment(self, id_: str) -> Payment:
        """Return the payment session `id_`."""
        return self._thing(Payment, id_)

    def payments(self, query: PaymentQuery) -> tuple[Payment, ...]:
        """Return what `query` asks for, the newest first."""
        of = _things.c
        wanted = self._all(Payment).order_by(of.at.desc(), of.number.desc()).limit(query.limit)
        if query.state is not None:
            wanted = wanted.where(of.state == query.state)
        if query.created_at_from is not None:
            wanted = wanted.where(of.at >= microseconds(query.created_at_from))
        if query.created_at_to is not None:
            wanted = wanted.where(of.at <= microseconds(query.created_at_to))
        return tuple(self._found(Payment, wanted))

    def refund(self, id_: str) -> Refund:
        """Return the refund `id_`."""
        return self._thing(Refund, id_)

    def refunds(self, limit: int) -> tuple[Refund, ...]:
        """Return the refunds added last, the newest first."""
        return self._newest(Refund, limit)

    def refunds_of(self, payment_ids: Iterable[str]) -> dict[str, tuple[Refund, ...]]:
        """Return the refunds of each payment in the order they were added."""
        refunds: dict[str, list[Refund]] = {id_: [] for id_ in payment_ids}
        if refunds:
            for refund in self._refunds_of(_storable(refunds)):
                refunds[refund.request.payment_session_id].append(refund)
        return {id_: tuple(of_one) for id_, of_one in refunds.items()}

    def _refunds_of(self, payment_ids: list[str]) -> Iterable[Refund]:
        self._write_down()
        if len(payment_ids) == 1:
            rows = questions.REFUNDS_OF_ONE.rows(self._connection, merchant=self._number, of=payment_ids[0])
            return [loaded(Refund, value) for (value,) in rows]
        of_them = self._all(Refund).where(_things.c.parent.in_(payment_ids))
        return self._found(Refund, of_them.order_by(_things.c.number))

    def token(self, id_: str) -> Token:
        """Return the token `id_`."""
        return self._thing(Token, id_, "…")

    def client_key(self, token: str) -> ClientKey:
        """Return the client key with this token."""
        return self._thing(ClientKey, token, "…")

    def call(self, id_: str) -> IdempotentCall | None:
        """Return the call made with the idempotency key `id_`."""
        if id_ not in self._known_calls:
            of = _calls.c
            found = self._rows(select(of.value).where(of.merchant == self._number, of.id.in_(_storable([id_]))))
            self._known_calls[id_] = next((loaded(IdempotentCall, row.value) for row in found), None)
        return self._known_calls[id_]

    def email(self, id_: str) -> Email:
        """Return the e-mail `id_`."""
        return self._thing(Email, id_)

    def emails(self, limit: int) -> tuple[Email, ...]:
        """Return the newest e-mails, the newest first."""
        return self._newest(Email, limit)

    def delivery(self, id_: str) -> Delivery:
        """Return the delivery `id_`."""
        return self._thing(Delivery, id_)

    def deliveries(self, query: DeliveryQuery) -> tuple[Delivery, ...]:
        """Return what `query` asks for, the newest first."""
        of = _things.c
        wanted = self._all(Delivery).order_by(of.number.desc()).limit(query.limit)
        if query.event is not None:
            wanted = wanted.where(of.event.in_(_storable([query.event])))
        if query.subject is not None:
            wanted = wanted.where(of.parent.in_(_storable([query.subject])))
        if query.outcomes is not None:
            wanted = wanted.where(of.state.in_(query.outcomes))
        return tuple(self._found(Delivery, wanted))

    def inbox(self, limit: int) -> tuple[Received, ...]:
        """Return the newest messages in the inbox, the newest first."""
        return self._newest(Received, limit)

    def latest(self) -> datetime:
        """Return the instant of the newest event."""
        return self._head.latest

    def last_event(self) -> int:
        """Return the number of the newest event."""
        return self._head.last_event

    def event(self, number: int) -> Event | None:
        """Return the event `number`."""
        if not 0 < number <= self._head.last_event:
            return None
        if number not in self._known_events:
            self._write_down()
            for (value,) in questions.EVENT.rows(self._connection, merchant=self._number, of=number):
                self._known_events[number] = loaded(Event, value)
        return self._known_events.get(number)

    def events(self, query: EventQuery) -> tuple[Event, ...]:
        """Return what `query` asks for, the oldest first."""
        new = range(query.after + 1, self._head.last_event + 1)
        if all(number in self._known_events for number in new):
            wanted_ones = filter(query.wants, map(self._known_events.__getitem__, new))
            return tuple(islice(wanted_ones, query.limit))
        of = _events.c
        wanted = select(of.value).where(of.merchant == self._number, of.number > query.after)
        if query.subjects is not None:
            wanted = wanted.where(of.subject.in_(_storable(query.subjects)))
        if query.kind is not None:
            [kind] = _storable([query.kind]) or [""]
            wanted = wanted.where(or_(of.kind == kind, of.kind.startswith(f"{kind}.", autoescape=True)))
        if query.webhook_event is not None:
            wanted = wanted.where(of.webhook_event.in_(_storable([query.webhook_event])))
        rows = self._rows(wanted.order_by(of.number).limit(query.limit))
        return tuple(loaded(Event, row.value) for row in rows)

    def next_timer(self) -> Timer | None:
        """Return the timer that is due first."""
        return self._look_ahead().first

    def timers(self, subjects: Collection[str] | None = None) -> tuple[Timer, ...]:
        """Return all timers, or those of `subjects`."""
        if subjects is None:
            return tuple(self._timers())
        if self._agenda is not None and self._agenda.is_whole:
            return self._agenda.of(subjects)
        of = _timers.c
        query = select(_timers).where(of.merchant == self._number, of.subject.in_(_storable(subjects)))
        timers = {timer.id: timer for timer in map(timer_of, self._execute(query))}
        timers |= {timer.id: timer for timer in self._new_timers.values() if timer.subject in subjects}
        return tuple(sorted(timer for id_, timer in timers.items() if id_ not in self._gone_timers))

    def contents(self) -> Contents:
        """Return all that there is."""
        at, number = _things.c.at, _things.c.number
        calls = self._rows(select(_calls.c.value).where(_calls.c.merchant == self._number))
        events = self._rows(select(_events.c.value).where(_events.c.merchant == self._number).order_by("number"))
        return Contents(
            merchant=self._merchant,
            counts=dict(sorted(self._head.counts.items())),
            payment_sessions=tuple(self._found(Payment, self._all(Payment).order_by(at, number))),
            refunds=self._in_order(Refund),
            tokens=tuple(sorted(self._in_order(Token), key=_age)),
            client_keys=tuple(sorted(self._in_order(ClientKey), key=_age)),
            idempotent_calls=tuple(
                sorted((call for row in calls if (call := loaded(IdempotentCall, row.value)).answer), key=_age)
            ),
            emails=self._in_order(Email),
            deliveries=self._in_order(Delivery),
            inbox=self._in_order(Received),
            timers=self.timers(),
            events=tuple(loaded(Event, row.value) for row in events),
        )

    def is_free(self, id_: str) -> bool:
        """Whether nothing of any merchant has this id."""
        if id_ not in self._known:
            self._learn(id_)
        return id_ in self._known and self._known[id_] is None

    def _thing(self, kind: type[T], id_: str, shown: str | None = None) -> T:
        """The `kind` of thing with this id; NotFound, which shows the id, or `shown` for a secret."""
        thing = self._known.get(id_) or self._learn(id_)
        if not isinstance(thing, kind):
            raise NotFound(KINDS[kind], id_ if shown is None else shown)
        return thing

    def _learn(self, id_: str) -> Thing | None:
        """Look up a thing; what is another merchant's stays unknown, and is not free either."""
        if id_ in self._known:
            return self._known[id_]
        for merchant, kind, value in questions.THING.rows(self._connection, of=id_) if "\0" not in id_ else ():
            if merchant != self._number:
                return None
            self._known[id_] = loaded(_CLASSES[kind], value)
            return self._known[id_]
        self._known[id_] = None
        return None

    def _all(self, kind: type[Thing]) -> Select[Any]:
        of = _things.c
        return select(of.id, of.value).where(and_(of.merchant == self._number, of.kind == KINDS[kind]))

    def _newest(self, kind: type[T], limit: int) -> tuple[T, ...]:
        return tuple(self._found(kind, self._all(kind).order_by(_things.c.number.desc()).limit(limit)))

    def _in_order(self, kind: type[T]) -> tuple[T, ...]:
        return tuple(self._found(kind, self._all(kind).order_by(_things.c.number)))

    def _found(self, kind: type[T], query: Select[Any]) -> Iterator[T]:
        for row in self._rows(query):
            yield loaded(kind, row.value)

    def _look_ahead(self) -> Agenda:
        """What is due first."""
        if self._agenda is None or not self._agenda.is_known:
            timers = self._timers(limit=LENGTH)
            self._agenda = Agenda(timers, is_whole=len(timers) < LENGTH)
        return self._agenda

    def _timers(self, limit: int | None = None) -> list[Timer]:
        self._write_down()
        rows = questions.DUE_FIRST.rows(
            self._connection, merchant=self._number, most=questions.ALL if limit is None else limit
        )
        return [timer_of(row) for row in rows]

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """What there is, with all changes."""
        self._write_down()
        return self._execute(query)

    def _execute(self, query: Select[Any]) -> Sequence[Row[Any]]:
        return self._connection.execute(query).all()


_CLASSES = {name: kind for kind, name in KINDS.items()}


def _storable(texts: Iterable[str]) -> list[str]:
    """Those of the texts that a database can have; PostgreSQL takes no NUL even in a question."""
    return [text for text in texts if "\0" not in text]


def _age(thing: Token | ClientKey | IdempotentCall) -> tuple[datetime, str]:
    return thing.created_at, thing.id
