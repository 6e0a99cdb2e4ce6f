"""The tester's API on the wire: commands and queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import RAISE, ValidationError

from simulator.domain.clock import ClockMode, MerchantClock, after, duration
from simulator.domain.events import EVENTS_KEPT, EventQuery
from simulator.web.schemas.accounts import NewAccount
from simulator.web.schemas.fields import Choice, Flag, Instant, Number, Object, Request, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from simulator.domain.events import Event

DEFAULT_WAIT = 5.0


class Command(Request):
    """What a tester sends; a member that nobody knows is a slip of the pen, and refused."""

    class Meta:
        """Refuse what is unknown."""

        unknown = RAISE

    error_messages = {**Request.error_messages, "unknown": "There is no such field."}  # noqa: RUF012  marshmallow's way


class NewAction(Command):
    """How an action happens: at which bank, and whether its state has a say."""

    provider = Text(allow_none=False, load_default=None)
    force = Flag(load_default=False)


class ActionQuery(Command):
    """Whether the state has a say, for whoever would rather not send a body."""

    force = Text(pattern="true|false", rule="Must be true or false.")


class NewAuthorisation(Command):
    """How a payer authorises at the bank: pressing which scenario's button, from which account."""

    scenario = Text(allow_none=True, load_default=None)
    account = Object(NewAccount, allow_none=True, load_default=None)


class NewPay(NewAuthorisation):
    """How a payer pays: at which bank, pressing which scenario's button, from which account."""

    provider = Text(allow_none=False, load_default=None)


class NewScenario(Command):
    """The name of a scenario."""

    scenario = Text(required=True)


class NewClock(Command):
    """How a merchant's time passes from now on, and what it is now, if that is to change."""

    mode = Choice(ClockMode, required=True)
    rate = Number()
    at = Instant()
    by = Text()


class Advance(Command):
    """How far a clock goes: by a duration, or to an instant."""

    by = Text()
    to = Instant()


class LogQuery(Command):
    """Which lines of the log to read."""

    subject = Text()
    after = Text(pattern="[0-9]{1,18}", rule="Must be the number of an event.")


class EventsQuery(LogQuery):
    """Which events to list; `event` is what webhook messages tell of."""

    kind = Text()
    event = Text()
    limit = Text(pattern="[1-9][0-9]{0,8}", rule="Must be a whole number, 1 or more.")


class RequestsQuery(LogQuery):
    """Which calls to list; `path` may end with `*`, and `status` is a number, or as in `4xx`."""

    limit = Text(pattern="[1-9][0-9]{0,8}", rule="Must be a whole number, 1 or more.")
    path = Text()
    method = Text()
    status = Text(pattern="[1-5]([0-9]{2}|xx)", rule="Must be a status such as 404 or 4xx.")


class WaitQuery(Command):
    """What to wait for, and for how many seconds at most."""

    until = Text(load_default="final")
    timeout = Text(
        pattern=r"[0-9]{1,4}(\.[0-9]{1,6})?", rule="Must be seconds, such as 5 or 0.5; nobody waits for more than 60."
    )


class EventWaitQuery(LogQuery):
    """Which event to wait for, and for how many seconds at most; `event` is what webhook messages tell of."""

    kind = Text()
    event = Text()
    timeout = Text(
        pattern=r"[0-9]{1,4}(\.[0-9]{1,6})?", rule="Must be seconds, such as 5 or 0.5; nobody waits for more than 60."
    )


def clock_change(body: dict[str, Any]) -> Callable[[MerchantClock, datetime], MerchantClock]:
    """What `PUT …/clock` makes of a clock at a real instant; ValidationError for fields that do not fit the mode."""
    data = NewClock().load(body)
    mode, rate = data["mode"], data.get("rate")
    if (mode is ClockMode.SCALED) != (rate is not None):
        raise ValidationError({"rate": ["Must be given for a scaled clock, and for no other."]})
    if mode is ClockMode.REAL and ("at" in data or "by" in data):
        raise ValidationError({"mode": ["A real clock shows the real time: use shifted."]})
    if "at" in data and "by" in data:
        raise ValidationError({"by": ["Must not be given together with at."]})
    by = duration(data["by"]) if "by" in data else None

    def change(clock: MerchantClock, real: datetime) -> MerchantClock:
        shows = real if mode is ClockMode.REAL else data.get("at", clock.at(real))
        shows = after(real if mode is ClockMode.SHIFTED else shows, by) if by is not None else shows
        rates = {ClockMode.FROZEN: 0.0, ClockMode.SCALED: rate}
        return clock.set(
            real, shows, rates.get(mode, 1.0), next((name for name in ("at", "by") if name in data), "mode")
        )

    return change


def clock_advance(body: dict[str, Any]) -> Callable[[MerchantClock, datetime], MerchantClock]:
    """What `POST …/clock/advance` makes of a clock at a real instant; ValidationError without one of `by` and `to`."""
    data = Advance().load(body)
    if len(data) != 1:
        raise ValidationError({"by": ["Give either by, a duration such as 21d, or to, an instant."]})
    by = duration(data["by"]) if "by" in data else None

    def change(clock: MerchantClock, real: datetime) -> MerchantClock:
        return clock.set(real, after(clock.at(real), by) if by is not None else data["to"], clock.rate, "to")

    return change


def event_query(data: Mapping[str, str]) -> EventQuery:
    """The query that a loaded `LogQuery` asks for."""
    return EventQuery(
        after=int(data.get("after", 0)),
        limit=min(int(data.get("limit", EVENTS_KEPT)), EVENTS_KEPT),
        subjects=[data["subject"]] if "subject" in data else None,
        kind=data.get("kind"),
        webhook_event=data.get("event"),
    )


def request_matches(data: Mapping[str, str], event: Event) -> bool:
    """Whether a call in the log is what a loaded `RequestsQuery` asks for."""
    path, wanted = str(event.data.get("path", "")), data.get("path")
    if wanted is not None and not (path.startswith(wanted[:-1]) if wanted.endswith("*") else path == wanted):
        return False
    if "method" in data and event.data.get("method") != data["method"].upper():
        return False
    status = str(event.data.get("status", ""))
    return "status" not in data or status == data["status"] or f"{status[:1]}xx" == data["status"]


def seconds(data: Mapping[str, str]) -> float:
    """For how long a loaded query wants to wait."""
    return float(data.get("timeout", DEFAULT_WAIT))
