"""The mock bank: what it does with a payment that its customer brings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulator.domain.states import PaymentAction
from simulator.service.payouts import save_payment

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.merchants import Merchant
    from simulator.domain.payments import Payment
    from simulator.domain.ports import World
    from simulator.domain.providers import Provider
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
        with self._simulation.store.transaction(self._key) as world:
            return act(self._simulation, world, payment_id, action)


def act(simulation: Simulation, world: World, payment_id: str, action: PaymentAction) -> Payment:
    """Do what `BankService.act` does, in an open world."""
    if action is PaymentAction.CHOOSE_PROVIDER:
        raise ValueError("the payer chooses the provider, no bank does")
    merchant = world.merchant()
    payment = world.payment(payment_id).act(action, simulation.clock.now(merchant.key))
    bank = payment.provider
    if action in _CONSENTED and bank is not None and bank.shares_account and payment.payer_account is None:
        payment = payment.paid_from(_payer_account(simulation, merchant, payment, bank))
    save_payment(world, payment)
    return payment


def _payer_account(simulation: Simulation, merchant: Merchant, payment: Payment, bank: Provider) -> Account:
    """The payer's account at the bank; a refund is paid by the merchant, from a linked one if there is any."""
    linked = [account for account in merchant.accounts if account.currency is payment.currency]
    if payment.refund_id is not None and linked:
        return replace(linked[0].account, name=merchant.name)
    payer = payment.request.payer
    customer = payer.email if payer else payment.id
    name = payer.name if payer else None
    return simulation.people.account(f"{merchant.key} {customer} {bank.id}", name, payment.currency)
