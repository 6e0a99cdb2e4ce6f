"""Snapshots: a merchant's whole world as a document, put back there, or in another merchant's place."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import MerchantCaller, refund_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from flask.testing import FlaskClient

    from tests.actors import Json, ManualClock, Tester

    Damage = Callable[[Json], object]

KEY, OTHER = "pk_test_simulator", "pk_test_other"
WORLD, OTHER_WORLD = f"/__admin/merchants/{KEY}", f"/__admin/merchants/{OTHER}"
EXAMPLE = Path(__file__).parent / "snapshot_of_format_1.json"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
PLAY = "payment_sessions/3/play"
NOBODY = "11111111-1111-4111-8111-111111111111"


def takes(tester: Tester, world: str = WORLD) -> str:
    response = tester.call("GET", f"{world}/snapshot")
    assert response.status_code == 200
    return response.text


def restores(tester: Tester, snapshot: str, world: str = WORLD, expect: int = 200) -> Json:
    headers = {"Content-Type": "application/json"}
    return tester.ask("PUT", f"{world}/snapshot", data=snapshot, headers=headers, expect=expect)


def lives(merchant: MerchantCaller, tester: Tester) -> dict[str, str]:
    """Let some of everything happen to a merchant; return the ids of what is in the middle of something."""
    tester.ask("PUT", f"{WORLD}/clock", json={"mode": "frozen"})
    tester.ask("PUT", WORLD, json={"name": "Søren & “Shop”", "session_expires_after": 900, "seed": "snapshots"})
    inbox = "http://127.0.0.1:2265/inbox/pk_test_simulator"
    webhook = {"target_url": inbox, "events": ["payment_sent"], "signature_key": "key"}
    merchant.ask("POST", "/v2/webhooks", json=webhook, expect=201)
    tester.ask("PUT", WORLD, json={"delivery": {"mode": "collect"}})
    tester.ask("POST", "/inbox/pk_test_simulator", data=b"{}", expect=400)
    merchant.requests_payment()
    paid = tester.pays(merchant.requests_payment(payer={"name": "Jane Doe", "email": "jane@doe.com"}))
    merchant.refunds(paid, pence=100)
    refund = merchant.refunds(paid, pence=150)
    tester.provides_details(refund)
    slow = merchant.requests_payment(pence=250)
    pay = {"scenario": "approve_slowly", "provider": "Mock Bank Direct"}
    tester.ask("POST", f"/__admin/payment_sessions/{slow['id']}/pay", json=pay)
    merchant.ask("POST", "/oauth/token", data={"grant_type": "client_credentials", "scope": "simulator"})
    merchant.call("POST", "/v2/refunds", json={}, headers={"Idempotency-Key": "key"})
    merchant.ask("POST", "/v2/client_keys", json={"domains": ["https://shop.example"]}, expect=201)
    tester.ask("POST", f"{WORLD}/faults", json={"preset": "bank_outage", "times": 2}, expect=201)
    return {"paid": paid["id"], "refund": refund_id(refund), "slow": slow["id"]}


def in_other_world(tester: Tester, reference: str) -> Json:
    """The payment session of the other merchant's snapshot with a reference."""
    sessions = json.loads(takes(tester, OTHER_WORLD))["payment_sessions"]
    [found] = [session for session in sessions if session["request"]["reference"] == reference]
    return found


def test_taking_a_snapshot_changes_nothing(merchant: MerchantCaller, tester: Tester) -> None:
    lives(merchant, tester)
    assert takes(tester) == takes(tester)


def test_a_snapshot_can_be_read_and_compared_line_by_line(merchant: MerchantCaller, tester: Tester) -> None:
    before = takes(tester)
    session = merchant.requests_payment()
    after = takes(tester)
    lines = before.splitlines()
    assert lines[1] == '  "format": 1,'
    assert f'      "id": "{session["id"]}",' in after.splitlines()
    assert after.endswith("\n}\n")
    assert list(json.loads(after)) == [
        *("format", "merchant", "counts", "payment_sessions", "refunds", "tokens", "client_keys", "idempotent_calls"),
        *("emails", "deliveries", "inbox", "timers", "events"),
    ]


def test_a_snapshot_has_no_secret(merchant: MerchantCaller, tester: Tester) -> None:
    lives(merchant, tester)
    assert "sk_test_simulator" not in takes(tester)
    assert {"secret", "application_id", "generation"}.isdisjoint(json.loads(takes(tester))["merchant"])


def test_a_world_comes_back_to_the_byte_and_goes_on(
    merchant: MerchantCaller, tester: Tester, clock: ManualClock
) -> None:
    ids = lives(merchant, tester)
    snapshot = takes(tester)

    def goes_on() -> list[Json]:
        story = [tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "3s"})]
        story += [merchant.call("POST", "/v2/payment_sessions").json for _ in range(3)]
        story += [merchant.ask("GET", "/v2/payment_sessions"), merchant.requests_payment(pence=1)]
        story.append(tester.ask("GET", f"/__admin/payment_sessions/{ids['paid']}/explain"))
        return story

    first = goes_on()
    clock.advance(days=2)
    thrown_away = restores(tester, snapshot)
    assert thrown_away["merchant"] == KEY
    assert thrown_away["discarded"]["payment_sessions"] == 5
    assert takes(tester) == snapshot
    real = re.compile('"real_(at|now)": "[^"]*"')
    assert [real.sub("", json.dumps(each)) for each in goes_on()] == [real.sub("", json.dumps(each)) for each in first]


def test_an_idempotent_call_is_remembered(merchant: MerchantCaller, tester: Tester) -> None:
    def asks() -> bytes:
        return merchant.call("POST", "/v2/refunds", json={}, headers={"Idempotency-Key": "é".encode().hex()}).data

    first = asks()
    snapshot = takes(tester)
    [call] = json.loads(snapshot)["idempotent_calls"]
    assert call["answer"]["body"] == first.decode()
    tester.ask("POST", f"{WORLD}/reset")
    restores(tester, snapshot)
    assert asks() == first
    assert len(json.loads(takes(tester))["idempotent_calls"]) == 1


def test_another_merchant_lives_on_from_a_snapshot_beside_the_first(
    client: FlaskClient, merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester
) -> None:
    ids = lives(merchant, tester)
    snapshot = takes(tester)
    other_merchant.requests_payment()
    assert restores(tester, snapshot, OTHER_WORLD)["discarded"]["payment_sessions"] == 1
    assert takes(tester) == snapshot
    copy = takes(tester, OTHER_WORLD)
    restores(tester, snapshot, OTHER_WORLD)
    assert takes(tester, OTHER_WORLD) == copy

    mine, theirs = json.loads(snapshot), json.loads(copy)
    things = [
        {thing["id"] for part in ("payment_sessions", "refunds", "tokens", "client_keys") for thing in each[part]}
        for each in (mine, theirs)
    ]
    assert len(things[0]) == len(things[1]) == 8
    assert things[0].isdisjoint(things[1])
    assert [id_ for id_ in things[0] if id_ in copy] == []
    assert all(UUID.fullmatch(id_) or len(id_) == 43 for id_ in things[1])
    assert [refund["request"]["amount"] for refund in theirs["refunds"]] == [100, 150]

    for caller, world in ((merchant, WORLD), (other_merchant, OTHER_WORLD)):
        tester.ask("DELETE", f"{world}/faults", expect=204)
        tester.ask("POST", f"{world}/clock/advance", json={"by": "1m"})
        states = [payment["state"] for payment in caller.ask("GET", "/v2/payment_sessions")]
        assert states == ["sent", "awaiting_provider", "sent", "awaiting_provider"]
        [paid] = [payment for payment in caller.ask("GET", "/v2/payment_sessions") if payment["refunds"]]
        assert caller.refunds(paid, pence=151, expect=422)["errors"][0]["source"] == {"parameter": "amount"}
        assert caller.refunds(paid, pence=150)["payment_session_id"] == paid["id"]
    assert merchant.reads_payment(ids["slow"])["state"] == "sent"
    other_merchant.reads_payment(ids["slow"], expect=404)
    assert mine["client_keys"][0]["token"] not in copy
    token = theirs["tokens"][0]["id"]
    answer = client.get("/v2/payment_sessions", headers={"Authorization": f"Bearer {token}"})
    assert [payment["id"] for payment in answer.json] == [
        payment["id"] for payment in other_merchant.ask("GET", "/v2/payment_sessions")
    ]


def test_what_was_begun_before_ends_with_the_restoring(app: Flask, merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    snapshot = takes(tester)

    def wait() -> tuple[int, Json]:
        query = {"until": "sent", "timeout": "10"}
        answer = app.test_client().get(f"/__admin/payment_sessions/{payment['id']}/wait", query_string=query)
        return answer.status_code, answer.json

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(wait)
        sleep(0.05)
        assert not waiting.done()
        restores(tester, snapshot)
        status, answer = waiting.result(2)
    assert status == 409
    assert "was reset while you waited" in answer["errors"][0]["title"]


def test_a_snapshot_may_be_larger_than_other_bodies(merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("POST", f"{WORLD}/generate", json={"payments": 600}, expect=201)
    snapshot = takes(tester)
    assert len(snapshot) > 1024 * 1024
    restores(tester, snapshot)
    assert takes(tester) == snapshot
    assert len(merchant.ask("GET", "/v2/payment_sessions")) == 100


def test_a_snapshot_that_is_too_large_is_refused(tester: Tester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.web.json.SNAPSHOT_LIMIT", 2 * 1024 * 1024)
    answer = tester.call(
        "PUT", f"{WORLD}/snapshot", headers={"Content-Type": "application/json"}, data=b" " * (2 * 1024 * 1024 + 1)
    )
    assert answer.status_code == 413
    assert answer.json["errors"][0]["title"] == "The body is too large: at most 2 MiB is read."


def test_where_there_can_be_no_merchant_there_is_no_snapshot(tester: Tester) -> None:
    tester.ask("GET", "/__admin/merchants/nobody/snapshot", expect=404)
    snapshot = takes(tester)
    restores(tester, snapshot, "/__admin/merchants/nobody", expect=404)


def test_a_things_of_another_merchant_cannot_be_had_twice(merchant: MerchantCaller, tester: Tester) -> None:
    lives(merchant, tester)
    forged = json.loads(takes(tester))
    forged["merchant"]["key"] = OTHER
    before = takes(tester, OTHER_WORLD)
    answer = restores(tester, json.dumps(forged), OTHER_WORLD, expect=422)
    assert answer["errors"][0]["title"].startswith("Another merchant has ")
    assert takes(tester, OTHER_WORLD) == before


def _twice(part: str) -> Damage:
    return lambda snapshot: snapshot[part].append(snapshot[part][0])


def _set(path: str, value: Any) -> Damage:
    """Put `value` at a slash path."""

    def damage(snapshot: Json) -> None:
        *way, last = path.split("/")
        for step in way:
            snapshot = snapshot[int(step) if isinstance(snapshot, list) else step]
        snapshot[int(last) if isinstance(snapshot, list) else last] = value

    return damage


def _drop(part: str, member: str) -> Damage:
    return lambda snapshot: snapshot[part].pop(int(member) if isinstance(snapshot[part], list) else member)


DAMAGED: list[tuple[Damage, int, str]] = [
    (_set("format", 2), 422, "format"),
    (_set("format", "1"), 422, "format"),
    (lambda snapshot: snapshot.pop("format"), 422, "format"),
    (lambda snapshot: snapshot.pop("refunds"), 400, "refunds"),
    (_set("webhooks", []), 422, "webhooks"),
    (_drop("merchant", "clock"), 400, "merchant/clock"),
    (_set("merchant/secret", "sk"), 422, "merchant/secret"),
    (_set("merchant/clock/rate", -1), 422, "merchant/clock/rate"),
    (_set("merchant/clock/base", "9999-06-01T00:00:00.000000Z"), 422, "merchant/clock/base"),
    (_set("merchant/clock/base", "noon"), 422, "merchant/clock/base"),
    (_set("merchant/clock/base", "2026-11-23T12:00:00"), 422, "merchant/clock/base"),
    (_set("merchant/scenario", "win the lottery"), 422, "merchant/scenario"),
    (_set("merchant/progression", "backwards"), 422, "merchant/progression"),
    (_set("merchant/session_expires_after", 0), 422, "merchant/session_expires_after"),
    (_set("merchant/faults/0/effect/status", 200), 422, "merchant/faults/0"),
    (_set("merchant/faults/0/probability", 2), 422, "merchant/faults/0"),
    (_set("counts/payment_session", 2), 422, "counts/payment_session"),
    (_set("counts/refund", -1), 422, "counts/refund/value"),
    (_set("counts/timer", 0), 422, "timers/0/id"),
    (_twice("payment_sessions"), 422, "payment_sessions/0/id"),
    (_twice("refunds"), 422, "refunds/0/id"),
    (_twice("timers"), 422, "timers/0/id"),
    (_twice("idempotent_calls"), 422, "idempotent_calls/0/id"),
    (_set("payment_sessions/0/request/line_items", []), 422, "payment_sessions/0/request/line_items"),
    (
        _set("payment_sessions/0/request/line_items/0/amount", "400"),
        422,
        "payment_sessions/0/request/line_items/0/amount",
    ),
    (_set("payment_sessions/0/request/line_items/0/amount", 0), 422, "payment_sessions/0/request/line_items"),
    (_set("payment_sessions/0/request/line_items/0/quantity", 2**52), 422, "payment_sessions/0/request/line_items"),
    (
        _set("payment_sessions/0/request/line_items/0/currency", "XXX"),
        422,
        "payment_sessions/0/request/line_items/0/currency",
    ),
    (_set("payment_sessions/0/state", "sent"), 422, "payment_sessions/0/sent_at"),
    (_set("payment_sessions/0/refund_id", NOBODY), 422, "payment_sessions/0/refund_id"),
    (_set("payment_sessions/3/play/step", 9), 422, "payment_sessions/3/play/step"),
    (_set("payment_sessions/0/scenarios", [["button", "win the lottery"]]), 422, "payment_sessions/0/scenarios"),
    (_set("payment_sessions/0/scenarios", [["window", "approve"]]), 422, "payment_sessions/0/scenarios/0/0"),
    (_set("refunds/0/request/payment_session_id", NOBODY), 422, "refunds/0/request/payment_session_id"),
    (_set("refunds/0/request/amount", 251), 422, "refunds/1/request/amount"),
    (_set("refunds/0/currency", "EUR"), 422, "refunds/0/currency"),
    (_set("timers/0/subject", NOBODY), 422, "timers/0/subject"),
    (_set("events/3/number", 17), 422, "events/3/number"),
    (_set("events/3/at", "2020-01-01T00:00:00.000000Z"), 422, "events/3/at"),
    (_set("events/3/because", 4), 422, "events/3/because"),
    (_set("events/3", 4), 422, "events/3"),
    (_set("events/3/real_at", "9999-12-31T23:59:59.000000Z"), 422, "events/3"),
    (_set("events/3/data", {"a": float("inf")}), 400, ""),
    (_set("tokens/0/created_at", "9999-12-31T23:59:59.000000Z"), 422, "tokens/0"),
    (_set("idempotent_calls/0/answer/status", 5), 422, "idempotent_calls/0/answer"),
    (_set("idempotent_calls/0/answer/content_type", "a\nb"), 422, "idempotent_calls/0/answer"),
    (_set("merchant/faults/0/name", "a\nb"), 422, "merchant/faults/0"),
    (_set("merchant/accounts/0/provider", "No Such Bank"), 422, "merchant/accounts/0/provider"),
    (_set("counts/payment_session", 2**53 - 1), 422, "counts/payment_session"),
    (
        _set("payment_sessions/3/play/scenario/steps/0/action", "choose_provider"),
        422,
        "payment_sessions/3/play/scenario",
    ),
    (_set("emails/0/payment/request/line_items", []), 422, "emails/0/payment/request/line_items"),
    (_set("emails/0/refund", None), 422, "emails/0/refund"),
]


@pytest.mark.parametrize(("damage", "status", "parameter"), DAMAGED, ids=[each[2] for each in DAMAGED])
def test_a_damaged_snapshot_is_refused_and_changes_nothing(
    merchant: MerchantCaller, tester: Tester, damage: Damage, status: int, parameter: str
) -> None:
    lives(merchant, tester)
    before = takes(tester)
    snapshot = json.loads(before)
    damage(snapshot)
    answer = restores(tester, json.dumps(snapshot), expect=status)
    assert parameter in [error["source"].get("parameter", "") for error in answer["errors"]]
    assert all(error["title"].endswith(".") for error in answer["errors"])
    assert takes(tester) == before


@pytest.mark.parametrize("cut", [1, 100, -20, -3])
def test_a_snapshot_that_was_cut_off_is_refused(merchant: MerchantCaller, tester: Tester, cut: int) -> None:
    merchant.requests_payment()
    before = takes(tester)
    restores(tester, before[:cut], expect=400)
    assert takes(tester) == before


def test_snapshots_of_this_format_can_always_be_read(tester: Tester) -> None:
    """Once the form of snapshots changes, FORMAT is another number, and this example is of that."""
    example = EXAMPLE.read_text("utf-8")
    restores(tester, example)
    assert takes(tester) == example


def test_names_that_a_snapshot_brought_before_their_time_are_not_given_again(
    merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester
) -> None:
    first = merchant.requests_payment()
    snapshot = takes(tester)
    tester.ask("POST", f"{WORLD}/reset")
    forged = json.loads(snapshot)
    forged["merchant"]["key"] = other_merchant.key
    restores(tester, json.dumps(forged), OTHER_WORLD)
    assert merchant.requests_payment()["id"] != first["id"]

    second = other_merchant.requests_payment()
    other_merchant.ask("DELETE", f"/v2/payment_sessions/{first['id']}", expect=204)
    lowered = json.loads(takes(tester, OTHER_WORLD))
    lowered["counts"]["payment_session"] = 1
    restores(tester, json.dumps(lowered), OTHER_WORLD)
    ids = [other_merchant.requests_payment()["id"] for _ in range(3)]
    assert len({*ids, second["id"]}) == 4
