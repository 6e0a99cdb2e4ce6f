"""POST /oauth/token: client credentials for a bearer token, with doorkeeper's answers (facts 1.2, Q1)."""

from __future__ import annotations

from flask import Blueprint, Response, request
from marshmallow import Schema, fields, validate

from simulator.domain.access import TOKEN_LIFETIME
from simulator.domain.errors import InvalidScope, Unauthenticated
from simulator.service.access import AccessService
from simulator.web import auth
from simulator.web.context import simulation
from simulator.web.json import UndecodableBody, answer, read_body, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.fields import Request

routes = Blueprint("oauth", __name__, url_prefix="/oauth")


class TokenRequest(Request):
    """What asks for a token, for the API description."""

    grant_type = fields.String(validate=validate.OneOf(("client_credentials",)))
    scope = fields.String()


class TokenAnswer(Schema):
    """A token as it is answered, for the API description."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True)
    scope = fields.String()
    created_at = fields.Integer(required=True)


class TokenError(Schema):
    """Why there is no token (RFC 6749), for the API description."""

    error = fields.String(required=True)
    error_description = fields.String(required=True)


@routes.post("/token")
@operation(
    "Get an access token for the application that is the scope",
    body=TokenRequest,
    media_types=("application/x-www-form-urlencoded", "application/json"),
    answers={200: TokenAnswer, 400: TokenError, 401: TokenError},
)
def issue_token() -> Response:
    """Issue an access token, from a form, a JSON body or a query string."""
    try:
        asked = _parameters()
    except UndecodableBody as wrong:
        return _error("invalid_request", str(wrong))
    try:
        merchant = AccessService(simulation()).by_secret(*_credentials(asked))
    except Unauthenticated as unknown:
        response = _error("invalid_client", f"Client authentication failed. {unknown}", 401)
        response.headers["WWW-Authenticate"] = 'Basic realm="Banked", charset="UTF-8"'
        return response
    if "grant_type" not in asked:
        return _error("invalid_request", "The parameter grant_type is missing.")
    if asked["grant_type"] != "client_credentials":
        return _error("unsupported_grant_type", "The only grant_type here is client_credentials.")
    try:
        token = AccessService(simulation()).issue_token(merchant, asked.get("scope") or None)
    except InvalidScope as refusal:
        return _error("invalid_scope", str(refusal))
    scope = {"scope": token.scope} if token.scope else {}
    lifetime, created_at = int(TOKEN_LIFETIME.total_seconds()), int(token.created_at.timestamp())
    body = {"access_token": token.id, "token_type": "Bearer", "expires_in": lifetime, **scope, "created_at": created_at}
    return _uncached(answer(body))


def _parameters() -> dict[str, str]:
    """All parameters, wherever they are sent; UndecodableBody when one is no string or there twice."""
    sent = read_body()
    query, form = request.args.to_dict(flat=False), request.form.to_dict(flat=False)
    body = read_object() if request.is_json and sent else {}
    if any(len(values) > 1 for values in (*query.values(), *form.values())):
        raise UndecodableBody("A parameter is there more than once.")
    if not all(isinstance(value, str) for value in body.values()):
        raise UndecodableBody("All parameters must be strings.")
    single = {name: values[0] for name, values in (*query.items(), *form.items())}
    return {**single, **body}


def _credentials(asked: dict[str, str]) -> tuple[str, str]:
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return auth.decoded(credentials)
    if "client_id" in asked:
        return asked["client_id"], asked.get("client_secret", "")
    raise Unauthenticated("Send your API key and secret with Basic authentication.")


def _error(code: str, description: str, status: int = 400) -> Response:
    return _uncached(answer({"error": code, "error_description": description}, status))


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
