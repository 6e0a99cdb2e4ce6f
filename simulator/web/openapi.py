"""The API's own description: OpenAPI 3, made from the routes and the marshmallow schemas they use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from simulator import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Flask
    from marshmallow import Schema

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
_ALWAYS = (400, 401, 403, 422, 503)
_WITH_BODY = (409, 413, 415)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route does, takes and answers; None stands for an answer without a body, or with an error."""

    summary: str
    body: type[Schema] | None = None
    query: type[Schema] | None = None
    answers: Mapping[int, AnswerSchema] = field(default_factory=dict)


def operation(
    summary: str,
    *,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    answers: Mapping[int, AnswerSchema],
) -> Callable[[View], View]:
    """Describe a view, for `document`."""

    def describe(view: View) -> View:
        view.operation = Operation(summary, body, query, answers)  # type: ignore[attr-defined]
        return view

    return describe


def document(app: Flask, prefixes: tuple[str, ...]) -> dict[str, Any]:
    """The OpenAPI document of the routes of `app` below `prefixes`."""
    from apispec import APISpec  # noqa: PLC0415  the description is rarely asked for
    from apispec.ext.marshmallow import MarshmallowPlugin  # noqa: PLC0415

    spec = APISpec("Banked API v2 (simulator)", __version__, "3.0.3", plugins=[MarshmallowPlugin()])
    spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.schema("Errors", _ERRORS)
    for rule in app.url_map.iter_rules():
        described = getattr(app.view_functions[rule.endpoint], "operation", None)
        if isinstance(described, Operation) and rule.rule.startswith(prefixes):
            method = ((rule.methods or set()) - {"HEAD", "OPTIONS"}).pop().lower()
            path = rule.rule.replace("<", "{").replace(">", "}")
            spec.path(path, operations={method: _operation(described, rule.endpoint, rule.arguments)})
    return spec.to_dict()


_ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "source", "title"],
                "properties": {
                    "code": {"type": "string"},
                    "source": {"type": "object", "properties": {"parameter": {"type": "string"}}},
                    "title": {"type": "string"},
                },
            },
        }
    },
}


def _operation(described: Operation, endpoint: str, arguments: set[str]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in sorted(arguments)
    ]
    if described.query is not None:
        parameters.append({"in": "query", "schema": described.query})
    refused = set(_ALWAYS) | set(_WITH_BODY if described.body else ())
    answers = {status: _answer(schema, status) for status, schema in described.answers.items()}
    answers |= {status: _answer(None, status) for status in refused - set(answers)}
    operation: dict[str, Any] = {
        "operationId": endpoint.removeprefix("api.").replace(".", "_"),
        "summary": described.summary,
        "parameters": parameters,
        "security": [{"basic": []}, {"token": []}],
        "responses": {str(status): answers[status] for status in sorted(answers)},
    }
    if described.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": described.body}}}
    return operation


def _answer(schema: AnswerSchema, status: int) -> dict[str, Any]:
    if status in _REFUSED:
        return {"description": _REFUSED[status], "content": {"application/json": {"schema": "Errors"}}}
    if schema is None:
        return {"description": "Done"}
    wanted = {"type": "array", "items": schema[0]} if isinstance(schema, list) else schema
    return {"description": "The answer", "content": {"application/json": {"schema": wanted}}}
