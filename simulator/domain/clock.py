"""Merchants' clocks: the time in a world, and when it will be later."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from simulator.domain.errors import InvalidTime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
"""Later than this no clock goes."""

NEVER = datetime.max.replace(tzinfo=UTC)
"""When something is due that no clock will live to see."""

FASTEST = 1_000_000
"""The most seconds that may pass on a clock in a real one."""

_TICK = timedelta(microseconds=1)
"""So much later it certainly shows what it should, however the division was rounded."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,6})?[smhd])+")
_PART = re.compile(r"([0-9.]+)([smhd])")


class ClockMode(StrEnum):
    """How a merchant's time passes."""

    REAL = "real"
    SHIFTED = "shifted"
    SCALED = "scaled"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class MerchantClock:
    """It showed `base` at the real instant `since`, and shows `rate` seconds more for each real one."""

    since: datetime = EPOCH
    base: datetime = EPOCH
    rate: float = 1.0

    @property
    def mode(self) -> ClockMode:
        """How time passes on it."""
        if self.rate != 1:
            return ClockMode.SCALED if self.rate else ClockMode.FROZEN
        return ClockMode.REAL if self.base == self.since else ClockMode.SHIFTED

    def at(self, real: datetime) -> datetime:
        """What it shows at the real instant `real`."""
        if self.base == self.since and self.rate == 1:
            return real
        try:
            return min(self.base + (real - self.since) * self.rate, END_OF_TIME)
        except OverflowError:
            return END_OF_TIME if real >= self.since else EPOCH

    def when(self, instant: datetime) -> datetime | None:
        """The real instant at which it shows `instant`; None when it stands still before, or that is too far off."""
        if not self.rate:
            return self.since if instant <= self.base else None
        try:
            return self.since + (instant - self.base) / self.rate + _TICK
        except OverflowError:
            return None

    def set(self, real: datetime, shows: datetime, rate: float, parameter: str = "at") -> MerchantClock:
        """The clock that shows `shows`, of which `parameter` tells, at `real`, and goes on at `rate`.

        InvalidTime when that is earlier than what this one shows, or too late, or too fast.
        """
        now = self.at(real)
        if shows < now:
            raise InvalidTime(f"A clock only goes forwards: it shows {iso(now)}. Only a reset sets it back.", parameter)
        if shows > END_OF_TIME:
            raise InvalidTime(f"A clock goes no further than {iso(END_OF_TIME)}.", parameter)
        if not 0 <= rate <= FASTEST:
            raise InvalidTime(f"A rate is between 0 and {FASTEST} seconds a second.", "rate")
        return MerchantClock(EPOCH, EPOCH) if shows == real and rate == 1 else MerchantClock(real, shows, rate)


REAL_TIME = MerchantClock()
"""The clock that nobody has set."""


def duration(text: str) -> timedelta:
    """How long `90s`, `2h`, `1d12h` are: numbers with units s, m, h and d; InvalidTime for anything else."""
    if not _DURATION.fullmatch(text):
        raise InvalidTime(f"{text[:64]!r} is no duration: write 90s, 15m, 2h, 21d or 1d12h.", "by")
    try:
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
    except (OverflowError, ValueError):
        raise InvalidTime(f"{text[:64]!r} is too long.", "by") from None


def after(instant: datetime, by: timedelta) -> datetime:
    """`instant` and `by` together; InvalidTime when that is beyond the end of time."""
    if by > END_OF_TIME - instant:
        raise InvalidTime(f"A clock goes no further than {iso(END_OF_TIME)}.", "by")
    return instant + by


def iso(instant: datetime) -> str:
    """A UTC instant as the tester's API writes it: `2026-11-23T12:00:00.000000Z`."""
    return instant.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
