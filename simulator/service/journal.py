"""The journal: which calls a merchant's world got, and what they were answered."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from simulator.domain.errors import Superseded
from simulator.domain.events import Cause, Event

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        data = {**(cause.call or {}), **answer}
        if cause.event is not None:
            self._complete(cause.event, cause.generation, subject, data)
            return
        with suppress(Superseded), self._simulation.work(self._key, Cause(cause.generation)) as work:
            work.tell(cause.kind, subject, **data)

    def _complete(self, number: int, generation: int, subject: str | None, data: Mapping[str, Any]) -> None:
        """Add to the event of the call what was still to come when it was told: nothing happens by that."""
        with self._simulation.store.transaction(self._key) as world:
            begun = world.event(number)
            if begun is None or world.merchant().generation != generation:
                return
            world.record(Event(number, begun.at, begun.real_at, begun.kind, subject, None, data))
        self._simulation.bell.ring((self._key,))
