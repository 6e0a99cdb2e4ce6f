"""Merchants: the customers of Banked, and the unit of isolation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from simulator.domain.accounts import Account
from simulator.domain.clock import REAL_TIME, MerchantClock
from simulator.domain.errors import InvalidAccount
from simulator.domain.faults import Fault
from simulator.domain.money import Currency
from simulator.domain.returns import RedirectParameters, ReturnBehaviour
from simulator.domain.scenarios import DEFAULT_SCENARIO, Progression
from simulator.domain.webhooks import AS_BANKED, DeliverySettings, Webhook

SANDBOX_ACCOUNT = Account(account_number="12345678", sort_code="010203")
"""The payee that every sandbox has from sign-up (facts 2.1, "Test payee")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedAccount:
    """A bank account that the merchant linked in the console, and may be paid on (facts 5.2)."""

    id: str
    name: str
    account: Account
    provider: str
    currency: Currency = Currency.GBP
    account_type: str = "business"
    account_sub_type: str = "current"
    consent_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """An API key and all that belongs to it.

    `application_id` is the scope of its OAuth tokens. `seed` decides all ids and people of its world. The mock banks
    play `scenario` for its payers, at the pace of `progression`; a session nobody authorised expires after so many
    seconds, None for never (Q12). Payers come back to it with `redirect_parameters`, as often as `return_behaviour`
    lets them; pages of `frame_origin` may show the checkout in a frame. `generation` counts the resets. Its calls go
    wrong as `faults` say, the first of them first. Its `webhooks` are told of events as `delivery` says.
    """

    key: str
    secret: str = field(repr=False)
    name: str
    email: str
    application_id: str
    accounts: tuple[LinkedAccount, ...] = ()
    accept_any_payee: bool = False
    seed: str = field(default="", repr=False)
    clock: MerchantClock = REAL_TIME
    scenario: str = DEFAULT_SCENARIO
    progression: Progression = Progression.TIME
    session_expires_after: int | None = None
    redirect_parameters: RedirectParameters = RedirectParameters.RESULT
    return_behaviour: ReturnBehaviour = ReturnBehaviour.NORMAL
    frame_origin: str | None = None
    generation: int = 0
    faults: tuple[Fault, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    delivery: DeliverySettings = AS_BANKED

    def account_for(self, currency: Currency) -> Account:
        """The account to be paid on in `currency`: the first linked one of that currency, else the first of all.

        InvalidAccount when none is linked.
        """
        if not self.accounts:
            raise InvalidAccount("There is no linked bank account to be the payee.", "payee")
        fitting = (linked for linked in self.accounts if linked.currency is currency)
        return replace(next(fitting, self.accounts[0]).account, name=self.name)

    def payee_refusal(self, payee: Account) -> InvalidAccount | None:
        """Why `payee` may not be paid: it is none of the linked accounts (facts 2.1). None when it may."""
        if self.accept_any_payee or any(linked.account.is_same_as(payee) for linked in self.accounts):
            return None
        return InvalidAccount("The payee must be one of your linked bank accounts: see GET /v2/bank_accounts.", "payee")
