"""The mock bank: what it does with a payment that its customer brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.states import PaymentAction
from simulator.service.payouts import save_payment

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.payments import Payment
    from simulator.service.simulation import Simulation

_CONSENTED = frozenset({PaymentAction.INITIATE, PaymentAction.ACCEPT, PaymentAction.SETTLE})
"""What a bank does only after its customer authorised the payment, and so chose an account."""


class BankService:
    """What the banks do with the payments of one merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def act(self, payment_id: str, action: PaymentAction) -> Payment:
        """Initiate, accept, settle, reject, fail or expire a payment; IllegalAction when its state does not allow it.

        A bank that shares accounts tells from which one the payment comes.
        """
        simulation = self._simulation
        with simulation.store.transaction(self._key) as world:
            payment = world.payment(payment_id).act(action, simulation.clock.now(self._key))
            if (
                action in _CONSENTED
                and payment.payer_account is None
                and payment.provider
                and payment.provider.shares_account
            ):
                payment = payment.paid_from(self._customer_account(payment))
            save_payment(world, payment)
            return payment

    def _customer_account(self, payment: Payment) -> Account:
        payer = payment.request.payer
        customer = payer.email if payer else payment.id
        bank = payment.provider.id if payment.provider else ""
        return self._simulation.people.account(
            f"{self._key} {customer} {bank}", payer.name if payer else None, payment.currency
        )
