"""Merchants: whom they may have paid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.domain.accounts import Account, IdentifierType
from simulator.domain.merchants import SANDBOX_ACCOUNT, LinkedAccount, Merchant

ACCOUNT = Account("Gerald Wiley", "12345678", "010203")
MERCHANT = Merchant(
    key="pk_test_shop",
    secret="sk_test_shop",
    name="Shop",
    email="shop@merchant.example",
    application_id="shop",
    accounts=(LinkedAccount(id="account", name="Till", account=ACCOUNT, provider="Mock Bank"),),
)
STRANGER = Account("Gerald Wiley", "87654321", "010203")


@pytest.mark.parametrize(
    "payee",
    [
        ACCOUNT,
        Account(None, "12345678", "010203"),
        Account.identified(IdentifierType.SORT_CODE_ACCOUNT_NUMBER, "01020312345678"),
    ],
)
def test_a_linked_account_may_be_paid_whatever_its_form(payee: Account) -> None:
    assert MERCHANT.payee_refusal(payee) is None


def test_any_of_several_linked_accounts_may_be_paid() -> None:
    second = LinkedAccount(id="second", name="Savings", account=STRANGER, provider="Mock Bank")
    assert replace(MERCHANT, accounts=(*MERCHANT.accounts, second)).payee_refusal(STRANGER) is None


def test_an_account_that_is_not_linked_may_not_be_paid() -> None:
    refusal = MERCHANT.payee_refusal(STRANGER)
    assert refusal is not None
    assert refusal.parameter == "payee"


def test_without_linked_accounts_nobody_may_be_paid() -> None:
    assert replace(MERCHANT, accounts=()).payee_refusal(ACCOUNT) is not None


def test_a_merchant_who_accepts_any_payee_may_have_anybody_paid() -> None:
    assert replace(MERCHANT, accounts=(), accept_any_payee=True).payee_refusal(STRANGER) is None


def test_the_sandbox_account_is_the_documented_one() -> None:
    assert (SANDBOX_ACCOUNT.account_number, SANDBOX_ACCOUNT.sort_code) == ("12345678", "010203")


def test_a_merchant_in_print_keeps_the_secret() -> None:
    assert "pk_test_shop" in repr(MERCHANT)
    assert "sk_test_shop" not in repr(MERCHANT)
