"""Webhooks: which can be beside each other."""

from __future__ import annotations

import pytest

from simulator.domain.clock import EPOCH
from simulator.domain.errors import Refusals
from simulator.domain.webhooks import NEVER_SENT, WEBHOOK_EVENTS, Webhook, check_webhook


def webhook(url: str, *events: str) -> Webhook:
    return Webhook(id=url, target_url=url, events=events or ("payment_sent",), signature_key="key", created_at=EPOCH)


FIVE = [webhook(f"http://{number}") for number in range(5)]


def test_there_are_banked_s_events_and_each_once() -> None:
    assert len(set(WEBHOOK_EVENTS)) == len(WEBHOOK_EVENTS) == 4 + 4 + 2 + 7 + 4
    assert {"mandate_cancelled", "payout_canceled"} <= set(NEVER_SENT)


def test_five_urls_are_told_of_an_event_and_a_sixth_is_not() -> None:
    check_webhook(webhook("http://4"), FIVE[:4])
    check_webhook(webhook("http://5", "payment_failed"), FIVE)
    with pytest.raises(Refusals, match="5 URLs are told of payment_sent already"):
        check_webhook(webhook("http://5"), FIVE)


def test_a_url_is_told_of_an_event_once() -> None:
    check_webhook(webhook("http://0", "payment_failed"), FIVE[:1])
    with pytest.raises(Refusals, match="http://0 is told of payment_sent already") as refused:
        check_webhook(webhook("http://0", "payment_failed", "payment_sent"), FIVE[:1])
    assert [refusal.parameter for refusal in refused.value.refusals] == ["events"]


def test_a_key_is_not_shown() -> None:
    assert "key" not in repr(webhook("http://0")).replace("signature_key", "")
