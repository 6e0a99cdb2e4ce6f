"""The customers of the banks: which accounts a payer has at one, and how much is in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.domain.accounts import Account
    from simulator.domain.merchants import LinkedAccount, Merchant
    from simulator.domain.payments import Payment
    from simulator.domain.ports import People
    from simulator.domain.providers import Provider

_CURRENT, _BUSINESS = "Current account", "Business account"
_OTHERS = ("Joint account", "Savings account")


@dataclass(frozen=True, slots=True)
class CustomerAccount:
    """An account of a bank's customer, as the bank shows it; `balance` in minor units of the payment's currency."""

    account: Account
    label: str
    balance: int


def account_of_payer(people: People, merchant: Merchant, payment: Payment, bank: Provider) -> Account:
    """The account that `bank` would share; a refund is paid by the merchant, from a linked one if there is any."""
    linked = _linked(merchant, payment)
    if linked:
        return replace(linked[0].account, name=merchant.name)
    payer = payment.request.payer
    return people.account(_seed(merchant, payment, bank), payer.name if payer else None, payment.currency)


def accounts_of_payer(
    people: People, merchant: Merchant, payment: Payment, bank: Provider
) -> tuple[CustomerAccount, ...]:
    """All the accounts that the payer has at `bank`; that of `account_of_payer` is the first."""
    seed = _seed(merchant, payment, bank)
    usual = account_of_payer(people, merchant, payment, bank)
    linked = _linked(merchant, payment)
    if linked:
        found = [(replace(each.account, name=merchant.name), each.name) for each in linked]
    elif payment.refund_id is not None:
        found = [(usual, _BUSINESS)]
    else:
        others = [people.account(f"{seed} {label}", usual.name, payment.currency) for label in _OTHERS]
        branch = [replace(other, sort_code=usual.sort_code) for other in others]
        found = [(usual, _CURRENT), *zip(branch, _OTHERS, strict=True)]
    return tuple(
        CustomerAccount(account, label, people.balance(f"{seed} balance {place}"))
        for place, (account, label) in enumerate(found)
    )


def _linked(merchant: Merchant, payment: Payment) -> list[LinkedAccount]:
    """The merchant's accounts from which it may pay a refund out; none for what somebody else pays."""
    if payment.refund_id is None:
        return []
    return [linked for linked in merchant.accounts if linked.currency is payment.currency]


def _seed(merchant: Merchant, payment: Payment, bank: Provider) -> str:
    payer = payment.request.payer
    return f"{merchant.seed} {merchant.key} {payer.email if payer else payment.id} {bank.id}"
