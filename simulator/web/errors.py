"""One envelope for every error, and which status and code each refusal gets (facts 1.4, Q4)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from simulator.domain import errors
from simulator.web.json import NotAnObject, UndecodableBody, answer, body_limit
from simulator.web.schemas.fields import REQUIRED, InvalidRequest, flat
from simulator.web.tracing import request_id

if TYPE_CHECKING:
    from flask import Flask, Response

_log = logging.getLogger(__name__)

REFUSALS: dict[type[errors.Refusal], tuple[int, str]] = {
    errors.Unauthenticated: (401, "unauthorized"),
    errors.NotAuthorised: (403, "forbidden"),
    errors.NotFound: (404, "not_found"),
    errors.StillWaiting: (408, "timeout"),
    errors.InProgress: (409, "processing"),
    errors.Superseded: (409, "processing"),
    errors.NothingToDo: (409, "invalid_action"),
    errors.IllegalAction: (422, "invalid_action"),
    errors.NotRefundable: (422, "invalid_action"),
    errors.InvalidAmount: (422, "invalid_amount"),
    errors.InvalidCurrency: (422, "invalid_currency"),
    errors.InvalidAccount: (422, "invalid_bank_account"),
    errors.InvalidProvider: (422, "invalid_request"),
    errors.InvalidScope: (422, "invalid_request"),
    errors.InvalidWebhook: (422, "invalid_request"),
    errors.InvalidScenario: (422, "invalid_request"),
    errors.InvalidTime: (422, "invalid_request"),
    errors.InvalidGoal: (422, "invalid_request"),
    errors.TooManyFaults: (422, "invalid_request"),
    errors.InvalidContents: (422, "invalid_request"),
    errors.IdempotencyConflict: (422, "invalid_idempotency_key"),
    errors.TooManyMerchants: (503, "service_unavailable"),
    errors.TooManyWaits: (503, "service_unavailable"),
    errors.StoreUnavailable: (503, "service_unavailable"),
}

_FIELD_CODES = {
    "amount": "invalid_amount",
    "currency": "invalid_currency",
    "payee": "invalid_bank_account",
    "account_number": "invalid_bank_account",
    "sort_code": "invalid_bank_account",
    "account_identifier": "invalid_bank_account",
    "identifier_type": "invalid_bank_account",
}

_HTTP_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "decoding",
    415: "decoding",
    429: "rate_limit_exceeded",
}

_HTTP_SENTENCES = {
    400: "The request is malformed.",
    404: "There is nothing at {path}; the API is under /v2, the tester's under /__admin: see their openapi.json.",
    405: "{method} is not possible at {path}.",
    413: "The body is too large: at most {limit} MiB is read.",
}


def register(app: Flask) -> None:
    """Make every error of `app` an envelope."""
    app.register_error_handler(errors.Refusal, refused)
    app.register_error_handler(errors.Refusals, all_refused)
    app.register_error_handler(ValidationError, lambda broken: invalid(InvalidRequest(broken.messages)))
    app.register_error_handler(InvalidRequest, invalid)
    app.register_error_handler(UndecodableBody, undecodable)
    app.register_error_handler(UnicodeDecodeError, not_utf8)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, bug)


def envelope(status: int, *entries: dict[str, object]) -> Response:
    """The answer that tells `entries`; a 401 also says how to authenticate (RFC 9110)."""
    response = answer({"errors": entries}, status)
    if status == 401:
        bearer = request.headers.get("Authorization", "").lower().startswith("bearer ")
        scheme = 'Bearer realm="Banked", error="invalid_token"' if bearer else 'Basic realm="Banked", charset="UTF-8"'
        response.headers["WWW-Authenticate"] = scheme
    return response


def entry(code: str, title: str, parameter: str = "") -> dict[str, object]:
    """One error: a code for machines, the field at fault if there is one, a sentence for people."""
    return {"code": code, "source": {"parameter": parameter} if parameter else {}, "title": title}


def refused(refusal: errors.Refusal) -> Response:
    """The answer to what the rules do not allow."""
    return all_refused(errors.Refusals([refusal]))


def all_refused(refusals: errors.Refusals) -> Response:
    """The answer to what several rules do not allow, with the first one's status."""
    status, _ = REFUSALS[type(refusals.refusals[0])]
    response = envelope(status, *map(_refusal_entry, refusals.refusals))
    if isinstance(refusals.refusals[0], errors.StoreUnavailable):
        response.headers["Retry-After"] = "1"
    return response


def invalid(broken: InvalidRequest) -> Response:
    """The answer to malformed fields, one entry each: 400 if any is missing, else 422 (Q4)."""
    entries = [entry(_field_code(path, title), title, path) for path, title in flat(broken.messages)]
    entries += map(_refusal_entry, broken.refusals)
    return envelope(400 if any(found["code"] == "bad_request" for found in entries) else 422, *entries)


def undecodable(body: UndecodableBody) -> Response:
    """The answer to a body that is no JSON object."""
    return envelope(400, entry("bad_request" if isinstance(body, NotAnObject) else "decoding", str(body)))


def not_utf8(wrong: UnicodeDecodeError) -> Response:
    """The answer to a query string that Flask cannot read."""
    return envelope(400, entry("bad_request", f"The request is not UTF-8: {wrong.reason}."))


def http_error(error: HTTPException) -> Response:
    """The answer to what HTTP itself refuses."""
    original = getattr(error, "original_exception", None)
    if original is not None:
        return bug(original)
    status = error.code or 500
    sentence = _HTTP_SENTENCES.get(status, error.description or error.name)
    if status in _HTTP_SENTENCES:
        limit = body_limit(request.path) >> 20
        sentence = sentence.format(method=request.method, path=request.path, limit=limit)
    response = envelope(status, entry(_HTTP_CODES.get(status, "bad_request"), sentence))
    methods = getattr(error, "valid_methods", None)
    if methods:
        response.headers["Allow"] = ", ".join(sorted(methods))
    return response


def bug(error: Exception) -> Response:
    """The answer to a mistake of our own, with the request id by which the log tells more."""
    _log.error("request %s failed", request_id(), exc_info=error)
    title = f"The simulator failed; its log tells more about request {request_id()}."
    return envelope(500, entry("internal_error", title))


def _refusal_entry(refusal: errors.Refusal) -> dict[str, object]:
    return entry(REFUSALS[type(refusal)][1], str(refusal), refusal.parameter)


def _field_code(path: str, title: str) -> str:
    if title == REQUIRED:
        return "bad_request"
    return _FIELD_CODES.get(path.rpartition("/")[2], "invalid_request")
