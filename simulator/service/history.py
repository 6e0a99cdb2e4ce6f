"""The past: lets it happen in a world, by the very verbs by which everybody acts in the present."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

from simulator.domain.clock import iso
from simulator.domain.errors import InvalidAccount, InvalidTime, Refusal, Refusals
from simulator.domain.histories import (
    PAYOUT_PATHS,
    REASONS,
    REFUND_PATHS,
    instant_of,
    path_to,
    pause_before,
    regret_after,
)
from simulator.domain.refunds import RefundRequest
from simulator.domain.states import PaymentAction, RefundAction, RefundState
from simulator.domain.timers import TimerKind
from simulator.service import bank, payer
from simulator.service.merchant import create_payment, create_refund, mark_externally_processed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from simulator.domain.histories import PastPayment, PastRefund
    from simulator.service.work import Work

    Place = tuple[int, ...]
    """Which payment of a history it is, and which refund of that."""


def relive(work: Work, pasts: Sequence[PastPayment]) -> None:
    """Let all of `pasts` happen, each step at its instant and in the order of time; then it is now again.

    The ids of payments and refunds follow from their order in `pasts`. Raises Refusals with what the rules forbid, of
    each payment and refund the first; the parameters are slash paths such as `payment_sessions/3/refunds/0/amount`.
    """
    history = _History(work)
    for number, past in enumerate(pasts):
        history.plan(past, number)
    history.happen()


@dataclass(frozen=True, slots=True)
class _Step:
    """Something that happened to what is at `place`."""

    at: datetime
    place: Place
    happen: Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Refunded:
    """A payment that was refunded: when it was asked for, and when it was what it is."""

    id: str
    past: PastPayment
    created: datetime
    ended: datetime


class _History:
    """The steps of all payments and refunds, none later than now, and what of it the rules forbid."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._now = work.merchant.clock.at(work.real_at)
        self._steps: list[_Step] = []
        self._refused: dict[Place, tuple[Refusal, ...]] = {}

    def plan(self, past: PastPayment, number: int) -> None:
        """Find the steps of one payment and its refunds."""
        self._attempt((number,), partial(self._plan_payment, past, number))

    def happen(self) -> None:
        """Let everything happen; Refusals with what must not."""
        self._work.is_past = True
        for step in sorted(self._steps, key=attrgetter("at")):
            if step.place not in self._refused and step.place[:1] not in self._refused:
                self._work.at = step.at
                self._attempt(step.place, step.happen)
        self._work.at, self._work.is_past = self._now, False
        if self._refused:
            raise Refusals([_placed(each, place) for place in sorted(self._refused) for each in self._refused[place]])

    def _attempt(self, place: Place, do: Callable[[], object]) -> None:
        try:
            do()
        except Refusal as refusal:
            self._refused[place] = (refusal,)
        except Refusals as several:
            self._refused[place] = several.refusals

    def _plan_payment(self, past: PastPayment, number: int) -> None:
        work, place = self._work, (number,)
        id_ = work.new_id("payment_session")
        if past.provider is not None:
            work.simulation.provider(past.provider)
        at = created = instant_of(past.created, self._now)
        self._add(at, place, create_payment, work, past.request, id_)
        for action in path_to(past.state, id_):
            at = self._later(at, pause_before(action, id_))
            self._add(at, place, _act, work, id_, action, past.provider, "payer")
        self._add(at, place, work.cancel, id_, TimerKind.SESSION_EXPIRY)  # it is to stay as it is
        for index, refund in enumerate(past.refunds):
            refunded = _Refunded(id_, past, created, at)
            self._attempt((number, index), partial(self._plan_refund, refund, (number, index), refunded))

    def _plan_refund(self, refund: PastRefund, place: Place, payment: _Refunded) -> None:
        work = self._work
        id_ = work.new_id("refund")
        at = self._later(payment.ended, regret_after(id_))
        if refund.created is not None:
            asked = instant_of(refund.created, self._now)
            if asked < payment.created:
                sentence = f"A refund is not older than its payment, which is of {iso(payment.created)}."
                raise InvalidTime(sentence, "created")
            at = max(asked, payment.ended)
        request = RefundRequest(
            payment_session_id=payment.id,
            amount=refund.amount,
            reference=refund.reference,
            success_url=refund.success_url,
            error_url=refund.error_url,
            payee=refund.payee,
        )
        self._add(at, place, create_refund, work, request, id_)
        if refund.state is RefundState.AWAITING_DETAILS:
            self._add(at, place, _check_details_are_awaited, work, id_)
        for action in REFUND_PATHS[refund.state] if refund.state else ():
            for step in PAYOUT_PATHS.get(action, (action,)):
                at = self._later(at, pause_before(step, id_))
                if isinstance(step, PaymentAction):
                    self._add(at, place, _act_on_payout, work, id_, step, payment.past.provider)
                elif step is RefundAction.MARK_EXTERNALLY_PROCESSED:
                    self._add(at, place, mark_externally_processed, work, id_)
                else:
                    self._add(at, place, _provide_details, work, id_, payment.past)
        self._add(at, place, _let_payout_stay, work, id_)

    def _add(self, at: datetime, place: Place, verb: Callable[..., object], *args: object) -> None:
        self._steps.append(_Step(at, place, partial(verb, *args)))

    def _later(self, at: datetime, pause: timedelta) -> datetime:
        """So much after `at`, but before it is now."""
        return at + min(pause, (self._now - at) / 2)


def _act(work: Work, payment_id: str, action: PaymentAction, provider: str | None, customer: str) -> None:
    if action is PaymentAction.CHOOSE_PROVIDER:
        payer.choose_provider(work, payment_id, provider, by=customer)
    else:
        bank.act(work, payment_id, action, "bank", reason=REASONS.get(action))


def _act_on_payout(work: Work, refund_id: str, action: PaymentAction, provider: str | None) -> None:
    payout = work.world.refund(refund_id).refund_payment_session_id
    if payout is None:
        raise ValueError("a refund without details has no payment session")
    _act(work, payout, action, provider, "merchant")


def _let_payout_stay(work: Work, refund_id: str) -> None:
    payout = work.world.refund(refund_id).refund_payment_session_id
    if payout is not None:
        work.cancel(payout, TimerKind.SESSION_EXPIRY)


def _provide_details(work: Work, refund_id: str, past: PastPayment) -> None:
    """Let the customer say where the money should go, unless that is known."""
    refund = work.world.refund(refund_id)
    if refund.state is RefundState.AWAITING_DETAILS:
        name = past.request.payer.name if past.request.payer else None
        details = work.simulation.people.account(f"{work.merchant.seed} {refund_id}", name, refund.currency)
        payer.provide_details(work, refund_id, details)


def _check_details_are_awaited(work: Work, refund_id: str) -> None:
    if work.world.refund(refund_id).state is not RefundState.AWAITING_DETAILS:
        sentence = "A refund awaits no details when the bank shared the customer's account, or a payee is given."
        raise InvalidAccount(sentence, "state")


def _placed(refusal: Refusal, place: Place) -> Refusal:
    """The refusal, of which the parameter says where in the history the mistake is."""
    names = ("payment_sessions", "refunds")
    path = [part for name, index in zip(names, place, strict=False) for part in (name, str(index))]
    if refusal.parameter and refusal.parameter != "payment_session_id":  # that is the payment around it
        path.append(refusal.parameter)
    refusal.parameter = "/".join(path)
    return refusal
