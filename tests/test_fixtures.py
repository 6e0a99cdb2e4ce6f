"""The fixtures file: the merchants to start with, or a sentence that says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from simulator.bootstrap import build_app, build_simulation
from simulator.config import InvalidSetting, MerchantSetting, Settings
from simulator.domain.webhooks import PAYMENT_EVENTS
from tests.actors import MerchantCaller

if TYPE_CHECKING:
    from simulator.domain.merchants import Merchant

BAKERY = Path(__file__).parents[1] / "fixtures" / "bakery.json"
SMALLEST = {"key": "pk_test_shop", "secret": "sk_test_shop"}
ACCOUNT = {"account_number": "11112222", "sort_code": "203040"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "fixtures.json"


def merchants(file: Path, *fixtures: Any, more: tuple[MerchantSetting, ...] = ()) -> dict[str, Merchant]:
    """The configured merchants once `fixtures` are loaded from `file`."""
    file.write_text(json.dumps({"merchants": fixtures}), "utf-8")
    return dict(build_simulation(Settings(fixtures=file, merchants=more)).configured)


def starting(file: Path, **fields: Any) -> Merchant:
    """The only merchant of a file that says this of it."""
    return merchants(file, {**SMALLEST, **fields})[SMALLEST["key"]]


def refusal(file: Path, content: bytes | None = None) -> str:
    """The sentence with which the fixtures are refused."""
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidSetting) as refused:
        build_simulation(Settings(fixtures=file))
    return str(refused.value)


def refusal_of(file: Path, *fixtures: Any) -> str:
    """The sentence with which these merchants are refused, from the place in the file on."""
    sentence = refusal(file, json.dumps({"merchants": fixtures}).encode())
    assert sentence.startswith(f"{file}: ")
    return sentence.removeprefix(f"{file}: ")


# What is loaded


def test_the_bakery_is_loaded_whole() -> None:
    bakery = build_simulation(Settings(fixtures=BAKERY)).configured["pk_test_bakery"]
    assert (bakery.secret, bakery.name, bakery.email) == ("sk_test_bakery", "The Bakery", "till@bakery.example")
    assert (bakery.application_id, bakery.accept_any_payee) == ("bakery", False)
    assert [(linked.name, linked.currency, linked.provider) for linked in bakery.accounts] == [
        ("Till", "GBP", "Mock Bank"),
        ("Euros", "EUR", "Mock Bank"),
    ]


def test_what_is_left_out_is_as_sign_up_leaves_it(file: Path) -> None:
    shop = merchants(file, SMALLEST)["pk_test_shop"]
    assert (shop.name, shop.email, shop.application_id) == ("Shop", "payments@merchant.example", "shop")
    assert shop.accept_any_payee is False
    [linked] = shop.accounts
    assert (linked.account.account_number, linked.account.sort_code) == ("12345678", "010203")


def test_a_merchant_may_have_no_accounts(file: Path) -> None:
    assert merchants(file, {**SMALLEST, "bank_accounts": []})["pk_test_shop"].accounts == ()


def test_a_merchant_may_accept_any_payee(file: Path) -> None:
    assert merchants(file, {**SMALLEST, "accept_any_payee": True})["pk_test_shop"].accept_any_payee is True


def test_a_key_need_not_look_like_a_test_key(file: Path) -> None:
    assert "bk_0" in merchants(file, {"key": "bk_0", "secret": "ß:ß"})


def test_a_linked_account_may_tell_all_about_itself(file: Path) -> None:
    asked = {
        **ACCOUNT,
        "name": "Savings",
        "provider": "mock bank direct",
        "currency": "GBP",
        "account_type": "personal",
        "account_sub_type": "savings",
        "consent_expires_at": "2027-01-01T02:00:00+02:00",
    }
    file.write_text(json.dumps({"merchants": [{**SMALLEST, "bank_accounts": [asked]}]}), "utf-8")
    app, _ = build_app(Settings(fixtures=file))
    [linked] = MerchantCaller(app.test_client(), "pk_test_shop", "sk_test_shop").ask("GET", "/v2/bank_accounts")
    del linked["id"]
    assert linked.pop("provider")["name"] == "Mock Bank Direct"
    known = {name: value for name, value in asked.items() if name != "provider"}
    assert linked == {**known, "consent_expires_at": "2027-01-01T00:00:00+00:00"}


def test_the_ids_of_linked_accounts_come_from_key_and_place(file: Path) -> None:
    accounts = {"bank_accounts": [ACCOUNT, ACCOUNT]}
    other = {"key": "pk_test_b", "secret": "x"}
    ids = []
    for _ in range(2):
        found = merchants(file, {**SMALLEST, **accounts}, {**other, **accounts})
        ids.append([linked.id for merchant in found.values() for linked in merchant.accounts])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 5


def test_the_merchant_of_the_readme_is_there_unless_keys_are_strict(file: Path) -> None:
    assert list(merchants(file, SMALLEST)) == ["pk_test_simulator", "pk_test_shop"]
    assert list(build_simulation(Settings(fixtures=file, strict_keys=True)).configured) == ["pk_test_shop"]


def test_fixtures_may_replace_the_merchant_of_the_readme(file: Path) -> None:
    found = merchants(file, {"key": "pk_test_simulator", "secret": "mine"})
    assert [merchant.secret for merchant in found.values()] == ["mine"]


def test_a_setting_replaces_a_fixture_with_the_same_key(file: Path) -> None:
    found = merchants(file, {**SMALLEST, "name": "Fixture"}, more=(MerchantSetting("pk_test_shop", "other"),))
    assert (found["pk_test_shop"].secret, found["pk_test_shop"].name) == ("other", "Shop")


def test_a_reset_brings_the_fixture_back(file: Path) -> None:
    file.write_text(json.dumps({"merchants": [{**SMALLEST, "bank_accounts": [ACCOUNT]}]}), "utf-8")
    client = build_app(Settings(fixtures=file))[0].test_client()
    shop = MerchantCaller(client, "pk_test_shop", "sk_test_shop")
    shop.requests_payment(payee=ACCOUNT)
    accounts = shop.ask("GET", "/v2/bank_accounts")
    shop.ask("POST", "/__admin/merchants/pk_test_shop/reset")
    assert shop.ask("GET", "/v2/bank_accounts") == accounts
    assert shop.ask("GET", "/v2/payment_sessions") == []


# What is refused


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.json") == f"{tmp_path / 'none.json'} cannot be read: No such file or directory."
    assert refusal(tmp_path) == f"{tmp_path} cannot be read: Is a directory."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", " is not JSON: Expecting value at line 1 column 1."),
        (b"{\n\n]", " is not JSON: "),
        (b"\xff", " is not UTF-8: invalid start byte at byte 0."),
        (b'{"merchants":NaN}', " is not strict JSON: NaN is no number."),
        (b'{"merchants":[],"merchants":[]}', " is not strict JSON: the member 'merchants' is there more than once."),
        (b'{"merchants":' * 100_000, " is nested too deeply."),
        (b"9" * 5000, " has a number of too many digits."),
        (b'{"merchants":"\\ud800"}', " has an escape of half a surrogate pair."),
        (b"[]", ": all of it: Must be an object."),
        (b"null", ": all of it: Must be an object."),
        (b"{}", ": merchants: This field is required."),
        (b'{"merchants":{}}', ": merchants: Must be an array."),
        (b'{"merchants":[]}', ": merchants: Must have 1 to 10000 entries."),
        (b'{"merchants":[7]}', ": merchants/0: Must be an object."),
    ],
    ids=range(14),
)
def test_a_file_of_another_form_is_refused(file: Path, content: bytes, sentence: str) -> None:
    told = refusal(file, content)
    assert told.startswith(f"{file}{sentence}")


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"key": None}, "merchants/0/key"),
        ({"key": ""}, "merchants/0/key"),
        ({"key": "a:b"}, "merchants/0/key"),
        ({"key": "a\nb"}, "merchants/0/key"),
        ({"key": "pk_live_shop"}, "merchants/0/key"),
        ({"secret": 7}, "merchants/0/secret"),
        ({"secret": "sk_live_shop"}, "merchants/0/key"),
        ({"name": ""}, "merchants/0/name"),
        ({"email": "till"}, "merchants/0/email"),
        ({"application_id": []}, "merchants/0/application_id"),
        ({"accept_any_payee": "yes"}, "merchants/0/accept_any_payee"),
        ({"acept_any_payee": True}, "merchants/0/acept_any_payee"),
        ({"bank_accounts": {}}, "merchants/0/bank_accounts"),
        ({"bank_accounts": [7]}, "merchants/0/bank_accounts/0"),
        ({"bank_accounts": [ACCOUNT, {}]}, "merchants/0/bank_accounts/1/account_number"),
    ],
)
def test_the_place_of_a_mistake_is_told(file: Path, fields: dict[str, Any], place: str) -> None:
    assert refusal_of(file, {**SMALLEST, **fields}).startswith(f"{place}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort_code", "1"),
        ("account_number", 11112222),
        ("identifier_type", "SWIFT"),
        ("currency", "CHF"),
        ("provider", "Barclays"),
        ("account_type", ""),
        ("consent_expires_at", "soon"),
        ("consent_expires_at", "2027-01-01T00:00:00"),
        ("colour", "red"),
    ],
)
def test_the_place_of_a_mistake_in_an_account_is_told(file: Path, name: str, value: object) -> None:
    accounts = [ACCOUNT, {**ACCOUNT, name: value}]
    assert refusal_of(file, {**SMALLEST, "bank_accounts": accounts}).startswith(f"merchants/0/bank_accounts/1/{name}: ")


def test_all_mistakes_are_told_a_line_each(file: Path) -> None:
    file.write_text(json.dumps({"merchants": [{"key": 7}, {"secret": ""}], "more": 1}), "utf-8")
    places = [line.removeprefix(f"{file}: ").partition(":")[0] for line in refusal(file).splitlines()]
    assert sorted(places) == ["merchants/0/key", "merchants/0/secret", "merchants/1/key", "merchants/1/secret", "more"]


def test_a_key_is_there_once(file: Path) -> None:
    assert refusal_of(file, SMALLEST, SMALLEST) == "merchants/1/key: pk_test_shop is there twice."


def test_a_refusal_does_not_repeat_a_secret(file: Path) -> None:
    for secret in ("sk_live_topsecret", "topsecret\n"):
        assert "topsecret" not in refusal_of(file, {**SMALLEST, "secret": secret})


# Webhooks


WEBHOOK = {"target_url": "http://127.0.0.1:3000/hooks"}


def test_a_merchant_may_start_with_webhooks(file: Path) -> None:
    told = {"target_url": "http://127.0.0.1:3001", "events": ["payment_sent"], "signature": "secret"}
    first, second = starting(file, webhooks=[WEBHOOK, told]).webhooks
    assert (first.events, first.signature_key) == (PAYMENT_EVENTS, "simulator-signature-key")
    assert (second.events, second.signature_key) == (("payment_sent",), "secret")


def test_a_merchant_may_say_how_webhooks_are_sent(file: Path) -> None:
    delivery = starting(file, delivery={"mode": "manual", "timeout": 1}).delivery
    assert (delivery.mode, delivery.timeout, delivery.verify_tls) == ("manual", 1.0, True)


def test_a_merchant_may_say_how_payers_come_back(file: Path) -> None:
    back = {"redirect_parameters": "status", "return_behaviour": "never", "frame_origin": "https://shop.example"}
    merchant = starting(file, **back)
    assert {name: getattr(merchant, name) for name in back} == back


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"frame_origin": "shop"}, "merchants/0/frame_origin"),
        ({"return_behaviour": "thrice"}, "merchants/0/return_behaviour"),
        ({"webhooks": [{}]}, "merchants/0/webhooks/0/target_url"),
        ({"webhooks": [{**WEBHOOK, "event": ["payment_sent"]}]}, "merchants/0/webhooks/0/event"),
        ({"webhooks": [{**WEBHOOK, "events": ["sent"]}]}, "merchants/0/webhooks/0/events/0"),
        ({"webhooks": [WEBHOOK, WEBHOOK]}, "merchants/0/webhooks/1/events"),
        ({"delivery": {"mode": "lazy"}}, "merchants/0/delivery/mode"),
    ],
)
def test_the_place_of_a_mistake_in_a_webhook_is_told(file: Path, fields: dict[str, Any], place: str) -> None:
    assert refusal_of(file, {"key": "k", "secret": "s", **fields}).startswith(f"{place}: ")
