"""Calls that may be repeated without being done again (facts 1.3, Q3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.domain.access import Answer, IdempotentCall
from simulator.domain.errors import IdempotencyConflict, InProgress

if TYPE_CHECKING:
    from simulator.domain.events import Cause
    from simulator.service.simulation import Simulation


class IdempotencyService:
    """The idempotency keys of one merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str, cause: Cause | None = None) -> None:
        self._simulation = simulation
        self._key = merchant_key
        self._cause = cause

    def begin(self, id_: str, fingerprint: str) -> IdempotentCall:
        """Return the call with this key: one with its answer if it was made before, else a new one to be worked on.

        Raises IdempotencyConflict when `fingerprint`, which stands for all that was asked, is another than before,
        and InProgress while the first call is being worked on.
        """
        with self._simulation.work(self._key, self._cause) as work:
            world, at = work.world, work.at
            world.forget_expired(at)
            call = world.call(id_)
            if call is None or call.expires_at <= at:
                call = IdempotentCall(id_, fingerprint, f"{work.merchant.generation}.{world.count('attempt')}", at)
                world.save(call)
            elif call.fingerprint != fingerprint:
                raise IdempotencyConflict("This idempotency key was used for another request.", "Idempotency-Key")
            elif call.answer is None:
                raise InProgress(
                    "A request with this idempotency key is being processed: try again.", "Idempotency-Key"
                )
            return call

    def finish(self, call: IdempotentCall, answer: Answer | None) -> None:
        """Keep the answer to `call`, or without one free its key; nothing when a reset came in between."""
        with self._simulation.store.transaction(self._key) as world:
            if world.call(call.id) != call:
                return
            if answer is None:
                world.remove(call)
            else:
                world.save(replace(call, answer=answer))
