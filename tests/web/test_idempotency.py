"""The Idempotency-Key header: what was done once is not done again (facts 1.3, Q3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from flask import abort

from tests.actors import MerchantCaller, parameters, payment_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.actors import ManualClock, Tester

PATH = "/v2/payment_sessions"
CREATE = "api.payment_sessions.create"
WAIT = 5


def create(merchant: MerchantCaller, key: str = "key 1", *, path: str = PATH, **fields: Any) -> TestResponse:
    return merchant.call("POST", path, json=payment_request(**fields), headers={"Idempotency-Key": key})


def payments(merchant: MerchantCaller) -> int:
    return len(merchant.ask("GET", PATH))


def assert_same(first: TestResponse, second: TestResponse) -> None:
    """The same answer byte for byte, by the same kinds of headers."""
    assert (second.status, second.data, second.content_type) == (first.status, first.data, first.content_type)
    assert sorted(name for name, _ in second.headers) == sorted(name for name, _ in first.headers)


def assert_conflict(response: TestResponse) -> None:
    assert response.status_code == 422, response.text
    assert parameters(response.json) == {"Idempotency-Key": "invalid_idempotency_key"}


class BlockingView:
    """A view that, the first time, waits before it does its work."""

    def __init__(self, view: Callable[..., Any]) -> None:
        self._view = view
        self.begun, self.may_go_on = Event(), Event()

    def __call__(self, **arguments: Any) -> Any:
        if not self.begun.is_set():
            self.begun.set()
            assert self.may_go_on.wait(WAIT)
        return self._view(**arguments)


@contextmanager
def first_create_under_way(app: Flask) -> Iterator[Callable[[], TestResponse]]:
    """While a first call with the key is being worked on; what is given lets it go on, and returns its answer."""
    view = BlockingView(app.view_functions[CREATE])
    app.view_functions[CREATE] = view
    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(create, MerchantCaller(app.test_client()))
        assert view.begun.wait(WAIT)

        def finish() -> TestResponse:
            view.may_go_on.set()
            return first.result(WAIT)

        try:
            yield finish
        finally:
            view.may_go_on.set()


# A repeated call


def test_a_repeated_call_gets_the_first_answer_and_is_not_done_again(merchant: MerchantCaller) -> None:
    first = create(merchant)
    assert first.status_code == 201
    for _ in range(3):
        assert_same(first, create(merchant))
    assert payments(merchant) == 1


def test_the_first_answer_is_repeated_whatever_happened_since(
    merchant: MerchantCaller, tester: Tester, clock: ManualClock
) -> None:
    first = create(merchant)
    tester.pays(first.json)
    clock.advance(days=1)
    assert_same(first, create(merchant))
    assert merchant.reads_payment(first.json["id"])["state"] == "sent"


def test_a_repeated_answer_has_a_request_id_of_its_own(merchant: MerchantCaller) -> None:
    assert create(merchant).headers["X-Request-Id"] != create(merchant).headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"{}", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"amount":1,"payment_session_id":"x"}', "application/json", 404),
        (b"a=1", "text/plain", 415),
        (b'{"amount":0,"payment_session_id":"x"}', "application/json", 422),
    ],
)
def test_a_refusal_is_repeated_too(merchant: MerchantCaller, body: bytes, content_type: str, status: int) -> None:
    def call() -> TestResponse:
        headers = {"Idempotency-Key": "key 1", "Content-Type": content_type}
        return merchant.call("POST", "/v2/refunds", data=body, headers=headers)

    first = call()
    assert first.status_code == status
    assert_same(first, call())


def test_a_refusal_is_repeated_although_it_would_go_well_by_now(merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()

    def refund() -> TestResponse:
        body = {"payment_session_id": payment["id"], "amount": 1}
        return merchant.call("POST", "/v2/refunds", json=body, headers={"Idempotency-Key": "key 1"})

    first = refund()
    assert first.status_code == 422
    tester.pays(payment)
    assert_same(first, refund())
    assert merchant.reads_payment(payment["id"])["refunds"] == []


def test_a_repeated_refund_is_one_refund(merchant: MerchantCaller, tester: Tester) -> None:
    payment = tester.pays(merchant.requests_payment(pence=400))
    headers = {"Idempotency-Key": "key 1"}
    body = {"payment_session_id": payment["id"], "amount": 300}
    first, second = (merchant.call("POST", "/v2/refunds", json=body, headers=headers) for _ in range(2))
    assert first.status_code == 201
    assert_same(first, second)
    assert len(merchant.reads_payment(payment["id"])["refunds"]) == 1


def test_a_second_deletion_is_done_only_with_its_key(merchant: MerchantCaller) -> None:
    path = f"{PATH}/{merchant.requests_payment()['id']}"
    first = merchant.call("DELETE", path, headers={"Idempotency-Key": "key 1"})
    second = merchant.call("DELETE", path, headers={"Idempotency-Key": "key 1"})
    assert (first.status_code, first.data, first.content_type) == (204, b"", None)
    assert_same(first, second)
    assert merchant.call("DELETE", path, headers={"Idempotency-Key": "key 2"}).status_code == 404
    assert merchant.call("DELETE", path).status_code == 404


def test_a_trailing_slash_makes_no_other_call(merchant: MerchantCaller) -> None:
    assert_same(create(merchant), create(merchant, path=f"{PATH}/"))
    assert payments(merchant) == 1


def test_calls_without_a_key_are_done_every_time(merchant: MerchantCaller) -> None:
    for _ in range(2):
        merchant.requests_payment()
    assert payments(merchant) == 2


def test_calls_with_other_keys_are_done_every_time(merchant: MerchantCaller) -> None:
    for key in ("key 1", "key 2", "KEY 1"):
        assert create(merchant, key).status_code == 201
    assert payments(merchant) == 3


def test_reading_takes_no_notice_of_a_key(merchant: MerchantCaller) -> None:
    headers = {"Idempotency-Key": "key 1"}
    assert merchant.ask("GET", PATH, headers=headers) == []
    create(merchant)
    assert len(merchant.ask("GET", PATH, headers=headers)) == 1
    assert len(merchant.ask("GET", PATH, headers={"Idempotency-Key": "x" * 300})) == 1


# Another call with the same key


def test_another_body_is_refused(merchant: MerchantCaller) -> None:
    first = create(merchant, pence=1)
    assert_conflict(create(merchant, pence=2))
    assert_same(first, create(merchant, pence=1))
    assert payments(merchant) == 1


def test_the_same_json_in_other_bytes_is_another_body(merchant: MerchantCaller) -> None:
    create(merchant)
    headers = {"Idempotency-Key": "key 1"}
    assert_conflict(merchant.call("POST", PATH, json={**payment_request(), "more": 1}, headers=headers))


@pytest.mark.parametrize("path", ["/v2/refunds", f"{PATH}?a=1"])
def test_another_path_or_query_is_refused(merchant: MerchantCaller, path: str) -> None:
    create(merchant)
    assert_conflict(create(merchant, path=path))


def test_another_method_is_refused(merchant: MerchantCaller) -> None:
    payment = create(merchant).json
    headers = {"Idempotency-Key": "key 1"}
    assert_conflict(merchant.call("DELETE", f"{PATH}/{payment['id']}", headers=headers))
    merchant.reads_payment(payment["id"])


# Parallel calls


def test_a_call_is_refused_while_the_first_is_being_worked_on(app: Flask, merchant: MerchantCaller) -> None:
    with first_create_under_way(app) as finish:
        parallel = create(merchant)
        other = create(merchant, pence=1)
        first = finish()
    assert parallel.status_code == 409
    assert parameters(parallel.json) == {"Idempotency-Key": "processing"}
    assert_conflict(other)
    assert first.status_code == 201
    assert_same(first, create(merchant))
    assert payments(merchant) == 1


def test_other_calls_go_on_meanwhile(app: Flask, merchant: MerchantCaller, other_merchant: MerchantCaller) -> None:
    with first_create_under_way(app) as finish:
        assert create(merchant, "key 2").status_code == 201
        assert create(other_merchant).status_code == 201
        assert finish().status_code == 201
    assert payments(merchant) == 2


@pytest.mark.parametrize(("seconds", "status"), [(59, 409), (60, 201)])
def test_a_call_is_taken_for_lost_after_a_minute(
    app: Flask, merchant: MerchantCaller, clock: ManualClock, seconds: int, status: int
) -> None:
    with first_create_under_way(app) as finish:
        clock.advance(seconds=seconds)
        second = create(merchant)
        first = finish()
    assert second.status_code == status
    assert_same(second if status == 201 else first, create(merchant))


def test_a_reset_forgets_the_call_that_is_being_worked_on(app: Flask, merchant: MerchantCaller, tester: Tester) -> None:
    with first_create_under_way(app) as finish:
        tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")
        first = finish()
    again = create(merchant)
    assert (first.status_code, again.status_code) == (409, 201)
    assert payments(merchant) == 1


# What is not kept


@pytest.mark.parametrize("status", [500, 503, 429, 409])
def test_an_answer_that_may_go_better_next_time_is_not_kept(app: Flask, merchant: MerchantCaller, status: int) -> None:
    work = app.view_functions[CREATE]
    app.view_functions[CREATE] = lambda: abort(status)
    assert create(merchant).status_code == status
    app.view_functions[CREATE] = work
    assert create(merchant).status_code == 201
    assert payments(merchant) == 1


def test_the_answer_to_a_bug_is_not_kept(app: Flask, merchant: MerchantCaller) -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    work = app.view_functions[CREATE]
    app.view_functions[CREATE] = fail
    assert create(merchant).status_code == 500
    app.view_functions[CREATE] = work
    assert create(merchant, pence=7).status_code == 201


def test_a_call_without_credentials_takes_no_key(app: Flask, merchant: MerchantCaller) -> None:
    assert create(MerchantCaller(app.test_client(), secret="wrong")).status_code == 401
    assert create(merchant).status_code == 201


# How long, and whose


@pytest.mark.parametrize(("days", "payments_then"), [(29.999, 1), (30, 2)])
def test_an_answer_is_kept_for_30_days(
    merchant: MerchantCaller, clock: ManualClock, days: float, payments_then: int
) -> None:
    create(merchant)
    clock.advance(days=days)
    assert create(merchant).status_code == 201
    assert payments(merchant) == payments_then


def test_after_30_days_the_key_is_free_for_another_body(merchant: MerchantCaller, clock: ManualClock) -> None:
    create(merchant, pence=1)
    clock.advance(days=30)
    second = create(merchant, pence=2)
    assert second.json["amount"] == 2
    assert_same(second, create(merchant, pence=2))


def test_each_merchant_has_its_own_keys(merchant: MerchantCaller, other_merchant: MerchantCaller) -> None:
    first, second = create(merchant), create(other_merchant)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json["id"] != second.json["id"]
    assert_same(first, create(merchant))
    assert_same(second, create(other_merchant))


def test_a_token_and_a_secret_share_the_keys_of_their_merchant(app: Flask, merchant: MerchantCaller) -> None:
    grant = {"grant_type": "client_credentials", "scope": "simulator"}
    by_token = MerchantCaller(app.test_client())
    by_token.headers = {"Authorization": f"Bearer {merchant.ask('POST', '/oauth/token', data=grant)['access_token']}"}
    assert_same(create(merchant), create(by_token))


def test_a_reset_frees_all_keys(merchant: MerchantCaller, tester: Tester) -> None:
    create(merchant)
    tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")
    again = merchant.call(
        "POST", "/v2/payment_sessions", json=payment_request(pence=1), headers={"Idempotency-Key": "key 1"}
    )
    assert (again.status_code, again.json["amount"]) == (201, 1)


# Odd keys


@pytest.mark.parametrize("key", ["x", "x" * 255, "'; drop table", "a,b", "0", "~ ~", "../..", '"quoted"'])
def test_any_key_of_1_to_255_ascii_characters_works(merchant: MerchantCaller, key: str) -> None:
    assert_same(create(merchant, key), create(merchant, key))
    assert payments(merchant) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "x" * 60_000])
def test_a_key_of_any_other_length_is_refused(merchant: MerchantCaller, key: str) -> None:
    assert_conflict(create(merchant, key))
    assert payments(merchant) == 0


def test_a_body_that_is_too_large_takes_no_key(merchant: MerchantCaller) -> None:
    headers = {"Idempotency-Key": "key 1", "Content-Type": "application/json"}
    assert merchant.call("POST", PATH, data=b" " * (2**20 + 1), headers=headers).status_code == 413
    assert create(merchant).status_code == 201


def test_of_many_racing_calls_one_is_done(app: Flask, merchant: MerchantCaller) -> None:
    def call(_: int) -> tuple[int, bytes]:
        response = create(MerchantCaller(app.test_client()))
        return response.status_code, response.data if response.status_code == 201 else b""

    with ThreadPoolExecutor(16) as racers:
        answers = set(racers.map(call, range(50)))
    assert payments(merchant) == 1
    assert {status for status, _ in answers} <= {201, 409}
    assert len([data for status, data in answers if status == 201]) == 1
