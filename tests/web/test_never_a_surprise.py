"""However odd a request is, the answer is JSON in one envelope, and nothing is half-made (Q4)."""

from __future__ import annotations

import json
import logging
import re
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import __version__
from simulator.domain.refunds import Refund
from simulator.web.app import create_app
from tests.actors import PUBLIC_URL, Caller, MerchantCaller, payment_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from simulator.domain.ports import Store, World
    from simulator.service.simulation import Simulation
    from tests.actors import Json, Tester

PATH = "/v2/payment_sessions"
MEBIBYTE = 2**20
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
SOUND = json.dumps(payment_request()).encode()


def assert_envelope(response: TestResponse, status: int, code: str) -> str:
    """One error in the envelope, with the headers that every answer has; returns its sentence."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/json"
    assert re.fullmatch(UUID, response.headers["X-Request-Id"])
    assert response.headers["Simulator"] == f"banked-simulator/{__version__}"
    assert list(response.json) == ["errors"]
    [error] = response.json["errors"]
    assert list(error) == ["code", "source", "title"]
    assert (error["code"], error["source"]) == (code, {})
    assert re.fullmatch(r"[A-Z][^<>]*\.", error["title"]), error["title"]
    assert "Traceback" not in error["title"]
    title: str = error["title"]
    return title


def sends(
    merchant: MerchantCaller, body: bytes, path: str = PATH, content_type: str = "application/json"
) -> TestResponse:
    return merchant.call("POST", path, data=body, headers={"Content-Type": content_type})


def assert_nothing_made(merchant: MerchantCaller) -> None:
    assert merchant.ask("GET", PATH) == []


# Where there is nothing, or not this


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/v1",
            "/v2",
            "/v2/",
            "/v2/nothing",
            "/v2/payment_sessions/x/y",
            "/v2//payment_sessions",
            "//v2/providers",
        ),
        *(
            "/V2/providers",
            "/v2/providers/x",
            "/v2/refunds/x/y",
            "/__admin",
            "/__admin/merchant",
            "/oauth",
            "/favicon.ico",
        ),
        *("/v2/../v2/providers", "/v2/%00", "/v2/%ff%fe", "/%2e%2e/etc/passwd", "/v2/ä", "/v2/<script>", "/{path}{0}"),
        *(
            "/v2/payment_sessions/%2f/consumer_account/x",
            "/" + "a" * 60_000,
            "/v2/%F0%9F%95%AF",
            "/static/x",
            "/%25s%25d",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_not_found(merchant: MerchantCaller, method: str, path: str) -> None:
    response = merchant.call(method, path)
    assert response.status_code == 404
    assert response.json["errors"][0]["code"] == "not_found"
    assert response.json["errors"][0]["title"].startswith("There is nothing at /")


def test_an_unknown_path_is_told_in_the_envelope(merchant: MerchantCaller) -> None:
    sentence = assert_envelope(merchant.call("GET", "/v2/nothing"), 404, "not_found")
    assert sentence.startswith("There is nothing at /v2/nothing; the API is under /v2")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v2/payment_sessions", "GET, HEAD, POST"),
        ("/v2/payment_sessions/", "GET, HEAD, POST"),
        ("/v2/payment_sessions/x", "DELETE, GET, HEAD"),
        ("/v2/payment_sessions/x/consumer_account", "GET, HEAD"),
        ("/v2/refunds", "GET, HEAD, POST"),
        ("/v2/refunds/x", "GET, HEAD"),
        ("/v2/providers", "GET, HEAD"),
        ("/v2/bank_accounts", "GET, HEAD"),
        ("/oauth/token", "POST"),
        ("/__admin/payment_sessions/x/pay", "POST"),
        ("/__admin/merchants/x/reset", "POST"),
        ("/livez", "GET, HEAD"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "FOO"])
def test_a_method_that_is_not_possible_is_told_with_those_that_are(
    merchant: MerchantCaller, method: str, path: str, allowed: str
) -> None:
    response = merchant.call(method, path)
    sentence = assert_envelope(response, 405, "method_not_allowed")
    assert sentence == f"{method} is not possible at {path}."
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("path", [PATH, "/v2/providers", "/v2/nothing", f"{PATH}/x", "/livez"])
def test_head_is_get_without_the_body(merchant: MerchantCaller, path: str) -> None:
    head, get = merchant.call("HEAD", path), merchant.call("GET", path)
    assert (head.status_code, head.data, head.content_type) == (get.status_code, b"", get.content_type)


@pytest.mark.parametrize(
    "query",
    [
        "a",
        "=",
        "&&&",
        "a=%00",
        "a=%ff",
        "%ff=1",
        "limit=1&limit=x",
        "a=" + "b" * 60_000,
        "a[]=1",
        "%",
        "%zz",
        "state[]=x",
    ],
)
def test_an_odd_query_does_not_disturb(merchant: MerchantCaller, query: str) -> None:
    assert merchant.call("GET", f"{PATH}?{query}").json == []


@pytest.mark.parametrize("query", ["limit=%ff", "state=%00", "created_at_from=%ff", "limit=%F0%9F%95%AF"])
def test_an_odd_filter_is_refused(merchant: MerchantCaller, query: str) -> None:
    response = merchant.call("GET", f"{PATH}?{query}")
    assert response.status_code == 422
    assert response.json["errors"][0]["source"] == {"parameter": query.partition("=")[0]}


def test_a_query_string_of_raw_bytes_is_refused_or_read(client: FlaskClient, merchant: MerchantCaller) -> None:
    response = client.get(PATH, headers=merchant.headers, environ_overrides={"QUERY_STRING": "limit=\xff"})
    assert response.status_code in {400, 422}
    assert response.json["errors"][0]["code"] in {"bad_request", "invalid_request"}


# Bodies that are too large


@pytest.mark.parametrize("path", [PATH, "/v2/refunds", "/oauth/token", "/__admin/payment_sessions/x/pay"])
def test_a_body_of_more_than_a_mebibyte_is_too_large(merchant: MerchantCaller, path: str) -> None:
    sentence = assert_envelope(sends(merchant, b" " * (MEBIBYTE + 1), path), 413, "decoding")
    assert sentence == "The body is too large: at most 1 MiB is read."


@pytest.mark.parametrize(("excess", "status"), [(0, 201), (1, 413), (2, 413), (MEBIBYTE, 413)])
@pytest.mark.parametrize("streamed", [False, True], ids=["by length", "by stream"])
def test_a_mebibyte_is_the_most_that_is_read(
    client: FlaskClient, merchant: MerchantCaller, *, streamed: bool, excess: int, status: int
) -> None:
    body = SOUND + b" " * (MEBIBYTE - len(SOUND) + excess)
    options: dict[str, Any] = {"data": body}
    if streamed:
        options = {"input_stream": BytesIO(body), "environ_overrides": {"wsgi.input_terminated": True}}
    response = client.post(PATH, headers=merchant.headers, content_type="application/json", **options)
    assert response.status_code == status, response.text
    assert len(merchant.ask("GET", PATH)) == (status == 201)
    if status == 413:
        assert_envelope(response, 413, "decoding")


def test_a_length_that_is_a_lie_does_no_harm(client: FlaskClient, merchant: MerchantCaller) -> None:
    for length in ("-1", "x", "0", "7", "9" * 20, "1e3", ""):
        overrides = {"CONTENT_LENGTH": length}
        headers = {**merchant.headers, "Content-Type": "application/json"}
        response = client.post(PATH, headers=headers, input_stream=BytesIO(SOUND), environ_overrides=overrides)
        assert response.status_code in {400, 413}, length
        assert response.content_type == "application/json"
    assert_nothing_made(merchant)


# Bodies that are no JSON object


@pytest.mark.parametrize("path", [PATH, "/v2/refunds"])
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "\xff",
        "json",
    ],
)
def test_a_body_of_another_type_is_refused(merchant: MerchantCaller, path: str, content_type: str) -> None:
    response = sends(merchant, SOUND, path, content_type)
    sentence = assert_envelope(response, 415, "decoding")
    assert sentence == "Send a JSON body with the header Content-Type: application/json."
    assert_nothing_made(merchant)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json;charset=latin1",
        "application/vnd.x+json",
    ],
)
def test_a_json_type_may_have_parameters(merchant: MerchantCaller, content_type: str) -> None:
    assert sends(merchant, SOUND, content_type=content_type).status_code == 201


UNDECODABLE = {
    "empty": b"",
    "spaces": b" \n\t",
    "open": b"{",
    "trailing": b"{}x",
    "two": b"{}{}",
    "comma": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "comment": b"{}//",
    "nan": b'{"a":NaN}',
    "infinity": b'{"a":Infinity}',
    "minus infinity": b'{"a":-Infinity}',
    "twice": b'{"a":1,"a":1}',
    "twice deep": b'{"a":[{"b":1,"b":2}]}',
    "twice by escape": b'{"a":1,"\\u0061":1}',
    "5,000 digits": b'{"amount":' + b"9" * 5000 + b"}",
    "5,000 negative digits": b'{"amount":-' + b"9" * 5000 + b"}",
    "leading zero": b'{"amount":01}',
    "plus": b'{"amount":+1}',
    "hex": b'{"amount":0x1}',
    "depth bomb": b'{"a":' * 100_000,
    "depth bomb of arrays": b"[" * 500_000 + b"]" * 500_000,
    "invalid utf-8": b'{"a":"\xff"}',
    "cut utf-8": b'{"a":"\xf0\x9f"}',
    "utf-8 surrogate": b'{"a":"\xed\xa0\x80"}',
    "overlong": b'{"a":"\xc0\xaf"}',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "utf-32": '{"a":1}'.encode("utf-32"),
    "lone surrogate": b'{"a":"\\ud800"}',
    "low surrogate": b'{"a":"\\udc00"}',
    "surrogate key": b'{"\\ud800":1}',
    "swapped surrogates": b'{"a":"\\udc00\\ud800"}',
    "control character": b'{"a":"\x01"}',
    "nul": b'{"a":"\x00"}',
    "nul after": b"{}\x00",
    "bom": b"\xef\xbb\xbf{}",
    "bad escape": b'{"a":"\\x41"}',
    "form": b"a=1&b=2",
    "xml": b"<?xml version='1.0'?><a/>",
}


@pytest.mark.parametrize("path", [PATH, "/v2/refunds"])
@pytest.mark.parametrize("body", UNDECODABLE.values(), ids=UNDECODABLE)
def test_a_body_that_is_no_strict_json_is_refused(merchant: MerchantCaller, path: str, body: bytes) -> None:
    assert_envelope(sends(merchant, body, path), 400, "decoding")
    assert_nothing_made(merchant)


@pytest.mark.parametrize("body", [b"null", b"true", b"7", b"1.5", b'"a"', b"[]", b"[{}]", b"1e400", b"9" * 4000])
@pytest.mark.parametrize("path", [PATH, "/v2/refunds"])
def test_json_that_is_no_object_is_refused(merchant: MerchantCaller, path: str, body: bytes) -> None:
    assert assert_envelope(sends(merchant, body, path), 400, "bad_request") == "The body must be a JSON object."


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1e-400", "9" * 4000, "-0", "-0.0", "0.1e1000", "1E+309"])
@pytest.mark.parametrize("name", ["amount", "quantity"])
def test_a_number_beyond_all_measure_is_refused_as_a_field(merchant: MerchantCaller, name: str, number: str) -> None:
    body = re.sub(rf'"{name}": \d+', f'"{name}": {number}', SOUND.decode()).encode()
    response = sends(merchant, body)
    assert response.status_code == 422
    assert response.json["errors"][0]["source"] == {"parameter": f"line_items/0/{name}"}
    assert_nothing_made(merchant)


def test_a_number_beyond_all_measure_is_ignored_where_nobody_asks(merchant: MerchantCaller) -> None:
    assert sends(merchant, SOUND[:-1] + b',"more":[1e400,-1e400,' + b"9" * 4000 + b"]}").status_code == 201


def test_deep_nesting_in_an_ignored_field_is_accepted_or_refused_whole(merchant: MerchantCaller) -> None:
    for depth in (10, 100, 500, 990, 1000, 5000):
        response = sends(merchant, SOUND[:-1] + b',"more":' + b"[" * depth + b"]" * depth + b"}")
        assert response.status_code in {201, 400}, depth
    for field in (b"payee", b"line_items", b"reference"):
        response = sends(merchant, b'{"' + field + b'":' + b"[" * 500 + b"]" * 500 + b"}")
        assert response.status_code == 400


@pytest.mark.parametrize("text", ["\\u0000", "\\ud83d\\udd6f", "\\uffff", "\\u202e", "\\ufeff", "🕯"])
def test_a_text_may_have_any_character_and_comes_back_as_it_was(merchant: MerchantCaller, text: str) -> None:
    response = sends(merchant, SOUND.replace(b"Candles", text.encode()))
    assert response.status_code == 201
    assert response.json["line_items"][0]["name"] == json.loads(f'"{text}"')
    assert merchant.ask("GET", PATH) == [response.json]


@pytest.mark.parametrize("name", ["__proto__", "constructor", "", "a/b", "_schema", "amount", "class", "pk"])
def test_an_odd_member_is_ignored(merchant: MerchantCaller, name: str) -> None:
    payment = merchant.requests_payment(**{name: {"_schema": ["x"]}})
    assert payment["amount"] == 400


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", "", "multipart/form-data"]
)
@pytest.mark.parametrize("path", [PATH, "/v2/refunds", "/v2/providers", "/v2/bank_accounts", "/livez"])
def test_reading_works_with_a_body_type_and_no_body(merchant: MerchantCaller, path: str, content_type: str) -> None:
    merchant.ask("GET", path, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", "", "multipart/form-data"]
)
@pytest.mark.parametrize("body", [b"", b"{", b"a=1"])
def test_deleting_takes_no_notice_of_a_body(merchant: MerchantCaller, content_type: str, body: bytes) -> None:
    path = f"{PATH}/{merchant.requests_payment()['id']}"
    merchant.ask("DELETE", path, headers={"Content-Type": content_type}, data=body, expect=204)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Accept", "text/html"),
        ("Accept", "\xff"),
        ("Host", "evil.example"),
        ("Host", "a b<script>"),
        ("Cookie", "a=\xff; =; ;"),
        ("Range", "bytes=0-1"),
        ("Expect", "100-continue"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Request-Id", "mine"),
        ("If-None-Match", "*"),
        ("Content-Encoding", "gzip"),
    ],
)
def test_an_odd_header_does_not_disturb(merchant: MerchantCaller, name: str, value: str) -> None:
    response = merchant.call("GET", PATH, headers={name: value})
    assert (response.status_code, response.data) == (200, b"[]")
    assert re.fullmatch(UUID, response.headers["X-Request-Id"])


# Bugs of our own


class StoreThatFails:
    """The store, but for `breaks`: that verb of its worlds fails, on what is of type `on`."""

    def __init__(self, store: Store, breaks: str, on: type = object) -> None:
        self._store, self._breaks, self._on = store, breaks, on

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def transaction(self, merchant_key: str) -> Iterator[WorldThatFails]:
        with self._store.transaction(merchant_key) as world:
            yield WorldThatFails(world, self._breaks, self._on)


class WorldThatFails:
    """A world with one verb that fails."""

    def __init__(self, world: World, breaks: str, on: type) -> None:
        self._world, self._breaks, self._on = world, breaks, on

    def __getattr__(self, name: str) -> Any:
        return self._failing if name == self._breaks else getattr(self._world, name)

    def _failing(self, value: object) -> Any:
        if isinstance(value, self._on):
            raise OSError("the disk <b>is</b> full")
        return getattr(self._world, self._breaks)(value)


def failing_client(simulation: Simulation, breaks: str, on: type = object) -> FlaskClient:
    """A client of the same world, where a verb of the store fails."""
    store: Any = StoreThatFails(simulation.store, breaks, on)
    return create_app(replace(simulation, store=store), PUBLIC_URL).test_client()


def test_a_bug_of_ours_is_told_with_the_id_under_which_the_log_tells_more(
    simulation: Simulation, caplog: pytest.LogCaptureFixture
) -> None:
    response = MerchantCaller(failing_client(simulation, "payments")).call("GET", PATH)
    id_ = response.headers["X-Request-Id"]
    sentence = assert_envelope(response, 500, "internal_error")
    assert sentence == f"The simulator failed; its log tells more about request {id_}."
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == f"request {id_} failed"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], OSError)


def test_what_fails_halfway_is_not_made(simulation: Simulation, merchant: MerchantCaller, tester: Tester) -> None:
    payment = tester.pays(merchant.requests_payment(), "Mock Bank Direct")
    before = merchant.ask("GET", PATH)
    MerchantCaller(failing_client(simulation, "add", Refund)).refunds(payment, expect=500)
    assert merchant.ask("GET", PATH) == before
    assert merchant.ask("GET", "/v2/refunds") == []
    merchant.refunds(payment)


def test_what_fails_halfway_is_not_moved(simulation: Simulation, merchant: MerchantCaller, tester: Tester) -> None:
    payment = tester.pays(merchant.requests_payment(), "Mock Bank Direct")
    refund = merchant.refunds(payment)
    before = merchant.ask("GET", PATH)
    path = f"/__admin/payment_sessions/{refund['refund_payment_session_id']}"
    failing = Caller(failing_client(simulation, "save", Refund))
    for verb in ("pay", "actions/choose_provider"):
        failing.ask("POST", f"{path}/{verb}", expect=500)
    assert merchant.ask("GET", PATH) == before
    assert merchant.reads_refund(refund) == refund


def test_a_bug_in_authentication_is_told_like_any_other(simulation: Simulation) -> None:
    class Broken:
        def merchant(self, key: str) -> None:
            raise LookupError(key)

    broken: Any = Broken()
    client = create_app(replace(simulation, store=broken), PUBLIC_URL).test_client()
    assert_envelope(MerchantCaller(client).call("GET", PATH), 500, "internal_error")
    assert_envelope(MerchantCaller(client).call("POST", "/oauth/token"), 500, "internal_error")


@pytest.mark.parametrize("error", [RuntimeError("<b>"), RecursionError(), MemoryError(), KeyError("x"), UnicodeError()])
def test_any_bug_is_told_without_its_details(app: Flask, merchant: MerchantCaller, error: Exception) -> None:
    def fail() -> None:
        raise error

    app.view_functions["api.payment_sessions.create"] = fail
    assert_envelope(merchant.call("POST", PATH, json=payment_request()), 500, "internal_error")


# Anything at all

texts = st.text(st.characters(codec="utf-8"), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from(
    [
        *(
            [name]
            for name in ("reference", "line_items", "payee", "payer", "success_url", "error_url", "email_receipt")
        ),
        *([name] for name in ("frequency", "number_of_payments", "rewards", "amount", "id")),
        *(["line_items", 0, name] for name in ("name", "amount", "currency", "quantity", "description")),
        *(["payee", name] for name in ("name", "account_number", "sort_code", "account_identifier", "identifier_type")),
        *(["payer", name] for name in ("name", "email")),
        ["line_items", 0],
        ["rewards", 0],
        ["rewards", 0, "type"],
    ]
)


@st.composite
def broken_requests(draw: st.DrawFn) -> Json:
    """A sound request with one to three values replaced by anything."""
    request: Any = payment_request(payer={"name": "Jane", "email": "jane@doe.com"}, rewards=[{"type": "avios"}])
    for *parents, name in draw(st.lists(places, min_size=1, max_size=3)):
        place = request
        for parent in parents:
            if isinstance(place, dict):
                place = place.get(parent)
            else:
                place = place[parent] if isinstance(place, list) and isinstance(parent, int) and place else None
        if isinstance(place, dict) or (isinstance(place, list) and place and isinstance(name, int)):
            place[name] = draw(json_values)
    return request


fuzz = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@fuzz
@given(body=broken_requests() | json_values)
def test_any_json_is_taken_or_refused_whole(merchant: MerchantCaller, body: Json) -> None:
    before = merchant.ask("GET", PATH)
    response = sends(merchant, json.dumps(body, ensure_ascii=False).encode())
    assert_taken_or_refused(merchant, response, before)


@fuzz
@given(body=st.binary(max_size=50), cut=st.integers(0, len(SOUND)))
def test_any_bytes_are_taken_or_refused_whole(merchant: MerchantCaller, body: bytes, cut: int) -> None:
    before = merchant.ask("GET", PATH)
    response = sends(merchant, SOUND[:cut] + body + SOUND[cut:])
    assert_taken_or_refused(merchant, response, before)


def assert_taken_or_refused(merchant: MerchantCaller, response: TestResponse, before: Json) -> None:
    assert response.content_type == "application/json"
    after = merchant.ask("GET", PATH)
    if response.status_code == 201:
        assert after[0] == response.json
        assert after[1:] == before[: len(after) - 1]
    else:
        assert response.status_code in {400, 422}, response.text
        assert all(list(error) == ["code", "source", "title"] for error in response.json["errors"])
        paths = [error["source"].get("parameter") for error in response.json["errors"]]
        assert len(paths) == len(set(paths)) > 0
        assert after == before


@fuzz
@given(path=texts, method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]), query=texts)
def test_any_path_is_answered(
    client: FlaskClient, merchant: MerchantCaller, path: str, method: str, query: str
) -> None:
    for start in ("/", "/v2/", f"{PATH}/", "/__admin/payment_sessions/", "/__admin/merchants/"):
        caller = Caller(client, merchant.headers["Authorization"])
        response = caller.call(method, start + path.replace("?", "").lstrip("/"), query_string={"limit": query})
        assert response.status_code < 500
        assert response.content_type in {"application/json", None}
