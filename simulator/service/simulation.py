"""The running simulation: the ports, the banks, and who may have a world in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from simulator.domain.clock import EPOCH
from simulator.domain.errors import NotFound
from simulator.domain.keys import secret_of_test_key
from simulator.domain.merchants import SANDBOX_ACCOUNT, LinkedAccount, Merchant
from simulator.domain.webhooks import DEFAULT_SIGNATURE_KEY, PAYMENT_EVENTS, Webhook
from simulator.service.work import Work

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from simulator.domain.events import Cause
    from simulator.domain.faults import Preset
    from simulator.domain.histories import PastPayment
    from simulator.domain.ports import Alarm, Bell, Clock, Courier, Ids, Payload, People, Post, Sender, Store
    from simulator.domain.providers import Provider, Providers
    from simulator.domain.scenarios import Scenarios


_PATIENCE = 300.0
"""Seconds for webhook messages under way: more than any of them takes."""

WAITS_LIMIT = 200
"""How many may wait at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Everything the services work with.

    `configured` are the merchants from fixtures and settings as they were at the start, and `pasts` what had happened
    to some of them by then; with `strict_keys` there are no others. `fault_presets` are by name. `seed` is that of the
    merchants that have none of their own. Every merchant starts with the `webhooks`, beside its own; their messages say
    to be sent by the `user_agent`. `waits` are the places for those who wait.
    """

    store: Store
    clock: Clock
    ids: Ids
    people: People
    alarm: Alarm
    bell: Bell
    post: Post
    sender: Sender
    courier: Courier
    payload: Payload
    providers: Providers
    scenarios: Scenarios
    seed: str
    configured: Mapping[str, Merchant] = field(default_factory=dict)
    pasts: Mapping[str, tuple[PastPayment, ...]] = field(default_factory=dict)
    strict_keys: bool = False
    fault_presets: Mapping[str, Preset] = field(default_factory=dict)
    webhooks: tuple[str, ...] = ()
    user_agent: str = "banked-simulator"
    waits: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(WAITS_LIMIT), repr=False)

    def starting_merchant(self, key: str) -> Merchant:
        """The merchant with this API key as it is before anything happened; NotFound when there can be none."""
        if key in self.configured:
            merchant = self.configured[key]
        else:
            secret = secret_of_test_key(key)
            if secret is None or self.strict_keys:
                raise NotFound("merchant", key)
            merchant = sandbox_merchant(key, secret, accept_any_payee=True)
        given = tuple(self._given_webhook(key, url) for url in dict.fromkeys(self.webhooks))
        return replace(merchant, seed=merchant.seed or self.seed, webhooks=(*merchant.webhooks, *given))

    def _given_webhook(self, key: str, url: str) -> Webhook:
        return Webhook(
            id=str(uuid5(NAMESPACE_URL, f"banked-simulator:{key}/webhooks/{url}")),
            target_url=url,
            events=PAYMENT_EVENTS,
            signature_key=DEFAULT_SIGNATURE_KEY,
            created_at=EPOCH,
        )

    def merchant(self, key: str) -> Merchant:
        """The merchant with this API key, made now if it has not been used before; NotFound when there can be none."""
        return self.store.merchant(key) or self.store.enrol(self.starting_merchant(key))

    def work(self, key: str, cause: Cause | None = None) -> Work:
        """A unit of work in the world of the merchant with this API key, because of `cause`."""
        return Work(self, key, cause)

    def settle(self, key: str, seconds: float = _PATIENCE) -> bool:
        """Wait until all webhook messages of a merchant that are under way have arrived, or failed to."""
        return self.courier.settle(key, seconds)

    def stop(self, seconds: float = 0) -> int:
        """Fire no more timers, end all waits, and send no more e-mails and messages.

        Waits so long for the messages under way, and returns how many were left.
        """
        self.alarm.stop()
        self.post.stop()
        self.bell.silence()
        left = self.courier.stop(seconds)
        self.store.stop()
        return left

    def now(self, merchant: Merchant) -> datetime:
        """What the clock of `merchant` shows."""
        return merchant.clock.at(self.clock.now())

    def owner(self, kind: str, id_: str) -> str:
        """The API key of the merchant that has the `kind` of thing with this id; NotFound when nobody has it."""
        key = self.store.owner(id_)
        if key is None:
            raise NotFound(kind, id_)
        return key

    def provider(self, name_or_id: str) -> Provider:
        """The bank with this name or id; InvalidProvider when there is none."""
        return self.providers.find(name_or_id)


def sandbox_merchant(key: str, secret: str, *, accept_any_payee: bool = False) -> Merchant:
    """A merchant as sign-up leaves it: one linked account, at Mock Bank. `key` decides all its ids."""
    name = key.removeprefix("pk_test_")
    linked = LinkedAccount(
        id=str(uuid5(NAMESPACE_URL, f"banked-simulator:{key}/bank_accounts/1")),
        name="Mock Bank account",
        account=SANDBOX_ACCOUNT,
        provider="Mock Bank",
    )
    return Merchant(
        key=key,
        secret=secret,
        name=name.replace("_", " ").replace("-", " ").title(),
        email="payments@merchant.example",
        application_id=name,
        accounts=(linked,),
        accept_any_payee=accept_any_payee,
    )
