"""Faults through the API: how a tester sets them, and what becomes of the merchant's calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import NOON, parameters, payment_request

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from simulator.service.simulation import Simulation
    from tests.actors import Json, MerchantCaller, Tester

FAULTS = "/__admin/merchants/pk_test_simulator/faults"
SESSIONS = "/v2/payment_sessions"
KEY = {"Idempotency-Key": "key 1"}


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds for which answers were held back, without anybody waiting for them."""
    taken: list[float] = []
    monkeypatch.setattr(
        "simulator.web.transport.time.sleep", lambda seconds: taken.append(seconds) if seconds else None
    )
    return taken


def add(tester: Tester, **fault: Any) -> Json:
    return tester.ask("POST", FAULTS, json=fault, expect=201)


def faults(tester: Tester) -> Json:
    return tester.ask("GET", FAULTS)["faults"]


def events(tester: Tester, kind: str) -> Json:
    return tester.ask("GET", f"/__admin/merchants/pk_test_simulator/events?kind={kind}")["events"]


def create(merchant: MerchantCaller, **options: Any) -> TestResponse:
    return merchant.call("POST", SESSIONS, json=payment_request(), **options)


def statuses(merchant: MerchantCaller, calls: int) -> list[int]:
    return [merchant.call("GET", SESSIONS).status_code for _ in range(calls)]


# What a tester does


def test_a_fault_is_shown_with_all_it_is(tester: Tester) -> None:
    match = {"method": "POST", "path": "/v2/*", "body": {"reference": "X"}}
    effect = {"status": 503, "retry_after": 5, "latency": [1, 3]}
    added = add(tester, name="mine", match=match, effect=effect, times=2, probability=0.5)
    quiet: Json = dict.fromkeys(("drop", "truncate", "malformed", "lost_response"), False)
    quiet |= dict.fromkeys(("reorder", "duplicate", "extra_fields"), False)
    quiet |= {"signature": None, "timestamp": 0, "content_type": None, "event": None, "padding": 0}
    rest = {"match": {**match, "webhook": None}, "effect": {**effect, **quiet}, "times": 2, "probability": 0.5}
    assert added == {"id": added["id"], "name": "mine", **rest}
    assert faults(tester) == [added] == [tester.ask("GET", f"{FAULTS}/{added['id']}")]


def test_a_fault_says_what_it_leaves_open(tester: Tester) -> None:
    added = add(tester, effect={"latency": 2})
    assert (added["name"], added["times"], added["probability"]) == (None, None, 1)
    assert added["match"] == {"method": None, "path": "*", "body": {}, "webhook": None}
    assert added["effect"]["latency"] == [2, 2]


def test_a_preset_is_added_by_name_and_may_differ(tester: Tester) -> None:
    whole, once = add(tester, preset="rate_limited"), add(tester, preset="rate_limited", name="once", times=1)
    assert (whole["name"], whole["times"], whole["effect"]["status"]) == ("rate_limited", None, 429)
    assert once == {**whole, "id": once["id"], "name": "once", "times": 1}
    [always] = tester.ask("PUT", FAULTS, json={"faults": [{"preset": "lost_response", "times": None}]})["faults"]
    assert always["times"] is None


def test_the_presets_are_listed(tester: Tester) -> None:
    presets = tester.ask("GET", "/__admin/fault_presets")["presets"]
    assert [preset["name"] for preset in presets if preset["match"]["webhook"] is None] == [
        "bank_outage",
        "slow_api",
        "rate_limited",
        "flaky",
        "lost_response",
    ]
    assert all("id" not in preset for preset in presets)


def test_all_faults_are_replaced(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"drop": True})
    kept = tester.ask("PUT", FAULTS, json={"faults": [{"preset": "flaky"}, {"effect": {"status": 400}}]})["faults"]
    assert [fault["name"] for fault in kept] == ["flaky", None]
    assert faults(tester) == kept
    assert tester.ask("PUT", FAULTS, json={"faults": []}) == {"faults": []}
    assert statuses(merchant, 1) == [200]


def test_faults_are_removed(merchant: MerchantCaller, tester: Tester) -> None:
    first, second, third = (add(tester, effect={"status": status}) for status in (500, 502, 503))
    tester.ask("DELETE", f"{FAULTS}/{first['id']}", expect=204)
    assert faults(tester) == [second, third]
    tester.ask("DELETE", f"{FAULTS}/{first['id']}", expect=404)
    tester.ask("GET", f"{FAULTS}/{first['id']}", expect=404)
    tester.ask("DELETE", FAULTS, expect=204)
    assert faults(tester) == []
    assert statuses(merchant, 1) == [200]


def test_a_reset_removes_faults(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, preset="rate_limited")
    tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")
    assert faults(tester) == []
    assert statuses(merchant, 1) == [200]


def test_a_change_is_in_the_log(tester: Tester) -> None:
    added = add(tester, effect={"status": 500})
    add(tester, preset="flaky")
    tester.ask("DELETE", FAULTS, expect=204)
    told = [event["data"] for event in events(tester, "merchant.changed")]
    assert told == [{"by": "tester", "faults": named} for named in ([added["id"]], [added["id"], "flaky"], [])]


def test_a_merchant_that_cannot_be_has_no_faults(tester: Tester) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("POST", "", {"preset": "flaky"}),
        ("PUT", "", {"faults": []}),
        ("DELETE", "", None),
        ("GET", "/x", None),
        ("DELETE", "/x", None),
    ):
        tester.ask(method, f"/__admin/merchants/nobody/faults{path}", json=body, expect=404)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"preset": "sunshine"}, "preset"),
        ({"effect": {}}, "effect"),
        ({"effect": {"drop": False}}, "effect"),
        ({"effect": {"latency": 0}}, "effect"),
        ({"effect": {"status": 200}}, "effect/status"),
        ({"effect": {"status": 600}}, "effect/status"),
        ({"effect": {"status": "503"}}, "effect/status"),
        ({"effect": {"status": 503, "drop": True}}, "effect/status"),
        ({"effect": {"status": 503, "lost_response": True}}, "effect/status"),
        ({"effect": {"drop": True, "truncate": True}}, "effect/truncate"),
        ({"effect": {"malformed": True, "lost_response": True}}, "effect/lost_response"),
        ({"effect": {"retry_after": 1}}, "effect/retry_after"),
        ({"effect": {"latency": [3, 1]}}, "effect/latency"),
        ({"effect": {"latency": [1]}}, "effect/latency"),
        ({"effect": {"latency": -1}}, "effect/latency"),
        ({"effect": {"latency": 301}}, "effect/latency"),
        ({"effect": {"latency": True}}, "effect/latency"),
        ({"effect": {"latency": None}}, "effect/latency"),
        ({"effect": {"explode": True}}, "effect/explode"),
        ({"effect": {"drop": 1}}, "effect/drop"),
        ({"preset": "flaky", "probability": 0}, "probability"),
        ({"preset": "flaky", "probability": 1.5}, "probability"),
        ({"preset": "flaky", "times": 0}, "times"),
        ({"preset": "flaky", "name": "two words"}, "name"),
        ({"preset": "flaky", "name": "a\r\nb"}, "name"),
        ({"preset": "flaky", "match": {"method": "post"}}, "match/method"),
        ({"preset": "flaky", "match": {"path": "v2"}}, "match/path"),
        ({"preset": "flaky", "match": {"body": []}}, "match/body"),
        ({"preset": "flaky", "match": {"header": "x"}}, "match/header"),
        ({"preset": "flaky", "until": "x"}, "until"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(tester: Tester, body: Json, path: str) -> None:
    assert parameters(tester.ask("POST", FAULTS, json=body, expect=422)) == {path: "invalid_request"}
    refusal = tester.ask("PUT", FAULTS, json={"faults": [{"preset": "flaky"}, body]}, expect=422)
    assert parameters(refusal) == {f"faults/1/{path}": "invalid_request"}
    assert faults(tester) == []


def test_a_fault_needs_an_effect(tester: Tester) -> None:
    assert parameters(tester.ask("POST", FAULTS, json={}, expect=400)) == {"effect": "bad_request"}


def test_an_unknown_preset_is_answered_with_those_there_are(tester: Tester) -> None:
    refusal = tester.ask("POST", FAULTS, json={"preset": "sunshine"}, expect=422)
    known = "bank_outage, slow_api, rate_limited, flaky, lost_response, webhook_duplicate,"
    assert refusal["errors"][0]["title"].startswith(f"There is no preset 'sunshine'; there are: {known}")


# What becomes of a call


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"),
        (401, "unauthorized"),
        (422, "invalid_request"),
        (429, "rate_limit_exceeded"),
        (500, "internal_error"),
        (502, "service_unavailable"),
        (503, "service_unavailable"),
        (599, "service_unavailable"),
    ],
)
def test_a_status_is_answered_in_the_envelope_and_nothing_is_done(
    merchant: MerchantCaller, tester: Tester, status: int, code: str
) -> None:
    add(tester, name="outage", effect={"status": status}, times=1)
    response = create(merchant)
    assert response.status_code == status
    assert parameters(response.json) == {"": code}
    assert response.headers["Simulator-Fault"] == "outage"
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    assert merchant.ask("GET", SESSIONS) == []


def test_a_rate_limit_says_when_to_try_again(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, preset="rate_limited", times=1)
    response = merchant.call("GET", SESSIONS)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "30")
    assert statuses(merchant, 1) == [200]


def test_an_answer_without_a_fault_names_none(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"status": 500}, match={"method": "POST"})
    assert "Simulator-Fault" not in merchant.call("GET", SESSIONS).headers


def test_a_fault_without_a_name_is_told_by_its_id(merchant: MerchantCaller, tester: Tester) -> None:
    id_ = add(tester, effect={"status": 500})["id"]
    assert merchant.call("GET", SESSIONS).headers["Simulator-Fault"] == id_


def test_a_hit_is_in_the_log_because_of_its_call(merchant: MerchantCaller, tester: Tester) -> None:
    id_ = add(tester, preset="bank_outage")["id"]
    create(merchant)
    [hit], [call] = events(tester, "fault.hit"), events(tester, "request")
    assert (hit["because"], hit["subject"]) == (call["number"], id_)
    assert hit["data"] == {"fault": id_, "name": "bank_outage"}
    assert call["data"]["status"] == 503


def test_a_fault_is_hit_so_many_times(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"status": 503}, times=2)
    assert statuses(merchant, 1) == [503]
    assert [fault["times"] for fault in faults(tester)] == [1]
    assert statuses(merchant, 2) == [503, 200]
    assert faults(tester) == []


def test_the_first_fault_that_matches_wins(merchant: MerchantCaller, tester: Tester) -> None:
    for status, match in ((500, {"method": "POST"}), (502, {"path": SESSIONS}), (503, {})):
        add(tester, effect={"status": status}, match=match, times=1)
    assert statuses(merchant, 3) == [502, 503, 200]


def test_a_fault_looks_at_the_body(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"status": 500}, match={"body": {"line_items/0/amount": 13}})
    merchant.requests_payment(pence=12)
    merchant.requests_payment(pence=13, expect=500)
    assert statuses(merchant, 1) == [200]
    headers = {"Content-Type": "application/json"}
    merchant.ask("POST", SESSIONS, data=b"{", headers=headers, expect=400)


def test_a_fault_is_one_merchants(merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, preset="bank_outage")
    other_merchant.requests_payment()
    assert create(merchant).status_code == 503


def test_the_same_seed_has_the_same_chances(merchant: MerchantCaller, tester: Tester) -> None:
    def run(seed: str) -> list[int]:
        tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")
        tester.ask("PUT", "/__admin/merchants/pk_test_simulator", json={"seed": seed})
        add(tester, preset="flaky")
        return statuses(merchant, 40)

    first = run("one")
    assert 4 <= first.count(500) <= 20
    assert run("one") == first != run("two")


def test_a_call_that_has_luck_may_hit_the_next_fault(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"status": 500}, probability=0.000001)
    add(tester, effect={"status": 503})
    assert statuses(merchant, 1) == [503]


# What becomes of an answer


def test_an_answer_is_held_back(merchant: MerchantCaller, tester: Tester, naps: list[float]) -> None:
    add(tester, effect={"latency": 2}, times=1)
    merchant.requests_payment()
    merchant.requests_payment()
    assert naps == [2]


def test_an_answer_is_held_back_for_any_of_a_range(merchant: MerchantCaller, tester: Tester, naps: list[float]) -> None:
    add(tester, preset="slow_api")
    assert statuses(merchant, 20) == [200] * 20
    assert len(set(naps)) == 20
    assert all(2 <= seconds <= 5 for seconds in naps)


def test_an_error_is_held_back_too(merchant: MerchantCaller, tester: Tester, naps: list[float]) -> None:
    add(tester, effect={"status": 504, "latency": 30})
    assert statuses(merchant, 1) == [504]
    assert naps == [30]


def test_a_dropped_call_is_not_done(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"drop": True}, times=1)
    with pytest.raises(ConnectionResetError):
        create(merchant, headers=KEY)
    assert merchant.ask("GET", SESSIONS) == []
    assert create(merchant, headers=KEY).status_code == 201


def test_a_lost_response_is_there_when_it_is_asked_for_again(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, preset="lost_response")
    with pytest.raises(ConnectionResetError):
        create(merchant, headers=KEY)
    [payment] = merchant.ask("GET", SESSIONS)
    repeated = create(merchant, headers=KEY)
    assert (repeated.status_code, repeated.json["id"]) == (201, payment["id"])
    assert len(merchant.ask("GET", SESSIONS)) == 1


def test_a_truncated_answer_promises_more_than_it_has(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"truncate": True}, times=1)
    broken = create(merchant, headers=KEY)
    sound = create(merchant, headers=KEY)
    assert broken.data == sound.data[: len(sound.data) // 2]
    assert broken.headers["Content-Length"] == str(len(sound.data))


def test_a_malformed_answer_is_whole_and_no_json(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"malformed": True}, times=1)
    broken = create(merchant, headers=KEY)
    sound = create(merchant, headers=KEY)
    assert broken.content_type == "application/json"
    assert broken.headers["Content-Length"] == str(len(broken.data))
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.data)
    assert sound.json["id"] == merchant.ask("GET", SESSIONS)[0]["id"]


def test_an_error_may_be_malformed(merchant: MerchantCaller, tester: Tester) -> None:
    add(tester, effect={"status": 502, "malformed": True})
    response = merchant.call("GET", SESSIONS)
    assert response.status_code == 502
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.data)


@pytest.mark.parametrize("effect", ["truncate", "malformed"])
def test_an_answer_without_a_body_cannot_be_broken(merchant: MerchantCaller, tester: Tester, effect: str) -> None:
    payment = merchant.requests_payment()
    add(tester, effect={effect: True})
    assert merchant.call("DELETE", f"{SESSIONS}/{payment['id']}").status_code == 204


def test_a_fault_is_hit_at_the_merchants_time(merchant: MerchantCaller, tester: Tester, simulation: Simulation) -> None:
    add(tester, preset="bank_outage")
    create(merchant)
    assert simulation.clock.now() == NOON
    assert events(tester, "fault.hit")[0]["at"] == events(tester, "request")[0]["at"]


def test_there_are_only_so_many_faults(tester: Tester) -> None:
    for _ in range(100):
        add(tester, preset="rate_limited", times=1)
    tester.ask("POST", FAULTS, json={"preset": "rate_limited"}, expect=422)
    assert len(faults(tester)) == 100


def test_a_fault_that_no_json_could_tell_is_refused(tester: Tester) -> None:
    body = '{"effect": {"status": 500}, "match": {"body": {"reference": 1e999}}}'
    headers = {"Content-Type": "application/json"}
    answer = tester.ask("POST", FAULTS, data=body, headers=headers, expect=422)
    assert list(parameters(answer)) == ["match/body"]


def test_an_answer_that_is_held_back_until_after_a_reset_never_arrives(
    merchant: MerchantCaller, tester: Tester, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tester, effect={"latency": 3}, times=1)
    monkeypatch.setattr(
        "simulator.web.transport.time.sleep",
        lambda _: tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset"),
    )
    with pytest.raises(ConnectionResetError):
        merchant.requests_payment()
    assert merchant.ask("GET", SESSIONS) == []
