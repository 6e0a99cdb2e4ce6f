"""The tester's API: make anything happen that may happen, and be told what may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.actors import parameters, refund_id

if TYPE_CHECKING:
    from tests.actors import Json, ManualClock, MerchantCaller, Tester

NOBODY = "00000000-0000-4000-8000-000000000000"
PAYMENTS, REFUNDS = "/__admin/payment_sessions", "/__admin/refunds"
OFFLINE = "Mock Bank Offline"
JANE = {"account_number": "87654321", "name": "Jane Doe", "sort_code": "040506"}
BANK_IDS = "6b1f5d0a-52a5-4b0e-9d2e-0c1f6f0f6a0"

PATHS = {
    "awaiting_provider": "",
    "awaiting_payment_consent": "choose_provider",
    "initiated": "choose_provider initiate",
    "pending": "choose_provider initiate accept",
    "sent": "choose_provider initiate accept settle",
    "failed": "choose_provider reject",
}
LEGAL = {
    "awaiting_provider": ["choose_provider", "expire"],
    "awaiting_payment_consent": ["choose_provider", "initiate", "accept", "settle", "reject", "fail", "expire"],
    "initiated": ["accept", "settle", "fail"],
    "pending": ["settle", "fail"],
    "sent": [],
    "failed": [],
}
ACTIONS = LEGAL["awaiting_payment_consent"]


def payment_in(merchant: MerchantCaller, tester: Tester, state: str) -> Json:
    """A payment that has come to `state`."""
    payment = merchant.requests_payment()
    for action in PATHS[state].split():
        tester.acts(payment["id"], action)
    return merchant.reads_payment(payment["id"])


def assert_conflict(answer: Json, state: str, actions: list[str]) -> None:
    [error] = answer["errors"]
    assert error["code"] == "invalid_action"
    assert error["source"] == {"state": state, "actions": actions}
    assert f"in state {state} cannot" in error["title"]
    assert (", ".join(actions) if actions else "this state is final") in error["title"]


@pytest.fixture
def paid(merchant: MerchantCaller, tester: Tester) -> Json:
    return tester.pays(merchant.requests_payment(pence=400))


# Payments


@pytest.mark.parametrize("state", PATHS)
def test_a_payment_is_shown_with_its_legal_actions(merchant: MerchantCaller, tester: Tester, state: str) -> None:
    payment = payment_in(merchant, tester, state)
    assert payment["state"] == state
    assert tester.ask("GET", f"{PAYMENTS}/{payment['id']}") == {
        "payment_session": payment,
        "provider": "Mock Bank" if state != "awaiting_provider" else None,
        "refunds": [],
        "actions": LEGAL[state],
        "playing": None,
    }


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", PATHS)
def test_an_action_is_done_where_it_is_legal_and_is_a_conflict_elsewhere(
    merchant: MerchantCaller, tester: Tester, state: str, action: str
) -> None:
    payment = payment_in(merchant, tester, state)
    if action in LEGAL[state]:
        view = tester.acts(payment["id"], action)
        assert view == tester.ask("GET", f"{PAYMENTS}/{payment['id']}")
        assert view["payment_session"] == merchant.reads_payment(payment["id"])
    else:
        assert_conflict(tester.acts(payment["id"], action, expect=409), state, LEGAL[state])
        assert merchant.reads_payment(payment["id"]) == payment


def test_sending_sets_the_time_and_failing_does_not(
    merchant: MerchantCaller, tester: Tester, clock: ManualClock
) -> None:
    sent, failed = merchant.requests_payment(), merchant.requests_payment()
    for payment, last in ((sent, "settle"), (failed, "fail")):
        tester.acts(payment["id"], "choose_provider")
        assert tester.acts(payment["id"], "accept")["payment_session"]["sent_at"] is None
        clock.advance(minutes=1)
        tester.acts(payment["id"], last)
    assert merchant.reads_payment(sent["id"])["sent_at"] == "2026-11-23 12:01:00 UTC"
    assert merchant.reads_payment(failed["id"])["sent_at"] is None


def test_choosing_again_replaces_the_bank_and_keeps_the_end_to_end_id(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    first = tester.acts(payment["id"], "choose_provider", provider="Mock Bank")
    second = tester.acts(payment["id"], "choose_provider", provider="Mock Bank EU")
    assert (first["provider"], second["provider"]) == ("Mock Bank", "Mock Bank EU")
    assert first["payment_session"] == second["payment_session"]
    assert first["payment_session"]["end_to_end_id"] is not None


@pytest.mark.parametrize("verb", ["pay", "actions/choose_provider"])
@pytest.mark.parametrize(
    ("body", "provider"),
    [
        ({}, "Mock Bank"),
        ({"json": {}}, "Mock Bank"),
        ({"json": {"provider": "Mock Bank Direct"}}, "Mock Bank Direct"),
        ({"json": {"provider": "mock bank AU"}}, "Mock Bank AU"),
        ({"json": {"provider": f"{BANK_IDS}3"}}, "Mock Bank Business"),
        ({"json": {"provider": "Mock Bank EU"}}, "Mock Bank EU"),
        ({"data": b"", "content_type": "text/plain"}, "Mock Bank"),
    ],
)
def test_a_bank_is_named_by_name_or_id_or_is_mock_bank(
    merchant: MerchantCaller, tester: Tester, verb: str, body: Json, provider: str
) -> None:
    payment = merchant.requests_payment()
    view = tester.ask("POST", f"{PAYMENTS}/{payment['id']}/{verb}", **body)
    assert view["provider"] == provider
    assert view["payment_session"]["state"] == ("sent" if verb == "pay" else "awaiting_payment_consent")


@pytest.mark.parametrize("verb", ["pay", "actions/choose_provider"])
@pytest.mark.parametrize(
    ("provider", "sentence"),
    [
        ("Barclays", "There is no provider 'Barclays'; known are: Mock Bank, Mock Bank Direct,"),
        (NOBODY, "There is no provider"),
        (OFFLINE, "Mock Bank Offline is unavailable: It is down for maintenance; please choose another bank."),
        (f"{BANK_IDS}4", "Mock Bank Offline is unavailable"),
        ("", "Must have 1 to 256 characters."),
        (None, "Must not be null."),
        (7, "Must be a string."),
        (["Mock Bank"], "Must be a string."),
    ],
)
def test_an_unknown_or_unavailable_bank_is_refused(
    merchant: MerchantCaller, tester: Tester, verb: str, provider: Json, sentence: str
) -> None:
    payment = merchant.requests_payment()
    body = {"provider": provider}
    refusal = tester.ask("POST", f"{PAYMENTS}/{payment['id']}/{verb}", json=body, expect=422)
    assert parameters(refusal) == {"provider": "invalid_request"}
    assert refusal["errors"][0]["title"].startswith(sentence)
    assert merchant.reads_payment(payment["id"]) == payment


def test_paying_walks_the_rest_of_the_way(merchant: MerchantCaller, tester: Tester) -> None:
    payment = payment_in(merchant, tester, "awaiting_payment_consent")
    assert tester.pays(payment, "Mock Bank EU")["state"] == "sent"


@pytest.mark.parametrize("state", ["initiated", "pending", "sent", "failed"])
def test_paying_too_late_is_a_conflict(merchant: MerchantCaller, tester: Tester, state: str) -> None:
    payment = payment_in(merchant, tester, state)
    refusal = tester.ask("POST", f"{PAYMENTS}/{payment['id']}/pay", expect=409)
    assert_conflict(refusal, state, LEGAL[state])
    assert merchant.reads_payment(payment["id"]) == payment


def test_a_payer_at_the_bank_authorises(merchant: MerchantCaller, tester: Tester) -> None:
    payment = payment_in(merchant, tester, "awaiting_payment_consent")
    answer = tester.ask("POST", f"{PAYMENTS}/{payment['id']}/authorise")
    assert (answer["payment_session"]["state"], answer["provider"]) == ("sent", "Mock Bank")


def test_a_payer_at_the_bank_authorises_by_a_button_and_from_an_account(
    merchant: MerchantCaller, tester: Tester
) -> None:
    payment = merchant.requests_payment()
    here = f"{PAYMENTS}/{payment['id']}"
    tester.acts(payment["id"], "choose_provider", provider="Mock Bank Direct")
    body = {"scenario": "stuck_pending", "account": JANE}
    assert tester.ask("POST", f"{here}/authorise", json=body)["payment_session"]["state"] == "pending"
    assert merchant.ask("GET", f"/v2/payment_sessions/{payment['id']}/consumer_account") == JANE


def test_a_payer_at_the_bank_declines(merchant: MerchantCaller, tester: Tester) -> None:
    payment = payment_in(merchant, tester, "awaiting_payment_consent")
    assert tester.ask("POST", f"{PAYMENTS}/{payment['id']}/decline")["payment_session"]["state"] == "failed"


@pytest.mark.parametrize("verb", ["authorise", "decline"])
@pytest.mark.parametrize("state", ["awaiting_provider", "initiated", "pending", "sent", "failed"])
def test_nobody_decides_but_at_the_bank_and_once(
    merchant: MerchantCaller, tester: Tester, verb: str, state: str
) -> None:
    payment = payment_in(merchant, tester, state)
    assert_conflict(tester.ask("POST", f"{PAYMENTS}/{payment['id']}/{verb}", expect=409), state, LEGAL[state])
    assert merchant.reads_payment(payment["id"]) == payment


@pytest.mark.parametrize("action", ["explode", "CHOOSE_PROVIDER", "pay", "sent", "%00"])
def test_an_unknown_action_is_not_found_with_those_there_are(
    merchant: MerchantCaller, tester: Tester, action: str
) -> None:
    refusal = tester.acts(merchant.requests_payment()["id"], action, expect=404)
    assert refusal["errors"][0]["code"] == "not_found"
    assert refusal["errors"][0]["title"].endswith(f"There are: {', '.join(ACTIONS)}.")


@pytest.mark.parametrize("id_", [NOBODY, "x", "%00", "pk_test_simulator"])
def test_an_unknown_payment_is_not_found(merchant: MerchantCaller, tester: Tester, id_: str) -> None:
    merchant.requests_payment()
    tester.ask("GET", f"{PAYMENTS}/{id_}", expect=404)
    tester.ask("POST", f"{PAYMENTS}/{id_}/pay", expect=404)
    tester.acts(id_, "expire", expect=404)
    tester.acts(id_, "choose_provider", expect=404)


def test_a_refund_is_no_payment_and_a_payment_no_refund(merchant: MerchantCaller, tester: Tester, paid: Json) -> None:
    refund = merchant.refunds(paid)
    tester.ask("GET", f"{PAYMENTS}/{refund_id(refund)}", expect=404)
    tester.ask("GET", f"{REFUNDS}/{paid['id']}", expect=404)


def test_the_tester_reaches_every_merchant(
    merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester
) -> None:
    for each in (merchant, other_merchant):
        assert tester.pays(each.requests_payment())["state"] == "sent"


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 400), (b"\xff", 400), (b'{"provider":"a","provider":"b"}', 400)]
)
def test_a_bad_body_is_refused(merchant: MerchantCaller, tester: Tester, body: bytes, status: int) -> None:
    payment = merchant.requests_payment()
    headers = {"Content-Type": "application/json"}
    tester.ask("POST", f"{PAYMENTS}/{payment['id']}/pay", data=body, headers=headers, expect=status)
    tester.ask("POST", f"{PAYMENTS}/{payment['id']}/pay", data=b"provider=x", expect=415)
    assert merchant.reads_payment(payment["id"]) == payment


# Refunds


def test_a_refund_is_shown_with_its_id_and_its_legal_actions(
    merchant: MerchantCaller, tester: Tester, paid: Json
) -> None:
    refund = merchant.refunds(paid)
    view = tester.ask("GET", f"{REFUNDS}/{refund_id(refund)}")
    actions = ["provide_details", "mark_externally_processed"]
    assert view == {"id": refund_id(refund), "refund": refund, "actions": actions}
    assert tester.ask("GET", f"{PAYMENTS}/{paid['id']}")["refunds"] == [view]


def test_details_are_provided_in_the_body(merchant: MerchantCaller, tester: Tester, paid: Json) -> None:
    refund = merchant.refunds(paid)
    view = tester.provides_details(refund, **JANE)
    assert view["refund"] == merchant.reads_refund(refund)
    assert view["actions"] == ["mark_externally_processed"]
    assert merchant.reads_payment(view["refund"]["refund_payment_session_id"])["payee"] == JANE


@pytest.mark.parametrize("body", [{}, {"json": {}}, {"data": b""}], ids=["none", "empty object", "empty"])
def test_details_are_made_up_without_a_body(merchant: MerchantCaller, tester: Tester, paid: Json, body: Json) -> None:
    refund = merchant.refunds(paid)
    view = tester.ask("POST", f"{REFUNDS}/{refund_id(refund)}/actions/provide_details", **body)
    payee = merchant.reads_payment(view["refund"]["refund_payment_session_id"])["payee"]
    assert list(payee) == ["account_number", "name", "sort_code"]
    assert payee["name"]


@pytest.mark.parametrize(
    ("currency", "keys"),
    [
        ("EUR", ["account_identifier", "identifier_type", "name"]),
        ("AUD", ["account_identifier", "identifier_type", "name"]),
        ("USD", ["account_number", "name", "sort_code"]),
    ],
)
def test_details_made_up_fit_the_currency(
    merchant: MerchantCaller, tester: Tester, currency: str, keys: list[str]
) -> None:
    items = [{"name": "Candles", "amount": 1, "currency": currency, "quantity": 1}]
    refund = merchant.refunds(tester.pays(merchant.requests_payment(line_items=items)), pence=1)
    view = tester.ask("POST", f"{REFUNDS}/{refund_id(refund)}/actions/provide_details")
    assert list(merchant.reads_payment(view["refund"]["refund_payment_session_id"])["payee"]) == keys


@pytest.mark.parametrize(
    ("details", "broken"),
    [
        ({"name": "Jane"}, {"account_number": "bad_request", "sort_code": "bad_request"}),
        ({**JANE, "sort_code": "1"}, {"sort_code": "invalid_bank_account"}),
        ({**JANE, "name": ""}, {"name": "invalid_request"}),
    ],
)
def test_bad_details_are_refused(
    merchant: MerchantCaller, tester: Tester, paid: Json, details: Json, broken: dict[str, str]
) -> None:
    refund = merchant.refunds(paid)
    status = 400 if "bad_request" in broken.values() else 422
    assert parameters(tester.provides_details(refund, expect=status, **details)) == broken
    assert merchant.reads_refund(refund) == refund


def marked(tester: Tester, refund: Json, expect: int = 200) -> Json:
    return tester.ask("POST", f"{REFUNDS}/{refund_id(refund)}/actions/mark_externally_processed", expect=expect)


def test_a_refund_without_details_is_marked_externally_processed(
    merchant: MerchantCaller, tester: Tester, paid: Json
) -> None:
    refund = merchant.refunds(paid)
    view = marked(tester, refund)
    assert view["refund"] == {**refund, "state": "externally_processed"} == merchant.reads_refund(refund)
    assert view["actions"] == []


@pytest.mark.parametrize("ending", ["sent", "failed", "externally_processed"])
def test_a_refund_that_has_ended_stays_as_it_is(
    merchant: MerchantCaller, tester: Tester, paid: Json, ending: str
) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    session = {"id": refund["refund_payment_session_id"]}
    match ending:
        case "sent":
            tester.pays(session)
        case "failed":
            tester.acts(session["id"], "expire")
        case _:
            marked(tester, refund)
    assert tester.ask("GET", f"{REFUNDS}/{refund_id(refund)}")["actions"] == []
    before = merchant.reads_refund(refund), merchant.reads_payment(session["id"])
    assert before[0]["state"] == ending
    assert_conflict(marked(tester, refund, expect=409), ending, [])
    assert_conflict(tester.provides_details(refund, expect=409), ending, [])
    assert (merchant.reads_refund(refund), merchant.reads_payment(session["id"])) == before


@pytest.mark.parametrize("action", ["settle", "fail", "explode", "PROVIDE_DETAILS"])
def test_what_only_the_bank_does_to_a_refund_is_no_action(
    merchant: MerchantCaller, tester: Tester, paid: Json, action: str
) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    tester.ask("POST", f"{REFUNDS}/{refund_id(refund)}/actions/{action}", expect=404)
    assert merchant.reads_refund(refund) == refund


def test_an_unknown_refund_is_not_found(tester: Tester) -> None:
    tester.ask("GET", f"{REFUNDS}/{NOBODY}", expect=404)
    for action in ("provide_details", "mark_externally_processed"):
        tester.ask("POST", f"{REFUNDS}/{NOBODY}/actions/{action}", expect=404)


# Merchants


def test_a_reset_leaves_nothing_and_touches_nobody_else(
    merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester, paid: Json
) -> None:
    refund = merchant.refunds(paid, payee=JANE)
    theirs = other_merchant.requests_payment()
    answer = tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")
    assert answer["merchant"] == "pk_test_simulator"
    assert (answer["discarded"]["payment_sessions"], answer["discarded"]["refunds"]) == (2, 1)
    for path in ("/v2/payment_sessions", "/v2/refunds"):
        assert merchant.ask("GET", path) == []
    merchant.reads_payment(paid["id"], expect=404)
    tester.ask("GET", f"{PAYMENTS}/{paid['id']}", expect=404)
    tester.ask("GET", f"{REFUNDS}/{refund_id(refund)}", expect=404)
    assert other_merchant.ask("GET", "/v2/payment_sessions") == [theirs]
    merchant.requests_payment()


def test_a_reset_keeps_the_ids_of_the_linked_accounts(merchant: MerchantCaller, tester: Tester) -> None:
    before = merchant.ask("GET", "/v2/bank_accounts")
    tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")
    assert merchant.ask("GET", "/v2/bank_accounts") == before


def test_a_merchant_is_reset_before_its_first_use(tester: Tester, other_merchant: MerchantCaller) -> None:
    tester.ask("POST", f"/__admin/merchants/{other_merchant.key}/reset")
    other_merchant.requests_payment(payee={"account_number": "00000000", "sort_code": "000000"})


@pytest.mark.parametrize("key", ["nobody", "pk_live_shop", "pk_test_", "pk_test_a.b", "%00", "sk_test_simulator"])
def test_an_unknown_merchant_is_not_found(tester: Tester, key: str) -> None:
    refusal = tester.ask("POST", f"/__admin/merchants/{key}/reset", expect=404)
    assert refusal["errors"][0]["code"] == "not_found"


def test_a_tester_cancels_as_the_payer_would(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    path = f"/__admin/payment_sessions/{payment['id']}/cancel"
    assert tester.ask("POST", path)["payment_session"]["state"] == "awaiting_provider"
    tester.pays(payment)
    refusal = tester.ask("POST", path, expect=409)
    assert refusal["errors"][0]["title"] == "A payment session in state sent cannot be cancelled; this state is final."
    tester.ask("POST", "/__admin/payment_sessions/nothing/cancel", expect=404)
