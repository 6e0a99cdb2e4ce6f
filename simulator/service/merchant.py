"""The merchant: asks for payments, reads them back, refunds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.access import ClientKey
from simulator.domain.errors import IllegalAction, NotFound
from simulator.domain.events import Kind
from simulator.domain.payments import Payment, PaymentRequest, check
from simulator.domain.refunds import Refund, RefundRequest, refunded
from simulator.domain.scenarios import Door
from simulator.domain.states import RefundAction, RefundState
from simulator.service.changes import add_payment, change_payment, change_refund, delete_payment, open_payout
from simulator.service.emails import ask_for_details

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.events import Cause
    from simulator.domain.ports import PaymentQuery, World
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work

    PaymentWithRefunds = tuple[Payment, tuple[Refund, ...]]


SCENARIO_HEADER = "Simulator-Scenario"
"""The header by which a payment session is created with its scenario."""


class MerchantService:
    """What the merchant with this API key does."""

    def __init__(self, simulation: Simulation, merchant_key: str, cause: Cause | None = None) -> None:
        self._simulation = simulation
        self._key = merchant_key
        self._cause = cause

    def create_payment(self, request: PaymentRequest, scenario: str | None = None) -> Payment:
        """Create a payment session, for which the banks will play `scenario`.

        Refusals when it breaks a rule of `payments.check`; InvalidScenario when there is no such scenario.
        """
        with self._work() as work:
            return create_payment(work, request, work.new_id("payment_session"), scenario)

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
        with self._work() as work:
            payment = work.world.payment(id_)
            payment.check_deletable()
            if work.world.refunds_of([id_])[id_]:
                raise IllegalAction("payment session with refunds", payment.state, "be deleted", payment.actions)
            delete_payment(work, payment)

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
        with self._work() as work:
            return create_refund(work, request, work.new_id("refund"))

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
        with self._work() as work:
            return mark_externally_processed(work, refund_id)

    def create_client_key(self, domains: tuple[str, ...]) -> ClientKey:
        """Let browsers at the origins `domains` show the merchant's payments."""
        with self._work() as work:
            key = ClientKey(work.new_id("client_key_id"), work.new_client_key(), domains, work.at)
            work.world.add(key)
            work.tell(Kind.CLIENT_KEY_CREATED, key.id, by="merchant", domains=list(domains))
            return key

    def _work(self) -> Work:
        return self._simulation.work(self._key, self._cause)


def create_payment(work: Work, request: PaymentRequest, id_: str, scenario: str | None = None) -> Payment:
    """Do what `MerchantService.create_payment` does, as part of `work`; the session has the id `id_`."""
    check(work.merchant, request)
    payment = Payment(id=id_, request=request, created_at=work.at)
    if scenario is not None:
        found = work.simulation.scenarios.find(scenario, SCENARIO_HEADER)
        payment = payment.ask_for(found.name, Door.HEADER)
    add_payment(work, payment, by="merchant")
    return payment


def create_refund(work: Work, request: RefundRequest, id_: str) -> Refund:
    """Do what `MerchantService.create_refund` does, as part of `work`; the refund has the id `id_`."""
    payment = _refunded_payment(work.world, request)
    already = refunded(work.world.refunds_of([payment.id])[payment.id])
    refund = Refund.of(payment, request, refunded=already, id_=id_, at=work.at)
    details = payment.payer_account or request.payee
    if details is not None:
        refund = open_payout(work, refund, details)
    work.world.add(refund)
    work.touch(payment.id)
    work.tell(
        Kind.REFUND_CREATED,
        refund.id,
        by="merchant",
        amount=refund.amount,
        to=refund.state.value,
        payment_session_id=payment.id,
    )
    if refund.state is RefundState.AWAITING_DETAILS:
        ask_for_details(work, refund, payment)
    return refund


def mark_externally_processed(work: Work, refund_id: str, by: str = "merchant") -> Refund:
    """Do what `MerchantService.mark_externally_processed` does, as part of `work`."""
    refund = work.world.refund(refund_id)
    marked = refund.act(RefundAction.MARK_EXTERNALLY_PROCESSED)
    change_refund(work, refund, marked, by)
    if refund.refund_payment_session_id is not None:
        session = work.world.payment(refund.refund_payment_session_id)
        action = session.stopping_action
        change_payment(work, session, session.act(action, work.at), action, by)
    return marked


def _refunded_payment(world: World, request: RefundRequest) -> Payment:
    try:
        return world.payment(request.payment_session_id)
    except NotFound:
        raise NotFound("payment session", request.payment_session_id, "payment_session_id") from None
