"""What webhooks are told, when, how often, and what a tester sees of it (facts 4.2 to 4.4)."""

from __future__ import annotations

import json
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from simulator.domain.messages import Reply
from simulator.domain.signatures import SIGNATURE_HEADER, signed_at
from simulator.service.timers import TimerService
from tests.actors import HOOKS, NOON, PUBLIC_URL, Caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from simulator.service.simulation import Simulation
    from tests.actors import Json, ManualClock, MerchantCaller, Receivers, Tester

KEY = "pk_test_simulator"
WORLD = f"/__admin/merchants/{KEY}"
EVERYTHING = ("payment_initiated", "payment_pending", "payment_sent", "payment_failed")


@pytest.fixture
def delivers(simulation: Simulation) -> Callable[[], None]:
    """Fires what is due by now."""
    return TimerService(simulation, KEY).fire_due


def deliveries(tester: Tester, **query: str) -> list[Json]:
    found: list[Json] = tester.ask("GET", f"{WORLD}/deliveries", query_string=query)["deliveries"]
    return found


def pays(merchant: MerchantCaller, tester: Tester, scenario: str = "approve", **fields: Any) -> Json:
    payment = merchant.requests_payment(**fields)
    path = f"/__admin/payment_sessions/{payment['id']}/pay"
    return tester.ask("POST", path, json={"scenario": scenario})["payment_session"]


# What is sent.


def test_a_sent_payment_is_told_with_the_whole_session(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    payment = pays(merchant, tester, payer={"name": "Zoë “Z” O'Neill", "email": "zoe@example.com"})
    delivers()
    [message] = receivers.messages
    told = {"webhook_event": "payment_sent", "webook_type": "payment_session", "webhook_type": "payment_session"}
    assert message.url == HOOKS
    assert message.body.decode() == json.dumps({**payment, **told}, ensure_ascii=False, separators=(",", ":"))
    assert signed_at("secret", dict(message.headers)[SIGNATURE_HEADER], message.body) == int(NOON.timestamp())
    assert payment["url"].startswith(PUBLIC_URL)


def test_each_event_has_the_type_under_the_documented_key(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers
) -> None:
    tester.ask("PUT", WORLD, json={"delivery": {"type_keys": "documented"}})
    merchant.wants_webhook(*EVERYTHING)
    pays(merchant, tester, "approve_slowly")
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1h"})
    pays(merchant, tester, "reject")
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1h"})
    told = [json.loads(message.body) for message in receivers.messages]
    keys = {body["webhook_event"]: [name for name in body if name.endswith("_type")] for body in told}
    assert keys == {
        "payment_initiated": ["webhook_type"],
        "payment_pending": ["webook_type"],
        "payment_sent": ["webook_type"],
        "payment_failed": ["webook_type"],
    }
    assert [body["state"] for body in told] == ["initiated", "pending", "sent", "failed"]
    assert [bool(body["sent_at"]) for body in told] == [False, False, True, False]


def test_redacted_events_have_neither_payee_nor_payer_and_the_usual_name(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook("redacted_payment_sent")
    pays(merchant, tester)
    delivers()
    [body] = [json.loads(message.body) for message in receivers.messages]
    assert {"payee", "payer"}.isdisjoint(body)
    assert list(body)[-2:] == ["webhook_event", "webhook_type"]
    assert body["webhook_event"] == "payment_sent"
    assert deliveries(tester)[0]["event"] == "redacted_payment_sent"


def test_only_who_asked_for_an_event_is_told(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook("payment_failed")
    merchant.wants_webhook("payment_sent", url="http://shop.example/2")
    merchant.wants_webhook("payment_sent", url="http://shop.example/3")
    pays(merchant, tester)
    delivers()
    assert [message.url for message in receivers.messages] == ["http://shop.example/2", "http://shop.example/3"]


def test_creating_choosing_cancelling_and_deleting_tell_nothing(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook(*EVERYTHING)
    payment = merchant.requests_payment()
    tester.acts(payment["id"], "choose_provider")
    tester.ask("POST", f"/__admin/payment_sessions/{payment['id']}/cancel")
    merchant.ask("DELETE", f"/v2/payment_sessions/{payment['id']}", expect=204)
    assert deliveries(tester) == []


def test_a_refund_tells_of_its_own_session(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    refund = merchant.refunds(pays(merchant, tester))
    tester.provides_details(refund)
    session = merchant.reads_refund(refund)["refund_payment_session_id"]
    tester.ask("POST", f"/__admin/payment_sessions/{session}/pay", json={})
    delivers()
    assert [json.loads(message.body)["id"] for message in receivers.messages][1:] == [session]


def test_the_body_is_what_was_true_when_it_happened(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    payment = pays(merchant, tester)
    merchant.refunds(payment, pence=100)
    delivers()
    assert json.loads(receivers.messages[0].body)["refunds"] == []


def test_history_and_fixtures_tell_nobody(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook(*EVERYTHING)
    tester.ask("POST", f"{WORLD}/generate", json={"payments": 5}, expect=201)
    assert deliveries(tester) == []


# Again and again.


def test_a_failure_is_tried_again_on_the_clock_freshly_signed_with_the_same_body(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, clock: ManualClock, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    receivers.reply = Reply(status=500, body="oops", ms=3.0)
    pays(merchant, tester)
    delivers()
    clock.advance(seconds=14.9)
    delivers()
    assert len(receivers.messages) == 1
    clock.advance(seconds=2)
    receivers.reply = Reply(status=200)
    delivers()
    first, second = receivers.messages
    assert first.body == second.body
    assert dict(first.headers)["Simulator-Delivery"] == dict(second.headers)["Simulator-Delivery"]
    times = [signed_at("secret", dict(each.headers)[SIGNATURE_HEADER], each.body) for each in (first, second)]
    assert times == [int(NOON.timestamp()), int(NOON.timestamp()) + 16]
    [delivery] = deliveries(tester)
    assert (delivery["outcome"], delivery["next_attempt_at"]) == ("delivered", None)
    assert [attempt["response"]["status"] for attempt in delivery["attempts"]] == [500, 200]
    assert delivery["attempts"][0]["response"]["body"] == "oops"
    assert delivery["attempts"][0]["request"]["body"] == delivery["body"] == first.body.decode()
    assert [SIGNATURE_HEADER, dict(first.headers)[SIGNATURE_HEADER]] in delivery["attempts"][0]["request"]["headers"]


def test_an_advance_of_22_days_walks_all_retries_each_at_its_instant_and_tells_of_each(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers
) -> None:
    tester.ask("PUT", f"{WORLD}/clock", json={"mode": "frozen"})
    merchant.wants_webhook()
    receivers.reply = Reply(error="Nobody is there.")
    pays(merchant, tester)
    answer = tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "22d"})
    assert len(receivers.messages) == 26
    assert [fired["kind"] for fired in answer["fired"]] == ["delivery"] * 26
    events = [event for fired in answer["fired"] for event in fired["events"]]
    assert [event["kind"] for event in events] == ["delivery.failed"] * 26
    assert [event["at"] for event in events] == [fired["due"] for fired in answer["fired"]]
    assert [event["data"]["attempt"] for event in events] == list(range(1, 27))
    assert [event["data"].get("next_attempt_at") for event in events] == [*(e["at"] for e in events[1:]), None]
    [delivery] = deliveries(tester)
    assert delivery["outcome"] == "given_up"
    assert (answer["clock"]["mode"], answer["clock"]["now"]) == ("frozen", "2026-12-15T12:00:00.000000Z")


def test_two_advances_take_turns(merchant: MerchantCaller, tester: Tester, receivers: Receivers, app: Flask) -> None:
    merchant.wants_webhook()
    receivers.reply = Reply(status=500)
    pays(merchant, tester)
    other = Caller(app.test_client())
    second = Thread(target=lambda: other.ask("POST", f"{WORLD}/clock/advance", json={"by": "1h"}))

    def begin() -> None:
        receivers.hook = lambda: None
        second.start()

    receivers.hook = begin
    first = tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1d"})
    second.join(5)
    assert first["clock"]["now"] == "2026-11-24T12:00:00.000000Z"
    clock = tester.ask("GET", f"{WORLD}/clock")
    assert (clock["mode"], clock["now"]) == ("shifted", "2026-11-24T13:00:00.000000Z")


def test_410_ends_it(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    receivers.reply = Reply(status=410)
    pays(merchant, tester)
    delivers()
    assert [delivery["outcome"] for delivery in deliveries(tester)] == ["refused"]
    assert tester.ask("GET", f"{WORLD}/clock")["next_timer"] is None


def test_the_jitter_follows_from_the_seed(merchant: MerchantCaller, tester: Tester, receivers: Receivers) -> None:
    def retries() -> list[str]:
        tester.ask("POST", f"{WORLD}/reset")
        tester.ask("PUT", WORLD, json={"seed": "same"})
        merchant.wants_webhook()
        pays(merchant, tester)
        fired = tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1d"})["fired"]
        return [each["due"] for each in fired]

    receivers.reply = Reply(status=500)
    assert retries() == retries()


# In order.


def fails_then_succeeds(merchant: MerchantCaller, tester: Tester, receivers: Receivers, order: str) -> list[Json]:
    """What is told of a payment whose first message fails once."""
    tester.ask("PUT", WORLD, json={"delivery": {"order": order}})
    merchant.wants_webhook(*EVERYTHING)
    receivers.reply = Reply(status=503)
    receivers.hook = lambda: setattr(receivers, "reply", Reply(status=200 if receivers.messages else 503))
    pays(merchant, tester, "approve_slowly")
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1m"})
    return receivers.events


def test_messages_about_a_payment_wait_for_the_end_of_the_earlier_ones(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers
) -> None:
    told = fails_then_succeeds(merchant, tester, receivers, "payment")
    assert told == ["payment_initiated", "payment_initiated", "payment_pending", "payment_sent"]


def test_unless_any_order_will_do(merchant: MerchantCaller, tester: Tester, receivers: Receivers) -> None:
    told = fails_then_succeeds(merchant, tester, receivers, "any")
    assert told == ["payment_initiated", "payment_pending", "payment_sent", "payment_initiated"]


def test_messages_wait_for_nothing_that_is_told_to_others_or_of_others(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    merchant.wants_webhook(url="http://shop.example/2")
    receivers.reply = Reply(status=500)
    for _ in range(2):
        pays(merchant, tester)
    delivers()
    assert len(receivers.messages) == 4


def test_a_payment_is_idle_only_when_its_messages_have_arrived(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    receivers.reply = Reply(status=500)
    payment = pays(merchant, tester)
    delivers()
    wait = f"/__admin/payment_sessions/{payment['id']}/wait"
    late = tester.ask("GET", wait, query_string={"until": "idle", "timeout": "0"}, expect=408)
    assert [timer["kind"] for timer in late["errors"][0]["source"]["due"]] == ["delivery"]
    receivers.reply = Reply(status=200)
    tester.ask("POST", f"{WORLD}/deliveries/flush")
    tester.ask("GET", wait, query_string={"until": "idle", "timeout": "0"})


# Modes, and the tester's hand.


def test_collected_messages_are_kept_and_not_sent(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    tester.ask("PUT", WORLD, json={"delivery": {"mode": "collect"}})
    merchant.wants_webhook()
    payment = pays(merchant, tester)
    delivers()
    [delivery] = deliveries(tester, subject=payment["id"])
    assert (delivery["outcome"], receivers.messages) == ("collected", [])
    assert json.loads(delivery["body"])["id"] == payment["id"]


def test_held_messages_are_sent_on_demand(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    tester.ask("PUT", WORLD, json={"delivery": {"mode": "manual"}})
    merchant.wants_webhook()
    pays(merchant, tester)
    pays(merchant, tester)
    delivers()
    second, first = deliveries(tester)
    assert (first["outcome"], receivers.messages) == ("held", [])
    tester.ask("POST", f"/__admin/deliveries/{second['id']}/resend")
    assert len(receivers.messages) == 1
    flushed = tester.ask("POST", f"{WORLD}/deliveries/flush")["deliveries"]
    assert [(each["id"], each["outcome"]) for each in flushed] == [(first["id"], "delivered")]


def test_a_delivered_message_can_be_sent_again_and_stays_delivered(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, clock: ManualClock, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    pays(merchant, tester)
    delivers()
    [delivery] = deliveries(tester)
    clock.advance(hours=1)
    receivers.reply = Reply(status=500)
    again = tester.ask("POST", f"/__admin/deliveries/{delivery['id']}/resend")
    assert (again["outcome"], len(again["attempts"]), again["next_attempt_at"]) == ("delivered", 2, None)
    assert receivers.messages[0].body == receivers.messages[1].body
    assert receivers.messages[0].headers != receivers.messages[1].headers


def test_a_retry_can_be_sent_before_its_time(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    receivers.reply = Reply(status=500)
    pays(merchant, tester)
    delivers()
    receivers.reply = Reply(status=200)
    [delivery] = deliveries(tester, outcome="due")
    assert tester.ask("POST", f"/__admin/deliveries/{delivery['id']}/resend")["outcome"] == "delivered"
    assert tester.ask("GET", f"{WORLD}/clock")["next_timer"] is None


def test_messages_go_where_the_webhook_points_now_and_nowhere_when_it_is_gone(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    webhook = merchant.wants_webhook()
    path = f"/v2/webhooks/{webhook['id']}"
    pays(merchant, tester)
    pays(merchant, tester)
    merchant.ask("PATCH", path, json={"target_url": "http://moved.example/", "signature_key": "other"})
    receivers.reply = Reply(status=500)
    delivers()
    assert {message.url for message in receivers.messages} == {"http://moved.example/"}
    message = receivers.messages[0]
    assert signed_at("other", dict(message.headers)[SIGNATURE_HEADER], message.body)
    merchant.ask("DELETE", path, expect=204)
    assert {delivery["outcome"] for delivery in deliveries(tester)} == {"cancelled"}
    [first, _] = deliveries(tester)
    tester.ask("POST", f"/__admin/deliveries/{first['id']}/resend", expect=404)


def test_deliveries_can_be_looked_for(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook(*EVERYTHING)
    sent, failed = pays(merchant, tester), pays(merchant, tester, "reject")
    receivers.reply = Reply(status=500)
    delivers()
    assert [each["subject"] for each in deliveries(tester)] == [failed["id"], sent["id"]]
    assert [each["event"] for each in deliveries(tester, subject=sent["id"])] == ["payment_sent"]
    assert [each["subject"] for each in deliveries(tester, event="payment_failed")] == [failed["id"]]
    assert len(deliveries(tester, outcome="due")) == 2
    assert deliveries(tester, outcome="delivered") == []
    assert len(deliveries(tester, limit="1")) == 1
    tester.ask("GET", f"{WORLD}/deliveries", query_string={"outcome": "lost"}, expect=422)
    tester.ask("GET", "/__admin/deliveries/nothing", expect=404)
    tester.ask("POST", "/__admin/deliveries/nothing/resend", expect=404)


def test_a_delivery_is_waited_for_and_may_be_there_already(
    merchant: MerchantCaller, tester: Tester, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    payment = pays(merchant, tester)
    wait = f"{WORLD}/wait"
    query = {"kind": "delivery", "event": "payment_sent", "subject": payment["id"], "timeout": "0"}
    tester.ask("GET", wait, query_string=query, expect=408)
    delivers()
    event = tester.ask("GET", wait, query_string=query)["event"]
    assert (event["kind"], event["data"]["outcome"]) == ("delivery.succeeded", "delivered")
    tester.ask("GET", wait, query_string={**query, "event": "payment_failed"}, expect=408)


def test_the_timeline_tells_of_messages_because_of_what_they_tell(
    merchant: MerchantCaller, tester: Tester, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    payment = pays(merchant, tester)
    delivers()
    timeline = tester.ask("GET", f"/__admin/payment_sessions/{payment['id']}/timeline")["events"]
    by_number = {event["number"]: event for event in timeline}
    [delivered] = [event for event in timeline if event["kind"] == "delivery.succeeded"]
    queued = by_number[delivered["because"]]
    assert queued["kind"] == "webhook.queued"
    assert timeline.index(queued) < timeline.index(delivered)


# The time in signatures.


@pytest.mark.parametrize(
    ("setting", "mode", "is_real"),
    [
        ("auto", {"mode": "real"}, True),
        ("auto", {"mode": "scaled", "rate": 60}, True),
        ("auto", {"mode": "shifted", "by": "1d"}, False),
        ("auto", {"mode": "frozen"}, False),
        ("real", {"mode": "frozen"}, True),
        ("clock", {"mode": "scaled", "rate": 60}, False),
    ],
)
def test_signatures_show_the_time_that_the_setting_says(  # noqa: PLR0913, PLR0917  the actors of the story
    merchant: MerchantCaller,
    tester: Tester,
    receivers: Receivers,
    clock: ManualClock,
    setting: str,
    mode: dict[str, Any],
    is_real: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    tester.ask("PUT", WORLD, json={"delivery": {"signature_time": setting}})
    tester.ask("PUT", f"{WORLD}/clock", json=mode)
    clock.advance(hours=1)
    merchant.wants_webhook()
    pays(merchant, tester)
    tester.ask("POST", f"{WORLD}/deliveries/flush")
    message = receivers.messages[0]
    real = int(clock.now().timestamp())
    shown = signed_at("secret", dict(message.headers)[SIGNATURE_HEADER], message.body)
    assert (shown == real) is is_real


# The fence.


def test_nothing_is_sent_and_nothing_written_down_after_a_reset(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    merchant.wants_webhook()
    receivers.hook = lambda: tester.ask("POST", f"{WORLD}/reset")
    pays(merchant, tester)
    delivers()
    assert receivers.messages == []
    assert deliveries(tester) == []
    assert tester.ask("GET", f"{WORLD}/events", query_string={"kind": "delivery"})["events"] == []


def test_what_was_being_sent_when_a_snapshot_was_taken_is_sent_again_when_it_is_restored(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    snapshots: list[str] = []
    merchant.wants_webhook()
    receivers.hook = lambda: snapshots.append(tester.call("GET", f"{WORLD}/snapshot").text)
    pays(merchant, tester)
    delivers()
    receivers.hook = lambda: None
    headers = {"Content-Type": "application/json"}
    tester.ask("PUT", f"{WORLD}/snapshot", data=snapshots[0], headers=headers)
    assert [delivery["outcome"] for delivery in deliveries(tester)] == ["due"]
    delivers()
    assert [delivery["outcome"] for delivery in deliveries(tester)] == ["delivered"]
    assert len(receivers.messages) == 2


# Dry runs.


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers
) -> None:
    payment = merchant.requests_payment(payer={"name": "Mr O'Neill", "email": "o@example.com"})
    merchant.wants_webhook(*EVERYTHING)
    body = {"payment_session": payment["id"], "event": "payment_sent"}
    shown = tester.ask("POST", "/__admin/webhooks/dry-run", json=body)
    told = json.loads(shown["body"])
    assert (told["state"], told["sent_at"], told["webhook_event"]) == (
        "sent",
        "2026-11-23 12:00:00 UTC",
        "payment_sent",
    )
    headers = dict(shown["headers"])
    assert signed_at("secret", headers[SIGNATURE_HEADER], shown["body"].encode()) == int(NOON.timestamp())
    assert f"-H '{SIGNATURE_HEADER}: {headers[SIGNATURE_HEADER]}'" in shown["curl"]
    assert "Mr O'\\''Neill" in shown["curl"]
    assert (receivers.messages, deliveries(tester)) == ([], [])
    assert merchant.reads_payment(payment["id"]) == payment


def test_a_dry_run_is_for_a_webhook_that_there_is(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    body = {"payment_session": payment["id"], "event": "payment_sent"}
    tester.ask("POST", "/__admin/webhooks/dry-run", json=body, expect=404)
    webhook = merchant.wants_webhook("payment_failed")
    assert tester.ask("POST", "/__admin/webhooks/dry-run", json={**body, "webhook": webhook["id"]})["url"] == HOOKS
    tester.ask("POST", "/__admin/webhooks/dry-run", json={**body, "event": "payout_sent"}, expect=422)


# Settings.


@pytest.mark.parametrize(
    "settings", [{"timeout": 0}, {"timeout": 61}, {"timeout": "1"}, {"mode": "lazy"}, {"order": None}, {"speed": 1}]
)
def test_settings_that_nobody_can_follow_are_refused(tester: Tester, settings: dict[str, Any]) -> None:
    before = tester.ask("GET", WORLD)
    tester.ask("PUT", WORLD, json={"delivery": settings}, expect=422)
    assert tester.ask("GET", WORLD) == before


def test_settings_are_set_one_by_one_and_go_with_each_message(
    merchant: MerchantCaller, tester: Tester, receivers: Receivers, delivers: Callable[[], None]
) -> None:
    tester.ask("PUT", WORLD, json={"delivery": {"timeout": 2.5}})
    changed = tester.ask("PUT", WORLD, json={"delivery": {"verify_tls": False}})["delivery"]
    assert changed == {
        "mode": "deliver",
        "order": "payment",
        "timeout": 2.5,
        "verify_tls": False,
        "signature_time": "auto",
        "type_keys": "both",
    }
    merchant.wants_webhook()
    pays(merchant, tester)
    delivers()
    assert (receivers.messages[0].patience, receivers.messages[0].verify_tls) == (2.5, False)
