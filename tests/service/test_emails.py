"""The e-mails on their way out: which the post gets, and what is written down of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from simulator.domain.events import EventQuery, Kind
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payer, PaymentRequest
from simulator.domain.refunds import RefundRequest
from simulator.domain.timers import TimerKind
from simulator.service import tester, timers
from simulator.service.emails import EmailService, PostService, send_receipt
from simulator.service.merchant import MerchantService

if TYPE_CHECKING:
    from simulator.domain.emails import Posting
    from simulator.domain.events import Event
    from simulator.domain.payments import Payment
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work

KEY = "pk_test_simulator"
JANE = Payer("Jane Doe", "jane@doe.com")
HOUR = timedelta(hours=1)


class LetterBox:
    """Keeps what the post is given, and sends nothing."""

    def __init__(self) -> None:
        self.postings: list[Posting] = []

    def take(self, posting: Posting) -> None:
        self.postings.append(posting)

    def stop(self) -> None:
        pass


@pytest.fixture
def box() -> LetterBox:
    return LetterBox()


@pytest.fixture
def posting_simulation(simulation: Simulation, box: LetterBox) -> Simulation:
    """The simulation, with a post."""
    return replace(simulation, post=box)


@pytest.fixture
def post(posting_simulation: Simulation) -> PostService:
    return PostService(posting_simulation)


def request_payment(simulation: Simulation) -> Payment:
    """Ask Jane for £4.00; she has an e-mail address."""
    request = PaymentRequest(
        reference="Illuminate",
        line_items=(LineItem("Candles", 100, Currency.GBP, 4),),
        payee=SANDBOX_ACCOUNT,
        payer=JANE,
    )
    return MerchantService(simulation, KEY).create_payment(request)


def refund_a_payment(simulation: Simulation) -> None:
    """Let Jane be paid back without saying where to."""
    payment = request_payment(simulation)
    tester.TesterService(simulation).pay(payment.id)
    MerchantService(simulation, KEY).create_refund(RefundRequest(payment_session_id=payment.id, amount=150))


def events(simulation: Simulation, kind: str = "email") -> tuple[Event, ...]:
    """The events of a kind."""
    with simulation.store.transaction(KEY) as world:
        return world.events(EventQuery(kind=kind))


def test_the_post_gets_what_is_in_the_outbox(posting_simulation: Simulation, box: LetterBox) -> None:
    refund_a_payment(posting_simulation)
    [posting] = box.postings
    assert EmailService(posting_simulation, KEY).emails(9) == (posting.email,)
    [sent] = events(posting_simulation)
    assert (posting.merchant_key, posting.cause.event) == (KEY, sent.number)


@pytest.mark.parametrize(("failure", "kind"), [("", Kind.EMAIL_DELIVERED), ("the server is away", Kind.EMAIL_FAILED)])
def test_the_log_tells_what_became_of_an_email(
    posting_simulation: Simulation, box: LetterBox, post: PostService, failure: str, kind: str
) -> None:
    refund_a_payment(posting_simulation)
    [posting] = box.postings
    assert post.is_due(posting)
    post.tell_fate(posting, failure)
    sent, told = events(posting_simulation)
    assert (told.kind, told.subject, told.because) == (kind, posting.email.subject_id, sent.number)
    assert (told.data["email"], told.data.get("why", "")) == (posting.email.id, failure)
    assert EmailService(posting_simulation, KEY).emails(9) == (posting.email,)


def test_the_post_gets_nothing_that_was_undone(
    posting_simulation: Simulation, box: LetterBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fire(work: Work, payment_id: str) -> None:
        payment = work.world.payment(payment_id)
        send_receipt(work, replace(payment, request=replace(payment.request, email_receipt=True)))
        raise RuntimeError("something else went wrong")

    payment = request_payment(posting_simulation)
    with posting_simulation.work(KEY) as work:
        work.schedule(TimerKind.SCENARIO_STEP, payment.id, 1)
    monkeypatch.setitem(timers._FIRE, TimerKind.SCENARIO_STEP, fire)  # noqa: SLF001  no timer fails of itself
    timers.TimerService(posting_simulation, KEY).set_clock(lambda clock, real: clock.set(real, real + HOUR, 0))
    assert [event.kind for event in events(posting_simulation, "timer")] == [Kind.TIMER_FAILED]
    assert (box.postings, EmailService(posting_simulation, KEY).emails(9)) == ([], ())


def test_after_a_reset_no_earlier_email_is_due_or_told_of_even_if_a_new_one_has_its_id(
    posting_simulation: Simulation, box: LetterBox, post: PostService
) -> None:
    refund_a_payment(posting_simulation)
    tester.TesterService(posting_simulation).reset(KEY)
    refund_a_payment(posting_simulation)
    before, after = box.postings
    assert before.email.id == after.email.id
    assert (post.is_due(before), post.is_due(after)) == (False, True)
    post.tell_fate(before, "the server was away")
    assert [event.kind for event in events(posting_simulation)] == [Kind.EMAIL_SENT]
