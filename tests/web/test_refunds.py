"""Refunds over HTTP (facts 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.actors import parameters

if TYPE_CHECKING:
    from tests.actors import MerchantCaller, Tester


def test_a_refund_of_more_than_was_paid_is_refused(merchant: MerchantCaller, tester: Tester) -> None:
    payment = tester.pays(merchant.requests_payment(pence=400))
    refusal = merchant.refunds(payment, pence=401, expect=422)
    assert parameters(refusal) == {"amount": "invalid_amount"}
    assert refusal["errors"][0]["title"] == "£4.01 cannot be refunded: £4.00 is left of the £4.00 paid."


def test_a_refund_starts_without_details_and_tells_six_things(merchant: MerchantCaller, tester: Tester) -> None:
    payment = tester.pays(merchant.requests_payment(pence=400))
    refund = merchant.refunds(payment, pence=150)
    assert list(refund.items())[:5] == [
        ("amount", 150),
        ("amount_formatted", "£1.50"),
        ("payment_session_id", payment["id"]),
        ("refund_payment_session_id", None),
        ("state", "awaiting_details"),
    ]
    assert list(refund)[5:] == ["url"]
    assert refund["url"].startswith("http://127.0.0.1:2265/refunds/")
