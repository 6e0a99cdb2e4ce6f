"""POST /__admin/merchants/<key>/exam."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.bootstrap import build_app
from simulator.config import Settings
from simulator.domain.exam_questions import QUESTIONS
from tests import actors, receivers
from tests.receivers import KEY, listening

if TYPE_CHECKING:
    from flask.testing import FlaskClient


PATH = "/__admin/merchants/pk_test_simulator/exam"


def test_a_tester_has_a_receiver_examined() -> None:
    app, simulation = build_app(Settings())
    tester = actors.Tester(app.test_client())
    with listening(receivers.AcceptingUnsigned) as address:
        told = tester.ask(
            "POST",
            PATH,
            json={
                "target_url": f"{address}/hooks",
                "signature_key": KEY,
                "probe": f"{address}/payments/{{payment_id}}",
                "timeout": 5,
                "verify_tls": False,
            },
        )
    assert (told["target_url"], told["passed"], told["failed_musts"]) == (
        f"{address}/hooks",
        False,
        ["missing_signature"],
    )
    assert [finding["question"] for finding in told["findings"]] == [asked.name for asked in QUESTIONS]
    assert told["findings"][1]["outcome"] == "passed"
    simulation.stop()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"target_url": "hooks", "signature_key": KEY}, "target_url"),
        ({"target_url": "http://127.0.0.1:1", "signature_key": KEY, "timeout": 0}, "timeout"),
        ({"target_url": "http://127.0.0.1:1", "signature_key": KEY, "timeout": 61}, "timeout"),
        ({"target_url": "http://127.0.0.1:1", "signature_key": KEY, "porbe": "http://127.0.0.1:1"}, "porbe"),
    ],
)
def test_a_receiver_with_something_wrong_about_it_is_refused(
    client: FlaskClient, body: dict[str, object], field: str
) -> None:
    refusal = client.post(PATH, json=body)
    assert refusal.status_code == 422
    assert [error["source"]["parameter"] for error in refusal.json["errors"]] == [field]


@pytest.mark.parametrize("missing", ["target_url", "signature_key"])
def test_a_receiver_has_a_url_and_a_key(client: FlaskClient, missing: str) -> None:
    body = {"target_url": "http://127.0.0.1:1", "signature_key": KEY}
    del body[missing]
    refusal = client.post(PATH, json=body)
    assert refusal.status_code == 400
    assert refusal.json["errors"][0]["source"] == {"parameter": missing}


def test_nobody_examines_for_an_unknown_merchant(client: FlaskClient) -> None:
    body = {"target_url": "http://127.0.0.1:1", "signature_key": KEY}
    assert client.post("/__admin/merchants/nobody/exam", json=body).status_code == 404
