"""Time and chance from the operating system."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from simulator.domain.ids import uuid_from


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present instant, in UTC."""
        return datetime.now(UTC)


class RandomIds:
    """Ids that nothing has yet; they come from a generator of their own, for asking the system gives the GIL away."""

    def __init__(self) -> None:
        self._random = Random()  # noqa: S311  ids are names, not secrets

    def new(self) -> str:
        """Return a random UUID."""
        return uuid_from(self._random.getrandbits(128))
