"""Payment sessions over HTTP: create, read, list, delete (facts 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.actors import PUBLIC_URL, parameters, payment_request

if TYPE_CHECKING:
    from tests.actors import Json, ManualClock, MerchantCaller, Tester

PATH = "/v2/payment_sessions"
NOBODY = "00000000-0000-4000-8000-000000000000"
KEYS = [
    *("amount", "amount_formatted", "created_at", "currency", "email_receipt", "end_to_end_id", "error_url", "id"),
    *("line_items", "live", "payee", "payer", "reference", "refunds", "sent_at", "state", "success_url", "url"),
]
IBAN = {"account_identifier": "GB82WEST12345698765432", "identifier_type": "IBAN"}
BSB = {"account_identifier": "11111412345678", "identifier_type": "BSBAccountNumber"}


def creates_three(merchant: MerchantCaller, clock: ManualClock) -> list[Json]:
    """Three payment sessions, an hour apart, the newest first."""
    payments = []
    for pence in (1, 2, 3):
        payments.append(merchant.requests_payment(pence=pence))
        clock.advance(hours=1)
    return payments[::-1]


def ids(payments: list[Json]) -> list[str]:
    return [payment["id"] for payment in payments]


# Create


def test_a_new_payment_session_awaits_its_provider(merchant: MerchantCaller) -> None:
    payment = merchant.requests_payment(pence=400)
    assert list(payment) == KEYS
    known = {name: value for name, value in payment.items() if name not in {"id", "url"}}
    assert known == {
        "amount": 400,
        "amount_formatted": "£4.00",
        "created_at": "2026-11-23 12:00:00 UTC",
        "currency": "GBP",
        "email_receipt": False,
        "end_to_end_id": None,
        "error_url": None,
        "line_items": [{"amount": 400, "currency": "GBP", "description": None, "name": "Candles", "quantity": 1}],
        "live": False,
        "payee": {"account_number": "12345678", "name": "Gerald Wiley", "sort_code": "010203"},
        "payer": None,
        "reference": "Illuminate",
        "refunds": [],
        "sent_at": None,
        "state": "awaiting_provider",
        "success_url": None,
    }
    assert payment["url"] == f"{PUBLIC_URL}/checkout/{payment['id']}"


def test_the_amount_is_the_sum_of_units_times_quantities(merchant: MerchantCaller) -> None:
    items = [
        {"name": "Candles", "amount": 100, "currency": "GBP", "quantity": 4, "description": "Beeswax"},
        {"name": "Matches", "amount": 123_456, "currency": "GBP", "quantity": 3},
    ]
    payment = merchant.requests_payment(line_items=items)
    assert (payment["amount"], payment["amount_formatted"]) == (370_768, "£3,707.68")
    assert payment["line_items"] == [items[0], {**items[1], "description": None}]


def test_integral_floats_are_taken_as_integers(merchant: MerchantCaller) -> None:
    [item] = payment_request()["line_items"]
    payment = merchant.requests_payment(line_items=[{**item, "amount": 400.0, "quantity": 2.0}])
    assert repr((payment["amount"], payment["line_items"][0]["quantity"])) == "(800, 2)"


def test_urls_are_echoed_with_their_placeholder(merchant: MerchantCaller) -> None:
    urls = {"success_url": "http://example.com/?id=__PAYMENT_ID__", "error_url": "https://[::1]:8443/ä"}
    payment = merchant.requests_payment(**urls)
    assert {name: payment[name] for name in urls} == urls


def test_a_payer_is_echoed_whole(merchant: MerchantCaller) -> None:
    payer = {"name": "Jané Döe", "email": "jane@doe.com"}
    assert merchant.requests_payment(payer={**payer, "phone": "1"})["payer"] == payer


@pytest.mark.parametrize(("sent", "answered"), [(True, True), (False, False), (None, False)])
def test_email_receipt_is_always_a_boolean(merchant: MerchantCaller, *, sent: bool | None, answered: bool) -> None:
    assert merchant.requests_payment(email_receipt=sent)["email_receipt"] is answered


@pytest.mark.parametrize(
    "fields",
    [
        {"frequency": "daily"},
        {"frequency": "weekly", "number_of_payments": 12},
        {"frequency": "monthly"},
        {"number_of_payments": 3},
        {"rewards": []},
        {"rewards": [{"type": "avios"}]},
    ],
)
def test_what_only_some_send_is_echoed_to_them(merchant: MerchantCaller, fields: Json) -> None:
    payment = merchant.requests_payment(**fields)
    assert list(payment) == [*KEYS, *fields]
    assert {name: payment[name] for name in fields} == fields
    assert merchant.reads_payment(payment["id"]) == payment


def test_null_is_the_same_as_left_out(merchant: MerchantCaller) -> None:
    optional = ("payer", "success_url", "error_url", "email_receipt", "frequency", "number_of_payments", "rewards")
    assert list(merchant.requests_payment(**dict.fromkeys(optional))) == KEYS


def test_fields_that_nobody_knows_are_ignored(merchant: MerchantCaller) -> None:
    assert list(merchant.requests_payment(external_id="1", metadata={"a": [1]}, expires_at=7, ünknown="")) == KEYS


def test_what_the_server_owns_cannot_be_set(merchant: MerchantCaller) -> None:
    ours = {
        "amount": 1,
        "amount_formatted": "free",
        "created_at": "1999-01-01 00:00:00 UTC",
        "currency": "USD",
        "end_to_end_id": NOBODY,
        "id": NOBODY,
        "live": True,
        "refunds": [{}],
        "sent_at": "1999-01-01 00:00:00 UTC",
        "state": "sent",
        "url": "http://example.com",
    }
    payment = merchant.requests_payment(**ours)
    assert [name for name, value in ours.items() if payment[name] == value] == []


# The payee's forms (Q5)


def test_an_anonymous_payee_has_a_null_name(merchant: MerchantCaller) -> None:
    payee = {"account_number": "12345678", "sort_code": "010203"}
    assert merchant.requests_payment(payee=payee)["payee"] == {**payee, "name": None}


def test_a_uk_identifier_is_echoed_with_the_sort_code_and_account_number_in_it(merchant: MerchantCaller) -> None:
    payee = {"account_identifier": "01020312345678", "identifier_type": "SortCodeAccountNumber", "name": "Gerald"}
    filled = {**payee, "account_number": "12345678", "sort_code": "010203"}
    assert merchant.requests_payment(payee=payee)["payee"] == filled
    assert merchant.requests_payment(payee=filled)["payee"] == filled


@pytest.mark.parametrize("payee", [IBAN, BSB], ids=["IBAN", "BSB"])
def test_an_account_abroad_is_echoed(other_merchant: MerchantCaller, payee: Json) -> None:
    assert other_merchant.requests_payment(payee=payee)["payee"] == {**payee, "name": None}


@pytest.mark.parametrize(
    "payee", [IBAN, BSB, {"account_number": "12345679", "sort_code": "010203"}], ids=["IBAN", "BSB", "UK"]
)
def test_the_payee_must_be_one_of_the_linked_accounts(merchant: MerchantCaller, payee: Json) -> None:
    refusal = merchant.requests_payment(payee=payee, expect=422)
    assert parameters(refusal) == {"payee": "invalid_bank_account"}


def test_a_merchant_made_on_first_use_may_have_anybody_paid(other_merchant: MerchantCaller) -> None:
    payee = {"account_number": "00000000", "sort_code": "999999", "name": "Anybody"}
    assert other_merchant.requests_payment(payee=payee)["payee"] == payee


# Read


def test_a_payment_session_is_read_as_it_was_answered(merchant: MerchantCaller) -> None:
    payment = merchant.requests_payment(payer={"name": "Jane Doe", "email": "jane@doe.com"}, rewards=[])
    assert merchant.reads_payment(payment["id"]) == payment


def test_reading_changes_nothing(merchant: MerchantCaller, clock: ManualClock) -> None:
    payment = merchant.requests_payment()
    clock.advance(days=400)
    assert merchant.reads_payment(payment["id"]) == payment


def test_a_paid_session_tells_when(merchant: MerchantCaller, tester: Tester, clock: ManualClock) -> None:
    payment = merchant.requests_payment()
    clock.advance(minutes=1.5)
    paid = tester.pays(payment)
    assert merchant.reads_payment(payment["id"]) == paid
    changed = {name: paid[name] for name in KEYS if paid[name] != payment[name]}
    end_to_end_id = changed.pop("end_to_end_id")
    assert len(end_to_end_id) == 36
    assert changed == {"sent_at": "2026-11-23 12:01:30 UTC", "state": "sent"}


@pytest.mark.parametrize("id_", [NOBODY, "x", "x" * 3000, "%00", "%2F", "..%2f", "ü", "🕯", "'", "%F0%28"])
def test_an_unknown_payment_session_is_not_found(merchant: MerchantCaller, id_: str) -> None:
    for method in ("GET", "DELETE"):
        refusal = merchant.ask(method, f"{PATH}/{id_}", expect=404)
        assert refusal["errors"][0]["code"] == "not_found"


def test_a_trailing_slash_changes_nothing(merchant: MerchantCaller) -> None:
    payment = merchant.ask("POST", f"{PATH}/", json=payment_request(), expect=201)
    assert merchant.ask("GET", f"{PATH}/{payment['id']}/") == payment
    assert merchant.ask("GET", f"{PATH}/") == [payment]
    assert merchant.ask("GET", f"{PATH}/?limit=1") == [payment]
    merchant.ask("GET", f"{PATH}/{payment['id']}/consumer_account/", expect=404)
    merchant.ask("DELETE", f"{PATH}/{payment['id']}/", expect=204)


# List


def test_a_list_is_a_bare_array_the_newest_first(merchant: MerchantCaller, clock: ManualClock) -> None:
    assert merchant.ask("GET", PATH) == []
    payments = creates_three(merchant, clock)
    assert merchant.ask("GET", PATH) == payments


def test_of_one_instant_the_later_made_stands_first(merchant: MerchantCaller) -> None:
    payments = [merchant.requests_payment() for _ in range(3)]
    assert ids(merchant.ask("GET", PATH)) == ids(payments)[::-1]


def test_a_listed_session_has_its_refunds(merchant: MerchantCaller, tester: Tester) -> None:
    payment = tester.pays(merchant.requests_payment())
    merchant.refunds(payment, pence=1)
    assert merchant.ask("GET", PATH) == [merchant.reads_payment(payment["id"])]
    assert len(merchant.ask("GET", PATH)[0]["refunds"]) == 1


@pytest.mark.parametrize(("limit", "count"), [("1", 1), ("2", 2), ("3", 3), ("100", 3), ("002", 2)])
def test_a_limit_lowers_how_many_are_listed(
    merchant: MerchantCaller, clock: ManualClock, limit: str, count: int
) -> None:
    payments = creates_three(merchant, clock)
    assert merchant.ask("GET", f"{PATH}?limit={limit}") == payments[:count]


def test_no_more_than_100_are_listed(merchant: MerchantCaller) -> None:
    for _ in range(101):
        merchant.requests_payment()
    for query in ("", "?limit=100", "?limit=101", "?limit=" + "9" * 1000):
        assert len(merchant.ask("GET", f"{PATH}{query}")) == 100


def test_a_state_narrows_the_list(merchant: MerchantCaller, tester: Tester, clock: ManualClock) -> None:
    newest, middle, oldest = creates_three(merchant, clock)
    tester.pays(middle)
    assert ids(merchant.ask("GET", f"{PATH}?state=sent")) == [middle["id"]]
    assert ids(merchant.ask("GET", f"{PATH}?state=awaiting_provider")) == ids([newest, oldest])
    assert ids(merchant.ask("GET", f"{PATH}?state=awaiting_provider&limit=1")) == [newest["id"]]
    assert merchant.ask("GET", f"{PATH}?state=failed") == []


@pytest.mark.parametrize(
    ("query", "hours"),
    [
        ({"created_at_from": "2026-11-23T13:00:00Z"}, [14, 13]),
        ({"created_at_to": "2026-11-23T13:00:00Z"}, [13, 12]),
        ({"created_at_from": "2026-11-23 12:00:01 UTC", "created_at_to": "2026-11-23 13:00:00 UTC"}, [13]),
        ({"created_at_from": "2026-11-23T15:00:00+02:00"}, [14, 13]),
        ({"created_at_from": "2026-11-23T15:00:00 02:00"}, [14, 13]),
        ({"created_at_from": "2026-11-23T13Z"}, [14, 13]),
        ({"created_at_from": "2026-11-23T14:00:00Z", "created_at_to": "2026-11-23T12:00:00Z"}, []),
        ({"created_at_from": "9999-12-31T23:59:59Z"}, []),
        ({"created_at_to": "9999-12-31T23:59:59Z"}, [14, 13, 12]),
        ({"created_at_to": "0001-01-01T00:00:00Z"}, []),
        ({"unknown": "x"}, [14, 13, 12]),
    ],
)
def test_times_narrow_the_list(merchant: MerchantCaller, clock: ManualClock, query: Json, hours: list[int]) -> None:
    creates_three(merchant, clock)
    listed = merchant.ask("GET", PATH, query_string=query)
    assert [int(payment["created_at"][11:13]) for payment in listed] == hours


def test_an_unencoded_plus_in_a_time_is_understood(merchant: MerchantCaller, clock: ManualClock) -> None:
    creates_three(merchant, clock)
    assert len(merchant.ask("GET", f"{PATH}?created_at_from=2026-11-23T13:00:00+00:00")) == 2


def test_the_printed_time_of_a_session_finds_it(merchant: MerchantCaller, clock: ManualClock) -> None:
    clock.advance(seconds=0.75)
    payment = merchant.requests_payment()
    query = {"created_at_from": payment["created_at"], "created_at_to": payment["created_at"]}
    assert merchant.ask("GET", PATH, query_string=query) == [payment]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("limit", bad) for bad in ("0", "-1", "+1", "1.0", "ten", "", " 1", "\u0661", "0x1", "9" * 1001)],
        *[("state", bad) for bad in ("", "SENT", "awaiting_payer", "sent,failed", "\x00")],
        *[("created_at_from", bad) for bad in ("", "yesterday", "2026-11-23T12:00:00", "2026-13-01T00:00:00Z", "0")],
        *[("created_at_to", bad) for bad in ("2026-11-23", "0001-01-01T00:00:00+14:00", "2026-11-23T25:00:00Z")],
    ],
)
def test_a_bad_filter_is_named(merchant: MerchantCaller, name: str, value: str) -> None:
    refusal = merchant.ask("GET", PATH, query_string={name: value}, expect=422)
    assert parameters(refusal) == {name: "invalid_request"}


def test_all_bad_filters_are_named(merchant: MerchantCaller) -> None:
    query = {"limit": "0", "state": "x", "created_at_from": "x", "created_at_to": "x"}
    refusal = merchant.ask("GET", PATH, query_string=query, expect=422)
    assert parameters(refusal) == dict.fromkeys(query, "invalid_request")


def test_another_merchant_sees_and_touches_nothing(merchant: MerchantCaller, other_merchant: MerchantCaller) -> None:
    payment = merchant.requests_payment()
    assert other_merchant.ask("GET", PATH) == []
    other_merchant.reads_payment(payment["id"], expect=404)
    other_merchant.ask("DELETE", f"{PATH}/{payment['id']}", expect=404)
    assert merchant.ask("GET", PATH) == [payment]


# Deletion: while nobody works on the payment (Q11)


@pytest.mark.parametrize("path", ["", "choose_provider"])
def test_a_session_that_nobody_paid_is_deleted(merchant: MerchantCaller, tester: Tester, path: str) -> None:
    payment = merchant.requests_payment()
    for action in path.split():
        tester.acts(payment["id"], action)
    response = merchant.call("DELETE", f"{PATH}/{payment['id']}")
    assert (response.status_code, response.data, response.content_type) == (204, b"", None)
    merchant.reads_payment(payment["id"], expect=404)
    assert merchant.ask("GET", PATH) == []
    merchant.ask("DELETE", f"{PATH}/{payment['id']}", expect=404)
    merchant.refunds(payment, expect=404)
    tester.acts(payment["id"], "choose_provider", expect=404)


@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("choose_provider initiate", "initiated"),
        ("choose_provider accept", "pending"),
        ("choose_provider settle", "sent"),
        ("expire", "failed"),
    ],
)
def test_a_session_is_not_deleted_once_the_bank_works_on_it(
    merchant: MerchantCaller, tester: Tester, path: str, state: str
) -> None:
    payment = merchant.requests_payment()
    for action in path.split():
        tester.acts(payment["id"], action)
    refusal = merchant.ask("DELETE", f"{PATH}/{payment['id']}", expect=422)
    assert refusal["errors"][0]["code"] == "invalid_action"
    assert f"in state {state} cannot be deleted" in refusal["errors"][0]["title"]
    assert merchant.reads_payment(payment["id"])["state"] == state


@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain"])
def test_a_body_type_without_a_body_does_not_disturb(merchant: MerchantCaller, content_type: str) -> None:
    payment = merchant.requests_payment()
    headers = {"Content-Type": content_type}
    assert merchant.ask("GET", PATH, headers=headers) == [payment]
    assert merchant.ask("GET", f"{PATH}/{payment['id']}", headers=headers) == payment
    merchant.ask("DELETE", f"{PATH}/{payment['id']}", headers=headers, expect=204)


# The payer's account (Q8)


def test_the_account_of_the_payer_is_read_where_the_bank_shares_it(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment(payer={"name": "Jane Doe", "email": "jane@doe.com"})
    merchant.ask("GET", f"{PATH}/{payment['id']}/consumer_account", expect=404)
    tester.pays(payment, "Mock Bank Direct")
    account = merchant.ask("GET", f"{PATH}/{payment['id']}/consumer_account")
    assert list(account) == ["account_number", "name", "sort_code"]
    assert account["name"] == "Jane Doe"
    assert (len(account["account_number"]), len(account["sort_code"])) == (8, 6)


def test_one_customer_has_one_account(merchant: MerchantCaller, tester: Tester) -> None:
    accounts = []
    for email in ("jane@doe.com", "john@roe.com", "jane@doe.com"):
        payment = tester.pays(merchant.requests_payment(payer={"name": "J", "email": email}), "Mock Bank Direct")
        accounts.append(merchant.ask("GET", f"{PATH}/{payment['id']}/consumer_account"))
    assert accounts[0] == accounts[2] != accounts[1]


def test_the_account_of_the_payer_is_not_found_where_the_bank_keeps_it(
    merchant: MerchantCaller, tester: Tester
) -> None:
    payment = tester.pays(merchant.requests_payment(), "Mock Bank")
    refusal = merchant.ask("GET", f"{PATH}/{payment['id']}/consumer_account", expect=404)
    assert refusal["errors"][0]["title"] == f"There is no shared account for payment session {payment['id']}."


def test_the_account_of_another_merchants_payer_is_not_found(
    merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester
) -> None:
    payment = tester.pays(merchant.requests_payment(), "Mock Bank Direct")
    other_merchant.ask("GET", f"{PATH}/{payment['id']}/consumer_account", expect=404)
