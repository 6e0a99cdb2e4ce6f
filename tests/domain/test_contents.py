"""The contents of a world: only what could have come about is whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from simulator.domain.contents import Contents
from simulator.domain.errors import Refusals
from simulator.domain.events import EVENTS_KEPT, Event, Kind
from simulator.domain.faults import Effect, Fault
from simulator.domain.merchants import SANDBOX_ACCOUNT, Merchant
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payment, PaymentRequest
from simulator.domain.refunds import Refund, RefundRequest
from simulator.domain.states import PaymentState, RefundState

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SHOP = Merchant(
    key="pk_test_shop", secret="sk_test_shop", name="Shop", email="shop@merchant.example", application_id="shop"
)
REQUEST = PaymentRequest(
    reference="Illuminate", line_items=(LineItem("Candles", 100, Currency.GBP, 4),), payee=SANDBOX_ACCOUNT
)
PAID = Payment(id="payment", request=REQUEST, created_at=NOON, state=PaymentState.SENT, sent_at=NOON)
REFUND = Refund(
    id="refund",
    request=RefundRequest(payment_session_id="payment", amount=300),
    currency=Currency.GBP,
    created_at=NOON,
    state=RefundState.AWAITING_PAYMENT,
    details=SANDBOX_ACCOUNT,
    refund_payment_session_id="payout",
)
PAYOUT = Payment(id="payout", request=REQUEST, created_at=NOON, refund_id="refund")
WHOLE = Contents(
    merchant=SHOP,
    counts={"payment_session": 2, "refund": 1},
    payment_sessions=(PAID, PAYOUT),
    refunds=(REFUND,),
    events=(Event(7, NOON, NOON, Kind.TESTER), Event(8, NOON, NOON, Kind.TESTER, because=7)),
)


def broken(contents: Contents) -> dict[str, str]:
    """What `check` finds, by place."""
    with pytest.raises(Refusals) as found:
        contents.check()
    return {refusal.parameter: str(refusal) for refusal in found.value.refusals}


def test_a_world_that_could_have_come_about_is_whole() -> None:
    WHOLE.check()
    Contents(merchant=SHOP).check()


def test_a_failed_refund_leaves_room_for_another() -> None:
    again = replace(REFUND, id="again", state=RefundState.AWAITING_DETAILS, refund_payment_session_id=None)
    contents = replace(WHOLE, counts={"payment_session": 2, "refund": 2})
    assert list(broken(replace(contents, refunds=(REFUND, again)))) == ["refunds/1/request/amount"]
    replace(contents, refunds=(replace(REFUND, state=RefundState.FAILED), again)).check()


def test_a_payout_belongs_to_its_refund_and_may_be_gone() -> None:
    stray = replace(PAYOUT, refund_id=None)
    assert list(broken(replace(WHOLE, payment_sessions=(PAID, stray)))) == ["refunds/0/refund_payment_session_id"]
    replace(WHOLE, payment_sessions=(PAID,)).check()


def test_everything_that_is_broken_is_told_at_once() -> None:
    contents = replace(WHOLE, counts={}, refunds=())
    assert broken(contents) == {
        "counts/payment_session": "There are 2 already.",
        "payment_sessions/1/refund_id": "There is no such refund.",
    }


def test_a_log_has_no_gaps_and_is_no_longer_than_any() -> None:
    gap = (WHOLE.events[0], replace(WHOLE.events[1], number=9))
    assert broken(replace(WHOLE, events=gap)) == {"events/1/number": "Must be 8, for it follows that event."}
    endless = tuple(Event(number, NOON, NOON, Kind.TESTER) for number in range(EVENTS_KEPT + 1))
    assert list(broken(replace(WHOLE, events=endless))) == ["events", "events/0/number"]


@pytest.mark.parametrize(
    ("effect", "rule"),
    [
        ({"status": 399}, {}),
        ({"status": 600}, {}),
        ({"status": 503, "retry_after": 0}, {}),
        ({"latency": (-1.0, 1.0)}, {}),
        ({"latency": (2.0, 1.0)}, {}),
        ({"latency": (0.0, 301.0)}, {}),
        ({"status": 500}, {"times": 0}),
        ({"status": 500}, {"probability": 0.0}),
        ({"status": 500}, {"probability": 1.1}),
    ],
)
def test_a_fault_out_of_range_is_none(effect: dict[str, object], rule: dict[str, object]) -> None:
    fault = Fault(effect=Effect(**effect), **rule)  # type: ignore[arg-type]  # any of them
    assert list(broken(replace(WHOLE, merchant=replace(SHOP, faults=(fault,))))) == ["merchant/faults/0"]
