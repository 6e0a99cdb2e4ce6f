"""The merchant's API under /v2: who may call, and what a repeated call gets."""

from __future__ import annotations

from flask import Blueprint

from simulator.web import auth, faults, idempotency, journal
from simulator.web.api import bank_accounts, client_keys, payment_sessions, providers, refunds, webhooks

api = Blueprint("api", __name__, url_prefix="/v2")
api.before_request(auth.authenticate)
api.before_request(journal.begin)
api.before_request(faults.begin)
api.before_request(idempotency.begin)
api.after_request(faults.finish)  # the last one first
api.after_request(idempotency.finish)
api.register_blueprint(payment_sessions.routes)
api.register_blueprint(refunds.routes)
api.register_blueprint(providers.routes)
api.register_blueprint(bank_accounts.routes)
api.register_blueprint(client_keys.routes)
api.register_blueprint(webhooks.routes)
