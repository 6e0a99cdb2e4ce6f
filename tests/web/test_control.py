"""/__admin as a tester uses it: clocks, scenarios, events, stories, waiting and settings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import MerchantCaller, basic, parameters, refund_id

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.actors import Json, ManualClock, Tester

KEY = "pk_test_simulator"
WORLD = f"/__admin/merchants/{KEY}"
PAYMENTS = "/__admin/payment_sessions"
NOBODY = "11111111-1111-4111-8111-111111111111"
JANE = {"name": "Jane Doe", "account_number": "87654321", "sort_code": "040506"}
NOON = "2026-11-23T12:00:00.000000Z"
SCENARIOS = [
    *("approve", "approve_slowly", "pending_then_sent", "stuck_pending", "reject", "insufficient_funds"),
    *("account_closed", "invalid_account", "unsupported_account", "unsuccessful_direct_debit", "fail_while_pending"),
    *("bank_error", "bank_timeout", "expire", "user_cancels", "late_success"),
    *("return_before_webhook", "return_after_webhook", "return_without_webhook", "return_twice", "return_never"),
]


def freezes(tester: Tester, **fields: Any) -> Json:
    return tester.ask("PUT", f"{WORLD}/clock", json={"mode": "frozen", **fields})["clock"]


def advances(tester: Tester, expect: int = 200, **how: Any) -> Json:
    return tester.ask("POST", f"{WORLD}/clock/advance", json=how, expect=expect)


def events(tester: Tester, **query: Any) -> list[Json]:
    found: list[Json] = tester.ask("GET", f"{WORLD}/events", query_string=query)["events"]
    return found


def calls(tester: Tester, suffix: str = "", **query: Any) -> list[Json]:
    found: list[Json] = tester.ask("GET", f"{WORLD}/requests{suffix}", query_string=query)["requests"]
    return found


def requested(merchant: MerchantCaller, scenario: str) -> Json:
    """A payment created with a scenario in its header."""
    request = {
        "reference": "Illuminate",
        "line_items": [{"name": "Candles", "amount": 400, "currency": "GBP", "quantity": 1}],
        "payee": {"name": "Gerald Wiley", "account_number": "12345678", "sort_code": "010203"},
    }
    headers = {"Simulator-Scenario": scenario}
    return merchant.ask("POST", "/v2/payment_sessions", json=request, headers=headers, expect=201)


def taken(merchant: MerchantCaller, tester: Tester, scenario: str) -> Json:
    """A payment whose payer authorised it, so that the bank plays the scenario."""
    payment = requested(merchant, scenario)
    tester.pays(payment)
    return payment


def sentence(answer: Json) -> str:
    [error] = answer["errors"]
    title: str = error["title"]
    return title


# The clock


def test_a_clock_is_real_until_it_is_set(tester: Tester) -> None:
    assert tester.ask("GET", f"{WORLD}/clock") == {
        "mode": "real",
        "now": NOON,
        "real_now": NOON,
        "rate": 1.0,
        "next_timer": None,
    }


@pytest.mark.parametrize(
    ("fields", "mode", "shows", "rate"),
    [
        ({"mode": "frozen"}, "frozen", NOON, 0.0),
        ({"mode": "frozen", "at": "2027-01-01T00:00:00Z"}, "frozen", "2027-01-01T00:00:00.000000Z", 0.0),
        ({"mode": "frozen", "at": "2027-01-01 00:00:00 UTC"}, "frozen", "2027-01-01T00:00:00.000000Z", 0.0),
        ({"mode": "frozen", "at": "2027-01-01T01:00:00+01:00"}, "frozen", "2027-01-01T00:00:00.000000Z", 0.0),
        ({"mode": "frozen", "by": "1d12h"}, "frozen", "2026-11-25T00:00:00.000000Z", 0.0),
        ({"mode": "shifted", "by": "2h"}, "shifted", "2026-11-23T14:00:00.000000Z", 1.0),
        ({"mode": "shifted", "at": "2026-11-23T14:00:00Z"}, "shifted", "2026-11-23T14:00:00.000000Z", 1.0),
        ({"mode": "scaled", "rate": 60}, "scaled", NOON, 60.0),
        ({"mode": "scaled", "rate": 0.5, "by": "1h"}, "scaled", "2026-11-23T13:00:00.000000Z", 0.5),
        ({"mode": "real"}, "real", NOON, 1.0),
    ],
)
def test_a_clock_is_set(tester: Tester, fields: Json, mode: str, shows: str, rate: float) -> None:
    answer = tester.ask("PUT", f"{WORLD}/clock", json=fields)
    clock = answer["clock"]
    assert (clock["mode"], clock["now"], clock["rate"], answer["fired"]) == (mode, shows, rate, [])
    assert tester.ask("GET", f"{WORLD}/clock") == clock
    [event] = events(tester, kind="clock")
    assert event["data"] == {"mode": mode, "now": shows, "rate": rate}


def test_a_frozen_clock_dates_what_happens(merchant: MerchantCaller, tester: Tester, clock: ManualClock) -> None:
    freezes(tester, at="2027-01-01T00:00:00Z")
    clock.advance(hours=1)
    payment = merchant.requests_payment()
    assert payment["created_at"] == "2027-01-01 00:00:00 UTC"
    assert tester.pays(payment)["sent_at"] == "2027-01-01 00:00:00 UTC"
    [created] = events(tester, kind="payment_session.created")
    assert (created["at"], created["real_at"]) == ("2027-01-01T00:00:00.000000Z", "2026-11-23T13:00:00.000000Z")


@pytest.mark.parametrize(
    ("body", "at_fault", "said"),
    [
        ({"mode": "stopped"}, "mode", "Must be one of: real, shifted, scaled, frozen."),
        ({"mode": "scaled"}, "rate", "Must be given for a scaled clock, and for no other."),
        ({"mode": "frozen", "rate": 2}, "rate", "Must be given for a scaled clock, and for no other."),
        ({"mode": "scaled", "rate": -1}, "rate", "A rate is between 0 and 1000000 seconds a second."),
        ({"mode": "scaled", "rate": 1000001}, "rate", "A rate is between 0 and 1000000 seconds a second."),
        ({"mode": "scaled", "rate": "2"}, "rate", "Must be a number."),
        ({"mode": "scaled", "rate": True}, "rate", "Must be a number."),
        ({"mode": "real", "by": "1h"}, "mode", "A real clock shows the real time: use shifted."),
        ({"mode": "frozen", "by": "1h", "at": NOON}, "by", "Must not be given together with at."),
        ({"mode": "frozen", "by": "soon"}, "by", "'soon' is no duration: write 90s, 15m, 2h, 21d or 1d12h."),
        ({"mode": "frozen", "by": "9999999999d"}, "by", "'9999999999d' is too long."),
        ({"mode": "frozen", "by": "9000000d"}, "by", "A clock goes no further than 9999-01-01T00:00:00.000000Z."),
        ({"mode": "frozen", "at": "noon"}, "at", "Must be a time such as 2019-11-01T15:48:26Z."),
        ({"mode": "frozen", "at": "2027-01-01T00:00:00"}, "at", "Must be a time such as 2019-11-01T15:48:26Z."),
        ({"mode": "frozen", "at": None}, "at", "Must not be null."),
        ({"mode": "frozen", "to": NOON}, "to", "There is no such field."),
    ],
)
def test_a_clock_that_cannot_be_is_refused(tester: Tester, body: Json, at_fault: str, said: str) -> None:
    refusal = tester.ask("PUT", f"{WORLD}/clock", json=body, expect=422)
    assert (list(parameters(refusal)), sentence(refusal)) == ([at_fault], said)
    assert tester.ask("GET", f"{WORLD}/clock")["mode"] == "real"


def test_a_mode_is_required(tester: Tester) -> None:
    assert parameters(tester.ask("PUT", f"{WORLD}/clock", json={}, expect=400)) == {"mode": "bad_request"}


def test_a_clock_set_backwards_names_the_field_that_was_sent(tester: Tester) -> None:
    body = {"mode": "frozen", "at": "2026-11-23T11:59:59Z"}
    refusal = tester.ask("PUT", f"{WORLD}/clock", json=body, expect=422)
    assert sentence(refusal) == f"A clock only goes forwards: it shows {NOON}. Only a reset sets it back."
    assert list(parameters(refusal)) == ["at"]


@pytest.mark.parametrize("mode", ["real", "shifted"])
def test_a_clock_does_not_go_back_to_the_real_time(tester: Tester, mode: str) -> None:
    freezes(tester, by="1d")
    body = {"mode": mode} | ({"by": "0s"} if mode == "shifted" else {})
    assert "only goes forwards" in sentence(tester.ask("PUT", f"{WORLD}/clock", json=body, expect=422))
    assert tester.ask("GET", f"{WORLD}/clock")["mode"] == "frozen"


def test_advancing_answers_with_what_was_fired_in_order(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    payment = taken(merchant, tester, "approve_slowly")
    answer = advances(tester, by="2s")
    assert [(each["due"], each["kind"], each["subject"]) for each in answer["fired"]] == [
        ("2026-11-23T12:00:01.000000Z", "scenario_step", payment["id"]),
        ("2026-11-23T12:00:02.000000Z", "scenario_step", payment["id"]),
    ]
    assert [event["data"]["to"] for each in answer["fired"] for event in each["events"]] == ["initiated", "pending"]
    assert answer["clock"]["next_timer"]["due"] == "2026-11-23T12:00:07.000000Z"
    assert merchant.reads_payment(payment["id"])["state"] == "pending"
    answer = advances(tester, to="2026-11-23T12:00:07Z")
    assert (answer["clock"]["now"], answer["clock"]["next_timer"]) == ("2026-11-23T12:00:07.000000Z", None)
    assert merchant.reads_payment(payment["id"])["sent_at"] == "2026-11-23 12:00:07 UTC"


@pytest.mark.parametrize(
    ("body", "at_fault"),
    [
        ({}, "by"),
        ({"by": "1d", "to": "2027-01-01T00:00:00Z"}, "by"),
        *[({"by": text}, "by") for text in ("", "1", "1w", "-1d", "1 d", "d", "1d2", "1e3s", "x" * 300)],
        ({"by": 5}, "by"),
        ({"by": None}, "by"),
        ({"to": "2026-11-23T11:00:00Z"}, "to"),
        ({"to": "9999-01-01T00:00:01Z"}, "to"),
        ({"to": "tomorrow"}, "to"),
        ({"by": "8000y"}, "by"),
        ({"days": 21}, "days"),
    ],
)
def test_a_bad_advance_is_refused_and_nothing_moves(tester: Tester, body: Json, at_fault: str) -> None:
    refusal = advances(tester, expect=422, **body)
    assert list(parameters(refusal)) == [at_fault]
    assert tester.ask("GET", f"{WORLD}/clock")["now"] == NOON


def test_a_token_is_no_news_for_whoever_reads_clocks_and_logs(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    grant = {"grant_type": "client_credentials", "scope": "simulator"}
    token = merchant.ask("POST", "/oauth/token", data=grant)["access_token"]
    merchant.ask("GET", "/v2/providers", headers={"Authorization": f"Bearer {token}"})
    shown = tester.call("GET", f"{WORLD}/clock").text
    shown += tester.call("GET", f"{WORLD}/wait", query_string={"kind": "refund", "timeout": "0"}).text
    shown += tester.call("POST", f"{WORLD}/clock/advance", json={"by": "3h"}).text
    shown += tester.call("GET", f"{WORLD}/events").text
    assert "token_expiry" in shown
    assert token not in shown


# Scenarios


def test_the_scenarios_are_listed_with_what_they_do(tester: Tester) -> None:
    answer = tester.ask("GET", "/__admin/scenarios")
    assert [each["name"] for each in answer["scenarios"]] == SCENARIOS
    [late] = [each for each in answer["scenarios"] if each["name"] == "late_success"]
    assert late["in_words"] == "fail (UNKNOWN), then 10 s later settle"
    assert late["steps"] == [
        {"after": 0.0, "action": "fail", "reason": "UNKNOWN", "force": False},
        {"after": 10.0, "action": "settle", "reason": None, "force": True},
    ]
    assert all(each["description"] and each["in_words"] for each in answer["scenarios"])
    assert [each["returns"] for each in answer["scenarios"]][-2:] == ["twice", "never"]
    assert len(answer["magic_accounts"]) == 7 + 14
    assert answer["magic_accounts"][0] == {
        "sort_code": "111114",
        "account_number": "991111",
        "scenario": "reject",
        "recurring_only": False,
    }


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_payment_is_created_with_its_scenario(merchant: MerchantCaller, tester: Tester, name: str) -> None:
    freezes(tester)
    payment = taken(merchant, tester, name)
    [started] = events(tester, subject=payment["id"], kind="scenario.started")
    assert started["data"] == {"scenario": name, "door": "header"}


def test_an_unknown_scenario_in_the_header_is_refused_with_those_there_are(
    merchant: MerchantCaller, tester: Tester
) -> None:
    for name in ("nothing", "", "Approve"):
        refusal = merchant.ask(
            "POST",
            "/v2/payment_sessions",
            json={
                "reference": "Illuminate",
                "line_items": [{"name": "Candles", "amount": 400, "currency": "GBP", "quantity": 1}],
                "payee": {"account_number": "12345678", "sort_code": "010203"},
            },
            headers={"Simulator-Scenario": name},
            expect=422,
        )
        assert parameters(refusal) == {"Simulator-Scenario": "invalid_request"}
        assert sentence(refusal) == f"There is no scenario {name!r}; there are: {', '.join(SCENARIOS)}."
    assert merchant.ask("GET", "/v2/payment_sessions") == []
    assert events(tester, kind="payment_session") == []


def refused_scenario(answer: Json) -> None:
    assert parameters(answer) == {"scenario": "invalid_request"}
    assert sentence(answer).endswith(f"there are: {', '.join(SCENARIOS)}.")


def test_an_unknown_scenario_is_refused_at_every_other_door(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    here = f"{PAYMENTS}/{payment['id']}"
    body = {"scenario": "nothing"}
    refused_scenario(tester.ask("PUT", f"{here}/scenario", json=body, expect=422))
    refused_scenario(tester.ask("POST", f"{here}/pay", json=body, expect=422))
    refused_scenario(tester.ask("PUT", WORLD, json=body, expect=422))
    assert merchant.reads_payment(payment["id"]) == payment


def test_the_tester_chooses_what_the_bank_will_play(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    here = f"{PAYMENTS}/{payment['id']}"
    answer = tester.ask("PUT", f"{here}/scenario", json={"scenario": "reject"})
    assert answer["payment_session"] == payment
    assert tester.pays(payment)["state"] == "failed"
    tester.ask("PUT", f"{PAYMENTS}/{NOBODY}/scenario", json={"scenario": "reject"}, expect=404)
    assert parameters(tester.ask("PUT", f"{here}/scenario", json={}, expect=400)) == {"scenario": "bad_request"}


def test_the_log_says_which_door_won(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    tester.ask("PUT", WORLD, json={"scenario": "bank_error"})
    magic = {"name": "Jane", "account_identifier": "111114050511", "identifier_type": "BSBAccountNumber"}
    won = []
    for header, button, chosen, account in (
        ("reject", "expire", "stuck_pending", magic),
        ("reject", "expire", "stuck_pending", None),
        (None, "expire", "stuck_pending", None),
        (None, None, "stuck_pending", None),
        (None, None, None, None),
    ):
        payment = requested(merchant, header) if header else merchant.requests_payment()
        here = f"{PAYMENTS}/{payment['id']}"
        if chosen:
            tester.ask("PUT", f"{here}/scenario", json={"scenario": chosen})
        tester.ask("POST", f"{here}/pay", json={"scenario": button, "account": account})
        [started] = events(tester, subject=payment["id"], kind="scenario.started")
        won.append((started["data"]["scenario"], started["data"]["door"]))
    assert won == [
        ("magic 050511", "magic_account"),
        ("reject", "header"),
        ("expire", "button"),
        ("stuck_pending", "tester"),
        ("bank_error", "merchant"),
    ]


def test_a_uk_magic_account_decides_too(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    account = {"name": "Jane", "sort_code": "111114", "account_number": "00000006"}
    answer = tester.ask("POST", f"{PAYMENTS}/{payment['id']}/pay", json={"account": account})
    assert answer["payment_session"]["state"] == "failed"
    assert events(tester, subject=payment["id"])[-1]["data"]["reason"] == "AM04"


def test_manual_progression_takes_a_step_at_a_time(merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("PUT", WORLD, json={"progression": "manual"})
    payment = taken(merchant, tester, "approve_slowly")
    seen = []
    for _ in range(3):
        answer = tester.ask("POST", f"{PAYMENTS}/{payment['id']}/next")
        seen.append((answer["payment_session"]["state"], answer["playing"]))
    assert seen == [("initiated", "approve_slowly"), ("pending", "approve_slowly"), ("sent", None)]
    refusal = tester.ask("POST", f"{PAYMENTS}/{payment['id']}/next", expect=409)
    assert "No scenario is being played" in sentence(refusal)
    tester.ask("POST", f"{PAYMENTS}/{NOBODY}/next", expect=404)


# Force


def test_an_illegal_action_is_a_conflict_unless_it_is_forced(merchant: MerchantCaller, tester: Tester) -> None:
    payment = taken(merchant, tester, "approve")
    refusal = tester.acts(payment["id"], "fail", expect=409)
    assert refusal["errors"][0]["source"] == {"state": "sent", "actions": []}
    assert tester.acts(payment["id"], "fail", force=True)["payment_session"]["state"] == "failed"
    forced = events(tester, subject=payment["id"])[-1]
    assert (forced["data"]["forced"], forced["data"]["by"]) == (True, "tester")
    where = f"{PAYMENTS}/{payment['id']}/actions/settle"
    assert tester.ask("POST", where, query_string={"force": "true"})["payment_session"]["state"] == "sent"
    tester.ask("POST", where, query_string={"force": "false"}, expect=409)
    tester.ask("POST", where, json={"force": "yes"}, expect=422)


def test_a_payout_is_not_forced_back_when_its_money_was_refunded_since(
    merchant: MerchantCaller, tester: Tester
) -> None:
    payment = taken(merchant, tester, "approve")
    first = merchant.refunds(payment, pence=300, payee=JANE)
    payout = first["refund_payment_session_id"]
    tester.acts(payout, "expire")
    merchant.refunds(payment, pence=400)
    refusal = tester.acts(payout, "settle", force=True, expect=422)
    assert parameters(refusal) == {"amount": "invalid_amount"}
    assert merchant.reads_refund(first)["state"] == "failed"


# Events and stories


def test_a_call_is_in_the_log_with_what_it_caused(merchant: MerchantCaller, tester: Tester) -> None:
    response = merchant.call(
        "POST",
        "/v2/payment_sessions?x=1",
        json={
            "reference": "Illuminate",
            "line_items": [{"name": "Candles", "amount": 400, "currency": "GBP", "quantity": 1}],
            "payee": {"account_number": "12345678", "sort_code": "010203"},
        },
    )
    call, created = events(tester)
    assert (call["number"], call["kind"], call["subject"], call["because"]) == (
        1,
        "request",
        response.json["id"],
        None,
    )
    data = call["data"]
    assert (data["method"], data["path"], data["query"], data["status"]) == ("POST", "/v2/payment_sessions", "x=1", 201)
    assert data["request_id"] == response.headers["X-Request-Id"]
    assert '"reference": "Illuminate"' in data["request"]
    assert data["answer"] == response.text
    assert 0 <= data["ms"] < 10_000
    assert (created["kind"], created["because"]) == ("payment_session.created", 1)


def test_a_refused_call_is_in_the_log_and_changed_nothing(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.requests_payment(pence=-1, expect=422)
    merchant.reads_payment(NOBODY, expect=404)
    first, second = events(tester)
    assert (first["data"]["status"], second["data"]["status"], second["subject"]) == (422, 404, NOBODY)
    assert "invalid_amount" in first["data"]["answer"]


def test_whose_credentials_name_nobody_is_in_no_log(client: FlaskClient, tester: Tester) -> None:
    MerchantCaller(client, "pk_nobody", "wrong").requests_payment(expect=401)
    assert events(tester) == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"kind": "payment_session"}, [2, 4, 6]),
        ({"kind": "payment_session.created"}, [2, 4]),
        ({"after": "3"}, [4, 5, 6, 7]),
        ({"after": "3", "limit": "2"}, [4, 5]),
        ({"limit": "999999999"}, [1, 2, 3, 4, 5, 6, 7]),
        ({"after": "999999999999999999"}, []),
        ({"subject": NOBODY}, []),
        ({"kind": "payment_session.created", "after": "2", "limit": "1"}, [4]),
    ],
)
def test_events_are_queried(merchant: MerchantCaller, tester: Tester, query: Json, numbers: list[int]) -> None:
    first = merchant.requests_payment()
    merchant.requests_payment()
    tester.acts(first["id"], "expire")
    tester.ask("PUT", WORLD, json={"name": "Ada"})
    assert [event["number"] for event in events(tester, **query)] == numbers


def test_the_events_of_one_subject(merchant: MerchantCaller, tester: Tester) -> None:
    first, second = merchant.requests_payment(), merchant.requests_payment()
    assert {event["subject"] for event in events(tester, subject=second["id"])} == {second["id"]}
    assert [event["kind"] for event in events(tester, subject=first["id"])] == ["request", "payment_session.created"]


@pytest.mark.parametrize("path", ["events", "requests", "requests/unmatched", "wait"])
@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ({"after": "x"}, "after"),
        ({"after": "-1"}, "after"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1.5"}, "limit"),
        ({"kind": ""}, "kind"),
        ({"since": "yesterday"}, "since"),
    ],
)
def test_a_bad_query_is_refused(tester: Tester, path: str, query: Json, at_fault: str) -> None:
    refusal = tester.ask("GET", f"{WORLD}/{path}", query_string=query, expect=422)
    assert list(parameters(refusal)) == [at_fault]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PUT", ""),
        ("POST", "/reset"),
        ("GET", "/clock"),
        ("PUT", "/clock"),
        ("POST", "/clock/advance"),
        ("GET", "/events"),
        ("GET", "/requests"),
        ("GET", "/requests/unmatched"),
        ("GET", "/wait"),
    ],
)
@pytest.mark.parametrize("key", ["nobody", "pk_live_shop", "pk_test_a.b"])
def test_an_unknown_merchant_is_not_found(tester: Tester, method: str, path: str, key: str) -> None:
    body = {"/clock": {"mode": "frozen"}, "/clock/advance": {"by": "1s"}, "": {}}.get(path)
    options = {"json": body} if method != "GET" and body is not None else {}
    refusal = tester.ask(method, f"/__admin/merchants/{key}{path}", expect=404, **options)
    assert refusal["errors"][0]["code"] == "not_found"
    assert key not in tester.ask("GET", "/__admin/merchants")["merchants"]


def test_a_merchant_is_made_on_its_first_use_by_the_tester(tester: Tester) -> None:
    assert tester.ask("GET", "/__admin/merchants")["merchants"] == [KEY]
    assert tester.ask("GET", "/__admin/merchants/pk_test_new/events") == {"events": []}
    assert tester.ask("GET", "/__admin/merchants")["merchants"] == [KEY, "pk_test_new"]


def test_the_timeline_tells_the_whole_story(merchant: MerchantCaller, tester: Tester) -> None:
    payment = taken(merchant, tester, "approve")
    refund = merchant.refunds(payment, payee=JANE)
    tester.pays({"id": refund["refund_payment_session_id"]})
    story = tester.ask("GET", f"{PAYMENTS}/{payment['id']}/timeline")["events"]
    by_number = {event["number"]: event for event in story}
    assert list(by_number) == sorted(by_number)
    assert {event["subject"] for event in story} == {
        payment["id"],
        refund_id(refund),
        refund["refund_payment_session_id"],
    }
    assert all(event["because"] in by_number for event in story if event["because"] is not None)
    assert [by_number[story[-1]["because"]]["data"]["to"], story[-1]["data"]["to"]] == ["sent", "sent"]
    for verb in ("timeline", "explain", "wait"):
        tester.ask("GET", f"{PAYMENTS}/{NOBODY}/{verb}", expect=404)


def test_a_payment_is_explained(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    payment = taken(merchant, tester, "bank_timeout")
    told = tester.ask("GET", f"{PAYMENTS}/{payment['id']}/explain")
    assert told["state"] == "awaiting_payment_consent"
    assert told["history"][0] == f"{NOON} The merchant created it."
    assert "the bank plays bank_timeout, chosen by the header." in told["history"][-1]
    [pending] = told["pending"]
    assert pending.startswith("The next step, fail, is due at 2026-11-23T12:00:30.000000Z, but the clock stands still")
    assert [timer["due"] for timer in told["due"]] == ["2026-11-23T12:00:30.000000Z"]
    assert "settle" in told["actions"]


# Calls


def test_calls_are_found_by_path_method_and_status(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    merchant.requests_payment(pence=0, expect=422)
    merchant.reads_payment(payment["id"])
    merchant.reads_payment(NOBODY, expect=404)
    everything = [call["data"]["status"] for call in calls(tester)]
    assert everything == [201, 422, 200, 404]
    for query, statuses in (
        ({"path": "/v2/payment_sessions"}, [201, 422]),
        ({"path": "/v2/payment_sessions/*"}, [200, 404]),
        ({"path": "/v2/payment_sessions*"}, [201, 422, 200, 404]),
        ({"path": f"/v2/payment_sessions/{NOBODY}"}, [404]),
        ({"path": "/v2"}, []),
        ({"method": "post"}, [201, 422]),
        ({"status": "4xx"}, [422, 404]),
        ({"status": "404"}, [404]),
        ({"status": "5xx"}, []),
        ({"status": "4xx", "method": "GET"}, [404]),
        ({"subject": payment["id"]}, [201, 200]),
        ({"limit": "2"}, [201, 422]),
    ):
        assert [call["data"]["status"] for call in calls(tester, **query)] == statuses, query
    for status in ("4", "600", "40x", "x"):
        tester.ask("GET", f"{WORLD}/requests", query_string={"status": status}, expect=422)


def test_a_limit_counts_the_calls_that_were_asked_for(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    for _ in range(2):
        merchant.reads_payment(payment["id"])
        merchant.reads_payment(NOBODY, expect=404)
    assert [call["data"]["status"] for call in calls(tester, status="4xx", limit="1")] == [404]
    assert len(calls(tester, path="/v2/payment_sessions/*", limit="3")) == 3
    merchant.call("GET", "/v2/payments")
    assert len(calls(tester, "/unmatched", limit="1")) == 1


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/v2/payment_session", "/v2/payment_sessions"),
        ("/v2/refund", "/v2/refunds"),
        ("/v2/bank-accounts", "/v2/bank_accounts"),
        ("/v2/provider", "/v2/providers"),
    ],
)
def test_a_call_to_nowhere_is_listed_with_the_nearest_path(
    merchant: MerchantCaller, tester: Tester, path: str, nearest: str
) -> None:
    merchant.requests_payment()
    merchant.call("POST", path, json={"a": 1})
    [call] = calls(tester, "/unmatched")
    assert (call["data"]["path"], call["data"]["nearest"], call["data"]["status"]) == (path, nearest, 404)
    assert calls(tester)[-1] == call


def test_what_exists_is_not_listed_as_unmatched(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.reads_payment(NOBODY, expect=404)
    merchant.ask("DELETE", "/v2/refunds", expect=405)
    assert calls(tester, "/unmatched") == []
    assert calls(tester, path="/v2/refunds")[0]["data"]["status"] == 405


# Secrets


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"client_secret": "hunter2"}', "application/json"),
        ('{"client_secret" : "hunter2", "reference": "seen"}', "application/json"),
        (r'{"client_secret": "say \"hunter2\""}', "application/json"),
        ('{"access_token":"hunter2"}', "application/json"),
        ('{"deep": {"signature_key": "hunter2"}}', "application/json"),
        ('{"clientSecret": "hunter2"}', "application/json"),
        ('{"padding": "' + "x" * 4050 + '", "client_secret": "' + "hunter2" * 9 + '"}', "application/json"),
        ("grant_type=client_credentials&client_id=a&client_secret=hunter2", "application/x-www-form-urlencoded"),
        ("client_id=a&client%5Fsecre%74=hunter2", "application/x-www-form-urlencoded"),
    ],
    ids=["plain", "spaced", "escaped", "token", "deep", "camel case", "across the cut", "form", "encoded"],
)
@pytest.mark.parametrize("path", ["/v2/payment_sessions", "/v2/oauth/token"])
def test_secrets_in_bodies_do_not_get_into_the_log(
    merchant: MerchantCaller, tester: Tester, body: str, kind: str, path: str
) -> None:
    merchant.call("POST", path, data=body, content_type=kind)
    [call] = calls(tester)
    assert call["data"]["request"]
    assert "hunter2" not in tester.call("GET", f"{WORLD}/requests").text


def test_secrets_in_queries_and_headers_do_not_get_into_the_log(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.call(
        "POST", "/v2/oauth/token?client_id=a&client_secret=hunter2&acc%65ss%5Ftoken=hunter2&api%5Fkey=hunter2"
    )
    [call] = calls(tester)
    assert "client_id=a" in call["data"]["query"]
    log = tester.call("GET", f"{WORLD}/requests").text
    assert "hunter2" not in log
    assert basic(KEY, "sk_test_simulator").split()[1] not in log


def test_long_bodies_are_cut_in_the_log(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.call("POST", "/v2/payment_sessions", data="é" * 100_000, content_type="application/json")
    [call] = calls(tester)
    assert len(call["data"]["request"]) < 5000
    assert call["data"]["request"].endswith("…")


@pytest.mark.parametrize("beginning", ['{"', '{"a": "', "a&", '{"secret": "'])
def test_the_search_for_secrets_takes_no_time(merchant: MerchantCaller, tester: Tester, beginning: str) -> None:
    begun = perf_counter()
    merchant.call("POST", "/v2/refunds", data=beginning + "secret" * 20_000, content_type="application/json")
    assert perf_counter() - begun < 10  # one that went wrong would take hours
    [call] = calls(tester)
    assert len(call["data"]["request"]) < 5000


def test_a_seed_is_as_secret_in_the_log_as_in_the_settings(tester: Tester) -> None:
    answer = tester.call("PUT", WORLD, json={"seed": "hunter2"})
    assert answer.status_code == 200
    assert "hunter2" not in answer.text + tester.call("GET", f"{WORLD}/events").text


# Waiting


def test_a_wait_answers_with_what_was_waited_for(merchant: MerchantCaller, tester: Tester) -> None:
    payment = taken(merchant, tester, "approve")
    found = tester.ask("GET", f"{PAYMENTS}/{payment['id']}/wait", query_string={"until": "sent"})
    assert found == tester.ask("GET", f"{PAYMENTS}/{payment['id']}")
    refund = merchant.refunds(payment, payee=JANE)
    tester.pays({"id": refund["refund_payment_session_id"]})
    where = f"/__admin/refunds/{refund_id(refund)}"
    assert tester.ask("GET", f"{where}/wait") == tester.ask("GET", where)


def test_a_time_out_tells_why_and_what_is_due(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    payment = taken(merchant, tester, "bank_timeout")
    where = f"{PAYMENTS}/{payment['id']}/wait"
    refusal = tester.ask("GET", where, query_string={"until": "sent", "timeout": "0"}, expect=408)
    [error] = refusal["errors"]
    assert error["code"] == "timeout"
    assert error["title"].startswith("The payment session is awaiting_payment_consent, not sent, after 0.0 s. The next")
    assert len(error["source"]["because"]) == 1
    assert [timer["due"] for timer in error["source"]["due"]] == ["2026-11-23T12:00:30.000000Z"]
    assert error["source"]["happened"] == []


def test_an_event_is_waited_for(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.requests_payment()
    query = {"kind": "payment_session.created", "after": "0", "timeout": "0"}
    found = tester.ask("GET", f"{WORLD}/wait", query_string=query)["event"]
    assert found["number"] == 2
    refusal = tester.ask("GET", f"{WORLD}/wait", query_string={**query, "after": "2"}, expect=408)
    assert "Nothing has happened of kind" in sentence(refusal)
    del query["after"]
    tester.ask("GET", f"{WORLD}/wait", query_string=query, expect=408)


@pytest.mark.parametrize(
    ("query", "at_fault"),
    [
        ({"until": "paid"}, "until"),
        ({"until": ""}, "until"),
        ({"timeout": "-1"}, "timeout"),
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": "99999"}, "timeout"),
        ({"for": "sent"}, "for"),
    ],
)
def test_a_bad_wait_is_refused(merchant: MerchantCaller, tester: Tester, query: Json, at_fault: str) -> None:
    payment = taken(merchant, tester, "approve")
    refund = merchant.refunds(payment)
    for where in (f"{PAYMENTS}/{payment['id']}", f"/__admin/refunds/{refund_id(refund)}"):
        refusal = tester.ask("GET", f"{where}/wait", query_string=query, expect=422)
        assert list(parameters(refusal)) == [at_fault]


def test_a_wait_ends_with_the_change_or_the_reset(app: Flask, merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    soon, never = taken(merchant, tester, "pending_then_sent"), merchant.requests_payment()

    def wait(payment: Json) -> tuple[int, Json]:
        query = {"until": "sent", "timeout": "10"}
        answer = app.test_client().get(f"{PAYMENTS}/{payment['id']}/wait", query_string=query)
        return answer.status_code, answer.json

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.submit(wait, soon), threads.submit(wait, never)
        sleep(0.05)
        advances(tester, by="10s")
        status, answer = first.result(2)
        assert (status, answer["payment_session"]["state"]) == (200, "sent")
        assert not second.done()
        tester.ask("POST", f"{WORLD}/reset")
        status, answer = second.result(2)
        assert (status, sentence(answer)) == (409, f"The merchant {KEY} was reset while you waited for sent.")


# Settings

NO_ORIGINS = (
    "",
    "shop.example",
    "ftp://shop.example",
    "https://shop.example/",
    "https://a.b; sandbox",
    "https://*.a",
    "*",
)


def test_a_merchants_settings_are_shown_and_set(tester: Tester) -> None:
    before = tester.ask("GET", WORLD)
    assert before == {
        "key": KEY,
        "name": "Simulator",
        "email": "payments@merchant.example",
        "application_id": "simulator",
        "accept_any_payee": False,
        "scenario": "approve",
        "progression": "time",
        "session_expires_after": None,
        "redirect_parameters": "result",
        "return_behaviour": "normal",
        "frame_origin": None,
        "webhooks": [],
        "delivery": {
            "mode": "deliver",
            "order": "payment",
            "timeout": 10.0,
            "verify_tls": True,
            "signature_time": "auto",
            "type_keys": "both",
        },
    }
    settings = {"scenario": "reject", "progression": "manual", "session_expires_after": 900, "accept_any_payee": True}
    assert tester.ask("PUT", WORLD, json=settings) == {**before, **settings}
    returns = {
        "redirect_parameters": "status",
        "return_behaviour": "twice",
        "frame_origin": "https://shop.example:8443",
    }
    settings.update(returns)
    assert tester.ask("PUT", WORLD, json=returns) == {**before, **settings}
    assert tester.ask("PUT", WORLD, json={"frame_origin": None})["frame_origin"] is None
    settings["frame_origin"] = None
    assert tester.ask("PUT", WORLD, json={"name": "Ada"}) == {**before, **settings, "name": "Ada"}
    assert tester.ask("PUT", WORLD, json={"session_expires_after": None})["session_expires_after"] is None
    assert [event["data"]["by"] for event in events(tester, kind="merchant.changed")] == ["tester"] * 5
    tester.ask("POST", f"{WORLD}/reset")
    assert tester.ask("GET", WORLD) == before


@pytest.mark.parametrize(
    ("settings", "at_fault"),
    [
        ({"progression": "slow"}, "progression"),
        ({"session_expires_after": 0}, "session_expires_after"),
        ({"session_expires_after": 31_536_001}, "session_expires_after"),
        ({"session_expires_after": "900"}, "session_expires_after"),
        ({"accept_any_payee": "yes"}, "accept_any_payee"),
        ({"name": ""}, "name"),
        ({"secret": "x"}, "secret"),
        ({"key": "pk_test_x"}, "key"),
        ({"scenario": None}, "scenario"),
        ({"redirect_parameters": "v3"}, "redirect_parameters"),
        ({"return_behaviour": "thrice"}, "return_behaviour"),
        *(({"frame_origin": origin}, "frame_origin") for origin in NO_ORIGINS),
    ],
)
def test_bad_settings_are_refused_and_change_nothing(tester: Tester, settings: Json, at_fault: str) -> None:
    before = tester.ask("GET", WORLD)
    refusal = tester.ask("PUT", WORLD, json={"progression": "manual", **settings}, expect=422)
    assert list(parameters(refusal)) == [at_fault]
    assert tester.ask("GET", WORLD) == before
    assert events(tester) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", WORLD),
        ("PUT", f"{WORLD}/clock"),
        ("POST", f"{WORLD}/clock/advance"),
        ("PUT", f"{PAYMENTS}/{NOBODY}/scenario"),
        ("POST", f"{PAYMENTS}/{NOBODY}/pay"),
        ("POST", f"{PAYMENTS}/{NOBODY}/actions/settle"),
    ],
)
def test_an_unknown_field_is_a_slip_of_the_pen(tester: Tester, method: str, path: str) -> None:
    needed = {f"{WORLD}/clock": {"mode": "frozen"}, f"{PAYMENTS}/{NOBODY}/scenario": {"scenario": "approve"}}
    refusal = tester.ask(method, path, json={**needed.get(path, {}), "scenarioo": "x"}, expect=422)
    assert (list(parameters(refusal)), sentence(refusal)) == (["scenarioo"], "There is no such field.")


def test_a_session_expires_on_the_merchants_clock(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    tester.ask("PUT", WORLD, json={"session_expires_after": 900})
    payment = merchant.requests_payment()
    [fired] = advances(tester, by="15m")["fired"]
    assert (fired["kind"], fired["events"][0]["data"]["reason"]) == ("session_expiry", "PAYMENT_EXPIRED")
    assert merchant.reads_payment(payment["id"])["state"] == "failed"


# Resets


def test_a_reset_of_all_tells_what_was_thrown_away_of_each(
    merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester
) -> None:
    taken(merchant, tester, "bank_timeout")
    other_merchant.requests_payment(payee={"account_number": "12345678", "sort_code": "010203"})
    answer = tester.ask("POST", "/__admin/reset")
    discarded = {each["merchant"]: each["discarded"] for each in answer["merchants"]}
    assert list(discarded) == [KEY, "pk_test_other"]
    assert (discarded[KEY]["payment_sessions"], discarded[KEY]["timers"]) == (1, 1)
    assert (discarded["pk_test_other"]["payment_sessions"], discarded["pk_test_other"]["timers"]) == (1, 0)
    assert merchant.ask("GET", "/v2/payment_sessions") == other_merchant.ask("GET", "/v2/payment_sessions") == []


# A change of pace


def test_an_expiry_that_comes_too_late_does_not_come_again(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    tester.ask("PUT", WORLD, json={"progression": "manual", "session_expires_after": 1})
    taken(merchant, tester, "approve")
    fired = advances(tester, by="365d")["fired"]
    assert [each["kind"] for each in fired] == ["session_expiry"]


def test_a_payer_who_turns_away_at_the_bank_may_still_be_too_late(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    tester.ask("PUT", WORLD, json={"progression": "manual", "session_expires_after": 60})
    payment = taken(merchant, tester, "user_cancels")
    assert advances(tester, by="61s")["fired"][0]["kind"] == "session_expiry"
    tester.ask("POST", f"{PAYMENTS}/{payment['id']}/next")
    assert merchant.reads_payment(payment["id"])["state"] == "awaiting_payment_consent"
    advances(tester, by="61s")
    assert merchant.reads_payment(payment["id"])["state"] == "failed"


@pytest.mark.parametrize(("pace", "state"), [("time", "awaiting_payment_consent"), ("immediate", "sent")])
def test_what_is_being_played_goes_on_at_the_new_pace(
    merchant: MerchantCaller, tester: Tester, pace: str, state: str
) -> None:
    freezes(tester)
    tester.ask("PUT", WORLD, json={"progression": "manual"})
    payment = taken(merchant, tester, "approve_slowly")
    assert advances(tester, by="1h")["fired"] == []
    tester.ask("PUT", WORLD, json={"progression": pace})
    assert merchant.reads_payment(payment["id"])["state"] == state
    advances(tester, by="7s")
    assert merchant.reads_payment(payment["id"])["state"] == "sent"


def test_what_is_being_played_waits_when_the_pace_becomes_manual(merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    payment = taken(merchant, tester, "approve_slowly")
    tester.ask("PUT", WORLD, json={"progression": "manual"})
    assert advances(tester, by="1h")["fired"] == []
    tester.ask("POST", f"{PAYMENTS}/{payment['id']}/next")
    assert merchant.reads_payment(payment["id"])["state"] == "initiated"


def test_what_nobody_knows_is_refused_in_queries_of_the_log(tester: Tester) -> None:
    for where in ("requests?kind=nonsense", "wait?limit=2&timeout=0"):
        tester.ask("GET", f"{WORLD}/{where}", expect=422)
    tester.ask("POST", f"{PAYMENTS}/{NOBODY}/actions/settle?force=maybe", expect=422)


def test_a_state_that_comes_and_goes_at_once_was_there(app: Flask, merchant: MerchantCaller, tester: Tester) -> None:
    freezes(tester)
    payment = taken(merchant, tester, "approve_slowly")

    def wait() -> int:
        query = {"until": "initiated", "timeout": "5"}
        return app.test_client().get(f"{PAYMENTS}/{payment['id']}/wait", query_string=query).status_code

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(wait)
        sleep(0.05)
        advances(tester, by="2s")
        assert waiting.result(2) == 200
    assert merchant.reads_payment(payment["id"])["state"] == "pending"


def test_a_call_to_a_wrong_place_altogether_is_in_the_journal(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.ask("GET", "/v1/payment_sessions", expect=404)
    [call] = calls(tester, "/unmatched")
    assert (call["data"]["path"], call["data"]["nearest"]) == ("/v1/payment_sessions", "/v2/payment_sessions")
