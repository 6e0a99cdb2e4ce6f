"""/__admin/merchants: whole worlds, their clocks and their logs."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from simulator.domain.events import EVENTS_KEPT, Kind
from simulator.service.story import StoryService
from simulator.service.tester import TesterService
from simulator.service.timers import TimerService
from simulator.service.waiting import WaitService
from simulator.web.context import simulation
from simulator.web.json import answer, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.merchants import MerchantSettings, MerchantView, merchant_view
from simulator.web.schemas.testers import (
    Advance,
    EventsQuery,
    EventWaitQuery,
    NewClock,
    RequestsQuery,
    clock_advance,
    clock_change,
    event_query,
    request_matches,
    seconds,
)
from simulator.web.schemas.views import (
    ClockSetView,
    ClockView,
    DiscardedView,
    EventsView,
    MerchantsView,
    OneEventView,
    RequestsView,
    clock_set_view,
    clock_view,
    discarded_view,
    event_view,
    events_view,
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
@operation("List the keys of all merchants", answers={200: MerchantsView})
def list_() -> Response:
    """List the keys of all merchants that were used or configured."""
    return answer({"merchants": simulation().store.merchants()})


@routes.get("/<key>")
@operation("Show a merchant's settings", answers={200: MerchantView, 404: None})
def read(key: str) -> Response:
    """Show a merchant's settings."""
    return answer(merchant_view(TesterService(simulation()).merchant(key)))


@routes.put("/<key>")
@operation("Set some of a merchant's settings", body=MerchantSettings, answers={200: MerchantView, 404: None})
def change(key: str) -> Response:
    """Set some of a merchant's settings, and leave the others as they are."""
    return answer(merchant_view(TesterService(simulation()).change_merchant(key, **_settings.load(read_object()))))


@routes.post("/<key>/reset")
@operation("Put a merchant back to how it started", answers={200: DiscardedView, 404: None})
def reset(key: str) -> Response:
    """Put a merchant back to how it started, and say what was thrown away."""
    return answer(discarded_view(TesterService(simulation()).reset(key)))


@routes.get("/<key>/clock")
@operation("Show a merchant's clock", answers={200: ClockView, 404: None})
def read_clock(key: str) -> Response:
    """Show a merchant's clock."""
    return answer(clock_view(_timers(key).clock()))


@routes.put("/<key>/clock")
@operation("Set how a merchant's time passes", body=NewClock, answers={200: ClockSetView, 404: None, 409: None})
def set_clock(key: str) -> Response:
    """Set how a merchant's time passes, and fire what is due by the time that is set."""
    return _clock_set(key, clock_change(read_object()))


@routes.post("/<key>/clock/advance")
@operation("Move a merchant's clock forwards", body=Advance, answers={200: ClockSetView, 404: None, 409: None})
def advance_clock(key: str) -> Response:
    """Move a merchant's clock forwards, firing all that falls due on the way, in order."""
    return _clock_set(key, clock_advance(read_object()))


@routes.get("/<key>/events")
@operation("List a merchant's events, the oldest first", query=EventsQuery, answers={200: EventsView, 404: None})
def list_events(key: str) -> Response:
    """List a merchant's events, the oldest first; `after` is the number of the last one known."""
    query = event_query(_events_query.load(request.args))
    return answer(events_view(_story(key).events(key, query)))


@routes.get("/<key>/requests")
@operation("List a merchant's calls, the oldest first", query=RequestsQuery, answers={200: RequestsView, 404: None})
def list_requests(key: str) -> Response:
    """List the calls that a merchant made, the oldest first."""
    return _requests(key, unmatched=False)


@routes.get("/<key>/requests/unmatched")
@operation("List calls to paths that do not exist", query=RequestsQuery, answers={200: RequestsView, 404: None})
def list_unmatched_requests(key: str) -> Response:
    """List the calls to paths that do not exist, each with the nearest that does."""
    return _requests(key, unmatched=True)


@routes.get("/<key>/wait")
@operation("Wait for an event", query=EventWaitQuery, answers={200: OneEventView, 404: None, 408: None, 409: None})
def wait(key: str) -> Response:
    """Answer once an event of a `kind` happens, or has happened since the one numbered `after`."""
    data = _wait_query.load(request.args)
    known = TesterService(simulation()).merchant(key).key
    found = WaitService(simulation()).event(
        known, event_query(data), seconds(data), from_now=not {"after", "event"} & data.keys()
    )
    return answer({"event": event_view(found)})


def _clock_set(key: str, change: Callable[[MerchantClock, datetime], MerchantClock]) -> Response:
    return answer(clock_set_view(_timers(key).set_clock(change)))


def _requests(key: str, *, unmatched: bool) -> Response:
    data = _requests_query.load(request.args)
    query = event_query(data)
    calls = _story(key).events(key, replace(query, kind=Kind.REQUEST, limit=EVENTS_KEPT))
    wanted = (call for call in calls if request_matches(data, call) and (not unmatched or "unmatched" in call.data))
    return answer({"requests": [event_view(call) for call in islice(wanted, query.limit)]})


def _timers(key: str) -> TimerService:
    return TimerService(simulation(), TesterService(simulation()).merchant(key).key)


def _story(key: str) -> StoryService:
    TesterService(simulation()).merchant(key)
    return StoryService(simulation())
