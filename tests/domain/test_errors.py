"""Refusals: the sentences that their readers need."""

from __future__ import annotations

from simulator.domain.errors import (
    DuplicateId,
    IllegalAction,
    InvalidAccount,
    InvalidAmount,
    NotFound,
    Refusal,
    Refusals,
)


def test_a_refusal_tells_its_sentence_and_the_field_at_fault() -> None:
    refusal = InvalidAmount("Too much.", "line_items/0/amount")
    assert (str(refusal), refusal.parameter) == ("Too much.", "line_items/0/amount")


def test_a_refusal_may_have_no_field_at_fault() -> None:
    assert Refusal("No.").parameter == ""


def test_several_refusals_are_told_at_once_in_their_order() -> None:
    amount, account = InvalidAmount("Too much.", "amount"), InvalidAccount("Unknown payee.", "payee")
    refusals = Refusals([amount, account])
    assert refusals.refusals == (amount, account)
    assert str(refusals) == "Too much. Unknown payee."


def test_what_is_not_found_is_named() -> None:
    assert str(NotFound("payment session", "8f14e45f")) == "There is no payment session 8f14e45f."


def test_the_names_there_are_help_whoever_asked_for_another() -> None:
    assert str(NotFound("scenario", "aprove", known=["approve", "reject"])) == (
        "There is no scenario aprove. There are: approve, reject."
    )


def test_an_endless_id_is_not_repeated_whole() -> None:
    assert str(NotFound("refund", 10_000 * "x")) == f"There is no refund {64 * 'x'}."


def test_an_illegal_action_tells_the_state_and_what_would_be_allowed() -> None:
    refusal = IllegalAction("payment session", "pending", "expire", ["settle", "fail"])
    assert str(refusal) == "A payment session in state pending cannot expire; possible are: settle, fail."
    assert (refusal.state, refusal.legal) == ("pending", ("settle", "fail"))


def test_an_illegal_action_in_a_final_state_says_that_it_is_final() -> None:
    refusal = IllegalAction("refund", "sent", "provide_details", [])
    assert str(refusal) == "A refund in state sent cannot provide_details; this state is final."


def test_a_duplicate_id_is_our_mistake_and_no_refusal() -> None:
    assert not issubclass(DuplicateId, Refusal)
