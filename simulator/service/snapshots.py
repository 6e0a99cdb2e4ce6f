"""Snapshots: takes the whole world of a merchant, and puts one back, there or in another merchant's place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.domain.errors import DuplicateId, InvalidContents, InvalidProvider
from simulator.service import outgoing
from simulator.service.tester import Discarded, begin_anew

if TYPE_CHECKING:
    from simulator.domain.contents import Contents
    from simulator.domain.ports import World
    from simulator.service.simulation import Simulation


class SnapshotService:
    """The snapshots of one merchant; NotFound when there can be no such merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def take(self) -> Contents:
        """Return all that there is in the merchant's world; nothing changes by that."""
        self._simulation.merchant(self._key)
        with self._simulation.store.transaction(self._key) as world:
            return world.contents()

    def restore(self, contents: Contents) -> Discarded:
        """Put `contents` in the place of all that there is, and return what that was.

        Key, secret and application remain the merchant's own. It is a reset: nothing begun before arrives after it.
        Raises Refusals, InvalidScenario or InvalidContents, and changes nothing, when `contents` can be no world.
        """
        contents.check()
        self._check_names(contents)
        self._simulation.merchant(self._key)
        with self._simulation.work(self._key) as work:
            mine = work.merchant
            merchant = replace(contents.merchant, key=mine.key, secret=mine.secret, application_id=mine.application_id)
            discarded = begin_anew(work, merchant)
            _fill(work.world, contents)
            outgoing.take_up(work)
            return discarded

    def _check_names(self, contents: Contents) -> None:
        """Refuse scenarios and banks that there are not."""
        merchant, scenarios = contents.merchant, self._simulation.scenarios
        scenarios.find(merchant.scenario, "merchant/scenario")
        for number, payment in enumerate(contents.payment_sessions):
            for _, name in payment.scenarios:
                scenarios.find(name, f"payment_sessions/{number}/scenarios")
        for number, linked in enumerate(merchant.accounts):
            try:
                self._simulation.provider(linked.provider)
            except InvalidProvider as unknown:
                raise InvalidContents(str(unknown), f"merchant/accounts/{number}/provider") from unknown


def _fill(world: World, contents: Contents) -> None:
    """Put all things of `contents` in an empty world; InvalidContents when another merchant has one of them."""
    world.recount(contents.counts)
    try:
        for some in (contents.payment_sessions, contents.refunds, contents.client_keys, contents.emails):
            for thing in some:
                world.add(thing)
        for token in contents.tokens:
            world.add(replace(token, scope=token.scope and world.merchant().application_id))
        for messages in (contents.deliveries, contents.inbox):
            for message in messages:
                world.add(message)
    except DuplicateId as taken:
        raise InvalidContents(f"Another merchant has {taken} already.") from taken
    for timer in contents.timers:
        world.add(timer)
    for call in contents.idempotent_calls:
        world.save(call)
    for event in contents.events:
        world.record(event)
