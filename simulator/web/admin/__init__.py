"""The tester's API under /__admin, a prefix that the real API can never use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app

from simulator.domain.errors import IllegalAction
from simulator.service.tester import TesterService
from simulator.service.waiting import WaitedInVain
from simulator.web import errors
from simulator.web.admin import (
    deliveries,
    emails,
    exam,
    faults,
    guard,
    histories,
    merchants,
    payment_sessions,
    refunds,
    snapshots,
)
from simulator.web.context import simulation
from simulator.web.json import answer
from simulator.web.openapi import document_testers_api, operation
from simulator.web.schemas.views import (
    AllDiscardedView,
    ScenariosView,
    discarded_view,
    event_view,
    magic_view,
    scenario_view,
    timer_view,
)

if TYPE_CHECKING:
    from flask import Response

admin = Blueprint("admin", __name__, url_prefix="/__admin")
admin.before_request(guard.check)
admin.register_blueprint(payment_sessions.routes)
admin.register_blueprint(refunds.routes)
admin.register_blueprint(merchants.routes)
admin.register_blueprint(faults.routes)
admin.register_blueprint(histories.routes)
admin.register_blueprint(snapshots.routes)
admin.register_blueprint(emails.routes)
admin.register_blueprint(deliveries.routes)
admin.register_blueprint(exam.routes)


@admin.get("/scenarios")
@operation("List what the banks can play", answers={200: ScenariosView})
def list_scenarios() -> Response:
    """List what the banks can play, and the payers' accounts that make them play it."""
    scenarios = simulation().scenarios
    return answer(
        {
            "scenarios": [scenario_view(scenario) for scenario in scenarios],
            "magic_accounts": [magic_view(magic) for magic in scenarios.magic_accounts],
        }
    )


@admin.post("/reset")
@operation("Put all merchants back to how they started", answers={200: AllDiscardedView})
def reset_all() -> Response:
    """Put all merchants back to how they started."""
    return answer({"merchants": [discarded_view(each) for each in TesterService(simulation()).reset_all()]})


@admin.get("/openapi.json")
def describe() -> Response:
    """Describe the tester's API."""
    return answer(document_testers_api(current_app))


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
        "happened": [event_view(event) for event in refusal.happened],
        "due": [timer_view(timer) for timer in refusal.due],
    }
    return errors.envelope(408, {**errors.entry("timeout", str(refusal)), "source": source})
