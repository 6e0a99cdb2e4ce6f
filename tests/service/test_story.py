"""What happened to a payment and why, told in events and in words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from simulator.domain.accounts import Account
from simulator.domain.errors import NotFound
from simulator.domain.events import EventQuery, Kind
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, PaymentRequest
from simulator.domain.refunds import RefundRequest
from simulator.domain.scenarios import Progression
from simulator.domain.states import PaymentAction
from simulator.service import tester
from simulator.service.merchant import MerchantService
from simulator.service.story import StoryService
from simulator.service.timers import TimerService

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.events import Event
    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund
    from simulator.service.simulation import Simulation

KEY = "pk_test_simulator"
JANE = Account("Jane Doe", "87654321", "040506")


class Shop:
    """A merchant whose clock stands still at noon, and whose story is told."""

    def __init__(self, simulation: Simulation) -> None:
        self.merchant = MerchantService(simulation, KEY)
        self.tester = tester.TesterService(simulation)
        self.timers = TimerService(simulation, KEY)
        self.story = StoryService(simulation)
        self.timers.set_clock(lambda clock, real: clock.set(real, clock.at(real), 0))

    def requests(self, scenario: str | None = None) -> Payment:
        items = (LineItem("Candles", 400, Currency.GBP, 1),)
        request = PaymentRequest(reference="Illuminate", line_items=items, payee=SANDBOX_ACCOUNT)
        return self.merchant.create_payment(request, scenario)

    def takes(self, scenario: str) -> Payment:
        return self.tester.pay(self.requests(scenario).id)[0]

    def refunds(self, payment: Payment, payee: Account | None = JANE) -> Refund:
        return self.merchant.create_refund(RefundRequest(payment_session_id=payment.id, amount=400, payee=payee))

    def advances(self, seconds: float) -> None:
        by = timedelta(seconds=seconds)
        self.timers.set_clock(lambda clock, real: clock.set(real, clock.at(real) + by, clock.rate))

    def events(self, **query: Any) -> tuple[Event, ...]:
        return self.story.events(KEY, EventQuery(**query))


@pytest.fixture
def shop(simulation: Simulation) -> Shop:
    return Shop(simulation)


def kinds(events: Iterable[Event]) -> list[str]:
    return [event.kind for event in events]


# In events


def test_the_timeline_of_a_payment_has_what_happened_and_what_made_it_happen(shop: Shop) -> None:
    payment = shop.requests()
    shop.requests()
    shop.tester.pay(payment.id)
    assert kinds(shop.story.timeline(payment.id)) == [
        Kind.PAYMENT_CREATED,
        Kind.TESTER,
        Kind.PAYMENT_CHANGED,
        Kind.SCENARIO_STARTED,
        Kind.PAYMENT_CHANGED,
    ]


def test_the_timeline_of_a_payment_includes_its_refunds_and_their_payouts(shop: Shop) -> None:
    payment = shop.takes("approve")
    refund = shop.refunds(payment)
    shop.refunds(shop.takes("approve"))
    payout = str(refund.refund_payment_session_id)
    shop.tester.pay(payout)
    timeline = shop.story.timeline(payment.id)
    assert {event.subject for event in timeline} == {payment.id, refund.id, payout}
    assert kinds(timeline)[-1] == Kind.REFUND_CHANGED
    assert [event.number for event in timeline] == sorted(event.number for event in timeline)


def test_the_timeline_of_a_payout_is_its_own(shop: Shop) -> None:
    payment = shop.takes("approve")
    payout = str(shop.refunds(payment).refund_payment_session_id)
    assert payment.id not in {event.subject for event in shop.story.timeline(payout)}


def test_everything_names_its_cause_and_causes_come_first(shop: Shop) -> None:
    payment = shop.takes("pending_then_sent")
    shop.advances(10)
    shop.tester.pay(str(shop.refunds(payment).refund_payment_session_id))
    events = {event.number: event for event in shop.events()}
    chain = [next(event for event in reversed(events.values()) if event.kind == Kind.REFUND_CHANGED)]
    while (because := chain[-1].because) is not None:
        assert because < chain[-1].number
        chain.append(events[because])
    assert kinds(chain) == [Kind.REFUND_CHANGED, Kind.PAYMENT_CHANGED, Kind.TESTER]
    assert chain[1].data["scenario"] == "approve"


def test_there_is_no_timeline_of_what_is_no_payment(shop: Shop) -> None:
    refund = shop.refunds(shop.takes("approve"))
    for id_ in ("nothing", refund.id):
        with pytest.raises(NotFound):
            shop.story.timeline(id_)
        with pytest.raises(NotFound):
            shop.story.explain(id_)


# In words


def test_who_declined_did_not_authorise(shop: Shop) -> None:
    payment = shop.requests()
    shop.tester.act(payment.id, PaymentAction.CHOOSE_PROVIDER)
    shop.tester.decline(payment.id)
    told = shop.story.explain(payment.id).history[2]
    assert told.endswith("The payer declined it, and the bank plays reject.")


def test_the_story_of_a_payment_in_words(shop: Shop) -> None:
    payment = shop.takes("approve_slowly")
    shop.advances(7)
    assert shop.story.explain(payment.id).history == (
        "2026-11-23T12:00:00.000000Z The merchant created it.",
        (
            "2026-11-23T12:00:00.000000Z The payer moved it from awaiting_provider to awaiting_payment_consent: "
            "choose_provider."
        ),
        "2026-11-23T12:00:00.000000Z The payer authorised it, and the bank plays approve_slowly, chosen by the header.",
        (
            "2026-11-23T12:00:01.000000Z The bank moved it from awaiting_payment_consent to initiated: "
            "initiate by step 1 of approve_slowly."
        ),
        "2026-11-23T12:00:02.000000Z The bank moved it from initiated to pending: accept by step 2 of approve_slowly.",
        "2026-11-23T12:00:07.000000Z The bank moved it from pending to sent: settle by step 3 of approve_slowly.",
    )


@pytest.mark.parametrize(
    ("scenario", "ending"),
    [
        ("reject", "The bank moved it from awaiting_payment_consent to failed: reject by step 1 of reject (MD16)."),
        ("user_cancels", "The payer turned away by step 1 of user_cancels."),
        ("late_success", "settle by step 2 of late_success, forced by the scenario."),
        ("bank_timeout", "fail by step 1 of bank_timeout (PAYMENT_EXPIRED)."),
    ],
)
def test_what_a_scenario_did_is_told(shop: Shop, scenario: str, ending: str) -> None:
    payment = shop.takes(scenario)
    shop.advances(60)
    assert shop.story.explain(payment.id).history[-1].endswith(ending)


def test_what_the_tester_did_is_told(shop: Shop) -> None:
    payment = shop.requests()
    shop.tester.choose_scenario(payment.id, "approve")
    assert shop.story.explain(payment.id).history[-1].endswith("The scenario approve was chosen by the tester.")
    shop.tester.pay(payment.id)
    shop.tester.act(payment.id, PaymentAction.FAIL, force=True)
    forced = shop.story.explain(payment.id).history[-1]
    assert forced.endswith("The tester moved it from sent to failed: fail, forced by tester.")


def test_a_step_that_came_too_late_is_told(shop: Shop) -> None:
    payment = shop.takes("approve_slowly")
    shop.tester.act(payment.id, PaymentAction.ACCEPT)
    shop.advances(60)
    told = shop.story.explain(payment.id)
    assert "Step 1 of approve_slowly came too late: A payment session in state pending" in told.history[-1]
    assert told.history[-1].endswith("settle, fail.")


def test_an_expired_session_is_told(shop: Shop) -> None:
    shop.tester.change_merchant(KEY, session_expires_after=900)
    payment = shop.requests()
    told = shop.story.explain(payment.id)
    assert told.pending[0].startswith("The session expiry is due at 2026-11-23T12:15:00.000000Z, but the clock stands")
    shop.advances(900)
    told = shop.story.explain(payment.id)
    assert told.history[-1].endswith("The time moved it from awaiting_provider to failed: expire (PAYMENT_EXPIRED).")


@pytest.mark.parametrize(
    ("scenario", "pending"),
    [
        ("approve", "It was sent, which is final."),
        ("reject", "It has failed, which is final."),
        ("stuck_pending", "Nothing more is due: only the tester moves it on."),
        ("user_cancels", "The payer has not authorised it yet: POST …/pay does."),
    ],
)
def test_what_a_payment_waits_for_is_told(shop: Shop, scenario: str, pending: str) -> None:
    assert shop.story.explain(shop.takes(scenario).id).pending == (pending,)


def test_a_new_payment_waits_for_its_payer(shop: Shop) -> None:
    told = shop.story.explain(shop.requests().id)
    assert told.pending == ("Nobody has paid it yet: the payer does at its url, or POST …/pay does.",)
    assert told.due == ()


def test_what_is_still_to_come_is_told_with_its_time(shop: Shop) -> None:
    payment = shop.takes("bank_timeout")
    told = shop.story.explain(payment.id)
    assert told.pending == (
        (
            "The next step, fail, is due at 2026-11-23T12:00:30.000000Z, but the clock stands still at "
            f"2026-11-23T12:00:00.000000Z: POST /__admin/merchants/{KEY}/clock/advance."
        ),
    )
    assert [timer.subject for timer in told.due] == [payment.id]
    shop.timers.set_clock(lambda clock, real: clock.set(real, clock.at(real), 10))
    assert shop.story.explain(payment.id).pending[0].endswith("in 30.0 s of the merchant's clock.")


def test_a_step_that_waits_for_the_tester_is_told(shop: Shop) -> None:
    shop.tester.change_merchant(KEY, progression=Progression.MANUAL)
    payment = shop.takes("user_cancels")
    [sentence] = shop.story.explain(payment.id).pending
    where = f"POST /__admin/payment_sessions/{payment.id}/next"
    assert sentence == (
        f"The next step, the payer's turning away, waits for you, because progression is manual: {where}."
    )


def test_telling_the_story_changes_nothing(shop: Shop) -> None:
    payment = shop.takes("approve_slowly")
    before = shop.events()
    shop.story.timeline(payment.id)
    shop.story.explain(payment.id)
    assert shop.events() == before
