"""Faults: rules by which chosen calls of a merchant, and messages to its webhooks, go wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_LATENCY = 300
"""The most seconds that an answer is held back."""

FAULTS_LIMIT = 100
"""How many faults a merchant may have."""

LONGEST_SHIFT = 366 * 86_400
"""By how many seconds the time in a signature may be wrong."""

LARGEST_PADDING = 64 * 1024 * 1024
"""How many bytes a message may have too many."""

_OF_CALLS = frozenset({"status", "retry_after", "lost_response"})
_OF_MESSAGES = frozenset(
    {"reorder", "duplicate", "signature", "timestamp", "content_type", "extra_fields", "event", "padding"}
)
_NAME = re.compile("[A-Za-z0-9_.-]{0,64}")
_INDEX = re.compile("[0-9]{1,9}")
_NOTHING = object()


class SignatureTwist(StrEnum):
    """What can be wrong with a signature."""

    WRONG = "wrong"
    OTHER_KEY = "other_key"
    MISSING = "missing"
    UPPER_CASE = "upper_case"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which calls: those of a method, of a path, and with these fields in the JSON of their body.

    No `method` is any; `path` may have `*` for any characters, slashes too; `body` is values by slash path
    ("line_items/0/amount"). With a `webhook`, in which `*` is any characters too, it is no calls but the messages that
    tell of such an event, to such a URL.
    """

    method: str | None = None
    path: str = "*"
    body: Mapping[str, object] = field(default_factory=dict)
    webhook: str | None = None

    def fits(self, method: str, path: str, body: object) -> bool:
        """Whether a call is one of these; a slash at the end of its path counts for nothing."""
        return self.webhook is None and self.method in (None, method) and self._fits(path, body)

    def fits_message(self, event: str, url: str, body: object) -> bool:
        """Whether a message to a webhook is one of these."""
        return self.webhook is not None and fnmatchcase(event, self.webhook) and self._fits(url, body)

    def _fits(self, path: str, body: object) -> bool:
        return fnmatchcase(path.rstrip("/"), self.path.rstrip("/")) and all(
            _same(_at(body, name), wanted) for name, wanted in self.body.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of a call, or of a message to a webhook.

    Of a call: with a `status`, or when the connection is to `drop`, nothing is done for it. `latency` is the least and
    the most seconds until it is answered, `retry_after` the seconds after which the caller should try again.
    `truncate` breaks the connection in the middle of the body, `malformed` sends half of it as if that were all, and
    `lost_response` does all the work and then drops the connection.

    Of a message: it is sent `latency` later, after the next one about the same payment (`reorder`), twice
    (`duplicate`), or never (`drop`); half of it is sent before the connection ends (`truncate`), or as if that were
    all (`malformed`). Its `signature` is wrong; it says to be sent `timestamp` seconds later than it is; it has
    another `content_type`, fields that nobody knows, another `event`, or `padding` more bytes.
    """

    status: int | None = None
    retry_after: int | None = None
    latency: tuple[float, float] = (0.0, 0.0)
    drop: bool = False
    truncate: bool = False
    malformed: bool = False
    lost_response: bool = False
    reorder: bool = False
    duplicate: bool = False
    signature: SignatureTwist | None = None
    timestamp: int = 0
    content_type: str | None = None
    extra_fields: bool = False
    event: str | None = None
    padding: int = 0

    @property
    def names(self) -> frozenset[str]:
        """What it does, by the names of its fields."""
        return frozenset(each.name for each in fields(self) if getattr(self, each.name) != each.default)

    def delay(self, chance: float) -> float:
        """The seconds until the answer, for a number from 0 up to 1."""
        least, most = self.latency
        return least + (most - least) * chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule: what becomes of the calls that match, so many `times` (None: always), each with a `probability`.

    A preset has no `id`.
    """

    effect: Effect
    match: Match = field(default_factory=Match)
    id: str = ""
    name: str = ""
    times: int | None = None
    probability: float = 1.0

    @property
    def label(self) -> str:
        """What it is called: its name, or else its id."""
        return self.name or self.id

    @property
    def is_possible(self) -> bool:
        """Whether its name and its numbers are such as a fault may have."""
        status, (least, most) = self.effect.status, self.effect.latency
        return (
            _NAME.fullmatch(self.name) is not None
            and (status is None or 400 <= status <= 599)
            and (self.effect.retry_after is None or self.effect.retry_after > 0)
            and 0 <= least <= most <= LONGEST_LATENCY
            and (self.times is None or self.times > 0)
            and 0 < self.probability <= 1
            and abs(self.effect.timestamp) <= LONGEST_SHIFT
            and 0 <= self.effect.padding <= LARGEST_PADDING
            and not self.misplaced
        )

    @property
    def misplaced(self) -> list[str]:
        """What it does that can be done to calls only, or to messages only, and it is for the other."""
        return sorted(self.effect.names & (_OF_CALLS if self.match.webhook is not None else _OF_MESSAGES))

    def spent(self) -> Fault | None:
        """What is left after a hit; None when that was the last one."""
        if self.times is None:
            return self
        return replace(self, times=self.times - 1) if self.times > 1 else None


@dataclass(frozen=True, slots=True)
class Preset:
    """A fault that the program ships, by name."""

    fault: Fault
    description: str


def after_hit(faults: Iterable[Fault], hit: Fault) -> tuple[Fault, ...]:
    """The faults that are left when `hit` was hit once."""
    left = (fault.spent() if fault.id == hit.id else fault for fault in faults)
    return tuple(fault for fault in left if fault is not None)


def _at(value: object, path: str) -> object:
    """What is at a slash path in a JSON value."""
    for part in path.split("/"):
        if isinstance(value, dict):
            value = value.get(part, _NOTHING)
        elif isinstance(value, list) and _INDEX.fullmatch(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            return _NOTHING
    return value


def _same(found: object, wanted: object) -> bool:
    """Whether two JSON values are equal; in Python `True` is 1."""
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
