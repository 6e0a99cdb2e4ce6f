"""The timers of an open world that are known without asking: those due first, and all of them if there are few."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from simulator.domain.timers import Timer

LENGTH = 200
"""How many timers are looked up at once."""


class Agenda:
    """The `timers` due first, in order; `is_whole` when there are no others."""

    def __init__(self, timers: Sequence[Timer], *, is_whole: bool) -> None:
        self._timers = list(timers)
        self.is_whole = is_whole

    def copy(self) -> Agenda:
        """The same, to go back to."""
        return Agenda(self._timers, is_whole=self.is_whole)

    @property
    def first(self) -> Timer | None:
        """The one due first, None when it is not known or there is none."""
        return self._timers[0] if self._timers else None

    @property
    def is_known(self) -> bool:
        """Whether `first` is what there is."""
        return bool(self._timers) or self.is_whole

    def of(self, subjects: Collection[str]) -> tuple[Timer, ...]:
        """Those of some subjects."""
        return tuple(timer for timer in self._timers if timer.subject in subjects)

    def set(self, timer: Timer) -> None:
        """Note one more, unless it comes after those that are known."""
        if self.is_whole or (self._timers and timer < self._timers[-1]):
            insort(self._timers, timer)

    def unset(self, timer: Timer) -> None:
        """Strike one out."""
        place = bisect_left(self._timers, timer)
        if place < len(self._timers) and self._timers[place] == timer:
            del self._timers[place]
