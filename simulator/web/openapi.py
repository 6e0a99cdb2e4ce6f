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
    408: "It did not come to that in time",
    409: "Something else is under way, or stands against it",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The request breaks a rule",
    503: "The simulator is full",
}
_JSON = "application/json"
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeated call with the same key gets the same answer, and is not done again",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route does, takes and answers, beside what all routes of the merchant's API do.

    None stands for an answer without a body, or with `Errors`; `media_types` are those that `body` may come in, `also`
    those beside JSON in which a good answer may.
    """

    summary: str
    body: type[Schema] | None = None
    query: type[Schema] | None = None
    answers: Mapping[int, AnswerSchema] = field(default_factory=dict)
    media_types: tuple[str, ...] = (_JSON,)
    also: tuple[str, ...] = ()


def operation(  # noqa: PLR0913  each is named
    summary: str,
    *,
    body: type[Schema] | None = None,
    query: type[Schema] | None = None,
    answers: Mapping[int, AnswerSchema],
    media_types: tuple[str, ...] = (_JSON,),
    also: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Describe a view, for its document."""

    def describe(view: View) -> View:
        view.operation = Operation(summary, body, query, answers, media_types, also)  # type: ignore[attr-defined]
        return view

    return describe


@dataclass(frozen=True, slots=True)
class _Surface:
    """One of the APIs: who may call it, and the statuses that its routes need not name.

    They follow from what a route takes: nothing special, a body, a query, or from its changing something.
    """

    prefix: str
    security: tuple[Mapping[str, list[str]], ...]
    refused: frozenset[int] = frozenset({401, 403, 503})
    refused_body: frozenset[int] = frozenset({400, 413, 415, 422})
    refused_query: frozenset[int] = frozenset({422})
    refused_change: frozenset[int] = frozenset()
    errors: str = "Errors"

    def statuses(self, described: Operation, method: str) -> frozenset[int]:
        return (
            self.refused
            | (self.refused_body if described.body is not None else frozenset())
            | (self.refused_query if described.query is not None else frozenset())
            | (self.refused_change if method != "get" else frozenset())
        )


_MERCHANTS = _Surface("/v2/", ({"basic": []}, {"token": []}), refused_change=frozenset({409, 413, 422}))
_BROWSERS = _Surface(
    "/v2/checkout_sessions/", ({"client_key": []},), frozenset({403, 503}), refused_change=frozenset({409, 413, 422})
)
_OAUTH = _Surface("/oauth/", ({"basic": []},), frozenset({401, 503}), frozenset({400, 413}))
_TESTERS = _Surface("/__admin/", ({"token": []}, {}), errors="Explained")


def document_merchants_api(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of what Banked's API has."""
    return _document(app, "Banked API v2 (simulator)", (_BROWSERS, _MERCHANTS, _OAUTH))


def document_testers_api(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of what only the simulator has."""
    return _document(app, "Banked simulator: the tester's API", (_TESTERS,))


def _document(app: Flask, title: str, surfaces: tuple[_Surface, ...]) -> dict[str, Any]:
    from apispec import APISpec  # noqa: PLC0415  the description is rarely asked for
    from apispec.ext.marshmallow import MarshmallowPlugin  # noqa: PLC0415  likewise

    spec = APISpec(title, __version__, "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.security_scheme("basic", {"type": "http", "scheme": "basic"})
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("client_key", {"type": "apiKey", "in": "query", "name": "api_key"})
    for name in {surface.errors for surface in surfaces}:
        spec.components.schema(name, _errors(_SOURCES[name]))
    for rule in app.url_map.iter_rules():
        described = getattr(app.view_functions[rule.endpoint], "operation", None)
        surface = next((each for each in surfaces if rule.rule.startswith(each.prefix)), None)
        if isinstance(described, Operation) and surface is not None:
            method = ((rule.methods or set()) - {"HEAD", "OPTIONS"}).pop().lower()
            path = rule.rule.replace("<", "{").replace(">", "}")
            spec.path(path, operations={method: _operation(described, rule, method, surface)})
    return spec.to_dict()


_SOURCES: Mapping[str, dict[str, Any]] = {
    "Errors": {"type": "object", "properties": {"parameter": {"type": "string"}}, "additionalProperties": False},
    "Explained": {"type": "object"},
}
"""What an error is about: a parameter, or for testers whatever explains it."""


def _errors(source: dict[str, Any]) -> dict[str, Any]:
    """The envelope of errors, each about `source`."""
    entry = {
        "type": "object",
        "required": ["code", "source", "title"],
        "properties": {"code": {"type": "string"}, "source": source, "title": {"type": "string"}},
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "required": ["errors"],
        "properties": {"errors": {"type": "array", "minItems": 1, "items": entry}},
        "additionalProperties": False,
    }


def _operation(described: Operation, rule: Rule, method: str, surface: _Surface) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in sorted(rule.arguments)
    ]
    if described.query is not None:
        parameters.append({"in": "query", "schema": described.query})
    if surface is _MERCHANTS and method != "get":
        parameters.append(_IDEMPOTENCY_KEY)
    refused: dict[int, AnswerSchema] = dict.fromkeys(surface.statuses(described, method))
    answers = {**refused, **described.answers}
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api.").removeprefix("admin.").replace(".", "_"),
        "summary": described.summary,
        "parameters": parameters,
        "security": list(surface.security),
        "responses": {str(status): _answer(answers[status], status, surface.errors) for status in sorted(answers)},
    }
    for media_type in described.also:
        operation["responses"]["200"]["content"][media_type] = {"schema": {"type": "string"}}
    if described.body is not None:
        content = {media_type: {"schema": described.body} for media_type in described.media_types}
        operation["requestBody"] = {"required": surface is _MERCHANTS or method == "put", "content": content}
    return operation


def _answer(schema: AnswerSchema, status: int, errors: str) -> dict[str, Any]:
    description = _REFUSED.get(status, "The answer")
    if schema is None and status not in _REFUSED:
        return {"description": "Done"}
    wanted = {"type": "array", "items": schema[0]} if isinstance(schema, list) else schema or errors
    return {"description": description, "content": {_JSON: {"schema": wanted}}}
