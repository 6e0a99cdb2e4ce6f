"""What a fault does to the bytes of a message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from simulator.domain.messages import SOUND, Twist

if TYPE_CHECKING:
    from simulator.domain.faults import Effect

_EXTRA_FIELDS = {"simulator_extra": {"nested": [1, 2, 3], "nothing": None}, "schlüssel": "Wert"}


def twist_of(effect: Effect | None) -> Twist:
    """What is wrong on purpose with a message that a fault with this effect has hit."""
    if effect is None:
        return SOUND
    is_changed = effect.extra_fields or effect.event is not None or effect.padding
    return Twist(
        signature=effect.signature,
        shift=effect.timestamp,
        content_type=effect.content_type or SOUND.content_type,
        change=(lambda body: _changed(body, effect)) if is_changed else None,
        tamper=_half if effect.malformed else None,
        cut=effect.truncate,
    )


def _changed(body: bytes, effect: Effect) -> bytes:
    """A message that says something else, as well-formed as before."""
    told = json.loads(body)
    if effect.event is not None:
        told["webhook_event"] = effect.event
    if effect.extra_fields:
        told |= _EXTRA_FIELDS
    if effect.padding:
        told["padding"] = "x" * effect.padding
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]
