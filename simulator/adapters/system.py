"""Time and chance from the operating system."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from random import Random
from string import ascii_letters, digits
from uuid import UUID

_BASE62 = digits + ascii_letters


class SystemClock:
    """The machine's own time, the same for all merchants."""

    def now(self, merchant_key: str) -> datetime:  # noqa: ARG002  one clock for all
        """Return the present instant, in UTC."""
        return datetime.now(UTC)


class RandomIds:
    """Ids that nothing has yet; they come from a generator of their own, for asking the system gives the GIL away."""

    def __init__(self) -> None:
        self._random = Random()  # noqa: S311  ids are names, not secrets

    def new(self) -> str:
        """Return a random UUID."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def token(self) -> str:
        """Return 256 random bits as 43 URL-safe characters."""
        return secrets.token_urlsafe(32)

    def reference(self) -> str:
        """Return `bnkd` and 8 letters or digits."""
        return "bnkd" + "".join(self._random.choices(_BASE62, k=8))
