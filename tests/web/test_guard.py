"""Who may use the tester's API: programs on this machine, or whoever has the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.web.app import create_app
from tests.actors import PUBLIC_URL

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from simulator.service.simulation import Simulation

PATH = "/__admin/scenarios"


@pytest.fixture
def guarded(simulation: Simulation) -> FlaskClient:
    """The tester's API behind a token."""
    return create_app(simulation, "https://pay.example/banked", "open sesame").test_client()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:2265", "localhost", "localhost:1", "[::1]:2265"])
def test_programs_on_this_machine_need_no_token(client: FlaskClient, host: str) -> None:
    assert client.get(PATH, headers={"Host": host}).status_code == 200


def test_the_public_url_is_this_machine_too(simulation: Simulation) -> None:
    client = create_app(simulation, "https://pay.example/banked").test_client()
    assert client.get(PATH, headers={"Host": "pay.example"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:2265", "", "[", "::1"]
)
def test_a_name_that_was_rebound_to_this_machine_is_refused(client: FlaskClient, host: str) -> None:
    response = client.get(PATH, headers={"Host": host})
    assert response.status_code in (400, 403)
    assert response.json["errors"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_other_sites_are_refused(client: FlaskClient, method: str, headers: dict[str, str]) -> None:
    response = client.open("/__admin/reset" if method == "POST" else PATH, method=method, headers=headers)
    assert response.status_code == 403
    assert response.json["errors"][0]["code"] == "forbidden"


LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
EMAIL = "/__admin/emails/11111111-1111-4111-8111-111111111111"


def test_a_link_on_another_site_may_lead_to_an_email_and_nowhere_else(client: FlaskClient) -> None:
    assert client.get(EMAIL, headers=LINK).json["errors"][0]["code"] == "not_found"
    assert client.get(PATH, headers=LINK).status_code == 403
    assert client.get("/__admin/nowhere", headers=LINK).status_code in (403, 404)
    assert client.get(EMAIL, headers={**LINK, "Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Mode": "no-cors"}, {"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Dest": "image"}, {"Origin": "null"}],
)
def test_another_site_cannot_show_an_email_itself(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get(EMAIL, headers={**LINK, **headers}).status_code == 403


def test_a_link_does_not_stand_for_the_token(guarded: FlaskClient) -> None:
    assert guarded.get(EMAIL, headers=LINK).status_code == 401


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_pages_of_the_simulator_itself_are_let_in(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get(PATH, headers=headers).status_code == 200


def test_nothing_is_shared_across_origins(client: FlaskClient) -> None:
    response = client.get(PATH, headers={"Origin": "http://localhost"})
    assert not [name for name, _ in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "sent", [None, "Bearer", "Bearer open", "Bearer open sesame!", "Basic open sesame", "Bearer é"]
)
def test_where_there_is_a_token_it_is_needed(guarded: FlaskClient, sent: str | None) -> None:
    response = guarded.get(PATH, headers={"Authorization": sent} if sent else {})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"]
    assert "sesame" not in response.text


@pytest.mark.parametrize("host", ["localhost", "pay.example", "10.0.0.7:2265"])
def test_with_the_token_any_machine_is_let_in(guarded: FlaskClient, host: str) -> None:
    response = guarded.get(PATH, headers={"Authorization": "Bearer open sesame", "Host": host})
    assert response.status_code == 200


def test_the_merchants_api_needs_no_token_of_the_testers(simulation: Simulation) -> None:
    client = create_app(simulation, PUBLIC_URL, "open sesame").test_client()
    response = client.get(
        "/v2/providers", auth=("pk_test_simulator", "sk_test_simulator"), headers={"Host": "10.0.0.7"}
    )
    assert response.status_code == 200


def test_a_browser_that_follows_a_link_to_an_email_asks_for_the_token_as_a_password(guarded: FlaskClient) -> None:
    email = "/__admin/emails/nothing"
    asked = guarded.get(email)
    assert (asked.status_code, asked.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
    assert guarded.get(email, auth=("anybody", "open sesame")).status_code == 404
    assert guarded.get(email, auth=("anybody", "sesame")).status_code == 401


def test_nothing_else_takes_the_token_as_a_password_so_that_no_site_can_use_it(guarded: FlaskClient) -> None:
    for method, path in (("GET", PATH), ("POST", "/__admin/reset")):
        refused = guarded.open(path, method=method, auth=("anybody", "open sesame"))
        assert refused.status_code == 401
