"""Values as rows: JSON, and the columns by which they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from simulator.domain.access import ClientKey, IdempotentCall, Token
from simulator.domain.clock import EPOCH
from simulator.domain.deliveries import Delivery, Outcome
from simulator.domain.emails import Email
from simulator.domain.events import Event
from simulator.domain.inbox import Received
from simulator.domain.merchants import Merchant
from simulator.domain.payments import Payment
from simulator.domain.refunds import Refund
from simulator.domain.timers import Timer, TimerKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = dict[str, Any]
    """What is in a table, by column, but for whose it is."""

    Thing = Payment | Refund | Token | ClientKey | Email | Delivery | Received

Value = TypeVar("Value")

_MICROSECOND = timedelta(microseconds=1)

KINDS: dict[type[Thing], str] = {
    Payment: "payment session",
    Refund: "refund",
    Token: "token",
    ClientKey: "client key",
    Email: "e-mail",
    Delivery: "delivery",
    Received: "message",
}
"""What things are called in the table of them all, and in sentences."""


@dataclass(slots=True)
class Head:
    """What is counted in a world: names given, things added and kept by kind, events; `latest` is the newest one's."""

    counts: dict[str, int] = field(default_factory=dict)
    added: int = 0
    kept: dict[str, int] = field(default_factory=dict)
    last_event: int = 0
    latest: datetime = EPOCH

    def copy(self) -> Head:
        """The same, to go back to."""
        return replace(self, counts=dict(self.counts), kept=dict(self.kept))


_encode = msgspec.json.Encoder().encode
_decoders: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind) for kind in (*KINDS, Merchant, Head, IdempotentCall, Event)
}


def dumped(value: object) -> str:
    """A value as JSON."""
    return _encode(value).decode()


def loaded(kind: type[Value], text: str) -> Value:
    """The value that was dumped."""
    value: Value = _decoders[kind].decode(text)
    return value


def microseconds(instant: datetime) -> int:
    """A UTC instant as a number."""
    return (instant - EPOCH) // _MICROSECOND


def id_of(thing: Thing) -> str:
    """The id that no other thing of any merchant has."""
    return thing.token if isinstance(thing, ClientKey) else thing.id


def thing_row(thing: Thing, claimant: str, number: int = 0) -> Row:
    """The row of the `number`th thing; a number that it has already stays. Who keeps it is the `claimant`."""
    row: Row = {
        "id": id_of(thing),
        "kind": KINDS[type(thing)],
        "number": number,
        "at": 0,
        "state": None,
        "parent": None,
        "event": None,
        "expires": None,
        "claim": None,
        "value": dumped(thing),
    }
    match thing:
        case Payment():
            row.update(at=microseconds(thing.created_at), state=thing.state)
        case Refund():
            row.update(parent=thing.request.payment_session_id)
        case Token():
            row.update(expires=microseconds(thing.expires_at))
        case Delivery():
            row.update(number=thing.number, state=thing.outcome, parent=thing.subject, event=thing.event)
            row["claim"] = claimant if thing.outcome is Outcome.SENDING else None
    return row


def call_row(call: IdempotentCall, claimant: str) -> Row:
    """The row of an idempotent call, on which the `claimant` works until there is an answer."""
    row = {"id": call.id, "expires": microseconds(call.expires_at), "value": dumped(call)}
    return {**row, "claim": None if call.answer else claimant}


def timer_row(timer: Timer) -> Row:
    """The row of a timer."""
    return {
        "id": timer.id,
        "due": microseconds(timer.due),
        "kind": timer.kind,
        "subject": timer.subject,
        "because": timer.because,
    }


def timer_of(row: Sequence[Any]) -> Timer:
    """The timer in a row."""
    _, id_, due, kind, subject, because = row
    return Timer(EPOCH + due * _MICROSECOND, id_, TimerKind(kind), subject, because)


def event_row(event: Event) -> Row:
    """The row of an event."""
    return {
        "number": event.number,
        "kind": event.kind,
        "subject": event.subject and event.subject.replace("\0", "\N{REPLACEMENT CHARACTER}"),
        "webhook_event": event.data.get("event"),
        "value": dumped(event),
    }
