"""Time and chance from the operating system."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from string import ascii_letters, digits
from uuid import uuid4

_BASE62 = digits + ascii_letters


class SystemClock:
    """The machine's own time, the same for all merchants."""

    def now(self, merchant_key: str) -> datetime:  # noqa: ARG002  one clock for all
        """Return the present instant, in UTC."""
        return datetime.now(UTC)


class RandomIds:
    """Ids that nobody can guess or repeat."""

    def new(self) -> str:
        """Return a random UUID."""
        return str(uuid4())

    def token(self) -> str:
        """Return 256 random bits as 43 URL-safe characters."""
        return secrets.token_urlsafe(32)

    def reference(self) -> str:
        """Return `bnkd` and 8 letters or digits."""
        return "bnkd" + "".join(secrets.choice(_BASE62) for _ in range(8))
