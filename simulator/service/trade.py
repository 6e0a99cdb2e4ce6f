"""Trade: makes up what a merchant sold lately, and what of it came back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from simulator.domain.clock import EPOCH
from simulator.domain.events import Kind
from simulator.domain.histories import PastPayment, PastRefund
from simulator.domain.ids import chance_of
from simulator.domain.money import Currency
from simulator.domain.payments import PaymentRequest, total
from simulator.domain.states import PaymentState, RefundState
from simulator.service.history import relive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.domain.providers import Provider
    from simulator.service.simulation import Simulation
    from simulator.service.work import Work

_OF_TEN_SENT = 7
_UNSENT = tuple(state for state in PaymentState if state is not PaymentState.SENT)
_UNDER_WAY = frozenset({PaymentState.AWAITING_PAYMENT_CONSENT, PaymentState.INITIATED, PaymentState.PENDING})
_RECENTLY = timedelta(hours=1)
"""Since when payments are that are under way: nobody stays at the bank for days."""


@dataclass(frozen=True, slots=True)
class Generated:
    """How many payments, by state, and how many refunds were made up."""

    payments: int
    refunds: int
    states: Mapping[PaymentState, int]


class TradeService:
    """Makes up the trade of one merchant."""

    def __init__(self, simulation: Simulation, merchant_key: str) -> None:
        self._simulation = simulation
        self._key = merchant_key

    def generate(self, payments: int, days: int) -> Generated:
        """Make up so many payments of the past `days`: seven of ten sent, and every tenth of these refunded.

        The same seed makes up the same trade. In a world where something happened already, the event log has it all at
        the instant of its newest event. InvalidAccount when the merchant has no account to be paid on; NotFound when
        there can be no such merchant.
        """
        self._simulation.merchant(self._key)
        with self._simulation.work(self._key) as work:
            now = work.merchant.clock.at(work.real_at)
            past = min(timedelta(days=days), now - EPOCH)
            pasts = [_payment(work, past) for _ in range(payments)]
            work.at = now - past
            work.blame(Kind.TESTER, did="generate", payments=payments, days=days)
            relive(work, pasts)
            states = Counter(each.state for each in pasts)
            refunds = sum(len(each.refunds) for each in pasts)
            return Generated(payments, refunds, {state: states[state] for state in PaymentState})


def _payment(work: Work, past: timedelta) -> PastPayment:
    number = work.world.count("history")
    seed = f"{work.merchant.seed} {work.merchant.key} history {number}"
    tens, place = divmod(number - 1, 10)
    if place < _OF_TEN_SENT:
        state, sent = PaymentState.SENT, tens * _OF_TEN_SENT + place
    else:
        state, sent = _UNSENT[(tens * (10 - _OF_TEN_SENT) + place - _OF_TEN_SENT) % len(_UNSENT)], None
    span = min(past, _RECENTLY) if state in _UNDER_WAY else past
    request = _request(work, seed, number)
    refunded = sent is not None and sent % 10 == 0
    refund = _refund(request, seed, (sent or 0) // 10) if refunded else None
    shares_account = chance_of(seed, "bank") < 1 / 3 and (
        refund is None or refund.state is not RefundState.AWAITING_DETAILS
    )
    return PastPayment(
        request=request,
        state=state,
        created=span * chance_of(seed, "created"),
        provider=_bank(work.simulation, request.line_items[0].currency, shares_account=shares_account).id,
        refunds=(refund,) if refund else (),
    )


def _request(work: Work, seed: str, number: int) -> PaymentRequest:
    people, merchant = work.simulation.people, work.merchant
    currency = merchant.accounts[0].currency if merchant.accounts else Currency.GBP
    return PaymentRequest(
        reference=f"Order {1000 + number}",
        line_items=people.purchase(seed, currency),
        payee=merchant.account_for(currency),
        payer=people.customer(seed),
    )


def _refund(request: PaymentRequest, seed: str, number: int) -> PastRefund:
    """The refund of all of it or, half the time, of one thing bought."""
    in_full = chance_of(seed, "refund") < 1 / 2
    amount = total(request.line_items) if in_full else request.line_items[0].amount
    return PastRefund(amount=amount, state=tuple(RefundState)[number % len(RefundState)])


def _bank(simulation: Simulation, currency: Currency, *, shares_account: bool) -> Provider:
    """The first bank that works and shares its customers' accounts, or does not; else the usual one."""
    fitting = (
        each
        for each in simulation.providers
        if currency in each.currencies and each.shares_account is shares_account and not each.unavailable_because
    )
    return next(fitting, simulation.providers.usual(currency))
