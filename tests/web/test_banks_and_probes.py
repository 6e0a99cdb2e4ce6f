"""The banks, the merchant's accounts at them, and what watches the server (facts 5.1, 5.2)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from simulator.adapters.memory import MemoryStore
from simulator.bootstrap import build_simulation
from simulator.config import Settings
from simulator.domain.errors import StoreUnavailable
from simulator.web.app import create_app
from tests.actors import PUBLIC_URL, Caller, MerchantCaller

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from simulator.service.simulation import Simulation
    from tests.actors import ManualClock

BAKERY = Path(__file__).parents[2] / "fixtures" / "bakery.json"


# Providers


def test_the_banks_are_data_that_every_merchant_sees(merchant: MerchantCaller, other_merchant: MerchantCaller) -> None:
    providers = merchant.ask("GET", "/v2/providers")
    assert [(bank["name"], bank["status"], bank["supports_batch"]) for bank in providers] == [
        ("Mock Bank", "AVAILABLE", False),
        ("Mock Bank Direct", "AVAILABLE", False),
        ("Mock Bank Business", "AVAILABLE", True),
        ("Mock Bank Offline", "UNAVAILABLE", False),
        ("Mock Bank AU", "AVAILABLE", False),
        ("Mock Bank EU", "AVAILABLE", False),
    ]
    assert all(list(bank) == ["id", "name", "status", "supports_batch"] for bank in providers)
    assert other_merchant.ask("GET", "/v2/providers/") == providers


def test_the_ids_of_the_banks_are_always_the_same(merchant: MerchantCaller) -> None:
    again = MerchantCaller(create_app(build_simulation(Settings()), PUBLIC_URL).test_client())
    providers = merchant.ask("GET", "/v2/providers")
    assert again.ask("GET", "/v2/providers") == providers
    assert len({UUID(bank["id"]) for bank in providers}) == 6


# The merchant's accounts


def test_a_merchant_starts_with_one_linked_account(merchant: MerchantCaller) -> None:
    [account] = merchant.ask("GET", "/v2/bank_accounts")
    assert UUID(account.pop("id"))
    assert list(account.items()) == [
        ("name", "Mock Bank account"),
        ("account_number", "12345678"),
        ("account_type", "business"),
        ("account_sub_type", "current"),
        ("sort_code", "010203"),
        ("currency", "GBP"),
        ("consent_expires_at", None),
        ("provider", merchant.ask("GET", "/v2/providers")[0]),
    ]


def test_the_linked_accounts_of_two_merchants_are_two(merchant: MerchantCaller, other_merchant: MerchantCaller) -> None:
    [ours], [theirs] = (each.ask("GET", "/v2/bank_accounts/") for each in (merchant, other_merchant))
    assert ours["id"] != theirs["id"]
    assert {**ours, "id": None} == {**theirs, "id": None}


def test_the_id_of_a_linked_account_is_always_the_same(merchant: MerchantCaller) -> None:
    again = MerchantCaller(create_app(build_simulation(Settings()), PUBLIC_URL).test_client())
    assert again.ask("GET", "/v2/bank_accounts") == merchant.ask("GET", "/v2/bank_accounts")


@pytest.fixture
def bakery(clock: ManualClock) -> MerchantCaller:
    """The merchant of the fixtures that the project ships."""
    simulation = replace(build_simulation(Settings(fixtures=BAKERY)), clock=clock)
    return MerchantCaller(create_app(simulation, PUBLIC_URL).test_client(), "pk_test_bakery", "sk_test_bakery")


def test_an_account_abroad_is_listed_by_its_identifier(bakery: MerchantCaller) -> None:
    till, euros = bakery.ask("GET", "/v2/bank_accounts")
    assert (till["account_number"], till["sort_code"], "identifier_type" in till) == ("11112222", "203040", False)
    assert (euros["account_number"], euros["sort_code"], euros["currency"]) == (None, None, "EUR")
    assert euros["account_identifier"] == "DE89370400440532013000"
    assert euros["identifier_type"] == "IBAN"


def test_a_merchant_may_be_paid_on_each_of_its_accounts_in_any_form(bakery: MerchantCaller) -> None:
    for payee in (
        {"account_number": "11112222", "sort_code": "203040", "name": "Anybody"},
        {"account_identifier": "20304011112222", "identifier_type": "SortCodeAccountNumber"},
        {"account_identifier": "DE89370400440532013000", "identifier_type": "IBAN"},
    ):
        bakery.requests_payment(payee=payee)
    bakery.requests_payment(expect=422)


@pytest.mark.parametrize("path", ["/v2/providers", "/v2/bank_accounts"])
def test_banks_and_accounts_are_told_to_merchants_only(client: FlaskClient, path: str) -> None:
    Caller(client).ask("GET", path, expect=401)


# Probes


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_a_probe_needs_no_credentials(client: FlaskClient, path: str) -> None:
    caller = Caller(client)
    assert caller.ask("GET", path) == {"status": "ok"}
    assert caller.call("HEAD", path).data == b""
    assert caller.ask("GET", f"{path}/") == {"status": "ok"}


class LostStore(MemoryStore):
    """A store that nobody reaches."""

    def owner(self, id_: str) -> str | None:
        raise StoreUnavailable(f"There is no way to {id_}.")


def test_a_server_that_lost_its_store_lives_and_is_not_ready(simulation: Simulation) -> None:
    caller = Caller(create_app(replace(simulation, store=LostStore()), PUBLIC_URL).test_client())
    assert caller.ask("GET", "/livez") == {"status": "ok"}
    response = caller.call("GET", "/readyz")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json["errors"][0]["code"] == "service_unavailable"


def test_a_server_that_has_its_store_is_ready(client: FlaskClient) -> None:
    assert Caller(client).ask("GET", "/readyz") == {"status": "ok"}


def test_the_description_needs_no_credentials(client: FlaskClient) -> None:
    assert Caller(client).ask("GET", "/openapi.json")["openapi"] == "3.1.0"
