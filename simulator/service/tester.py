"""The tester: whoever controls the simulation, and may act for everybody in it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simulator.domain.errors import IllegalAction
from simulator.domain.events import Kind
from simulator.domain.scenarios import Door
from simulator.domain.states import PaymentAction
from simulator.service import bank, payer
from simulator.service.history import relive
from simulator.service.merchant import MerchantService, mark_externally_processed
from simulator.service.waiting import reset_topic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulator.domain.accounts import Account
    from simulator.domain.merchants import Merchant
    from simulator.domain.refunds import Refund
    from simulator.service.merchant import PaymentWithRefunds
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work

PAYMENT, REFUND = "payment session", "refund"

_BYTES_UNDER_WAY = 0.25
"""Seconds that a reset waits for webhook messages that were being written when it came."""


@dataclass(frozen=True, slots=True)
class Discarded:
    """A merchant as it is after a reset, and how much of what was thrown away."""

    merchant: Merchant
    things: Mapping[str, int]


class TesterService:
    """What a tester does in any merchant's world. Ids need no merchant beside them: they are unique."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def payment(self, id_: str) -> PaymentWithRefunds:
        """Return any payment session and its refunds."""
        return MerchantService(self._simulation, self._owner(PAYMENT, id_)).payment(id_)

    def refund(self, id_: str) -> Refund:
        """Return any refund."""
        return MerchantService(self._simulation, self._owner(REFUND, id_)).refund(id_)

    def act(
        self, payment_id: str, action: PaymentAction, provider: str | None = None, *, force: bool = False
    ) -> PaymentWithRefunds:
        """Make `action` happen to a payment; `provider`, a name or id, is the bank for `choose_provider`.

        IllegalAction when its state does not allow it, unless `force` does it nevertheless.
        """
        with self._acting(PAYMENT, payment_id, action.value) as work:
            if action is PaymentAction.CHOOSE_PROVIDER:
                payer.choose_provider(work, payment_id, provider, by="tester", force=force)
            else:
                bank.act(work, payment_id, action, "tester", force=force)
            return _with_refunds(work, payment_id)

    def authorise(
        self, payment_id: str, scenario: str | None = None, account: Account | None = None
    ) -> PaymentWithRefunds:
        """Let the payer, who is at the bank, authorise there, as in `pay`; IllegalAction when nobody is there."""
        with self._acting(PAYMENT, payment_id, "authorise") as work:
            bank.authorise(work, payment_id, scenario, account)
            return _with_refunds(work, payment_id)

    def decline(self, payment_id: str) -> PaymentWithRefunds:
        """Let the payer, who is at the bank, decline there; IllegalAction when nobody is there."""
        with self._acting(PAYMENT, payment_id, "decline") as work:
            bank.decline(work, payment_id)
            return _with_refunds(work, payment_id)

    def pay(
        self,
        payment_id: str,
        provider: str | None = None,
        scenario: str | None = None,
        account: Account | None = None,
    ) -> PaymentWithRefunds:
        """Walk the payer's whole path, or none of it: pick the bank and authorise there, from `account`.

        `scenario` is the button to press on the bank's page.
        """
        with self._acting(PAYMENT, payment_id, "pay") as work:
            payer.choose_provider(work, payment_id, provider)
            bank.authorise(work, payment_id, scenario, account)
            return _with_refunds(work, payment_id)

    def cancel(self, payment_id: str) -> PaymentWithRefunds:
        """Let the payer turn away, which leaves the session open (Q26); IllegalAction once it is authorised."""
        with self._acting(PAYMENT, payment_id, "cancel") as work:
            payer.cancel(work, payment_id)
            return _with_refunds(work, payment_id)

    def next_step(self, payment_id: str) -> PaymentWithRefunds:
        """Let the bank take its next step now; NothingToDo when it plays no scenario."""
        with self._acting(PAYMENT, payment_id, "next") as work:
            bank.next_step(work, payment_id)
            return _with_refunds(work, payment_id)

    def choose_scenario(self, payment_id: str, scenario: str) -> PaymentWithRefunds:
        """Say what the bank will play for a payment once it is authorised.

        InvalidScenario when there is no such scenario; IllegalAction when it is over.
        """
        found = self._simulation.scenarios.find(scenario)
        with self._acting(PAYMENT, payment_id, "scenario") as work:
            payment = work.world.payment(payment_id)
            if payment.is_final:
                raise IllegalAction("payment session", payment.state, "play a scenario", ())
            work.world.save(payment.ask_for(found.name, Door.TESTER))
            work.tell(Kind.SCENARIO_CHOSEN, payment_id, scenario=found.name, door=Door.TESTER.value)
            return _with_refunds(work, payment_id)

    def provide_details(self, refund_id: str, details: Account | None) -> Refund:
        """Give the customer's account for a refund; without one, the customer's own is made up."""
        with self._acting(REFUND, refund_id, "provide_details") as work:
            if details is None:
                currency = work.world.refund(refund_id).currency
                details = work.simulation.people.account(f"{work.merchant.seed} {refund_id}", None, currency)
            return payer.provide_details(work, refund_id, details, by="tester")

    def mark_externally_processed(self, refund_id: str) -> Refund:
        """End a refund as paid some other way."""
        with self._acting(REFUND, refund_id, "mark_externally_processed") as work:
            return mark_externally_processed(work, refund_id, by="tester")

    def merchant(self, key: str) -> Merchant:
        """Return any merchant, made now if it has not been used before; NotFound when there can be none."""
        return self._simulation.merchant(key)

    def change_merchant(self, key: str, **settings: Any) -> Merchant:
        """Set the merchant's settings, of `delivery` those given; InvalidScenario when `scenario` is none."""
        if "scenario" in settings:
            self._simulation.scenarios.find(settings["scenario"])
        self._simulation.merchant(key)
        with self._simulation.work(key) as work:
            delivery = replace(work.merchant.delivery, **settings.get("delivery", {}))
            merchant = replace(work.merchant, **{**settings, "delivery": delivery})
            work.world.save(merchant)
            told: dict[str, Any] = {name: "…" if name == "seed" else value for name, value in settings.items()}
            work.blame(Kind.MERCHANT_CHANGED, by="tester", **told)
            if "progression" in settings:
                bank.keep_pace(work)
            return merchant

    def reset(self, merchant_key: str) -> Discarded:
        """Put a merchant back to how it started; NotFound when there can be no such merchant.

        Nothing begun before arrives after it.
        """
        starting = self._simulation.starting_merchant(merchant_key)
        self._simulation.store.enrol(starting)
        with self._simulation.work(merchant_key) as work:
            discarded = begin_anew(work, starting)
            relive(work, self._simulation.pasts.get(merchant_key, ()))
        self._simulation.settle(merchant_key, _BYTES_UNDER_WAY)
        return discarded

    def reset_all(self) -> list[Discarded]:
        """Put all merchants back to how they started."""
        return [self.reset(key) for key in self._simulation.store.merchants()]

    def _owner(self, kind: str, id_: str) -> str:
        return self._simulation.owner(kind, id_)

    @contextmanager
    def _acting(self, kind: str, id_: str, did: str) -> Iterator[Work]:
        """A unit of work in which everything happens because the tester did something to the `kind` of thing."""
        with self._simulation.work(self._owner(kind, id_)) as work:
            work.blame(Kind.TESTER, id_, did=did)
            yield work


def begin_anew(work: Work, merchant: Merchant) -> Discarded:
    """Empty the world for its next generation, in which `merchant` has it."""
    following = replace(merchant, generation=work.merchant.generation + 1)
    things = work.world.clear()
    work.world.save(following)
    work.retime()
    work.touch(reset_topic(merchant.key))
    return Discarded(following, things)


def _with_refunds(work: Work, payment_id: str) -> PaymentWithRefunds:
    return work.world.payment(payment_id), work.world.refunds_of([payment_id])[payment_id]
