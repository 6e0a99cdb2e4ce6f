"""Payment sessions: what a merchant asks for, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from simulator.domain.accounts import Account
from simulator.domain.errors import IllegalAction, InvalidAmount, InvalidCurrency, Refusals
from simulator.domain.money import LARGEST_AMOUNT, Currency
from simulator.domain.providers import Provider
from simulator.domain.returns import ReturnBehaviour
from simulator.domain.scenarios import Door, Play
from simulator.domain.states import (
    DELETABLE,
    EXPIRABLE,
    FINAL,
    PAYMENT_TRANSITIONS,
    TARGETS,
    Edge,
    PaymentAction,
    PaymentState,
    payment_actions,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from simulator.domain.merchants import Merchant


@dataclass(frozen=True, slots=True)
class LineItem:
    """Something bought: `amount` minor units each, `quantity` times."""

    name: str
    amount: int
    currency: Currency
    quantity: int
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Payer:
    """The person who pays."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """What the merchant sends to create a payment session (facts 2.1)."""

    reference: str
    line_items: tuple[LineItem, ...]
    payee: Account
    payer: Payer | None = None
    success_url: str | None = None
    error_url: str | None = None
    email_receipt: bool = False
    frequency: str | None = None
    number_of_payments: int | None = None
    rewards: tuple[str, ...] | None = None


def check(merchant: Merchant, request: PaymentRequest) -> None:
    """Raise Refusals with everything that forbids `merchant` to make this request."""
    items = request.line_items
    found = [
        currency_refusal({item.currency for item in items}),
        total_refusal(items),
        merchant.payee_refusal(request.payee),
    ]
    refusals = [refusal for refusal in found if refusal is not None]
    if refusals:
        raise Refusals(refusals)


def currency_refusal(currencies: Collection[Currency]) -> InvalidCurrency | None:
    """Why items in these currencies cannot be paid together; None when they can."""
    if len(currencies) < 2:
        return None
    mixed = ", ".join(sorted(currencies))
    return InvalidCurrency(f"All line items must have one currency, not {mixed}.", "line_items")


def total_refusal(line_items: Sequence[LineItem]) -> InvalidAmount | None:
    """Why these items are too much; None when they are not."""
    if total(line_items) <= LARGEST_AMOUNT:
        return None
    return InvalidAmount(f"The line items must not add up to more than {LARGEST_AMOUNT}.", "line_items")


def total(line_items: Sequence[LineItem]) -> int:
    """Σ unit amount × quantity, in minor units."""
    return sum(item.amount * item.quantity for item in line_items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment session.

    `payer_account` is the account it was paid from, where the bank shared it. `refund_id` names the refund that this
    session pays out, and is None for a customer's payment. `scenarios` are those asked for, by door; `play` is the one
    being played, between the payer's authorisation and its end. `cancelled` tells that the payer turned away last,
    which leaves the state alone (Q26). `returns` is what the scenario that was played makes of the payer's way back.
    """

    id: str
    request: PaymentRequest
    created_at: datetime
    state: PaymentState = PaymentState.AWAITING_PROVIDER
    sent_at: datetime | None = None
    end_to_end_id: str | None = None
    provider: Provider | None = None
    payer_account: Account | None = None
    refund_id: str | None = None
    scenarios: tuple[tuple[Door, str], ...] = ()
    play: Play | None = None
    cancelled: bool = False
    returns: ReturnBehaviour | None = None

    @property
    def amount(self) -> int:
        """What is to be paid, in minor units."""
        return total(self.request.line_items)

    @property
    def currency(self) -> Currency:
        """The one currency of its line items."""
        return self.request.line_items[0].currency

    @property
    def actions(self) -> tuple[PaymentAction, ...]:
        """What may happen next."""
        return payment_actions(self.state)

    @property
    def is_final(self) -> bool:
        """Whether it was sent or has failed."""
        return self.state in FINAL

    @property
    def is_authorised(self) -> bool:
        """Whether it is out of its payer's hands."""
        return self.state not in EXPIRABLE or self.play is not None

    @property
    def is_under_way(self) -> bool:
        """Whether the bank has not yet played its scenario to the end."""
        return not self.is_final and self.play is not None and self.play.next_step is not None

    def act(self, action: PaymentAction, at: datetime) -> Payment:
        """The payment after `action`, at the UTC instant `at`; IllegalAction when its state does not allow it."""
        edge = PAYMENT_TRANSITIONS.get((self.state, action))
        if edge is None:
            raise IllegalAction("payment session", self.state, action, self.actions)
        return self._moved(edge, at)

    def force(self, action: PaymentAction, at: datetime) -> Payment:
        """The payment after `action`, at the UTC instant `at`, whatever its state."""
        return self._moved(TARGETS[action], at)

    def _moved(self, edge: Edge, at: datetime) -> Payment:
        if edge.to is PaymentState.SENT:
            return replace(self, state=edge.to, sent_at=at, cancelled=False)
        return replace(self, state=edge.to, sent_at=None, cancelled=False)

    def choose_provider(self, provider: Provider, end_to_end_id: str, at: datetime, *, force: bool = False) -> Payment:
        """The payment once its payer picked `provider`; picking again replaces the bank, not `end_to_end_id` (Q6).

        What the bank before shared is forgotten. InvalidProvider when the bank cannot be chosen; IllegalAction as in
        `act`, unless it is forced.
        """
        chosen = (self.force if force else self.act)(PaymentAction.CHOOSE_PROVIDER, at)
        provider.accept_customer()
        kept = self.end_to_end_id or end_to_end_id
        return replace(chosen, provider=provider, end_to_end_id=kept, payer_account=None, play=None)

    def ask_for(self, scenario: str, door: Door) -> Payment:
        """The payment, for which `scenario` was chosen at `door`."""
        return replace(self, scenarios=(*(other for other in self.scenarios if other[0] is not door), (door, scenario)))

    def chosen_scenario(self, default: str) -> tuple[str, Door]:
        """The scenario to play and the door that won: the first in the order of `Door`, else the merchant's default."""
        asked = dict(self.scenarios)
        return next(((asked[door], door) for door in Door if door in asked), (default, Door.MERCHANT))

    def introduce(self, payer: Payer) -> Payment:
        """The payment once its payer said who they are, unless that is known; IllegalAction once authorised."""
        self.check_in_payers_hands("have its payer introduced")
        if self.request.payer not in (None, payer):
            raise IllegalAction("payment session", "with a known payer", "have another", self.actions)
        return replace(self, request=replace(self.request, payer=payer))

    def cancel(self) -> Payment:
        """The payment once its payer turned away (Q26); IllegalAction once authorised."""
        self.check_in_payers_hands("be cancelled")
        return replace(self, cancelled=True)

    def check_in_payers_hands(self, action: str) -> None:
        """Raise IllegalAction, for `action`, once the payer has authorised it or it is over."""
        if self.is_authorised:
            state = self.state if self.play is None else "authorised already"
            raise IllegalAction("payment session", state, action, self.actions)

    def check_authorisable(self) -> None:
        """Raise IllegalAction unless the payer is at the bank and has not authorised it yet."""
        if self.state is not PaymentState.AWAITING_PAYMENT_CONSENT:
            raise IllegalAction("payment session", self.state, "be authorised", self.actions)
        if self.play is not None:
            raise IllegalAction("payment session", "authorised already", "be authorised", self.actions)

    def paid_from(self, account: Account) -> Payment:
        """The payment, with the payer's account that the bank shared."""
        return replace(self, payer_account=account)

    @property
    def stopping_action(self) -> PaymentAction:
        """What makes it fail before it is sent."""
        return PaymentAction.EXPIRE if PaymentAction.EXPIRE in self.actions else PaymentAction.FAIL

    def check_deletable(self) -> None:
        """Raise IllegalAction unless the session may still be deleted (Q11)."""
        if self.state not in DELETABLE or self.play is not None:
            raise IllegalAction("payment session", self.state, "be deleted", self.actions)
