"""The tester's API under /__admin, a prefix that the real API can never use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from simulator.domain.errors import IllegalAction, NotAuthorised
from simulator.service.tester import TesterService
from simulator.service.waiting import WaitedInVain
from simulator.web import errors
from simulator.web.admin import merchants, payment_sessions, refunds
from simulator.web.context import simulation
from simulator.web.json import answer
from simulator.web.schemas.testers import event_answer, magic_answer, scenario_answer, timer_answer

if TYPE_CHECKING:
    from flask import Response

admin = Blueprint("admin", __name__, url_prefix="/__admin")
admin.register_blueprint(payment_sessions.routes)
admin.register_blueprint(refunds.routes)
admin.register_blueprint(merchants.routes)


@admin.get("/scenarios")
def list_scenarios() -> Response:
    """List what the banks can play, and the payers' accounts that make them play it."""
    scenarios = simulation().scenarios
    return answer(
        {
            "scenarios": [scenario_answer(scenario) for scenario in scenarios],
            "magic_accounts": [magic_answer(magic) for magic in scenarios.magic_accounts],
        }
    )


@admin.post("/reset")
def reset_all() -> Response:
    """Put all merchants back to how they started."""
    everything = TesterService(simulation()).reset_all()
    return answer({"merchants": [{"merchant": each.merchant.key, "discarded": each.things} for each in everything]})


@admin.before_request
def refuse_other_sites() -> None:
    """Keep web pages from elsewhere, which a tester's browser may show, from driving the simulation."""
    origin = request.headers.get("Origin", request.host_url).rstrip("/")
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") or origin != request.host_url.rstrip("/"):
        raise NotAuthorised("Pages of other sites may not use the tester's API.")


@admin.errorhandler(IllegalAction)
def illegal_action(refusal: IllegalAction) -> Response:
    """Tell what is legal instead: a tester who asks too early or too late is in conflict, not in error."""
    entry = errors.entry("invalid_action", str(refusal))
    return errors.envelope(409, {**entry, "source": {"state": refusal.state, "actions": refusal.legal}})


@admin.errorhandler(WaitedInVain)
def waited_in_vain(refusal: WaitedInVain) -> Response:
    """Tell what happened instead, what is still due, and why not yet."""
    source = {
        "because": refusal.because,
        "happened": [event_answer(event) for event in refusal.happened],
        "due": [timer_answer(timer) for timer in refusal.due],
    }
    return errors.envelope(408, {**errors.entry("timeout", str(refusal)), "source": source})
