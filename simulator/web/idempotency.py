"""The Idempotency-Key header: what was answered once is answered again, byte for byte (facts 1.3, Q3)."""

from __future__ import annotations

from hashlib import sha256

from flask import Response, request

from simulator.domain.access import Answer
from simulator.domain.errors import IdempotencyConflict
from simulator.service.idempotency import IdempotencyService
from simulator.web.context import call, calling_merchant, simulation
from simulator.web.json import no_content, read_body

HEADER = "Idempotency-Key"
_LONGEST = 255
_REPEATABLE = frozenset({"GET", "HEAD", "PUT"})
_NOT_KEPT = frozenset({409, 429})


def begin() -> Response | None:
    """Answer a repeated call; None lets a new one go on."""
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None or request.method in _REPEATABLE:
        return None
    if not (0 < len(key) <= _LONGEST and key.isascii()):
        raise IdempotencyConflict(f"An idempotency key has 1 to {_LONGEST} ASCII characters.", HEADER)
    asked = f"{request.method} {request.full_path.rstrip('?/')}\n".encode() + read_body()
    repeated = _service().begin(key, sha256(asked).hexdigest())
    if repeated.answer is not None:
        return _replayed(repeated.answer)
    call().idempotent_call = repeated
    return None


def finish(response: Response) -> Response:
    """Keep the answer to a new call, unless it may go better next time: 5xx, 409 and 429 are not kept."""
    begun = call().idempotent_call
    if begun is not None:
        kept = response.status_code < 500 and response.status_code not in _NOT_KEPT
        content = Answer(response.status_code, response.content_type or "", response.get_data())
        _service().finish(begun, content if kept else None)
    return response


def _replayed(kept: Answer) -> Response:
    return Response(kept.body, kept.status, content_type=kept.content_type) if kept.body else no_content()


def _service() -> IdempotencyService:
    return IdempotencyService(simulation(), calling_merchant().key, call().cause)
