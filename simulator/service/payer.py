"""The payer: says who they are, picks a bank to pay by or turns away, and says where a refund should go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.events import Kind
from simulator.domain.states import PaymentAction
from simulator.service.changes import change_payment, change_refund, open_payout

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.events import Cause
    from simulator.domain.payments import Payer, Payment
    from simulator.domain.refunds import Refund
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work


class PayerService:
    """What the payers of one merchant do."""

    def __init__(self, simulation: Simulation, merchant_key: str, cause: Cause | None = None) -> None:
        self._simulation = simulation
        self._key = merchant_key
        self._cause = cause

    def choose_provider(self, payment_id: str, provider: str) -> Payment:
        """Pick the bank, by name or id, to pay by; InvalidProvider or IllegalAction when that cannot be.

        Another bank may be picked until the payment is authorised.
        """
        with self._simulation.work(self._key, self._cause) as work:
            work.world.payment(payment_id).check_in_payers_hands(PaymentAction.CHOOSE_PROVIDER)
            return choose_provider(work, payment_id, provider)

    def choose_shown_provider(self, payment_id: str, provider: str) -> Payment:
        """Do what `choose_provider` does, with one of the banks that payers are shown for the payment's currency."""
        with self._simulation.work(self._key, self._cause) as work:
            payment = work.world.payment(payment_id)
            payment.check_in_payers_hands(PaymentAction.CHOOSE_PROVIDER)
            self._simulation.provider(provider).accept_currency(payment.currency)
            return choose_provider(work, payment_id, provider)

    def introduce(self, payment_id: str, payer: Payer) -> Payment:
        """Say who pays, when the merchant did not; IllegalAction when another payer is known, or once authorised."""
        with self._simulation.work(self._key, self._cause) as work:
            before = work.world.payment(payment_id)
            after = before.introduce(payer)
            if after != before:
                work.world.save(after)
                work.tell(Kind.PAYMENT_INTRODUCED, payment_id, by="payer", name=payer.name, email=payer.email)
            return after

    def cancel(self, payment_id: str) -> Payment:
        """Turn away, which leaves the session open (Q26); IllegalAction once it is authorised or over."""
        with self._simulation.work(self._key, self._cause) as work:
            return cancel(work, payment_id)

    def provide_details(self, refund_id: str, details: Account) -> Refund:
        """Say to which account a refund should go, which creates its payment session.

        IllegalAction when the account is known already.
        """
        with self._simulation.work(self._key, self._cause) as work:
            return provide_details(work, refund_id, details)


def choose_provider(
    work: Work, payment_id: str, provider: str | None, by: str = "payer", *, force: bool = False
) -> Payment:
    """Do what `PayerService.choose_provider` does, as part of `work`; `force` does it from any state.

    Without a `provider` it is the usual bank for the payment's currency.
    """
    before = work.world.payment(payment_id)
    banks = work.simulation.providers
    bank = banks.find(provider) if provider is not None else banks.usual(before.currency)
    action = PaymentAction.CHOOSE_PROVIDER
    forced = force and action not in before.actions
    after = before.choose_provider(bank, before.end_to_end_id or work.new_id("end_to_end"), work.at, force=forced)
    return change_payment(work, before, after, action, by, provider=bank.name, forced=forced)


def cancel(work: Work, payment_id: str) -> Payment:
    """Do what `PayerService.cancel` does, as part of `work`; who turned away already does so no more."""
    before = work.world.payment(payment_id)
    after = before.cancel()
    if after != before:
        work.world.save(after)
        work.tell(Kind.PAYMENT_CANCELLED, payment_id, by="payer")
    return after


def provide_details(work: Work, refund_id: str, details: Account, by: str = "payer") -> Refund:
    """Do what `PayerService.provide_details` does, as part of `work`."""
    before = work.world.refund(refund_id)
    after = open_payout(work, before, details)
    change_refund(work, before, after, by)
    return after
