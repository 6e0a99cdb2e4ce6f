"""The tester: whoever controls the simulation, and may act for everybody in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.states import PaymentAction
from simulator.service import bank, payer
from simulator.service.merchant import MerchantService

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulator.domain.accounts import Account
    from simulator.domain.merchants import Merchant
    from simulator.domain.refunds import Refund
    from simulator.service.merchant import PaymentWithRefunds
    from simulator.service.simulation import Simulation

DEFAULT_PROVIDER = "Mock Bank"


class TesterService:
    """What a tester does in any merchant's world. Ids need no merchant beside them: they are unique."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def payment(self, id_: str) -> PaymentWithRefunds:
        """Return any payment session and its refunds."""
        return self._merchant_of("payment session", id_).payment(id_)

    def refund(self, id_: str) -> Refund:
        """Return any refund."""
        return self._merchant_of("refund", id_).refund(id_)

    def act(self, payment_id: str, action: PaymentAction, provider: str = DEFAULT_PROVIDER) -> PaymentWithRefunds:
        """Make `action` happen to a payment; `provider`, a name or id, is the bank for `choose_provider`."""
        return self._walk(payment_id, [action], provider)

    def pay(self, payment_id: str, provider: str = DEFAULT_PROVIDER) -> PaymentWithRefunds:
        """Walk the payer's whole path, or none of it: pick the bank, authorise there, and the money is sent."""
        return self._walk(payment_id, [PaymentAction.CHOOSE_PROVIDER, PaymentAction.SETTLE], provider)

    def provide_details(self, refund_id: str, details: Account | None) -> Refund:
        """Give the customer's account for a refund; without one, the customer's own is made up."""
        simulation = self._simulation
        key = simulation.owner("refund", refund_id)
        if details is None:
            details = simulation.people.account(f"{key} {refund_id}", None, self.refund(refund_id).currency)
        return payer.PayerService(simulation, key).provide_details(refund_id, details)

    def mark_externally_processed(self, refund_id: str) -> Refund:
        """End a refund as paid some other way."""
        return self._merchant_of("refund", refund_id).mark_externally_processed(refund_id)

    def reset(self, merchant_key: str) -> Merchant:
        """Put a merchant back to how it started; NotFound when there can be no such merchant."""
        starting = self._simulation.starting_merchant(merchant_key)
        self._simulation.store.enrol(starting)
        with self._simulation.store.transaction(merchant_key) as world:
            world.clear()
            world.save(starting)
        return starting

    def _walk(self, payment_id: str, actions: Sequence[PaymentAction], provider: str) -> PaymentWithRefunds:
        simulation = self._simulation
        with simulation.store.transaction(simulation.owner("payment session", payment_id)) as world:
            for action in actions:
                if action is PaymentAction.CHOOSE_PROVIDER:
                    payer.choose_provider(simulation, world, payment_id, provider)
                else:
                    bank.act(simulation, world, payment_id, action)
            return world.payment(payment_id), world.refunds_of([payment_id])[payment_id]

    def _merchant_of(self, kind: str, id_: str) -> MerchantService:
        return MerchantService(self._simulation, self._simulation.owner(kind, id_))
