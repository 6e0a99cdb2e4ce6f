"""Payment sessions: what may be asked for, and what becomes of it (facts 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.accounts import Account
from simulator.domain.errors import (
    IllegalAction,
    InvalidAccount,
    InvalidAmount,
    InvalidCurrency,
    InvalidProvider,
    Refusal,
    Refusals,
)
from simulator.domain.merchants import SANDBOX_ACCOUNT, LinkedAccount, Merchant
from simulator.domain.money import LARGEST_AMOUNT, Currency
from simulator.domain.payments import LineItem, Payer, Payment, PaymentRequest, check, total
from simulator.domain.providers import Provider
from simulator.domain.scenarios import Door, Play, Scenario, Step
from simulator.domain.states import PAYMENT_TRANSITIONS, TARGETS, PaymentAction, PaymentState

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)
CANDLES = LineItem("Candles", 100, Currency.GBP, 4)
MATCHES = LineItem("Matches", 25, Currency.GBP, 2)
STRANGER = Account("Somebody", "87654321", "040506")
MERCHANT = Merchant(
    key="pk_test_shop",
    secret="sk_test_shop",
    name="Shop",
    email="shop@merchant.example",
    application_id="shop",
    accounts=(LinkedAccount(id="account", name="Till", account=SANDBOX_ACCOUNT, provider="Mock Bank"),),
)
REQUEST = PaymentRequest(reference="Illuminate", line_items=(CANDLES,), payee=SANDBOX_ACCOUNT)
PAYMENT = Payment(id="payment", request=REQUEST, created_at=NOON)
MOCK_BANK = Provider(id="mock", name="Mock Bank", brand="Mock Bank", currencies=tuple(Currency))
OTHER_BANK = replace(MOCK_BANK, id="other", name="Other Bank")
CLOSED_BANK = replace(MOCK_BANK, id="closed", name="Closed Bank", unavailable_because="It is Sunday.")
PLAY = Play(Scenario("settle", "The bank settles.", (Step(PaymentAction.SETTLE),)), Door.MERCHANT)

repeatable = settings(deadline=None, derandomize=True, database=None)
line_items = st.builds(
    LineItem,
    name=st.text(max_size=3),
    amount=st.integers(1, LARGEST_AMOUNT),
    currency=st.just(Currency.GBP),
    quantity=st.integers(1, 20),
)
baskets = st.lists(line_items, max_size=6)


def refusals(request: PaymentRequest, **changes: Any) -> tuple[Refusal, ...]:
    """All that forbids the request after these changes."""
    try:
        check(MERCHANT, replace(request, **changes))
    except Refusals as refused:
        return refused.refusals
    return ()


def test_the_amount_is_that_of_all_units_of_all_items() -> None:
    assert replace(PAYMENT, request=replace(REQUEST, line_items=(CANDLES, MATCHES))).amount == 4 * 100 + 2 * 25


@repeatable
@given(baskets)
def test_a_total_is_the_sum_of_every_single_unit(items: list[LineItem]) -> None:
    assert total(items) == sum(amount for item in items for amount in item.quantity * [item.amount])


@repeatable
@given(baskets, baskets)
def test_two_baskets_cost_what_both_cost_together(one: list[LineItem], other: list[LineItem]) -> None:
    assert total(one) + total(other) == total(one + other) == total(other + one)


@pytest.mark.parametrize("currency", Currency)
def test_a_payment_has_the_currency_of_its_items(currency: Currency) -> None:
    items = (replace(CANDLES, currency=currency),)
    assert replace(PAYMENT, request=replace(REQUEST, line_items=items)).currency is currency


def test_a_sound_request_is_allowed() -> None:
    check(MERCHANT, REQUEST)


def test_line_items_must_have_one_currency() -> None:
    [refusal] = refusals(REQUEST, line_items=(CANDLES, replace(MATCHES, currency=Currency.EUR)))
    assert isinstance(refusal, InvalidCurrency)
    assert refusal.parameter == "line_items"
    assert str(refusal) == "All line items must have one currency, not EUR, GBP."


def test_the_largest_amount_is_allowed() -> None:
    assert refusals(REQUEST, line_items=(replace(CANDLES, amount=LARGEST_AMOUNT, quantity=1),)) == ()


@pytest.mark.parametrize(
    "items",
    [
        (replace(CANDLES, amount=LARGEST_AMOUNT, quantity=1), replace(MATCHES, amount=1, quantity=1)),
        (replace(CANDLES, amount=LARGEST_AMOUNT, quantity=2),),
        (replace(CANDLES, amount=1, quantity=LARGEST_AMOUNT + 1),),
    ],
)
def test_line_items_must_not_add_up_to_more_than_the_largest_amount(items: tuple[LineItem, ...]) -> None:
    [refusal] = refusals(REQUEST, line_items=items)
    assert isinstance(refusal, InvalidAmount)
    assert refusal.parameter == "line_items"


def test_the_payee_must_be_a_linked_account() -> None:
    [refusal] = refusals(REQUEST, payee=STRANGER)
    assert isinstance(refusal, InvalidAccount)
    assert refusal.parameter == "payee"


def test_all_that_is_wrong_is_told_at_once() -> None:
    items = (CANDLES, replace(MATCHES, amount=LARGEST_AMOUNT, currency=Currency.EUR))
    found = refusals(REQUEST, line_items=items, payee=STRANGER)
    assert [type(refusal) for refusal in found] == [InvalidCurrency, InvalidAmount, InvalidAccount]


def test_a_new_payment_has_no_past() -> None:
    assert (PAYMENT.state, PAYMENT.sent_at, PAYMENT.end_to_end_id) == ("awaiting_provider", None, None)
    assert (PAYMENT.provider, PAYMENT.payer_account, PAYMENT.refund_id) == (None, None, None)


def test_acting_makes_the_next_payment_and_leaves_this_one() -> None:
    failed = PAYMENT.act(PaymentAction.EXPIRE, LATER)
    assert failed == replace(PAYMENT, state=PaymentState.FAILED)
    assert PAYMENT.state is PaymentState.AWAITING_PROVIDER


def test_settling_stamps_when_the_money_was_sent() -> None:
    sent = PAYMENT.choose_provider(MOCK_BANK, "end to end", NOON).act(PaymentAction.SETTLE, LATER)
    assert sent.sent_at == LATER


@pytest.mark.parametrize("action", [action for action in PaymentAction if action is not PaymentAction.SETTLE])
def test_nothing_else_stamps_a_payment(action: PaymentAction) -> None:
    consenting = replace(PAYMENT, state=PaymentState.AWAITING_PAYMENT_CONSENT)
    assert consenting.act(action, LATER).sent_at is None


def test_choosing_a_bank_names_the_payment_from_end_to_end() -> None:
    chosen = PAYMENT.choose_provider(MOCK_BANK, "end to end", NOON)
    assert chosen.state is PaymentState.AWAITING_PAYMENT_CONSENT
    assert (chosen.provider, chosen.end_to_end_id) == (MOCK_BANK, "end to end")


def test_choosing_again_replaces_the_bank_and_keeps_the_name() -> None:
    chosen = PAYMENT.choose_provider(MOCK_BANK, "first", NOON).choose_provider(OTHER_BANK, "second", LATER)
    assert (chosen.provider, chosen.end_to_end_id) == (OTHER_BANK, "first")


def test_choosing_again_forgets_the_account_that_the_first_bank_shared() -> None:
    paid = PAYMENT.choose_provider(MOCK_BANK, "e2e", LATER).paid_from(STRANGER)
    assert paid.choose_provider(OTHER_BANK, "e2e", LATER).payer_account is None


def test_a_bank_that_is_unavailable_cannot_be_chosen() -> None:
    with pytest.raises(InvalidProvider):
        PAYMENT.choose_provider(CLOSED_BANK, "end to end", NOON)


@pytest.mark.parametrize("state", ["initiated", "pending", "sent", "failed"])
def test_no_bank_can_be_chosen_once_one_is_paying(state: str) -> None:
    with pytest.raises(IllegalAction, match="cannot choose_provider"):
        replace(PAYMENT, state=PaymentState(state)).choose_provider(MOCK_BANK, "end to end", NOON)


def test_a_finished_payment_is_refused_for_being_finished_whatever_the_bank() -> None:
    with pytest.raises(IllegalAction):
        replace(PAYMENT, state=PaymentState.SENT).choose_provider(CLOSED_BANK, "end to end", NOON)


def test_a_payment_remembers_the_account_it_was_paid_from() -> None:
    assert PAYMENT.paid_from(STRANGER) == replace(PAYMENT, payer_account=STRANGER)


@pytest.mark.parametrize("state", ["awaiting_provider", "awaiting_payment_consent", "initiated", "pending"])
def test_a_payment_can_be_stopped_until_it_has_ended(state: str) -> None:
    payment = replace(PAYMENT, state=PaymentState(state))
    stopped = payment.act(payment.stopping_action, LATER)
    assert (stopped.state, stopped.sent_at) == ("failed", None)


@pytest.mark.parametrize("state", ["sent", "failed"])
def test_a_payment_that_has_ended_cannot_be_stopped(state: str) -> None:
    payment = replace(PAYMENT, state=PaymentState(state))
    with pytest.raises(IllegalAction, match="this state is final"):
        payment.act(payment.stopping_action, LATER)


@pytest.mark.parametrize("state", ["awaiting_provider", "awaiting_payment_consent"])
def test_a_payment_nobody_has_authorised_may_be_deleted(state: str) -> None:
    replace(PAYMENT, state=PaymentState(state)).check_deletable()


@pytest.mark.parametrize("state", ["initiated", "pending", "sent", "failed"])
def test_a_payment_that_is_under_way_or_over_cannot_be_deleted(state: str) -> None:
    with pytest.raises(IllegalAction, match=f"^A payment session in state {state} cannot be deleted; "):
        replace(PAYMENT, state=PaymentState(state)).check_deletable()


@repeatable
@given(st.lists(st.sampled_from(PaymentAction), max_size=12))
def test_whatever_happens_a_payment_is_stamped_exactly_when_it_was_sent(actions: list[PaymentAction]) -> None:
    payment = PAYMENT
    for action in actions:
        if action in payment.actions:
            payment = payment.act(action, LATER)
    assert payment.sent_at == (LATER if payment.state is PaymentState.SENT else None)


# Force


@pytest.mark.parametrize("action", PaymentAction)
@pytest.mark.parametrize("state", PaymentState)
def test_a_forced_action_leads_where_it_always_leads_from_every_state(
    state: PaymentState, action: PaymentAction
) -> None:
    forced = replace(PAYMENT, state=state).force(action, LATER)
    assert forced.state is TARGETS[action].to
    assert forced.sent_at == (LATER if forced.state is PaymentState.SENT else None)


def test_an_action_leads_to_one_state_wherever_it_is_allowed() -> None:
    assert {action for _, action in PAYMENT_TRANSITIONS} == set(PaymentAction) == set(TARGETS)
    for (_, action), edge in PAYMENT_TRANSITIONS.items():
        assert edge == TARGETS[action]


def test_what_is_forced_out_of_sent_was_not_sent() -> None:
    sent = replace(PAYMENT, state=PaymentState.SENT, sent_at=NOON)
    assert sent.force(PaymentAction.FAIL, LATER) == replace(PAYMENT, state=PaymentState.FAILED)


@pytest.mark.parametrize("state", PaymentState)
def test_a_bank_can_be_chosen_by_force_in_every_state(state: PaymentState) -> None:
    old = replace(PAYMENT, state=state, provider=MOCK_BANK, end_to_end_id="first", play=PLAY)
    chosen = old.choose_provider(OTHER_BANK, "second", LATER, force=True)
    assert (chosen.state, chosen.provider) == ("awaiting_payment_consent", OTHER_BANK)
    assert (chosen.end_to_end_id, chosen.play) == ("first", None)


def test_not_even_force_chooses_a_bank_that_is_unavailable() -> None:
    with pytest.raises(InvalidProvider):
        replace(PAYMENT, state=PaymentState.SENT).choose_provider(CLOSED_BANK, "end to end", NOON, force=True)


# Scenarios


def test_the_merchants_default_is_played_when_nothing_was_asked_for() -> None:
    assert PAYMENT.chosen_scenario("approve") == ("approve", Door.MERCHANT)


@pytest.mark.parametrize(("first", "second"), [(one, two) for one, two in combinations(Door, 2)])
def test_of_two_doors_the_earlier_one_wins_in_whatever_order_they_were_used(first: Door, second: Door) -> None:
    for doors in ((first, second), (second, first)):
        payment = PAYMENT
        for door in doors:
            payment = payment.ask_for(f"by {door}", door)
        assert payment.chosen_scenario("default") == (f"by {first}", first)


def test_of_all_doors_the_first_wins() -> None:
    payment = PAYMENT
    for door in reversed(Door):
        payment = payment.ask_for(f"by {door}", door)
        assert payment.chosen_scenario("default") == (f"by {door}", door)


def test_asking_again_at_a_door_replaces_what_was_asked_there_and_nothing_else() -> None:
    asked = PAYMENT.ask_for("reject", Door.TESTER).ask_for("expire", Door.HEADER).ask_for("approve", Door.TESTER)
    assert dict(asked.scenarios) == {Door.HEADER: "expire", Door.TESTER: "approve"}
    assert len(asked.scenarios) == 2
    assert PAYMENT.scenarios == ()


def test_a_payment_at_the_bank_may_be_authorised() -> None:
    PAYMENT.choose_provider(MOCK_BANK, "end to end", NOON).check_authorisable()


@pytest.mark.parametrize("state", [state for state in PaymentState if state != "awaiting_payment_consent"])
def test_a_payment_that_is_not_at_the_bank_cannot_be_authorised(state: PaymentState) -> None:
    with pytest.raises(IllegalAction, match=f"^A payment session in state {state} cannot be authorised; "):
        replace(PAYMENT, state=state).check_authorisable()


def test_a_payment_that_was_authorised_cannot_be_deleted() -> None:
    chosen = PAYMENT.choose_provider(MOCK_BANK, "end to end", NOON)
    chosen.check_deletable()
    with pytest.raises(IllegalAction, match="cannot be deleted"):
        replace(chosen, play=PLAY).check_deletable()


def test_a_payment_is_authorised_once() -> None:
    chosen = PAYMENT.choose_provider(MOCK_BANK, "end to end", NOON)
    with pytest.raises(IllegalAction, match="authorised already"):
        replace(chosen, play=PLAY).check_authorisable()
    replace(chosen, play=PLAY).choose_provider(OTHER_BANK, "other", LATER).check_authorisable()


# The payer's hands


AT_THE_BANK = replace(PAYMENT, state=PaymentState.AWAITING_PAYMENT_CONSENT, provider=MOCK_BANK)
JANE = Payer("Jane Doe", "jane@doe.com")


@pytest.mark.parametrize("payment", [PAYMENT, AT_THE_BANK])
def test_a_payer_may_turn_away_and_come_back_and_the_state_stays(payment: Payment) -> None:
    cancelled = payment.cancel()
    assert cancelled == replace(payment, cancelled=True)
    assert cancelled.cancel() == cancelled
    assert cancelled.choose_provider(MOCK_BANK, "end", LATER).cancelled is False


@pytest.mark.parametrize(
    "payment",
    [
        replace(AT_THE_BANK, play=PLAY),
        *(replace(AT_THE_BANK, state=state) for state in PaymentState if not state.startswith("awaiting")),
    ],
)
def test_once_authorised_nobody_turns_away_or_is_introduced(payment: Payment) -> None:
    assert payment.is_authorised
    with pytest.raises(IllegalAction, match="cannot be cancelled"):
        payment.cancel()
    with pytest.raises(IllegalAction, match="cannot have its payer introduced"):
        payment.introduce(JANE)


def test_a_payer_is_introduced_once() -> None:
    introduced = PAYMENT.introduce(JANE)
    assert introduced.request == replace(PAYMENT.request, payer=JANE)
    assert introduced.introduce(JANE) == introduced
    with pytest.raises(IllegalAction, match="with a known payer"):
        introduced.introduce(Payer("Joe", "joe@doe.com"))


def test_a_payment_is_under_way_while_the_bank_has_a_step_to_take() -> None:
    assert replace(AT_THE_BANK, play=PLAY).is_under_way
    assert not AT_THE_BANK.is_under_way
    assert not replace(AT_THE_BANK, play=replace(PLAY, step=1)).is_under_way
    assert not replace(AT_THE_BANK, play=PLAY, state=PaymentState.SENT).is_under_way
