"""The API's own description: OpenAPI 3, made from the routes and the marshmallow schemas they use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from simulator import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask
    from marshmallow import Schema
    from werkzeug.routing import Rule

    AnswerSchema = type[Schema] | list[type[Schema]] | None

View = TypeVar("View", bound="Callable[..., Any]")

_REFUSED = {
    400: "The body is not what it should be",
    401: "The credentials are missing or wrong",
    403: "The token has no scope",
    404: "There is no such thing in this merchant's world",
    409: "A request with this idempotency key is being processed",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request breaks a rule",
    503: "The simulator is full",
}
_JSON = "application/json"
_MERCHANT_API = "/v2/"
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeated call with the same key gets the same answer, and is not done again",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route does, takes and answers, beside what all routes of the merchant's API do.

    None stands for an answer without a body, or with `Errors`; `media_types` are those that `body` may come in.
    """

    summary: str
    body: type[Schema] | None = None
    query: type[Schema] | None = None
    answers: Mapping[int, AnswerSchema] = field(default_factory=dict)
    media_types: tuple[str, ...] = (_JSON,)


def operation(
    summary: str,
    *,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    answers: Mapping[int, AnswerSchema],
    media_types: tuple[str, ...] = (_JSON,),
) -> Callable[[View], View]:
    """Describe a view, for `document`."""

    def describe(view: View) -> View:
        view.operation = Operation(summary, body, query, answers, media_types)  # type: ignore[attr-defined]
        return view

    return describe


def document(app: Flask, prefixes: tuple[str, ...]) -> dict[str, Any]:
    """The OpenAPI document of the routes of `app` below `prefixes`."""
    from apispec import APISpec  # noqa: PLC0415  the description is rarely asked for
    from apispec.ext.marshmallow import MarshmallowPlugin  # noqa: PLC0415

    spec = APISpec("Banked API v2 (simulator)", __version__, "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Errors", _ERRORS)
    for rule in app.url_map.iter_rules():
        described = getattr(app.view_functions[rule.endpoint], "operation", None)
        if isinstance(described, Operation) and rule.rule.startswith(prefixes):
            method = ((rule.methods or set()) - {"HEAD", "OPTIONS"}).pop().lower()
            path = rule.rule.replace("<", "{").replace(">", "}")
            spec.path(path, operations={method: _operation(described, rule, method)})
    return spec.to_dict()


_ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["code", "source", "title"],
                "properties": {
                    "code": {"type": "string"},
                    "source": {
                        "type": "object",
                        "properties": {"parameter": {"type": "string"}},
                        "additionalProperties": False,
                    },
                    "title": {"type": "string"},
                },
                "additionalProperties": False,
            },
        }
    },
    "additionalProperties": False,
}


def _operation(described: Operation, rule: Rule, method: str) -> dict[str, Any]:
    merchant_api = rule.rule.startswith(_MERCHANT_API)
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in sorted(rule.arguments)
    ]
    if described.query is not None:
        parameters.append({"in": "query", "schema": described.query})
    if merchant_api and method != "get":
        parameters.append(_IDEMPOTENCY_KEY)
    answers: dict[int, AnswerSchema] = dict.fromkeys(_refusals(described, method, merchant_api=merchant_api))
    answers |= described.answers
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api.").replace(".", "_"),
        "summary": described.summary,
        "parameters": parameters,
        "security": [{"basic": []}, {"token": []}] if merchant_api else [{"basic": []}],
        "responses": {str(status): _answer(answers[status], status) for status in sorted(answers)},
    }
    if described.body is not None:
        content = {media_type: {"schema": described.body} for media_type in described.media_types}
        operation["requestBody"] = {"required": merchant_api, "content": content}
    return operation


def _refusals(described: Operation, method: str, *, merchant_api: bool) -> set[int]:
    """The statuses that a route need not name, because they follow from what it takes."""
    statuses = {401, 503}
    if described.body is not None:
        statuses |= {400, 413}
    if merchant_api:
        statuses.add(403)
        if described.body is not None:
            statuses |= {415, 422}
        if described.query is not None:
            statuses.add(422)
        if method != "get":
            statuses |= {409, 413, 422}
    return statuses


def _answer(schema: AnswerSchema, status: int) -> dict[str, Any]:
    description = _REFUSED.get(status, "The answer")
    if schema is None and status not in _REFUSED:
        return {"description": "Done"}
    wanted = {"type": "array", "items": schema[0]} if isinstance(schema, list) else schema or "Errors"
    return {"description": description, "content": {_JSON: {"schema": wanted}}}
