"""Access: API keys, secrets and tokens (facts 1.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from simulator.domain.errors import InvalidScope, NotAuthorised, Unauthenticated
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, PaymentRequest
from simulator.service import tester
from simulator.service.access import AccessService
from simulator.service.merchant import MerchantService
from simulator.service.simulation import sandbox_merchant
from simulator.service.timers import TimerService

if TYPE_CHECKING:
    from simulator.domain.merchants import Merchant
    from simulator.service.simulation import Simulation
    from tests.actors import ManualClock


@pytest.fixture
def access(simulation: Simulation) -> AccessService:
    return AccessService(simulation)


@pytest.fixture
def shop(access: AccessService) -> Merchant:
    return access.by_secret("pk_test_shop", "sk_test_shop")


def test_the_merchant_of_the_readme_is_let_in(access: AccessService) -> None:
    assert access.by_secret("pk_test_simulator", "sk_test_simulator").key == "pk_test_simulator"


def test_any_name_makes_a_merchant_on_first_use(access: AccessService, simulation: Simulation) -> None:
    assert simulation.store.merchant("pk_test_my_shop") is None
    merchant = access.by_secret("pk_test_my_shop", "sk_test_my_shop")
    assert (merchant.name, merchant.application_id) == ("My Shop", "my_shop")
    assert access.by_secret("pk_test_my_shop", "sk_test_my_shop") == merchant == simulation.store.merchant(merchant.key)


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("pk_test_simulator", "sk_test_other"),
        ("pk_test_simulator", ""),
        ("pk_test_shop", "sk_test_simulator"),
        ("pk_test_shop", "pk_test_shop"),
        ("pk_test_shop", "sk_test_søp"),
        ("", ""),
        ("shop", "shop"),
        ("pk_test_", "sk_test_"),
    ],
)
def test_a_key_and_a_secret_that_do_not_belong_together_are_refused_and_make_nobody(
    access: AccessService, simulation: Simulation, key: str, secret: str
) -> None:
    known = simulation.store.merchant(key)
    with pytest.raises(Unauthenticated, match=r"do not belong together|no such API key"):
        access.by_secret(key, secret)
    assert simulation.store.merchant(key) == known


@pytest.mark.parametrize(
    ("key", "secret"),
    [("pk_live_shop", "sk_live_shop"), ("bk_live_shop", "sk_test_shop"), ("pk_test_shop", "sk_live_shop")],
)
def test_a_live_key_is_refused_with_a_warning(access: AccessService, key: str, secret: str) -> None:
    with pytest.raises(Unauthenticated, match="consider the live key leaked") as refused:
        access.by_secret(key, secret)
    assert key not in str(refused.value)
    assert secret not in str(refused.value)


def test_with_strict_keys_only_configured_merchants_are_let_in(simulation: Simulation) -> None:
    configured = sandbox_merchant("our-key", "our-secret")
    access = AccessService(replace(simulation, configured={"our-key": configured}, strict_keys=True))
    assert access.by_secret("our-key", "our-secret") == replace(configured, seed=simulation.seed)
    with pytest.raises(Unauthenticated):
        access.by_secret("pk_test_shop", "sk_test_shop")


def test_a_scoped_token_is_its_merchant(access: AccessService, shop: Merchant) -> None:
    access.by_secret("pk_test_other", "sk_test_other")
    assert access.by_token(access.issue_token(shop, "shop").id) == shop


def test_an_unscoped_token_is_good_for_partner_calls_only(access: AccessService, shop: Merchant) -> None:
    token = access.issue_token(shop, None)
    with pytest.raises(NotAuthorised, match="scope=shop"):
        access.by_token(token.id)


def test_a_token_is_issued_for_the_merchants_own_application_only(access: AccessService, shop: Merchant) -> None:
    with pytest.raises(InvalidScope, match="is shop, not other"):
        access.issue_token(shop, "other")


def test_an_unknown_token_is_refused(access: AccessService) -> None:
    with pytest.raises(Unauthenticated):
        access.by_token("unknown")


def test_the_id_of_a_payment_is_no_token(access: AccessService, shop: Merchant, simulation: Simulation) -> None:
    items = (LineItem("Candles", 100, Currency.GBP, 4),)
    request = PaymentRequest(reference="Illuminate", line_items=items, payee=SANDBOX_ACCOUNT)
    payment = MerchantService(simulation, shop.key).create_payment(request)
    with pytest.raises(Unauthenticated):
        access.by_token(payment.id)


def test_a_token_lasts_two_hours(access: AccessService, shop: Merchant, clock: ManualClock) -> None:
    token = access.issue_token(shop, "shop")
    clock.advance(hours=2, microseconds=-1)
    assert access.by_token(token.id) == shop
    clock.advance(microseconds=1)
    with pytest.raises(Unauthenticated, match="expired"):
        access.by_token(token.id)


def test_an_expired_token_is_forgotten(
    access: AccessService, shop: Merchant, clock: ManualClock, simulation: Simulation
) -> None:
    old = access.issue_token(shop, "shop")
    clock.advance(hours=1)
    new = access.issue_token(shop, "shop")
    clock.advance(hours=1)
    TimerService(simulation, shop.key).fire_due()
    assert simulation.store.owner(old.id) is None
    assert simulation.store.owner(new.id) == shop.key


def test_a_reset_ends_all_tokens(access: AccessService, shop: Merchant, simulation: Simulation) -> None:
    token = access.issue_token(shop, "shop")
    tester.TesterService(simulation).reset(shop.key)
    with pytest.raises(Unauthenticated):
        access.by_token(token.id)


def test_a_token_in_print_keeps_its_secret(access: AccessService, shop: Merchant) -> None:
    token = access.issue_token(shop, "shop")
    assert token.id not in repr(token)
