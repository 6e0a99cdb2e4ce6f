"""The floor: the least that a Flask app must do to take and show a payment session.

It validates the same JSON with plain marshmallow fields, checks Basic auth and keeps a dict. What the simulator costs
beyond this is the price of what it simulates.
"""

import hmac
import uuid
from typing import Any

from flask import Flask, Response, abort, jsonify, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate


class LineItem(Schema):
    """One thing that is paid for; `amount` is in minor units, for one piece."""

    name = fields.String(required=True, validate=validate.Length(1, 256))
    amount = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    currency = fields.String(required=True, validate=validate.OneOf(["GBP", "EUR", "AUD", "USD"]))
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    description = fields.String(allow_none=True, load_default=None)


class Payee(Schema):
    """The bank account that is paid."""

    name = fields.String()
    account_number = fields.String(required=True, validate=validate.Regexp(r"\d{8}$"))
    sort_code = fields.String(required=True, validate=validate.Regexp(r"\d{6}$"))


class Payer(Schema):
    """The person who pays."""

    name = fields.String(required=True)
    email = fields.String(required=True)


class PaymentSession(Schema):
    """The request that creates a payment session (facts 2.1)."""

    reference = fields.String(required=True, validate=validate.Regexp(r"[A-Za-z0-9 ]{1,18}$"))
    success_url = fields.String()
    error_url = fields.String()
    line_items = fields.List(fields.Nested(LineItem(unknown=EXCLUDE)), required=True)
    payee = fields.Nested(Payee(unknown=EXCLUDE), required=True)
    payer = fields.Nested(Payer(unknown=EXCLUDE), allow_none=True, load_default=None)
    email_receipt = fields.Boolean(load_default=False)


SECRETS = {"pk_test_simulator": "sk_test_simulator"}
PAYMENT_SESSION = PaymentSession(unknown=EXCLUDE)

app = Flask(__name__)
payments: dict[str, dict[str, Any]] = {}


def require_merchant() -> None:
    """Refuse the request with 401 unless key and secret belong together."""
    given = request.authorization
    secret = SECRETS.get(given.username or "") if given else None
    if given is None or secret is None or not hmac.compare_digest(given.password or "", secret):
        abort(401)


@app.post("/v2/payment_sessions")
def create_payment() -> tuple[Response, int]:
    """Validate a payment session and keep it."""
    require_merchant()
    try:
        payment = PAYMENT_SESSION.load(request.get_json())
    except ValidationError as invalid:
        return jsonify(errors=invalid.messages), 422
    payment["id"] = str(uuid.uuid4())
    payments[payment["id"]] = payment
    return jsonify(payment), 201


@app.get("/v2/payment_sessions/<payment_id>")
def read_payment(payment_id: str) -> Response:
    """Show one payment session."""
    require_merchant()
    return jsonify(payments[payment_id] if payment_id in payments else abort(404))
