"""Timers: what is due later, on a merchant's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TimerKind(StrEnum):
    """What happens when a timer is due."""

    SCENARIO_STEP = "scenario_step"
    SESSION_EXPIRY = "session_expiry"
    DELIVERY = "delivery"
    TOKEN_EXPIRY = "token_expiry"  # noqa: S105  no secret


@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """Something due at `due` for the thing with the id `subject`; of equal instants the lower `id` comes first.

    `because` is the number of the event that set it.
    """

    due: datetime
    id: int
    kind: TimerKind
    subject: str
    because: int | None = None

    @property
    def public_subject(self) -> str | None:
        """The id of the thing, unless that is a secret."""
        return None if self.kind is TimerKind.TOKEN_EXPIRY else self.subject
