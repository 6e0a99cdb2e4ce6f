"""Faults: rules by which chosen calls of a merchant go wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST_LATENCY = 300
"""The most seconds that an answer is held back."""

FAULTS_LIMIT = 100
"""How many faults a merchant may have."""

_NAME = re.compile("[A-Za-z0-9_.-]{0,64}")
_INDEX = re.compile("[0-9]{1,9}")
_NOTHING = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which calls: those of a method, of a path, and with these fields in the JSON of their body.

    No `method` is any; `path` may have `*` for any characters, slashes too; `body` is values by slash path
    ("line_items/0/amount").
    """

    method: str | None = None
    path: str = "*"
    body: Mapping[str, object] = field(default_factory=dict)

    def fits(self, method: str, path: str, body: object) -> bool:
        """Whether a call is one of these; a slash at the end of its path counts for nothing."""
        return (
            self.method in (None, method)
            and fnmatchcase(path.rstrip("/"), self.path.rstrip("/"))
            and all(_same(_at(body, name), wanted) for name, wanted in self.body.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of a call.

    With a `status`, or when the connection is to `drop`, nothing is done for it. `latency` is the least and the most
    seconds until it is answered, `retry_after` the seconds after which the caller should try again. `truncate` breaks
    the connection in the middle of the body, `malformed` sends half of it as if that were all, and `lost_response`
    does all the work and then drops the connection.
    """

    status: int | None = None
    retry_after: int | None = None
    latency: tuple[float, float] = (0.0, 0.0)
    drop: bool = False
    truncate: bool = False
    malformed: bool = False
    lost_response: bool = False

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
        )

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
