"""The merchant: asks for payments, reads them back, refunds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.errors import NotFound
from simulator.domain.payments import Payment, PaymentRequest, check
from simulator.domain.refunds import Refund, RefundRequest, refunded
from simulator.domain.states import PaymentState, RefundAction
from simulator.service.payouts import follow_payout, open_payout

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.ports import PaymentQuery, World
    from simulator.service.simulation import Simulation

    PaymentWithRefunds = tuple[Payment, tuple[Refund, ...]]


class MerchantService:
    """What the merchant with this API key does."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def create_payment(self, request: PaymentRequest) -> Payment:
        """Create a payment session; Refusals when it breaks a rule of `payments.check`."""
        simulation = self._simulation
        with simulation.store.transaction(self._key) as world:
            check(world.merchant(), request)
            payment = Payment(id=simulation.ids.new(), request=request, created_at=simulation.clock.now(self._key))
            world.add(payment)
            return payment

    def payment(self, id_: str) -> PaymentWithRefunds:
        """Return a payment session and its refunds; NotFound when it is not this merchant's."""
        with self._simulation.store.transaction(self._key) as world:
            return world.payment(id_), world.refunds_of([id_])[id_]

    def payments(self, query: PaymentQuery) -> list[PaymentWithRefunds]:
        """Return the payment sessions `query` asks for, the newest first, each with its refunds."""
        with self._simulation.store.transaction(self._key) as world:
            payments = world.payments(query)
            refunds = world.refunds_of([payment.id for payment in payments])
        return [(payment, refunds[payment.id]) for payment in payments]

    def delete_payment(self, id_: str) -> None:
        """Delete a session nobody has paid yet; a refund that it was to pay out fails (Q11)."""
        with self._simulation.store.transaction(self._key) as world:
            payment = world.payment(id_)
            payment.check_deletable()
            world.remove(payment)
            follow_payout(world, payment, PaymentState.FAILED)

    def consumer_account(self, payment_id: str) -> Account:
        """Return the account the payment was made from; NotFound when the bank did not share it (Q8)."""
        payment, _ = self.payment(payment_id)
        if payment.payer_account is None:
            raise NotFound("shared account for payment session", payment_id)
        return payment.payer_account

    def create_refund(self, request: RefundRequest) -> Refund:
        """Refund a payment, at once to `awaiting_payment` when the customer's account is known.

        Raises NotFound, NotRefundable or InvalidAmount (see `Refund.of`). The payee of the request counts only when
        the bank did not share the account (facts 3.2, Q30).
        """
        simulation = self._simulation
        with simulation.store.transaction(self._key) as world:
            at = simulation.clock.now(self._key)
            payment = _refunded_payment(world, request)
            already = refunded(world.refunds_of([payment.id])[payment.id])
            refund = Refund.of(payment, request, refunded=already, id_=simulation.ids.new(), at=at)
            details = payment.payer_account or request.payee
            if details is not None:
                refund = open_payout(world, refund, details, simulation.ids, at)
            world.add(refund)
            return refund

    def refund(self, id_: str) -> Refund:
        """Return a refund; NotFound when it is not this merchant's."""
        with self._simulation.store.transaction(self._key) as world:
            return world.refund(id_)

    def refunds(self, limit: int) -> tuple[Refund, ...]:
        """Return the newest refunds, the newest first."""
        with self._simulation.store.transaction(self._key) as world:
            return world.refunds(limit)

    def mark_externally_processed(self, refund_id: str) -> Refund:
        """End a refund that was paid some other way, and stop the payment session that would pay it once more.

        IllegalAction when the refund has ended.
        """
        with self._simulation.store.transaction(self._key) as world:
            at = self._simulation.clock.now(self._key)
            refund = world.refund(refund_id)
            marked = refund.act(RefundAction.MARK_EXTERNALLY_PROCESSED)
            if refund.refund_payment_session_id is not None:
                world.save(world.payment(refund.refund_payment_session_id).stop(at))
            world.save(marked)
            return marked


def _refunded_payment(world: World, request: RefundRequest) -> Payment:
    try:
        return world.payment(request.payment_session_id)
    except NotFound:
        raise NotFound("payment session", request.payment_session_id, "payment_session_id") from None
