"""Who may call: Basic, Bearer and where tokens come from (facts 1.2, Q1)."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from simulator.adapters.memory import MemoryStore
from simulator.bootstrap import build_simulation
from simulator.config import MerchantSetting, Settings
from simulator.web.app import create_app
from tests.actors import NOON, PUBLIC_URL, Caller, MerchantCaller, basic, payment_request

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from simulator.service.simulation import Simulation
    from tests.actors import Json, ManualClock, Tester

PATHS = ("/v2/payment_sessions", "/v2/refunds", "/v2/providers", "/v2/bank_accounts")
GRANT = {"grant_type": "client_credentials", "scope": "simulator"}
REFUSED_KEYS = ("The API key and secret do not belong together", "There is no such API key")
CHALLENGE = 'Basic realm="Banked", charset="UTF-8"'
TOKEN_CHALLENGE = 'Bearer realm="Banked", error="invalid_token"'


def encoded(credentials: bytes) -> str:
    return b64encode(credentials).decode()


def bearer(client: FlaskClient, token: str) -> Caller:
    return Caller(client, f"Bearer {token}")


def refused(client: FlaskClient, authorization: str, *, path: str = "/v2/payment_sessions") -> str:
    """Call with these credentials, find it refused as 401, and return the sentence."""
    response = Caller(client, authorization).call("GET", path)
    assert response.status_code == 401
    [error] = response.json["errors"]
    assert (error["code"], error["source"]) == ("unauthorized", {})
    is_token = authorization.lower().startswith("bearer ")
    assert response.headers["WWW-Authenticate"] == (TOKEN_CHALLENGE if is_token else CHALLENGE)
    sentence: str = error["title"]
    return sentence


@pytest.fixture
def token(merchant: MerchantCaller) -> str:
    """A token for the application of the merchant."""
    token: str = merchant.ask("POST", "/oauth/token", data=GRANT)["access_token"]
    return token


# Key and secret


@pytest.mark.parametrize("path", PATHS)
def test_without_credentials_nothing_is_told(client: FlaskClient, path: str) -> None:
    assert refused(client, "", path=path).startswith("Send your API key and secret")


@pytest.mark.parametrize(
    "authorization",
    [
        *("Basic", "Basic ", "Basic !", "Basic a", "Basic ====", "Basic pk_test_simulator:sk_test_simulator"),
        *(
            f"Basic {encoded(wrong)}"
            for wrong in (b"", b"pk_test_simulator", b"\xff:\xff", b":", b":sk_test_simulator")
        ),
        f"Basic {encoded(b'pk_test_simulator:sk_test_simulator')} x",
        *("Digest x", "pk_test_simulator", "Token x", "\xff", "B\xc3\xa4sic x", " "),
        *("Bearer", "Bearer ", "Bearer x", "Bearer a b", "Bearer \xff"),
    ],
)
def test_malformed_credentials_are_refused(client: FlaskClient, authorization: str) -> None:
    assert refused(client, authorization).endswith(".")


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("pk_test_simulator", "sk_test_other"),
        ("pk_test_simulator", ""),
        ("pk_test_simulator", "sk_test_simulator "),
        ("pk_test_simulator", "sk_test_simulator:"),
        ("pk_test_simulator", "sk_test_sïmulator"),
        ("PK_TEST_SIMULATOR", "sk_test_simulator"),
        ("pk_test_new", "sk_test_old"),
        ("pk_test_", "sk_test_"),
        ("pk_test_a.b", "sk_test_a.b"),
        ("pk_test_ä", "sk_test_ä"),
        ("pk_test_" + "x" * 65, "sk_test_" + "x" * 65),
        ("unknown", ""),
        ("\x00", "\x00"),
    ],
)
def test_a_key_without_its_secret_is_refused(client: FlaskClient, key: str, secret: str) -> None:
    assert refused(client, basic(key, secret)).startswith(REFUSED_KEYS)


def test_who_has_the_wrong_secret_is_told_another_thing_than_who_has_no_key(client: FlaskClient) -> None:
    assert refused(client, basic("pk_test_simulator", "x")).startswith("The API key and secret do not belong together")
    assert refused(client, basic("nobody", "x")).startswith("There is no such API key")


def test_with_strict_keys_an_unknown_merchant_is_told_about_them(simulation: Simulation) -> None:
    client = create_app(replace(simulation, strict_keys=True), PUBLIC_URL).test_client()
    assert "--strict-keys" in refused(client, basic("pk_test_new", "sk_test_new"))


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "Basic ", "bAsIc"])
def test_the_scheme_is_read_in_any_case(client: FlaskClient, scheme: str) -> None:
    Caller(client, f"{scheme} {encoded(b'pk_test_simulator:sk_test_simulator')}").ask("GET", "/v2/payment_sessions")


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("pk_live_simulator", "sk_live_simulator"),
        ("pk_test_simulator", "sk_live_simulator"),
        ("pk_live_simulator", "sk_test_simulator"),
        ("bk_live_0123", "x"),
    ],
)
def test_a_live_key_is_refused_with_a_warning_that_does_not_repeat_it(
    client: FlaskClient, key: str, secret: str
) -> None:
    sentence = refused(client, basic(key, secret))
    assert sentence.startswith("This looks like a live key.")
    assert key not in sentence
    assert secret not in sentence


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2/nothing", "/v2/payment_sessions/x/y"])
def test_an_unknown_path_needs_no_credentials_to_be_not_found(client: FlaskClient, path: str) -> None:
    Caller(client).ask("GET", path, expect=404)


# Merchants


@pytest.mark.parametrize("name", ["shop", "A-b_9", "x" * 64, "_", "-"])
def test_a_merchant_is_made_on_first_use(client: FlaskClient, name: str) -> None:
    merchant = MerchantCaller(client, f"pk_test_{name}", f"sk_test_{name}")
    assert merchant.ask("GET", "/v2/payment_sessions") == []
    assert len(merchant.ask("GET", "/v2/bank_accounts")) == 1
    assert merchant.reads_payment(merchant.requests_payment()["id"])["live"] is False


def test_merchants_do_not_see_one_another(
    merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester
) -> None:
    payment = tester.pays(merchant.requests_payment())
    refund = merchant.refunds(payment)
    for path in ("/v2/payment_sessions", "/v2/refunds"):
        assert other_merchant.ask("GET", path) == []
    for path in (f"/v2/payment_sessions/{payment['id']}", f"/v2/refunds/{refund['url'].rpartition('/')[2]}"):
        other_merchant.ask("GET", path, expect=404)
        merchant.ask("GET", path)


@pytest.fixture
def strict_client(clock: ManualClock) -> FlaskClient:
    """A simulator that knows one merchant only."""
    settings = Settings(strict_keys=True, merchants=(MerchantSetting("bk_0", "a:b: ü"),))
    return create_app(replace(build_simulation(settings), clock=clock), PUBLIC_URL).test_client()


def test_strict_keys_let_in_the_configured_merchant_only(strict_client: FlaskClient) -> None:
    MerchantCaller(strict_client, "bk_0", "a:b: ü").ask("GET", "/v2/payment_sessions")
    for name in ("simulator", "shop"):
        refused(strict_client, basic(f"pk_test_{name}", f"sk_test_{name}"))
        Caller(strict_client).ask("POST", f"/__admin/merchants/pk_test_{name}/reset", expect=404)


def test_a_configured_merchant_may_be_paid_on_its_linked_account_only(strict_client: FlaskClient) -> None:
    merchant = MerchantCaller(strict_client, "bk_0", "a:b: ü")
    merchant.requests_payment()
    merchant.requests_payment(payee={"account_number": "00000000", "sort_code": "000000"}, expect=422)


def test_a_full_simulator_says_so_to_a_newcomer_only(simulation: Simulation) -> None:
    full = replace(simulation, store=MemoryStore(merchants_limit=2))
    client = create_app(full, PUBLIC_URL).test_client()
    for name in ("one", "two", "one"):
        MerchantCaller(client, f"pk_test_{name}", f"sk_test_{name}").requests_payment()
    newcomer = MerchantCaller(client, "pk_test_three", "sk_test_three")
    for method, path in (("GET", "/v2/payment_sessions"), ("POST", "/oauth/token")):
        refusal = newcomer.ask(method, path, expect=503)
        assert refusal["errors"][0]["code"] == "service_unavailable"


# Tokens


@pytest.mark.parametrize(
    "encoding",
    [{"data": GRANT}, {"json": GRANT}, {"query_string": GRANT}, {"query_string": GRANT, "data": b""}],
    ids=["form", "json", "query", "query with an empty body"],
)
def test_a_token_is_issued_in_three_encodings(merchant: MerchantCaller, client: FlaskClient, encoding: Json) -> None:
    response = merchant.call("POST", "/oauth/token", **encoding)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    token = response.json
    assert list(token) == ["access_token", "token_type", "expires_in", "scope", "created_at"]
    assert re.fullmatch("[A-Za-z0-9_-]{43}", token.pop("access_token"))
    known = {"token_type": "Bearer", "expires_in": 7200, "scope": "simulator", "created_at": int(NOON.timestamp())}
    assert token == known
    bearer(client, response.json["access_token"]).ask("GET", "/v2/payment_sessions")


def test_parameters_may_be_split_between_query_and_form(merchant: MerchantCaller) -> None:
    split = {"query_string": {"scope": "simulator"}, "data": {"grant_type": "client_credentials"}}
    assert merchant.ask("POST", "/oauth/token", **split)["scope"] == "simulator"


@pytest.mark.parametrize("encoding", ["data", "json", "query_string"])
def test_the_key_and_secret_may_be_parameters_too(client: FlaskClient, encoding: str) -> None:
    asked = {**GRANT, "client_id": "pk_test_simulator", "client_secret": "sk_test_simulator"}
    assert Caller(client).ask("POST", "/oauth/token", **{encoding: asked})["scope"] == "simulator"


def test_the_token_endpoint_accepts_a_trailing_slash(merchant: MerchantCaller) -> None:
    merchant.ask("POST", "/oauth/token/", data=GRANT)


def test_a_token_does_what_key_and_secret_do(client: FlaskClient, merchant: MerchantCaller, token: str) -> None:
    caller = bearer(client, token)
    payment = caller.ask("POST", "/v2/payment_sessions", json=payment_request(), expect=201)
    assert merchant.reads_payment(payment["id"]) == payment
    assert caller.ask("GET", "/v2/payment_sessions") == [payment]
    Caller(client, f"bearer  {token} ").ask("GET", "/v2/payment_sessions")


def test_every_token_is_another_and_all_are_good(client: FlaskClient, merchant: MerchantCaller, token: str) -> None:
    second = merchant.ask("POST", "/oauth/token", data=GRANT)["access_token"]
    assert second != token
    for each in (token, second):
        bearer(client, each).ask("GET", "/v2/payment_sessions")


def test_a_token_lasts_7200_seconds(
    client: FlaskClient, merchant: MerchantCaller, token: str, clock: ManualClock
) -> None:
    clock.advance(seconds=7199)
    bearer(client, token).ask("GET", "/v2/payment_sessions")
    clock.advance(seconds=1)
    assert "expired" in refused(client, f"Bearer {token}")
    merchant.ask("POST", "/oauth/token", data=GRANT)
    assert "expired" in refused(client, f"Bearer {token}")


def test_a_token_is_for_its_own_merchant(client: FlaskClient, token: str, other_merchant: MerchantCaller) -> None:
    payment = other_merchant.requests_payment()
    bearer(client, token).ask("GET", f"/v2/payment_sessions/{payment['id']}", expect=404)


def test_the_id_of_a_payment_is_no_token(client: FlaskClient, merchant: MerchantCaller) -> None:
    refused(client, f"Bearer {merchant.requests_payment()['id']}")


def test_a_reset_takes_the_tokens_away(client: FlaskClient, tester: Tester, token: str) -> None:
    tester.ask("POST", "/__admin/merchants/pk_test_simulator/reset")
    refused(client, f"Bearer {token}")


@pytest.mark.parametrize("asked", [{}, {"scope": ""}], ids=["no scope", "empty scope"])
def test_a_token_without_scope_is_good_for_nothing_under_v2(
    client: FlaskClient, merchant: MerchantCaller, asked: Json
) -> None:
    token = merchant.ask("POST", "/oauth/token", data={"grant_type": "client_credentials", **asked})
    assert list(token) == ["access_token", "token_type", "expires_in", "created_at"]
    for path in PATHS:
        refusal = bearer(client, token["access_token"]).ask("GET", path, expect=403)
        assert refusal["errors"] == [
            {
                "code": "forbidden",
                "source": {},
                "title": "This access token has no scope: ask for one with scope=simulator.",
            }
        ]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"data": {}}, "invalid_request"),
        ({"data": {"scope": "simulator"}}, "invalid_request"),
        ({"data": {"grant_type": ""}}, "unsupported_grant_type"),
        ({"data": {"grant_type": "password"}}, "unsupported_grant_type"),
        ({"data": {"grant_type": "refresh_token"}}, "unsupported_grant_type"),
        ({"data": {**GRANT, "scope": "other"}}, "invalid_scope"),
        ({"data": {**GRANT, "scope": "simulator other"}}, "invalid_scope"),
        ({"data": {"grant_type": ["client_credentials"] * 2}}, "invalid_request"),
        ({"query_string": "grant_type=client_credentials&grant_type=client_credentials"}, "invalid_request"),
        ({"json": {"grant_type": 7}}, "invalid_request"),
        ({"json": {**GRANT, "scope": None}}, "invalid_request"),
        ({"json": []}, "invalid_request"),
        ({"data": b"{", "content_type": "application/json"}, "invalid_request"),
        ({"data": b"\xff", "content_type": "application/json"}, "invalid_request"),
        ({"data": b"grant_type=client_credentials", "content_type": "text/plain"}, "invalid_request"),
    ],
)
def test_a_bad_request_for_a_token_gets_doorkeepers_answer(merchant: MerchantCaller, asked: Json, error: str) -> None:
    response = merchant.call("POST", "/oauth/token", **asked)
    assert (response.status_code, list(response.json)) == (400, ["error", "error_description"])
    assert response.json["error"] == error
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !",
        "Bearer x",
        basic("pk_test_simulator", "x"),
        basic("nobody", "x"),
        basic("pk_live_a", "x"),
    ],
)
def test_nobody_gets_a_token_without_credentials(client: FlaskClient, authorization: str) -> None:
    response = Caller(client, authorization).call("POST", "/oauth/token", data=GRANT)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == CHALLENGE
    assert list(response.json) == ["error", "error_description"]
    assert response.json["error"] == "invalid_client"


def test_a_wrong_secret_among_the_parameters_gets_no_token(client: FlaskClient) -> None:
    for secret in ({"client_secret": "x"}, {}):
        asked = {**GRANT, "client_id": "pk_test_simulator", **secret}
        assert Caller(client).ask("POST", "/oauth/token", data=asked, expect=401)["error"] == "invalid_client"


def test_a_call_with_bad_credentials_is_in_the_journal_of_the_merchant_they_name(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    merchant.ask("GET", "/v2/providers")
    unscoped = merchant.ask("POST", "/oauth/token", data={"grant_type": "client_credentials"})["access_token"]
    world = "/__admin/merchants/pk_test_simulator"
    for credentials in (basic("pk_test_simulator", "sk_test_wrong"), f"Bearer {unscoped}"):
        client.get("/v2/refunds", headers={"Authorization": credentials})
    for credentials in ("Bearer nobody", "Basic nonsense", basic("pk_test_stranger", "sk_wrong"), ""):
        client.get("/v2/refunds", headers={"Authorization": credentials})
    calls = tester.ask("GET", f"{world}/requests?path=/v2/refunds")["requests"]
    assert [each["data"]["status"] for each in calls] == [401, 403]
    assert "sk_test_wrong" not in str(calls)
    assert unscoped not in str(calls)
    assert tester.ask("GET", "/__admin/merchants")["merchants"] == ["pk_test_simulator"]
