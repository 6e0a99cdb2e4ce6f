"""JSON in and out: strict in what is read, compact in what is written."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any, NoReturn

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

CONTENT_TYPE = "application/json"
BODY = "simulator.body"
"""Where the environment of a request has its body, if the server has read it already."""

BODY_LIMIT = 1024 * 1024
"""The most bytes that a request's body may have, unless it is a snapshot."""

SNAPSHOT_LIMIT = 256 * BODY_LIMIT
_SNAPSHOT = re.compile("/__admin/merchants/[^/]+/snapshot/?")


class UndecodableBody(Exception):
    """A request body that is no JSON object; `str()` is the sentence for its reader."""


class NotAnObject(UndecodableBody):
    """A request body that is JSON, but not an object."""


def answer(payload: object, status: int = 200) -> Response:
    """The response with `payload` as `JSON.stringify` would write it: compact, in order, raw UTF-8 (facts 4.3)."""
    return Response(compact(payload).encode(), status, content_type=CONTENT_TYPE)


def compact(payload: object) -> str:
    """`payload` as `JSON.stringify` would write it."""
    return _encoder.encode(payload)


def document(payload: object) -> Response:
    """The response with `payload` as people read and compare it: a line for each member, in order, raw UTF-8."""
    return Response(json.dumps(payload, ensure_ascii=False, indent=2) + "\n", content_type=CONTENT_TYPE)


def no_content() -> Response:
    """The response that says done, and nothing else."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def body_limit(path: str) -> int:
    """The most bytes that the body of a request to `path` may have."""
    return SNAPSHOT_LIMIT if _SNAPSHOT.fullmatch(path) else BODY_LIMIT


def read_body() -> bytes:
    """The request's body; RequestEntityTooLarge when it has more bytes than it may have.

    The app lets one byte more in: Flask cuts off what a chunked body has over its own limit, and does not tell.
    """
    body = request.environ.get(BODY)
    if body is None:
        _check_length(request.content_length or 0)
        body = request.get_data()
    _check_length(len(body))
    return body


def _check_length(length: int) -> None:
    if length > BODY_LIMIT and length > body_limit(request.path):
        raise RequestEntityTooLarge


def read_object() -> dict[str, Any]:
    """The JSON object in the request's body.

    Raises UnsupportedMediaType when the body is declared as something else, UndecodableBody when it is not UTF-8, not
    JSON (NaN, duplicate keys, lone surrogates and endless nesting count as not), NotAnObject when it is no object.
    """
    if request.environ.get("CONTENT_TYPE") != CONTENT_TYPE and not request.is_json:
        raise UnsupportedMediaType("Send a JSON body with the header Content-Type: application/json.")
    value = decode(read_body())
    if not isinstance(value, dict):
        raise NotAnObject("The body must be a JSON object.")
    return value


def read_optional_object() -> dict[str, Any]:
    """The JSON object in the request's body, or an empty one when there is no body."""
    return read_object() if read_body() else {}


def decode(body: bytes, what: str = "The body") -> object:
    """The value that `body` is the JSON of; UndecodableBody, as in `read_object`, when it is not.

    `what` is how the sentence calls it.
    """
    try:
        text = body.decode()
        value = _decoder.decode(text)
        if "\\u" in text:
            _encoder.encode(value).encode()
    except UnicodeEncodeError:
        raise UndecodableBody(f"{what} has an escape of half a surrogate pair.") from None
    except UnicodeDecodeError as wrong:
        raise UndecodableBody(f"{what} is not UTF-8: {wrong.reason} at byte {wrong.start}.") from None
    except json.JSONDecodeError as wrong:
        raise UndecodableBody(f"{what} is not JSON: {wrong.msg} at line {wrong.lineno} column {wrong.colno}.") from None
    except RecursionError:
        raise UndecodableBody(f"{what} is nested too deeply.") from None
    except _NotStrictError as wrong:
        raise UndecodableBody(f"{what} is not strict JSON: {wrong}.") from None
    except ValueError:
        raise UndecodableBody(f"{what} has a number of too many digits.") from None
    return value


class _NotStrictError(Exception):
    """JSON that Python reads and others may not."""


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise _NotStrictError(f"the member {twice!r} is there more than once")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise _NotStrictError(f"{name} is no number")


_decoder = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
