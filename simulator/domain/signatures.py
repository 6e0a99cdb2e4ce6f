"""Signatures of webhooks: how a receiver knows that a message is the simulator's, and when it was sent (facts 4.3)."""

from __future__ import annotations

import hmac
import re

SIGNATURE_HEADER = "banked-signature"

_SIGNATURE = re.compile("([0-9]{1,15})[.]([0-9a-f]{64})")


def sign(key: str, seconds: int, body: bytes) -> str:
    """The signature header of `body`, sent at the Unix time `seconds`: `<seconds>.<HMAC-SHA256 in hex>`.

    The key counts as text, also when it looks like hex.
    """
    return f"{seconds}.{_digest(key, seconds, body)}"


def signed_at(key: str, signature: str, body: bytes) -> int | None:
    """The Unix time at which `body` was signed with `key`; None when `signature` is not its signature."""
    parts = _SIGNATURE.fullmatch(signature)
    if parts is None or not hmac.compare_digest(_digest(key, int(parts[1]), body), parts[2]):
        return None
    return int(parts[1])


def _digest(key: str, seconds: int, body: bytes) -> str:
    return hmac.digest(key.encode(), b"%d." % seconds + body, "sha256").hex()
