"""/__admin/merchants: whole worlds, their clocks and their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from simulator.domain.events import EventQuery, Kind
from simulator.service.story import StoryService
from simulator.service.tester import TesterService
from simulator.service.timers import TimerService
from simulator.service.waiting import WaitService
from simulator.web.context import simulation
from simulator.web.json import answer, read_object
from simulator.web.schemas.testers import (
    EventsQuery,
    EventWaitQuery,
    MerchantSettings,
    RequestsQuery,
    clock_advance,
    clock_answer,
    clock_change,
    event_answer,
    event_query,
    fired_answer,
    merchant_answer,
    request_matches,
    seconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from simulator.domain.clock import MerchantClock

routes = Blueprint("merchants", __name__, url_prefix="/merchants")

_settings, _events_query, _requests_query, _wait_query = (
    MerchantSettings(),
    EventsQuery(),
    RequestsQuery(),
    EventWaitQuery(),
)


@routes.get("")
def list_() -> Response:
    """List the keys of all merchants that were used or configured."""
    return answer({"merchants": simulation().store.merchants()})


@routes.get("/<key>")
def read(key: str) -> Response:
    """Show a merchant's settings."""
    return answer(merchant_answer(TesterService(simulation()).merchant(key)))


@routes.put("/<key>")
def change(key: str) -> Response:
    """Set some of a merchant's settings, and leave the others as they are."""
    return answer(merchant_answer(TesterService(simulation()).change_merchant(key, **_settings.load(read_object()))))


@routes.post("/<key>/reset")
def reset(key: str) -> Response:
    """Put a merchant back to how it started, and say what was thrown away."""
    discarded = TesterService(simulation()).reset(key)
    return answer({"merchant": discarded.merchant.key, "discarded": discarded.things})


@routes.get("/<key>/clock")
def read_clock(key: str) -> Response:
    """Show a merchant's clock."""
    return answer(clock_answer(_timers(key).clock()))


@routes.put("/<key>/clock")
def set_clock(key: str) -> Response:
    """Set how a merchant's time passes, and fire what is due by the time that is set."""
    return _clock_set(key, clock_change(read_object()))


@routes.post("/<key>/clock/advance")
def advance_clock(key: str) -> Response:
    """Move a merchant's clock forwards, firing all that falls due on the way, in order."""
    return _clock_set(key, clock_advance(read_object()))


@routes.get("/<key>/events")
def list_events(key: str) -> Response:
    """List a merchant's events, the oldest first; `after` is the number of the last one known."""
    query = event_query(_events_query.load(request.args))
    return answer({"events": [event_answer(event) for event in _story(key).events(key, query)]})


@routes.get("/<key>/requests")
def list_requests(key: str) -> Response:
    """List the calls that a merchant made, the oldest first."""
    return _requests(key, unmatched=False)


@routes.get("/<key>/requests/unmatched")
def list_unmatched_requests(key: str) -> Response:
    """List the calls to paths that do not exist, each with the nearest that does."""
    return _requests(key, unmatched=True)


@routes.get("/<key>/wait")
def wait(key: str) -> Response:
    """Answer once an event of a `kind` happens, or has happened since the one numbered `after`."""
    data = _wait_query.load(request.args)
    if "after" not in data:
        known = _story(key).events(key, EventQuery())
        data["after"] = str(known[-1].number if known else 0)
    return answer({"event": event_answer(WaitService(simulation()).event(key, event_query(data), seconds(data)))})


def _clock_set(key: str, change: Callable[[MerchantClock, datetime], MerchantClock]) -> Response:
    done = _timers(key).set_clock(change)
    return answer({"clock": clock_answer(done), "fired": [fired_answer(fired) for fired in done.fired]})


def _requests(key: str, *, unmatched: bool) -> Response:
    data = _requests_query.load(request.args)
    calls = _story(key).events(key, event_query(data, kind=Kind.REQUEST))
    wanted = (call for call in calls if request_matches(data, call) and (not unmatched or "unmatched" in call.data))
    return answer({"requests": [event_answer(call) for call in wanted]})


def _timers(key: str) -> TimerService:
    return TimerService(simulation(), TesterService(simulation()).merchant(key).key)


def _story(key: str) -> StoryService:
    TesterService(simulation()).merchant(key)
    return StoryService(simulation())
