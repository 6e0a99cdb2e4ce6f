"""The state machines, against the tables of the design: every state × every action (facts 2.5, 3.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from simulator.domain.accounts import Account
from simulator.domain.errors import IllegalAction
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payment, PaymentRequest
from simulator.domain.refunds import Refund, RefundRequest
from simulator.domain.states import (
    DELETABLE,
    PAYMENT_TRANSITIONS,
    REFUND_TRANSITIONS,
    PaymentAction,
    PaymentState,
    RefundAction,
    RefundState,
    payment_actions,
    refund_actions,
)

# from | action | to | webhook event
PAYMENT_TABLE = """
| awaiting_provider, awaiting_payment_consent  | choose_provider | awaiting_payment_consent | -                 |
| awaiting_payment_consent                     | initiate        | initiated                | payment_initiated |
| awaiting_payment_consent, initiated          | accept          | pending                  | payment_pending   |
| awaiting_payment_consent, initiated, pending | settle          | sent                     | payment_sent      |
| awaiting_payment_consent                     | reject          | failed                   | payment_failed    |
| awaiting_payment_consent, initiated, pending | fail            | failed                   | payment_failed    |
| awaiting_provider, awaiting_payment_consent  | expire          | failed                   | payment_failed    |
"""

# from | action | to | who does it
REFUND_TABLE = """
| awaiting_details                   | provide_details           | awaiting_payment     | somebody    |
| awaiting_payment                   | settle                    | sent                 | its session |
| awaiting_payment                   | fail                      | failed               | its session |
| awaiting_details, awaiting_payment | mark_externally_processed | externally_processed | somebody    |
"""

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
REQUEST = PaymentRequest(
    reference="Illuminate", line_items=(LineItem("Candles", 100, Currency.GBP, 4),), payee=Account()
)
PAYMENT = Payment(id="payment", request=REQUEST, created_at=NOON)
REFUND = Refund(
    id="refund", request=RefundRequest(payment_session_id="payment", amount=400), currency=Currency.GBP, created_at=NOON
)


def edges(table: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Where each (state, action) of a table leads, and the cell after it."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]
    return {(start, action): (to, last) for starts, action, to, last in rows for start in starts.split(", ")}


PAYMENT_EDGES = edges(PAYMENT_TABLE)
REFUND_EDGES = edges(REFUND_TABLE)

PAYMENT_MOVES = list(product(PaymentState, PaymentAction))
LEGAL_PAYMENT_MOVES = [move for move in PAYMENT_MOVES if move in PAYMENT_EDGES]
ILLEGAL_PAYMENT_MOVES = [move for move in PAYMENT_MOVES if move not in PAYMENT_EDGES]

REFUND_MOVES = list(product(RefundState, RefundAction))
LEGAL_REFUND_MOVES = [move for move in REFUND_MOVES if move in REFUND_EDGES]
ILLEGAL_REFUND_MOVES = [move for move in REFUND_MOVES if move not in REFUND_EDGES]


def test_the_names_in_the_tables_are_all_there_are() -> None:
    assert {state for state, _ in PAYMENT_EDGES} | {"sent", "failed"} == set(PaymentState)
    assert {action for _, action in PAYMENT_EDGES} == set(PaymentAction)
    assert {state for state, _ in REFUND_EDGES} | {"sent", "failed", "externally_processed"} == set(RefundState)
    assert {action for _, action in REFUND_EDGES} == set(RefundAction)


def test_new_things_start_at_the_beginning() -> None:
    assert PAYMENT.state == "awaiting_provider"
    assert REFUND.state == "awaiting_details"


@pytest.mark.parametrize(("state", "action"), LEGAL_PAYMENT_MOVES)
def test_a_legal_action_moves_a_payment_as_the_table_says(state: PaymentState, action: PaymentAction) -> None:
    to, _ = PAYMENT_EDGES[state, action]
    assert replace(PAYMENT, state=state).act(action, NOON).state == to


@pytest.mark.parametrize(("state", "action"), ILLEGAL_PAYMENT_MOVES)
def test_any_other_action_on_a_payment_is_refused(state: PaymentState, action: PaymentAction) -> None:
    with pytest.raises(IllegalAction) as refused:
        replace(PAYMENT, state=state).act(action, NOON)
    assert refused.value.state == state
    assert set(refused.value.legal) == {legal for start, legal in PAYMENT_EDGES if start == state}


@pytest.mark.parametrize(("state", "action"), PAYMENT_MOVES)
def test_an_edge_emits_the_event_of_the_table(state: PaymentState, action: PaymentAction) -> None:
    edge = PAYMENT_TRANSITIONS.get((state, action))
    _, event = PAYMENT_EDGES.get((state, action), (None, "-"))
    assert (edge.event if edge else None) == (None if event == "-" else event)


@pytest.mark.parametrize("state", ["initiated", "pending", "sent", "failed"])
def test_every_way_into_a_state_that_merchants_are_told_of_has_its_event(state: str) -> None:
    events = {edge.event for edge in PAYMENT_TRANSITIONS.values() if edge.to == state}
    assert events == {f"payment_{state}"}


@pytest.mark.parametrize("state", PaymentState)
def test_a_payment_tells_what_may_happen_next(state: PaymentState) -> None:
    legal = [action for start, action in LEGAL_PAYMENT_MOVES if start is state]
    assert sorted(replace(PAYMENT, state=state).actions) == sorted(legal)


@pytest.mark.parametrize("state", [PaymentState.SENT, PaymentState.FAILED])
def test_nothing_more_happens_to_a_payment_that_has_ended(state: PaymentState) -> None:
    assert payment_actions(state) == ()


@pytest.mark.parametrize(
    ("state", "deletable"),
    [
        ("awaiting_provider", True),
        ("awaiting_payment_consent", True),
        ("initiated", False),
        ("pending", False),
        ("sent", False),
        ("failed", False),
    ],
)
def test_a_payment_can_be_deleted_until_the_bank_has_it(state: str, deletable: bool) -> None:  # noqa: FBT001  pytest gives it by name
    assert (state in DELETABLE) is deletable


@pytest.mark.parametrize(("state", "action"), LEGAL_REFUND_MOVES)
def test_a_legal_action_moves_a_refund_as_the_table_says(state: RefundState, action: RefundAction) -> None:
    to, _ = REFUND_EDGES[state, action]
    assert replace(REFUND, state=state).act(action).state == to


@pytest.mark.parametrize(("state", "action"), ILLEGAL_REFUND_MOVES)
def test_any_other_action_on_a_refund_is_refused(state: RefundState, action: RefundAction) -> None:
    with pytest.raises(IllegalAction) as refused:
        replace(REFUND, state=state).act(action)
    assert refused.value.state == state
    assert sorted(refused.value.legal) == sorted(replace(REFUND, state=state).actions)


@pytest.mark.parametrize("state", RefundState)
def test_a_refund_tells_what_somebody_may_do_next_and_not_what_its_session_will_do(state: RefundState) -> None:
    possible = [action for (start, action), (_, who) in REFUND_EDGES.items() if start == state and who == "somebody"]
    assert sorted(replace(REFUND, state=state).actions) == sorted(possible)


@pytest.mark.parametrize("state", [RefundState.SENT, RefundState.FAILED, RefundState.EXTERNALLY_PROCESSED])
def test_nothing_more_happens_to_a_refund_that_has_ended(state: RefundState) -> None:
    assert refund_actions(state) == ()
    assert not [action for start, action in REFUND_TRANSITIONS if start is state]


@pytest.mark.parametrize("session_state", PaymentState)
@pytest.mark.parametrize("state", RefundState)
def test_only_a_refund_that_awaits_payment_follows_its_session_and_only_to_its_end(
    state: RefundState, session_state: PaymentState
) -> None:
    ends = {("awaiting_payment", "sent"): "sent", ("awaiting_payment", "failed"): "failed"}
    assert replace(REFUND, state=state).follow(session_state).state == ends.get((state, session_state), state)
