"""/v2/webhooks (facts 4.5, Q23)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import HOOKS, parameters

if TYPE_CHECKING:
    from tests.actors import MerchantCaller, Tester

WEBHOOK = {"target_url": HOOKS, "events": ["payment_sent", "payment_failed"], "signature_key": "secret"}


def test_a_webhook_is_answered_without_its_key(merchant: MerchantCaller) -> None:
    created = merchant.ask("POST", "/v2/webhooks", json=WEBHOOK, expect=201)
    assert list(created) == ["id", "target_url", "events", "live", "created_at"]
    assert {**created, "id": ""} == {
        "id": "",
        "target_url": HOOKS,
        "events": ["payment_sent", "payment_failed"],
        "live": False,
        "created_at": "2026-11-23 12:00:00 UTC",
    }
    assert merchant.ask("GET", f"/v2/webhooks/{created['id']}") == created
    assert merchant.ask("GET", "/v2/webhooks") == [created]


def test_the_key_is_in_no_answer_and_no_log(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook(key="hush-hush")
    shown = [tester.call("GET", f"/__admin/merchants/{merchant.key}{path}").text for path in ("", "/events")]
    assert "hush-hush" not in "".join(shown)
    assert HOOKS in shown[0]


def test_the_key_may_be_called_signature(merchant: MerchantCaller) -> None:
    body = {"target_url": HOOKS, "events": ["payment_sent"], "signature": "secret"}
    merchant.ask("POST", "/v2/webhooks", json=body, expect=201)


def test_a_webhook_is_changed_bit_by_bit(merchant: MerchantCaller) -> None:
    created = merchant.ask("POST", "/v2/webhooks", json=WEBHOOK, expect=201)
    path = f"/v2/webhooks/{created['id']}"
    assert merchant.ask("PATCH", path, json={"events": ["payment_pending"]})["events"] == ["payment_pending"]
    assert merchant.ask("PATCH", path, json={"target_url": "http://other"})["target_url"] == "http://other"
    unchanged = {**created, "events": ["payment_pending"], "target_url": "http://other"}
    assert merchant.ask("PATCH", path, json={}) == unchanged
    assert merchant.ask("GET", path) == unchanged


def test_a_deleted_webhook_is_gone(merchant: MerchantCaller) -> None:
    created = merchant.wants_webhook()
    path = f"/v2/webhooks/{created['id']}"
    assert merchant.ask("DELETE", path, expect=204) is None
    assert merchant.ask("GET", "/v2/webhooks") == []
    for method in ("GET", "DELETE", "PATCH"):
        merchant.ask(method, path, json={} if method == "PATCH" else None, expect=404)


def test_another_merchant_s_webhook_is_not_found(merchant: MerchantCaller, other_merchant: MerchantCaller) -> None:
    created = merchant.wants_webhook()
    for method in ("GET", "DELETE", "PATCH"):
        body = {} if method == "PATCH" else None
        other_merchant.ask(method, f"/v2/webhooks/{created['id']}", json=body, expect=404)
    assert other_merchant.ask("GET", "/v2/webhooks") == []


@pytest.mark.parametrize(
    ("change", "expect", "wrong"),
    [
        ({"target_url": "ftp://x"}, 422, {"target_url": "invalid_request"}),
        ({"target_url": "/hooks"}, 422, {"target_url": "invalid_request"}),
        ({"target_url": None}, 422, {"target_url": "invalid_request"}),
        ({"events": []}, 422, {"events": "invalid_request"}),
        ({"events": "payment_sent"}, 422, {"events": "invalid_request"}),
        ({"events": ["payment_paid"]}, 422, {"events/0": "invalid_request"}),
        ({"events": ["payment_sent", "payment_sent"]}, 422, {"events": "invalid_request"}),
        ({"signature_key": ""}, 422, {"signature_key": "invalid_request"}),
        ({"signature_key": 1}, 422, {"signature_key": "invalid_request"}),
    ],
)
def test_a_malformed_webhook_is_refused(
    merchant: MerchantCaller, change: dict[str, Any], expect: int, wrong: dict[str, str]
) -> None:
    refusal = merchant.ask("POST", "/v2/webhooks", json={**WEBHOOK, **change}, expect=expect)
    assert parameters(refusal) == wrong
    created = merchant.wants_webhook()
    assert parameters(merchant.ask("PATCH", f"/v2/webhooks/{created['id']}", json=change, expect=expect)) == wrong
    assert merchant.ask("GET", "/v2/webhooks") == [created]


@pytest.mark.parametrize("missing", ["target_url", "events", "signature_key"])
def test_what_is_missing_is_told(merchant: MerchantCaller, missing: str) -> None:
    body = {name: value for name, value in WEBHOOK.items() if name != missing}
    refusal = merchant.ask("POST", "/v2/webhooks", json=body, expect=400)
    assert parameters(refusal) == {missing: "bad_request"}


def test_all_events_of_banked_may_be_asked_for_even_those_never_sent(merchant: MerchantCaller) -> None:
    merchant.wants_webhook("redacted_payment_sent", "batch_payment_accepted", "mandate_active", "payout_sent")


def test_a_sixth_url_for_an_event_is_refused_also_by_a_change(merchant: MerchantCaller) -> None:
    for number in range(5):
        merchant.wants_webhook(url=f"http://shop.example/{number}")
    sixth = merchant.wants_webhook("payment_failed")
    assert parameters(merchant.wants_webhook(expect=422)) == {"events": "invalid_request"}
    refusal = merchant.ask("PATCH", f"/v2/webhooks/{sixth['id']}", json={"events": ["payment_sent"]}, expect=422)
    assert parameters(refusal) == {"events": "invalid_request"}
    assert "5 URLs" in refusal["errors"][0]["title"]


def test_a_url_is_told_of_an_event_once(merchant: MerchantCaller) -> None:
    merchant.wants_webhook()
    assert "already" in merchant.wants_webhook(expect=422)["errors"][0]["title"]


def test_a_repeated_call_makes_no_second_webhook(merchant: MerchantCaller) -> None:
    calls = [
        merchant.ask("POST", "/v2/webhooks", json=WEBHOOK, headers={"Idempotency-Key": "once"}, expect=201)
        for _ in range(2)
    ]
    assert calls[0] == calls[1]
    assert len(merchant.ask("GET", "/v2/webhooks")) == 1


def test_a_reset_forgets_webhooks_and_what_they_were_told(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook()
    tester.pays(merchant.requests_payment())
    discarded = tester.ask("POST", f"/__admin/merchants/{merchant.key}/reset")
    assert discarded["discarded"]["deliveries"] == 1
    assert merchant.ask("GET", "/v2/webhooks") == []
