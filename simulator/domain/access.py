"""What lets a merchant's calls in, and recognises a repeated one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

TOKEN_LIFETIME = timedelta(seconds=7200)
"""How long an OAuth token lasts (facts 1.2)."""

ANSWER_LIFETIME = timedelta(days=30)
"""How long the answer to an idempotency key is kept (facts 1.3)."""

WORK_LIFETIME = timedelta(minutes=1)
"""How long a call may be worked on before it is taken for lost."""


@dataclass(frozen=True, slots=True)
class Token:
    """An OAuth bearer token; `scope` is None for one that is good for partner calls only (facts 1.2)."""

    id: str = field(repr=False)
    scope: str | None
    created_at: datetime

    @property
    def expires_at(self) -> datetime:
        """The UTC instant from which it is refused."""
        return self.created_at + TOKEN_LIFETIME


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What lets browsers at the origins `domains` show a merchant's payments: nothing but its `token` (facts 1.2)."""

    id: str
    token: str = field(repr=False)
    domains: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, to be given again byte for byte."""

    status: int
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdempotentCall:
    """A call made with an idempotency key (`id`); `answer` is None while it is being worked on.

    `attempt` is another for each time that the work is begun.
    """

    id: str
    fingerprint: str
    attempt: str
    created_at: datetime
    answer: Answer | None = None

    @property
    def expires_at(self) -> datetime:
        """The UTC instant from which the key is free again."""
        return self.created_at + (ANSWER_LIFETIME if self.answer else WORK_LIFETIME)
