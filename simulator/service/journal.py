"""The journal: which calls a merchant's world got, and what they were answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.domain.errors import Superseded
from simulator.domain.events import Cause, Event

if TYPE_CHECKING:
    from simulator.service.simulation import Simulation


class JournalService:
    """The journal of one merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def finish(self, cause: Cause, subject: str | None, **answer: Any) -> None:
        """Write down a call and what it was answered, unless the merchant was reset since.

        `subject` is the id of what it was about.
        """
        call = cause.call or {}
        try:
            with self._simulation.work(self._key, Cause(cause.generation)) as work:
                event = work.world.event(cause.event) if cause.event is not None else None
                if event is not None:
                    data = {**call, **answer}
                    work.world.record(Event(event.number, event.at, event.real_at, event.kind, subject, None, data))
                    work.touch(self._key)
                elif cause.event is None:
                    work.tell(cause.kind, subject, **call, **answer)
        except Superseded:
            return
