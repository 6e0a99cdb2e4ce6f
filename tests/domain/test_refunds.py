"""Refunds: which are allowed, and how each is paid out (facts 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.accounts import Account
from simulator.domain.errors import IllegalAction, InvalidAmount, NotRefundable
from simulator.domain.merchants import SANDBOX_ACCOUNT, Merchant
from simulator.domain.money import LARGEST_AMOUNT, Currency
from simulator.domain.payments import LineItem, Payer, Payment, PaymentRequest
from simulator.domain.refunds import Refund, RefundRequest, refunded
from simulator.domain.states import PaymentState, RefundState

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
MERCHANT = Merchant(
    key="pk_test_shop", secret="sk_test_shop", name="Shop", email="shop@merchant.example", application_id="shop"
)
PAID = Payment(
    id="payment",
    request=PaymentRequest(
        reference="Illuminate", line_items=(LineItem("Candles", 100, Currency.GBP, 4),), payee=SANDBOX_ACCOUNT
    ),
    created_at=NOON,
    state=PaymentState.SENT,
    sent_at=NOON,
)
REQUEST = RefundRequest(
    payment_session_id="payment",
    amount=150,
    reference="refund Candles",
    success_url="http://shop.example/success?id=__PAYMENT_ID__",
    error_url="http://shop.example/error",
)
REFUND = Refund(id="refund", request=REQUEST, currency=Currency.GBP, created_at=NOON)
JANE = Account("Jane Doe", "87654321", "040506")

repeatable = settings(deadline=None, derandomize=True, database=None)
amounts = st.integers(1, LARGEST_AMOUNT)
refund_states = st.sampled_from(RefundState)


def paid(amount: int) -> Payment:
    """A payment of `amount` pence that was sent."""
    return replace(PAID, request=replace(PAID.request, line_items=(LineItem("Candles", amount, Currency.GBP, 1),)))


def refund_of(payment: Payment, amount: int, *, already: int = 0) -> Refund:
    """A refund of `amount` pence, where `already` were refunded before."""
    request = replace(REQUEST, amount=amount)
    return Refund.of(payment, request, refunded=already, id_="refund", at=LATER)


def some_refund(amount: int, state: RefundState) -> Refund:
    """A refund of `amount` pence that stands somewhere."""
    return replace(REFUND, request=replace(REQUEST, amount=amount), state=state)


refund_lists = st.lists(st.builds(some_refund, amounts, refund_states), max_size=8)


def test_a_new_refund_awaits_details() -> None:
    refund = Refund.of(PAID, REQUEST, refunded=0, id_="refund", at=LATER)
    assert refund == Refund(id="refund", request=REQUEST, currency=Currency.GBP, created_at=LATER)
    assert (refund.state, refund.details, refund.refund_payment_session_id) == ("awaiting_details", None, None)
    assert refund.amount == 150


@pytest.mark.parametrize("currency", Currency)
def test_a_refund_has_the_currency_of_its_payment(currency: Currency) -> None:
    items = (LineItem("Candles", 400, currency, 1),)
    assert refund_of(replace(PAID, request=replace(PAID.request, line_items=items)), 1).currency is currency


@pytest.mark.parametrize(("amount", "already"), [(400, 0), (1, 399), (200, 200)])
def test_all_that_is_left_can_be_refunded(amount: int, already: int) -> None:
    assert refund_of(PAID, amount, already=already).amount == amount


@pytest.mark.parametrize(
    ("amount", "already", "sentence"),
    [
        (401, 0, "£4.01 cannot be refunded: £4.00 is left of the £4.00 paid."),
        (2, 399, "£0.02 cannot be refunded: £0.01 is left of the £4.00 paid."),
        (1, 400, "£0.01 cannot be refunded: £0.00 is left of the £4.00 paid."),
        (0, 0, "A refund must be of 1 or more, in minor units."),
        (-100, 0, "A refund must be of 1 or more, in minor units."),
    ],
)
def test_nothing_and_more_than_is_left_cannot_be_refunded(amount: int, already: int, sentence: str) -> None:
    with pytest.raises(InvalidAmount) as refused:
        refund_of(PAID, amount, already=already)
    assert (str(refused.value), refused.value.parameter) == (sentence, "amount")


@pytest.mark.parametrize("state", [state for state in PaymentState if state is not PaymentState.SENT])
def test_a_payment_that_was_not_sent_cannot_be_refunded(state: PaymentState) -> None:
    with pytest.raises(NotRefundable, match=f"this one is {state}") as refused:
        refund_of(replace(PAID, state=state), 1)
    assert refused.value.parameter == "payment_session_id"


def test_a_session_that_pays_out_a_refund_cannot_be_refunded() -> None:
    with pytest.raises(NotRefundable) as refused:
        refund_of(replace(PAID, refund_id="refund"), 1)
    assert refused.value.parameter == "payment_session_id"


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("awaiting_details", True),
        ("awaiting_payment", True),
        ("sent", True),
        ("externally_processed", True),
        ("failed", False),
    ],
)
def test_all_but_a_failed_refund_take_from_their_payment(state: str, counts: bool) -> None:  # noqa: FBT001  pytest gives it by name
    assert refunded([some_refund(150, RefundState(state))]) == (150 if counts else 0)


def test_without_refunds_nothing_is_refunded() -> None:
    assert refunded([]) == 0


@repeatable
@given(refund_lists, refund_lists)
def test_what_two_lists_of_refunds_take_adds_up(one: list[Refund], other: list[Refund]) -> None:
    assert refunded(one) + refunded(other) == refunded(one + other) == refunded(other + one)


@repeatable
@given(refund_lists)
def test_what_failed_could_as_well_not_be_there(refunds: list[Refund]) -> None:
    assert refunded(refunds) == sum(refund.amount for refund in refunds if refund.state != "failed")
    assert refunded(replace(refund, state=RefundState.FAILED) for refund in refunds) == 0


@repeatable
@given(amounts, amounts, st.integers(0, LARGEST_AMOUNT))
def test_a_refund_is_allowed_exactly_when_it_fits(payment: int, amount: int, already: int) -> None:
    if already + amount <= payment:
        assert refund_of(paid(payment), amount, already=already).amount == amount
    else:
        with pytest.raises(InvalidAmount):
            refund_of(paid(payment), amount, already=already)


@repeatable
@given(st.integers(1, 1_000), st.lists(st.tuples(st.integers(1, 1_000), refund_states), max_size=20))
def test_however_much_is_asked_never_more_than_was_paid_is_refunded(
    payment: int, asked: list[tuple[int, RefundState]]
) -> None:
    refunds: list[Refund] = []
    for amount, becomes in asked:
        fits = amount <= payment - refunded(refunds)
        try:
            refunds.append(replace(refund_of(paid(payment), amount, already=refunded(refunds)), state=becomes))
        except InvalidAmount:
            assert not fits
        else:
            assert fits
        assert refunded(refunds) <= payment


def test_given_details_a_refund_awaits_payment() -> None:
    assert REFUND.provide_details(JANE, "session") == replace(
        REFUND, state=RefundState.AWAITING_PAYMENT, details=JANE, refund_payment_session_id="session"
    )


@pytest.mark.parametrize("state", [state for state in RefundState if state is not RefundState.AWAITING_DETAILS])
def test_details_are_given_once(state: RefundState) -> None:
    with pytest.raises(IllegalAction, match=f"^A refund in state {state} cannot provide_details; "):
        replace(REFUND, state=state).provide_details(JANE, "session")


def test_a_refund_is_paid_out_from_the_merchant_to_the_customer() -> None:
    session = REFUND.provide_details(JANE, "session").payment_session(MERCHANT, reference="bnkdzOo2iegk", at=LATER)
    assert session == Payment(
        id="session",
        request=PaymentRequest(
            reference="refund Candles",
            line_items=(LineItem("Refund", 150, Currency.GBP, 1),),
            payee=JANE,
            payer=Payer("Shop", "shop@merchant.example"),
            success_url="http://shop.example/success?id=__PAYMENT_ID__",
            error_url="http://shop.example/error",
        ),
        created_at=LATER,
        refund_id="refund",
    )
    assert (session.state, session.amount) == ("awaiting_provider", 150)


def test_a_refund_without_a_reference_is_paid_out_under_a_made_up_one() -> None:
    nameless = replace(REFUND, request=replace(REQUEST, reference=None)).provide_details(JANE, "session")
    assert nameless.payment_session(MERCHANT, reference="bnkdzOo2iegk", at=LATER).request.reference == "bnkdzOo2iegk"


def test_a_refund_without_details_has_no_session_to_pay_it_out() -> None:
    with pytest.raises(ValueError, match="without details"):
        REFUND.payment_session(MERCHANT, reference="bnkdzOo2iegk", at=LATER)


def test_a_refund_that_does_not_follow_its_session_stays_the_same() -> None:
    refund = REFUND.provide_details(JANE, "session")
    assert refund.follow(PaymentState.PENDING) == refund


# A session that was forced out of its end


def forced(refund: Refund, session_state: PaymentState, *, others: int = 0, of: int = 400) -> Refund:
    """The refund of 150 after its session was forced, beside `others` of the `of` pence paid."""
    return refund.force_follow(session_state, others=others, paid=of)


@pytest.mark.parametrize(
    ("state", "session_state", "becomes"),
    [
        *[("sent", state, "awaiting_payment") for state in ("awaiting_payment_consent", "initiated", "pending")],
        *[("failed", state, "awaiting_payment") for state in ("awaiting_payment_consent", "initiated", "pending")],
        ("sent", "failed", "failed"),
        ("failed", "sent", "sent"),
        ("failed", "failed", "failed"),
        ("sent", "sent", "sent"),
    ],
)
def test_a_refund_goes_back_with_its_session(state: str, session_state: str, becomes: str) -> None:
    refund = replace(REFUND, state=RefundState(state))
    assert forced(refund, PaymentState(session_state)) == replace(refund, state=RefundState(becomes))


@pytest.mark.parametrize("session_state", PaymentState)
@pytest.mark.parametrize("state", ["awaiting_details", "awaiting_payment", "externally_processed"])
def test_a_refund_that_its_session_did_not_end_stays_where_it_is(state: str, session_state: PaymentState) -> None:
    refund = replace(REFUND, state=RefundState(state))
    assert forced(refund, session_state, others=400) == refund


@pytest.mark.parametrize("session_state", [state for state in PaymentState if state is not PaymentState.FAILED])
def test_a_failed_refund_comes_back_only_while_there_is_money_left_for_it(session_state: PaymentState) -> None:
    failed = replace(REFUND, state=RefundState.FAILED)
    assert forced(failed, session_state, others=250).state != "failed"
    with pytest.raises(InvalidAmount, match=r"only £1\.49 of its payment is left") as refusal:
        forced(failed, session_state, others=251)
    assert refusal.value.parameter == "amount"


def test_a_failed_refund_may_fail_again_whatever_is_left() -> None:
    failed = replace(REFUND, state=RefundState.FAILED)
    assert forced(failed, PaymentState.FAILED, others=400) == failed


@repeatable
@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 1000), refund_states, st.sampled_from(PaymentState))
def test_however_it_is_forced_never_more_than_was_paid_is_refunded(
    amount: int, others: int, payment: int, state: RefundState, session_state: PaymentState
) -> None:
    refund = some_refund(amount, state)
    if others + refunded([refund]) > payment:
        return
    try:
        followed = forced(refund, session_state, others=others, of=payment)
    except InvalidAmount:
        assert others + amount > payment
    else:
        assert others + refunded([followed]) <= payment
