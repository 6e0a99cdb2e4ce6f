"""The inbox: the built-in receiver that every merchant has, and what came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

INBOX_KEPT = 1_000
"""How many messages of a merchant are kept: the newest."""

INBOX_BODY_LIMIT = 64 * 1024
"""How many bytes of a message are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message that came in. `verdict` is what is wrong with it, nothing for one that is signed as it should be.

    `body` is its beginning as UTF-8, other bytes replaced; `event` and `subject` are what a sound one tells of.
    """

    id: str
    at: datetime
    real_at: datetime
    headers: tuple[tuple[str, str], ...]
    body: str
    verdict: str
    event: str | None = None
    subject: str | None = None
    delivery_id: str | None = None

    @property
    def is_verified(self) -> bool:
        """Whether it is signed as it should be."""
        return not self.verdict
