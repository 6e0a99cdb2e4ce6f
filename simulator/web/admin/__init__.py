"""The tester's API under /__admin, a prefix that the real API can never use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, request

from simulator.domain.errors import IllegalAction, NotAuthorised
from simulator.web import errors
from simulator.web.admin import merchants, payment_sessions, refunds

if TYPE_CHECKING:
    from flask import Response

admin = Blueprint("admin", __name__, url_prefix="/__admin")
admin.register_blueprint(payment_sessions.routes)
admin.register_blueprint(refunds.routes)
admin.register_blueprint(merchants.routes)


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
