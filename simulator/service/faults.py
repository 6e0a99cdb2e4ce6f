"""The faults of one merchant: which there are, and which one a call or a message hits."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from simulator.domain.errors import NotFound, TooManyFaults
from simulator.domain.events import Kind
from simulator.domain.faults import FAULTS_LIMIT, after_hit
from simulator.domain.ids import chance_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from simulator.domain.deliveries import Delivery
    from simulator.domain.events import Cause
    from simulator.domain.faults import Fault, Match
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that was hit, and for how many seconds the answer, or the message, is held back."""

    fault: Fault
    delay: float


class FaultService:
    """What a tester does with the faults of one merchant, and what they do to its calls.

    NotFound when there can be no such merchant.
    """

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def all(self) -> tuple[Fault, ...]:
        """Return all faults, the first to be tried first."""
        return self._simulation.merchant(self._key).faults

    def find(self, id_: str) -> Fault:
        """Return the fault `id_`, or raise NotFound."""
        return _find(self.all(), id_)

    def add(self, fault: Fault) -> Fault:
        """Let calls hit `fault` too, after those there are."""
        with self._changing() as work:
            if len(work.merchant.faults) >= FAULTS_LIMIT:
                raise TooManyFaults(f"There are {FAULTS_LIMIT} faults already: remove some, or replace them all.")
            fault = replace(fault, id=work.new_id("fault"))
            _keep(work, (*work.merchant.faults, fault))
            return fault

    def replace_all(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """Let calls hit these faults and no others."""
        with self._changing() as work:
            kept = tuple(replace(fault, id=work.new_id("fault")) for fault in faults)
            _keep(work, kept)
            return kept

    def remove(self, id_: str) -> None:
        """Forget the fault `id_`, or raise NotFound."""
        with self._changing() as work:
            gone = _find(work.merchant.faults, id_)
            _keep(work, tuple(fault for fault in work.merchant.faults if fault.id != gone.id))

    def remove_all(self) -> None:
        """Let all calls go well."""
        self.replace_all(())

    def hit(self, method: str, path: str, body: object, cause: Cause | None) -> Hit | None:
        """Return what a call hits: the first fault that matches it and has its chance; None when there is none.

        Raises Superseded when the merchant was reset since `cause`.
        """
        if not any(fault.match.fits(method, path, body) for fault in self.all()):
            return None
        with self._simulation.work(self._key, cause) as work:
            return _hit(work, lambda match: match.fits(method, path, body))

    def _changing(self) -> Work:
        self._simulation.merchant(self._key)
        return self._simulation.work(self._key)


def hit_message(work: Work, delivery: Delivery, url: str) -> Hit | None:
    """Return what a message to a webhook hits, as `FaultService.hit` does for calls."""
    if not any(fault.match.webhook for fault in work.merchant.faults):
        return None
    body = json.loads(delivery.body)
    told = {"delivery": delivery.id, "event": delivery.event}
    return _hit(work, lambda match: match.fits_message(delivery.event, url, body), told)


def _hit(work: Work, fits: Callable[[Match], bool], told: Mapping[str, str] = MappingProxyType({})) -> Hit | None:
    for fault in work.merchant.faults:
        if fits(fault.match) and (fault.probability >= 1 or _chance(work) < fault.probability):
            work.world.save(replace(work.merchant, faults=after_hit(work.merchant.faults, fault)))
            data: dict[str, Any] = {"fault": fault.id, "name": fault.name, **told}
            work.tell(Kind.FAULT_HIT, fault.id, **data)
            least, most = fault.effect.latency
            return Hit(fault, fault.effect.delay(_chance(work) if least < most else 0.0))
    return None


def _find(faults: Iterable[Fault], id_: str) -> Fault:
    for fault in faults:
        if fault.id == id_:
            return fault
    raise NotFound("fault", id_)


def _keep(work: Work, faults: tuple[Fault, ...]) -> None:
    work.world.save(replace(work.merchant, faults=faults))
    work.tell(Kind.MERCHANT_CHANGED, by="tester", faults=[fault.label for fault in faults])


def _chance(work: Work) -> float:
    merchant = work.merchant
    return chance_of(merchant.seed, merchant.key, "fault", work.world.count("chance"))
