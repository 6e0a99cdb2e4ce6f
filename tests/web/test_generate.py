"""POST /__admin/merchants/<key>/generate: a believable past, for the asking."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from simulator.domain.states import PaymentState, RefundState

if TYPE_CHECKING:
    from tests.actors import MerchantCaller, Tester

PATH = "/__admin/merchants/pk_test_simulator/generate"


def test_what_was_made_up_is_counted_and_listed(merchant: MerchantCaller, tester: Tester) -> None:
    answer = tester.ask("POST", PATH, json={"payments": 100, "days": 3}, expect=201)
    listed = merchant.ask("GET", "/v2/payment_sessions")
    assert answer["payment_sessions"] == 100
    assert list(answer["states"]) == [state.value for state in PaymentState]
    assert sum(answer["states"].values()) == 100
    assert answer["states"]["sent"] == 70
    assert answer["refunds"] == 7
    assert len(listed) == 100
    created = [payment["created_at"] for payment in listed]
    assert created == sorted(created, reverse=True)
    assert "2026-11-20 12:00:00 UTC" <= created[-1] <= created[0] <= "2026-11-23 12:00:00 UTC"


def test_refunds_are_in_all_states_and_of_payments_sent(merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("POST", PATH, json={"payments": 80}, expect=201)
    states: Counter[str] = Counter()
    for payment in merchant.ask("GET", "/v2/payment_sessions"):
        states.update(refund["state"] for refund in payment["refunds"])
        assert sum(refund["amount"] for refund in payment["refunds"]) <= payment["amount"]
        assert not payment["refunds"] or payment["state"] == "sent"
    assert set(states) == set(RefundState)


def test_a_made_up_payment_is_as_good_as_any(merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("POST", PATH, json={"payments": 10}, expect=201)
    orders = [each for each in merchant.ask("GET", "/v2/payment_sessions") if each["reference"].startswith("Order ")]
    listed = {payment["state"]: payment for payment in orders if not payment["refunds"]}
    sent = listed["sent"]
    assert sent["payer"]["email"].endswith("@example.com")
    assert merchant.refunds(sent, pence=1)["amount"] == 1
    awaiting = listed["awaiting_provider"]
    assert tester.pays(awaiting)["state"] == "sent"
    assert tester.ask("GET", f"/__admin/payment_sessions/{sent['id']}/explain")["state"] == "sent"


def test_a_reset_throws_it_away(merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("POST", PATH, json={"payments": 3}, expect=201)
    discarded = tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")["discarded"]
    assert discarded["payment_sessions"] >= 3
    assert merchant.ask("GET", "/v2/payment_sessions") == []


@pytest.mark.parametrize(
    ("body", "parameter", "status"),
    [
        ({}, "payments", 400),
        ({"payments": 0}, "payments", 422),
        ({"payments": 10_001}, "payments", 422),
        ({"payments": "5"}, "payments", 422),
        ({"payments": 5, "days": 0}, "days", 422),
        ({"payments": 5, "days": 366}, "days", 422),
        ({"payments": 5, "weeks": 2}, "weeks", 422),
    ],
)
def test_what_cannot_be_made_up_is_refused(tester: Tester, body: dict[str, Any], parameter: str, status: int) -> None:
    refusal = tester.ask("POST", PATH, json=body, expect=status)
    assert refusal["errors"][0]["source"]["parameter"] == parameter


def test_a_merchant_that_cannot_be_has_no_past(tester: Tester) -> None:
    tester.ask("POST", "/__admin/merchants/nobody/generate", json={"payments": 1}, expect=404)


def test_ten_thousand_are_made_up_at_once(tester: Tester) -> None:
    answer = tester.ask("POST", PATH, json={"payments": 10_000, "days": 365}, expect=201)
    assert (answer["payment_sessions"], answer["refunds"]) == (10_000, 700)
