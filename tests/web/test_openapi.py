"""The API's own description at /openapi.json: complete, and true of what is answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.openapi import from_wsgi

from simulator.bootstrap import build_app
from simulator.config import Settings
from tests import actors

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from schemathesis import Case

    from tests.actors import Json

APP, _ = build_app(Settings())
DESCRIPTION = from_wsgi("/openapi.json", APP)
AUTHORIZATION = {"Authorization": actors.basic("pk_test_described", "sk_test_described")}

fuzzed = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    """A paid payment, its refund, one to delete and one to show with its client key, by what asks for them."""
    merchant = actors.MerchantCaller(APP.test_client(), "pk_test_described", "sk_test_described")
    tester = actors.Tester(APP.test_client())
    paid = tester.pays(merchant.requests_payment(pence=2**52), "Mock Bank Direct")
    refund, unpaid = merchant.refunds(paid), merchant.requests_payment()
    key = merchant.ask("POST", "/v2/client_keys", json={"domains": ["https://shop.example"]}, expect=201)["token"]
    shown = merchant.requests_payment()["id"]
    webhook = merchant.wants_webhook()["id"]
    found = {"payment_sessions": paid["id"], "refunds": actors.refund_id(refund), "DELETE": unpaid["id"]}
    return {**found, "checkout_sessions": shown, "api_key": key, "webhooks": webhook}


@pytest.fixture
def description(client: FlaskClient) -> Json:
    return client.get("/openapi.json").json


@pytest.fixture
def mixed_app(tmp_path: Path) -> Flask:
    """An app with a merchant who linked an account that is named in both forms."""
    mixed = {"account_identifier": "01020312345678", "identifier_type": "SortCodeAccountNumber"}
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(json.dumps({"merchants": [{"key": "k", "secret": "s", "bank_accounts": [mixed]}]}))
    app, _ = build_app(Settings(fixtures=fixtures))
    return app


@pytest.fixture
def answers(mixed_app: Flask) -> dict[str, Json]:
    """Real answers with all their optional members, by the names of their schemas."""
    merchant = actors.MerchantCaller(mixed_app.test_client(), "k", "s")
    tester = actors.Tester(mixed_app.test_client())
    [bank_account] = merchant.ask("GET", "/v2/bank_accounts")
    payment = merchant.requests_payment(
        payee={"name": "Gerald", "account_identifier": "01020312345678", "identifier_type": "SortCodeAccountNumber"},
        payer={"name": "Jane Doe", "email": "jane@doe.com"},
        frequency="weekly",
        number_of_payments=3,
        rewards=[{"type": "avios"}],
    )
    refund = merchant.refunds(tester.pays(payment))
    payment = merchant.reads_payment(payment["id"])
    asked = {"grant_type": "client_credentials"}
    client_key = merchant.ask("POST", "/v2/client_keys", json={"domains": ["https://shop.example"]}, expect=201)
    checkout = f"/v2/checkout_sessions/{merchant.requests_payment()['id']}?api_key={client_key['token']}"
    session = merchant.ask("GET", checkout)
    bank = session["provider_brands"][0]["providers"][0]
    return {
        "WebhookAnswer": merchant.wants_webhook(),
        "ClientKeyAnswer": client_key,
        "CheckoutSession": session,
        "BrandEntry": session["provider_brands"][0],
        "ProviderEntry": bank,
        "ChosenSession": merchant.ask("PATCH", checkout, json={"provider_id": bank["id"]}),
        "PaymentSession": payment,
        "LineItemAnswer": payment["line_items"][0],
        "AccountAnswer": payment["payee"],
        "PayerAnswer": payment["payer"],
        "RewardAnswer": payment["rewards"][0],
        "RefundEntry": payment["refunds"][0],
        "RefundAnswer": refund,
        "BankAccountAnswer": bank_account,
        "ProviderAnswer": merchant.ask("GET", "/v2/providers")[0],
        "TokenAnswer": merchant.ask("POST", "/oauth/token", data={**asked, "scope": "k"}),
        "TokenError": merchant.ask("POST", "/oauth/token", expect=400),
        "Errors": merchant.reads_payment("unknown", expect=404),
    }


@DESCRIPTION.parametrize()
@fuzzed
def test_whatever_is_sent_the_answer_is_as_described(case: Case[Any]) -> None:
    # What the description allows may still be refused, by rules that span several fields or need a world.
    case.call_and_validate(headers=AUTHORIZATION, excluded_checks=[positive_data_acceptance])


@DESCRIPTION.parametrize()
@fuzzed
def test_whatever_is_sent_about_real_things_the_answer_is_as_described(case: Case[Any], ids: dict[str, str]) -> None:
    """The same, where random ids, accounts and idempotency keys would hardly ever get beyond a refusal."""
    case.headers.pop("Idempotency-Key", None)
    if "id_" in case.path_parameters:
        case.path_parameters["id_"] = ids[case.method if case.method in ids else case.path.split("/")[2]]
    if "checkout_sessions" in case.path:
        case.query = {**case.query, "api_key": ids["api_key"]}
    if isinstance(case.body, dict) and "payment_session_id" in case.body:
        case.body["payment_session_id"] = ids["payment_sessions"]
    if isinstance(case.body, dict) and isinstance(case.body.get("payee"), dict):
        case.body["payee"] = actors.payment_request()["payee"]
    # Mending a case may mend what was meant to be wrong with it.
    case.call_and_validate(headers=AUTHORIZATION, excluded_checks=[positive_data_acceptance, negative_data_rejection])


def test_the_description_is_valid() -> None:
    DESCRIPTION.validate()


def test_every_route_of_the_merchants_api_is_described_and_nothing_else(app: Flask, description: Json) -> None:
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(("/v2", "/oauth"))
    }
    assert routes == {(path, method) for path, operations in description["paths"].items() for method in operations}


def test_every_schema_of_an_answer_has_the_keys_of_a_real_one_in_their_order(
    description: Json, answers: dict[str, Json]
) -> None:
    schemas = description["components"]["schemas"]
    assert {name: list(schemas[name]["properties"]) for name in answers} == {
        name: list(answer) for name, answer in answers.items()
    }


def test_every_schema_is_of_a_request_or_compared_with_a_real_answer(
    description: Json, answers: dict[str, Json]
) -> None:
    requests = {name for name in description["components"]["schemas"] if name.startswith("New")}
    requests |= {"TokenRequest", "WebhookChange"}
    assert description["components"]["schemas"].keys() == answers.keys() | requests
