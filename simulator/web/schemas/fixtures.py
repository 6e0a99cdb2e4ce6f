"""Fixture files: the merchants that a simulation starts with, their linked accounts, and their past."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from uuid import NAMESPACE_URL, uuid5

from marshmallow import RAISE, ValidationError

from simulator.config import InvalidSetting, MerchantSetting
from simulator.domain.clock import EPOCH
from simulator.domain.errors import InvalidAccount, InvalidProvider, Refusals
from simulator.domain.merchants import LinkedAccount, Merchant
from simulator.domain.money import Currency
from simulator.domain.returns import RedirectParameters, ReturnBehaviour
from simulator.domain.webhooks import DEFAULT_SIGNATURE_KEY, PAYMENT_EVENTS, Webhook, check_webhook
from simulator.service.simulation import sandbox_merchant
from simulator.web.json import UndecodableBody, decode
from simulator.web.schemas.accounts import NewAccount, account
from simulator.web.schemas.fields import Choice, Email, Flag, Instant, List, Object, Request, Text, Url, flat
from simulator.web.schemas.merchants import NewDeliverySettings, Origin
from simulator.web.schemas.pasts import PaymentFixture, past_payment
from simulator.web.schemas.webhooks import WebhookChange, with_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from simulator.domain.histories import PastPayment
    from simulator.domain.providers import Providers


class LinkedAccountFixture(NewAccount):
    """A linked bank account; `name` is what the merchant calls it, `provider` the name or id of its bank."""

    class Meta:
        """Refuse what is unknown: in a file it is a slip of the pen."""

        unknown = RAISE

    name = Text(load_default="Bank account")
    provider = Text(load_default="Mock Bank")
    currency = Choice(Currency, load_default=Currency.GBP)
    account_type = Text(load_default="business")
    account_sub_type = Text(load_default="current")
    consent_expires_at = Instant(load_default=None, allow_none=True)


class WebhookFixture(WebhookChange):
    """A webhook; without events it is told of all that happens to payments."""

    class Meta:
        """Refuse what is unknown."""

        unknown = RAISE

    target_url = Url(required=True)


class MerchantFixture(Request):
    """A merchant; what is left out is as sign-up leaves it."""

    class Meta:
        """Refuse what is unknown."""

        unknown = RAISE

    key = Text(required=True)
    secret = Text(required=True)
    name = Text()
    email = Email()
    application_id = Text()
    accept_any_payee = Flag()
    bank_accounts = List(Object(LinkedAccountFixture), shortest=0)
    redirect_parameters = Choice(RedirectParameters)
    return_behaviour = Choice(ReturnBehaviour)
    frame_origin = Origin(allow_none=True)
    webhooks = List(Object(WebhookFixture), shortest=0, load_default=())
    delivery = Object(NewDeliverySettings, load_default=dict)
    payment_sessions = List(Object(PaymentFixture), shortest=0, longest=10_000, load_default=())


class Fixtures(Request):
    """The whole file."""

    class Meta:
        """Refuse what is unknown."""

        unknown = RAISE

    merchants = List(Object(MerchantFixture), longest=10_000, required=True)


@dataclass(frozen=True, slots=True)
class Start:
    """A merchant to start with and what happened to it; `place` is where the file says so."""

    merchant: Merchant
    past: tuple[PastPayment, ...] = ()
    place: str = ""


def load_fixtures(file: Path, providers: Providers) -> Iterator[Start]:
    """The merchants in `file`; InvalidSetting with the file, the place in it and the reason when it is broken."""
    try:
        data = Fixtures().load(cast("dict[str, Any]", decode(file.read_bytes(), str(file))))
    except OSError as unreadable:
        raise InvalidSetting(f"{file} cannot be read: {unreadable.strerror}.") from unreadable
    except UndecodableBody as broken:
        raise InvalidSetting(str(broken)) from broken
    except ValidationError as broken:
        reasons = "\n".join(f"{file}: {path or 'all of it'}: {reason}" for path, reason in flat(broken.messages))
        raise InvalidSetting(reasons) from broken
    seen: set[str] = set()
    for index, merchant in enumerate(data["merchants"]):
        place = f"{file}: merchants/{index}"
        if merchant["key"] in seen:
            raise InvalidSetting(f"{place}/key: {merchant['key']} is there twice.")
        seen.add(merchant["key"])
        try:
            sessions = merchant.pop("payment_sessions")
            known = _merchant(merchant, providers)
            yield Start(known, tuple(_pasts(sessions, known)), place)
        except InvalidSetting as broken:
            raise InvalidSetting(f"{place}{broken}") from broken


def _merchant(data: dict[str, Any], providers: Providers) -> Merchant:
    try:
        known = MerchantSetting.checked(data["key"], data["secret"])
    except InvalidSetting as unusable:
        raise InvalidSetting(f"/key: {unusable}") from unusable
    start = sandbox_merchant(known.key, known.secret)
    data["webhooks"] = _webhooks(known.key, data["webhooks"])
    data["delivery"] = replace(start.delivery, **data["delivery"])
    accounts = data.pop("bank_accounts", None)
    if accounts is None:
        return replace(start, **data)
    linked = tuple(_linked(known.key, number, each, providers) for number, each in enumerate(accounts, 1))
    return replace(start, **data, accounts=linked)


def _webhooks(key: str, fixtures: Iterable[dict[str, Any]]) -> tuple[Webhook, ...]:
    made: list[Webhook] = []
    for number, fixture in enumerate(fixtures, 1):
        webhook = Webhook(
            id=str(uuid5(NAMESPACE_URL, f"banked-simulator:{key}/webhooks/{number}")),
            created_at=EPOCH,
            **{"events": PAYMENT_EVENTS, "signature_key": DEFAULT_SIGNATURE_KEY, **with_key(fixture)},
        )
        try:
            check_webhook(webhook, made)
        except Refusals as broken:
            raise InvalidSetting(f"/webhooks/{number - 1}/events: {broken}") from broken
        made.append(webhook)
    return tuple(made)


def _pasts(sessions: Iterable[dict[str, Any]], merchant: Merchant) -> Iterator[PastPayment]:
    for index, session in enumerate(sessions):
        try:
            yield past_payment(session, merchant)
        except InvalidAccount as none:
            raise InvalidSetting(f"/payment_sessions/{index}/payee: {none}") from none


def _linked(key: str, number: int, data: dict[str, Any], providers: Providers) -> LinkedAccount:
    try:
        providers.find(data["provider"])
    except InvalidProvider as unknown:
        raise InvalidSetting(f"/bank_accounts/{number - 1}/provider: {unknown}") from unknown
    return LinkedAccount(
        id=str(uuid5(NAMESPACE_URL, f"banked-simulator:{key}/bank_accounts/{number}")),
        name=data["name"],
        account=replace(account(data), name=None),
        provider=data["provider"],
        currency=data["currency"],
        account_type=data["account_type"],
        account_sub_type=data["account_sub_type"],
        consent_expires_at=data["consent_expires_at"],
    )
