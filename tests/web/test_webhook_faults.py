"""Faults of webhook messages: by the same rules as those of calls, and visible in every attempt."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from simulator.bootstrap import load_fault_presets
from simulator.domain.messages import Reply
from simulator.domain.signatures import SIGNATURE_HEADER, signed_at
from simulator.service.timers import TimerService
from tests.actors import HOOKS, NOON, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.domain.messages import Message
    from simulator.service.simulation import Simulation
    from tests.actors import Json, MerchantCaller, Receivers, Tester

KEY = "pk_test_simulator"
WORLD = f"/__admin/merchants/{KEY}"
NOW = int(NOON.timestamp())


@pytest.fixture
def delivers(simulation: Simulation) -> Callable[[], None]:
    return TimerService(simulation, KEY).fire_due


def breaks(tester: Tester, preset: str = "", expect: int = 201, **fault: Any) -> Json:
    return tester.ask(
        "POST", f"{WORLD}/faults", json={**({"preset": preset} if preset else {}), **fault}, expect=expect
    )


def deliveries(tester: Tester) -> list[Json]:
    found: list[Json] = tester.ask("GET", f"{WORLD}/deliveries")["deliveries"]
    return found


def pays(merchant: MerchantCaller, tester: Tester, scenario: str = "approve") -> Json:
    payment = merchant.requests_payment()
    path = f"/__admin/payment_sessions/{payment['id']}/pay"
    return tester.ask("POST", path, json={"scenario": scenario})["payment_session"]


@pytest.fixture
def broken(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> Callable[[str], Message]:
    """The message that a receiver gets while a preset is on."""

    def sends(preset: str) -> Message:
        merchant.wants_webhook()
        breaks(tester, preset)
        pays(merchant, tester)
        delivers()
        return receivers.messages[0]

    return sends


def signed(message: Message, key: str = "secret") -> int | None:
    return signed_at(key, dict(message.headers)[SIGNATURE_HEADER], message.body)


@pytest.mark.parametrize("preset", ["webhook_wrong_signature", "webhook_other_key", "webhook_upper_case_signature"])
def test_a_signature_that_is_wrong_does_not_verify(broken: Callable[[str], Message], preset: str) -> None:
    message = broken(preset)
    assert signed(message) is None
    assert json.loads(message.body)["webhook_event"] == "payment_sent"


def test_an_upper_case_signature_is_right_but_for_that(broken: Callable[[str], Message]) -> None:
    message = broken("webhook_upper_case_signature")
    assert signed_at("secret", dict(message.headers)[SIGNATURE_HEADER].lower(), message.body) == NOW


def test_a_missing_signature_is_missing(broken: Callable[[str], Message]) -> None:
    assert SIGNATURE_HEADER not in dict(broken("webhook_no_signature").headers)


@pytest.mark.parametrize(
    ("preset", "shift"), [("webhook_stale_minutes", -600), ("webhook_stale_day", -86_400), ("webhook_future", 600)]
)
def test_another_time_is_signed(broken: Callable[[str], Message], preset: str, shift: int) -> None:
    assert signed(broken(preset)) == NOW + shift


def test_another_content_type_is_said(broken: Callable[[str], Message]) -> None:
    message = broken("webhook_content_type")
    assert dict(message.headers)["Content-Type"] == "text/plain"
    assert signed(message) == NOW


def test_half_a_body_is_all_and_not_what_was_signed(broken: Callable[[str], Message], tester: Tester) -> None:
    message = broken("webhook_truncated")
    [delivery] = deliveries(tester)
    assert delivery["body"].encode().startswith(message.body)
    assert len(message.body) == len(delivery["body"].encode()) // 2
    assert signed(message) is None
    assert signed_at("secret", dict(message.headers)[SIGNATURE_HEADER], delivery["body"].encode()) == NOW
    assert delivery["attempts"][0]["request"]["body"] == message.body.decode()
    assert delivery["attempts"][0]["fault"] == "webhook_truncated"


def test_a_cut_connection_is_asked_of_the_sender(broken: Callable[[str], Message]) -> None:
    assert broken("webhook_cut").cut is True


@pytest.mark.parametrize(
    ("preset", "member", "value"),
    [
        ("webhook_extra_fields", "simulator_extra", {"nested": [1, 2, 3], "nothing": None}),
        ("webhook_unknown_event", "webhook_event", "payment_teleported"),
        ("webhook_huge", "padding", "x" * 10_000_000),
    ],
)
def test_another_body_is_signed(broken: Callable[[str], Message], preset: str, member: str, value: object) -> None:
    message = broken(preset)
    assert json.loads(message.body)[member] == value
    assert signed(message) == NOW


def test_a_huge_body_is_not_kept_whole(broken: Callable[[str], Message], tester: Tester) -> None:
    broken("webhook_huge")
    assert len(deliveries(tester)[0]["attempts"][0]["request"]["body"]) == 64 * 1024


def test_a_duplicate_is_the_same_message_twice(
    broken: Callable[[str], Message], receivers: Receivers, tester: Tester
) -> None:
    broken("webhook_duplicate")
    assert len(receivers.messages) == 2
    assert receivers.messages[0] == receivers.messages[1]
    [delivery] = deliveries(tester)
    assert (delivery["outcome"], len(delivery["attempts"])) == ("delivered", 2)


def test_a_dropped_message_never_arrives(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    breaks(tester, "webhook_drop", times=1)
    pays(merchant, tester)
    pays(merchant, tester)
    delivers()
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "30d"})
    assert len(receivers.messages) == 1
    arrived, dropped = deliveries(tester)
    assert (arrived["outcome"], dropped["outcome"], dropped["attempts"]) == ("delivered", "dropped", [])
    ended = tester.ask("GET", f"{WORLD}/events", query_string={"kind": "delivery.ended"})["events"]
    assert [event["data"]["delivery"] for event in ended] == [dropped["id"]]


def test_a_delayed_message_waits_on_the_clock(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    breaks(tester, "webhook_delay")
    pays(merchant, tester)
    delivers()
    assert receivers.messages == []
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "9s"})
    assert receivers.messages == []
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1s"})
    assert signed(receivers.messages[0]) == NOW + 10


@pytest.mark.parametrize("times", [1, None])
def test_of_two_messages_about_a_payment_the_second_arrives_first(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, times: int | None
) -> None:
    merchant.wants_webhook("payment_pending", "payment_sent")
    breaks(tester, "webhook_reorder", times=times)
    pays(merchant, tester, "approve_slowly")
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "59s"})
    assert receivers.events == ["payment_sent", "payment_pending"]


def test_what_is_overtaken_by_nothing_arrives_a_minute_late(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    breaks(tester, "webhook_reorder")
    pays(merchant, tester)
    delivers()
    assert receivers.messages == []
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1m"})
    assert receivers.events == ["payment_sent"]


def test_a_fault_hits_so_many_attempts_and_only_those_that_match(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook("payment_sent", "payment_failed")
    match = {"webhook": "payment_s*", "path": HOOKS, "body": {"reference": "Illuminate", "line_items/0/quantity": 1}}
    breaks(tester, match=match, effect={"signature": "wrong"}, times=1)
    breaks(tester, match={"webhook": "*", "path": "http://elsewhere/*"}, effect={"drop": True})
    receivers.reply = Reply(status=400)
    pays(merchant, tester, "reject")
    pays(merchant, tester)
    delivers()
    receivers.reply = Reply(status=200)
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1m"})
    good = [(json.loads(message.body)["webhook_event"], signed(message) is not None) for message in receivers.messages]
    assert sorted(good) == [
        ("payment_failed", True),
        ("payment_failed", True),
        ("payment_sent", False),
        ("payment_sent", True),
    ]
    assert len(tester.ask("GET", f"{WORLD}/faults")["faults"]) == 1


def test_faults_of_messages_leave_calls_alone_and_the_other_way_round(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    breaks(tester, "webhook_drop", match={"webhook": "payment_failed"})
    breaks(tester, "bank_outage", match={"method": "DELETE"})
    pays(merchant, tester)
    delivers()
    assert receivers.events == ["payment_sent"]


def test_what_can_only_be_done_to_the_other_is_refused(tester: Tester) -> None:
    refused = breaks(tester, effect={"signature": "wrong", "drop": True}, expect=422)
    assert parameters(refused) == {"effect/signature": "invalid_request"}
    refused = breaks(tester, match={"webhook": "*"}, effect={"status": 500, "retry_after": 3}, expect=422)
    assert set(parameters(refused)) == {"effect/status", "effect/retry_after"}
    breaks(tester, match={"webhook": "*"}, effect={"timestamp": 10**9}, expect=422)
    breaks(tester, match={"webhook": "*"}, effect={"signature": "odd"}, expect=422)
    breaks(tester, match={"webhook": "Payment Sent"}, effect={"drop": True}, expect=422)


@pytest.mark.parametrize("preset", sorted(load_fault_presets()))
def test_all_presets_are_possible(preset: str) -> None:
    fault = load_fault_presets()[preset].fault
    assert fault.is_possible
    assert (fault.match.webhook is not None) is preset.startswith("webhook_")
