"""The payer: picks a bank to pay by, and says where a refund should go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.service.payouts import open_payout, save_payment

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.payments import Payment
    from simulator.domain.ports import World
    from simulator.domain.refunds import Refund
    from simulator.service.simulation import Simulation


class PayerService:
    """What the payers of one merchant do."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def choose_provider(self, payment_id: str, provider: str) -> Payment:
        """Pick the bank, by name or id, to pay by; InvalidProvider or IllegalAction when that cannot be."""
        with self._simulation.store.transaction(self._key) as world:
            return choose_provider(self._simulation, world, payment_id, provider)

    def provide_details(self, refund_id: str, details: Account) -> Refund:
        """Say to which account a refund should go, which creates its payment session.

        IllegalAction when the account is known already.
        """
        simulation = self._simulation
        with simulation.store.transaction(self._key) as world:
            at = simulation.clock.now(self._key)
            refund = open_payout(world, world.refund(refund_id), details, simulation.ids, at)
            world.save(refund)
            return refund


def choose_provider(simulation: Simulation, world: World, payment_id: str, provider: str) -> Payment:
    """Do what `PayerService.choose_provider` does, in an open world."""
    at = simulation.clock.now(world.merchant().key)
    payment = world.payment(payment_id).choose_provider(simulation.provider(provider), simulation.ids.new(), at)
    save_payment(world, payment)
    return payment
