"""E-mails: which are sent when, and what became of them on their way."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from simulator.domain.emails import Email, EmailKind, Posting
from simulator.domain.errors import Superseded
from simulator.domain.events import Cause, Kind

if TYPE_CHECKING:
    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work


class EmailService:
    """The e-mails of one merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def emails(self, limit: int) -> tuple[Email, ...]:
        """Return the newest e-mails, the newest first."""
        with self._simulation.store.transaction(self._key) as world:
            return world.emails(limit)

    def email(self, id_: str) -> Email:
        """Return an e-mail; NotFound when it is not this merchant's, or no longer kept."""
        with self._simulation.store.transaction(self._key) as world:
            return world.email(id_)


class PostService:
    """What the post has to do with the worlds that its e-mails come from."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def is_due(self, posting: Posting) -> bool:
        """Whether an e-mail is still to be sent: its world was not reset since."""
        merchant = self._simulation.store.merchant(posting.merchant_key)
        return merchant is not None and merchant.generation == posting.cause.generation

    def tell_fate(self, posting: Posting, failure: str) -> None:
        """Write down that a mail server has taken an e-mail, or why it has not, unless its world was reset since."""
        email = posting.email
        told: dict[str, Any] = {"email": email.id, "to": email.to.email}
        with suppress(Superseded), self._simulation.work(posting.merchant_key, posting.cause) as work:
            if failure:
                work.tell(Kind.EMAIL_FAILED, email.subject_id, **told, why=failure)
            else:
                work.tell(Kind.EMAIL_DELIVERED, email.subject_id, **told)


def ask_for_details(work: Work, refund: Refund, payment: Payment) -> None:
    """Ask the customer where `refund` should go, if there is an address to ask at (facts 7, Q32)."""
    _send(work, EmailKind.REFUND_DETAILS, payment, refund)


def send_receipt(work: Work, payment: Payment) -> None:
    """Send the payer of `payment` a receipt, if the merchant wants that and there is an address."""
    if payment.request.email_receipt:
        _send(work, EmailKind.RECEIPT, payment)


def _send(work: Work, kind: EmailKind, payment: Payment, refund: Refund | None = None) -> None:
    payer, merchant = payment.request.payer, work.merchant
    if payer is None or work.is_past:
        return
    email = Email(
        id=work.new_id("email"),
        kind=kind,
        created_at=work.at,
        to=payer,
        merchant_name=merchant.name,
        merchant_email=merchant.email,
        payment=payment,
        refund=refund,
    )
    work.world.add(email)
    event = work.tell(Kind.EMAIL_SENT, email.subject_id, email=email.id, to=payer.email, about=kind.value)
    work.post(Posting(merchant.key, email, Cause(merchant.generation, event)))
