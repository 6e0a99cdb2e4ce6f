"""The journal: which calls a merchant's world got, and what they were answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulator.domain.errors import Superseded
from simulator.domain.events import Cause, Kind

if TYPE_CHECKING:
    from simulator.service.simulation import Simulation


class JournalService:
    """The journal of one merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def begin(self, **call: Any) -> Cause:
        """Write down that a call came in; what it changes is because of that."""
        with self._simulation.work(self._key) as work:
            return Cause(work.merchant.generation, work.tell(Kind.REQUEST, **call))

    def finish(self, cause: Cause, subject: str | None, **answer: Any) -> None:
        """Write down what it was answered, unless the merchant was reset since; `subject` is the id it was about."""
        try:
            with self._simulation.work(self._key, cause) as work:
                event = work.world.event(cause.event or 0)
                if event is not None:
                    work.world.record(replace(event, subject=subject, data={**event.data, **answer}))
                    work.touch(subject or self._key)
        except Superseded:
            return
