"""The description of the tester's API at /__admin/openapi.json: complete, and true of what is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.openapi import from_wsgi

from simulator.bootstrap import build_app
from simulator.config import Settings
from simulator.web.app import create_testers_app
from tests import actors

if TYPE_CHECKING:
    from flask import Flask
    from schemathesis import Case

KEY = "pk_test_described"
APP, _ = build_app(Settings())
NOBODY = "http://127.0.0.1:1/hooks"
"""Where no receiver listens, so that its exam is over at once."""
DESCRIPTION = from_wsgi("/__admin/openapi.json", APP)

fuzzed = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def ids() -> dict[str, str]:
    """The ids of a paid payment, its refund and what a webhook would be told, made anew: a reset may have been."""
    merchant = actors.MerchantCaller(APP.test_client(), KEY, "sk_test_described")
    tester = actors.Tester(APP.test_client())
    tester.ask("PUT", f"/__admin/merchants/{KEY}", json={"delivery": {"mode": "collect"}})
    if not merchant.ask("GET", "/v2/webhooks"):
        merchant.wants_webhook()
    paid = tester.pays(merchant.requests_payment(pence=2**52, payer={"name": "Jane Doe", "email": "jane@doe.com"}))
    refund = merchant.refunds(paid, pence=1)
    [email] = tester.ask("GET", f"/__admin/merchants/{KEY}/emails?limit=1")["emails"]
    [delivery] = tester.ask("GET", f"/__admin/merchants/{KEY}/deliveries?limit=1")["deliveries"]
    found = {"payment_sessions": paid["id"], "refunds": actors.refund_id(refund), "emails": email["id"]}
    return {**found, "deliveries": delivery["id"]}


def hurried(case: Case[Any]) -> Case[Any]:
    """The case, without its waiting or working long."""
    if case.path.endswith("/wait") and "timeout" in case.query:
        case.query["timeout"] = str(case.query["timeout"])[:1] if str(case.query["timeout"])[:1] == "0" else "0"
    elif case.path.endswith("/wait"):
        case.query = {**case.query, "timeout": "0"}
    if case.path.endswith("/generate") and isinstance(case.body, dict) and isinstance(case.body.get("payments"), int):
        case.body["payments"] = min(case.body["payments"], 3)
    if case.path.endswith("/exam") and isinstance(case.body, dict) and isinstance(case.body.get("target_url"), str):
        case.body["target_url"] = NOBODY
    return case


@DESCRIPTION.parametrize()
@fuzzed
def test_whatever_is_sent_the_answer_is_as_described(case: Case[Any]) -> None:
    hurried(case).call_and_validate(excluded_checks=[positive_data_acceptance, negative_data_rejection])


@DESCRIPTION.parametrize()
@fuzzed
def test_whatever_is_sent_about_real_things_the_answer_is_as_described(case: Case[Any]) -> None:
    if "id_" in case.path_parameters:
        case.path_parameters["id_"] = ids()[case.path.split("/")[2]]
    if "key" in case.path_parameters:
        case.path_parameters["key"] = KEY
    if case.path.endswith("/resend"):
        return  # it would go out to where nobody is
    hurried(case).call_and_validate(excluded_checks=[positive_data_acceptance, negative_data_rejection])


def test_the_description_is_valid() -> None:
    DESCRIPTION.validate()


def test_every_route_of_the_testers_api_is_described(app: Flask) -> None:
    described = app.test_client().get("/__admin/openapi.json").json["paths"]
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in create_testers_app("").url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
        if rule.rule.startswith("/__admin") and not rule.rule.endswith(("/openapi.json", "/actions/<action>"))
    }
    assert routes <= {(path, method) for path, operations in described.items() for method in operations}
