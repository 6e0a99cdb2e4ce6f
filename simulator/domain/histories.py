"""Histories: what happened to payments and their refunds before anybody came, and how it came to that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from simulator.domain.clock import EPOCH, iso
from simulator.domain.errors import InvalidTime
from simulator.domain.ids import chance_of
from simulator.domain.states import PaymentAction, PaymentState, RefundAction, RefundState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.domain.accounts import Account
    from simulator.domain.payments import PaymentRequest

    Moment = datetime | timedelta
    """An instant, in UTC, or how long ago it is."""

    Path = tuple[PaymentAction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRefund:
    """A refund of `amount` minor units that got as far as `state`; None for as far as a refund gets by itself.

    Without `created` it was asked for at some time after the payment.
    """

    amount: int
    state: RefundState | None = None
    created: Moment | None = None
    reference: str | None = None
    success_url: str | None = None
    error_url: str | None = None
    payee: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPayment:
    """A payment that was asked for at `created` and got as far as `state`.

    `provider` is the name or id of its bank, None for the usual one.
    """

    request: PaymentRequest
    state: PaymentState = PaymentState.AWAITING_PROVIDER
    created: Moment = timedelta()
    provider: str | None
    refunds: tuple[PastRefund, ...] = ()


_P, _A = PaymentState, PaymentAction

PATHS: Mapping[PaymentState, tuple[Path, ...]] = {
    _P.AWAITING_PROVIDER: ((),),
    _P.AWAITING_PAYMENT_CONSENT: ((_A.CHOOSE_PROVIDER,),),
    _P.INITIATED: ((_A.CHOOSE_PROVIDER, _A.INITIATE),),
    _P.PENDING: ((_A.CHOOSE_PROVIDER, _A.ACCEPT), (_A.CHOOSE_PROVIDER, _A.INITIATE, _A.ACCEPT)),
    _P.SENT: (
        (_A.CHOOSE_PROVIDER, _A.SETTLE),
        (_A.CHOOSE_PROVIDER, _A.ACCEPT, _A.SETTLE),
        (_A.CHOOSE_PROVIDER, _A.INITIATE, _A.ACCEPT, _A.SETTLE),
    ),
    _P.FAILED: (
        (_A.CHOOSE_PROVIDER, _A.FAIL),
        (_A.CHOOSE_PROVIDER, _A.REJECT),
        (_A.CHOOSE_PROVIDER, _A.ACCEPT, _A.FAIL),
    ),
}
"""The ways in which a payment gets into a state."""

REFUND_PATHS: Mapping[RefundState, tuple[RefundAction, ...]] = {
    RefundState.AWAITING_DETAILS: (),
    RefundState.AWAITING_PAYMENT: (RefundAction.PROVIDE_DETAILS,),
    RefundState.SENT: (RefundAction.PROVIDE_DETAILS, RefundAction.SETTLE),
    RefundState.FAILED: (RefundAction.PROVIDE_DETAILS, RefundAction.FAIL),
    RefundState.EXTERNALLY_PROCESSED: (RefundAction.MARK_EXTERNALLY_PROCESSED,),
}
"""The way in which a refund gets into a state; one whose details are known skips providing them."""

PAYOUT_PATHS: Mapping[RefundAction, Path] = {
    RefundAction.SETTLE: (_A.CHOOSE_PROVIDER, _A.SETTLE),
    RefundAction.FAIL: (_A.CHOOSE_PROVIDER, _A.FAIL),
}
"""What happens to the payment session that pays a refund out when the refund ends in one of these ways."""

REASONS: Mapping[PaymentAction, str] = {_A.REJECT: "MD16", _A.FAIL: "AM04"}
"""Why it ends badly: the payer says no, or has too little money."""

_MINUTE, _HOUR = 60, 3600
_PACE: Mapping[PaymentAction | RefundAction, tuple[int, int]] = {
    _A.CHOOSE_PROVIDER: (8, 2 * _MINUTE),
    _A.INITIATE: (10, 90),
    _A.ACCEPT: (5, _MINUTE),
    _A.SETTLE: (2, 45),
    _A.REJECT: (10, 90),
    _A.FAIL: (5, _MINUTE),
    RefundAction.PROVIDE_DETAILS: (5 * _MINUTE, 6 * _HOUR),
    RefundAction.MARK_EXTERNALLY_PROCESSED: (_HOUR, 8 * _HOUR),
}
_REFUND_REGRETTED: tuple[int, int] = (_HOUR, 72 * _HOUR)


def path_to(state: PaymentState, id_: str) -> Path:
    """How the payment `id_` gets into `state`: in the first way, the shortest, more often than in the others."""
    ways = PATHS[state]
    return ways[int(chance_of(id_, "path") ** 2 * len(ways))]


def pause_before(action: PaymentAction | RefundAction, id_: str) -> timedelta:
    """How long people or banks take until `action` happens to the payment or refund `id_`."""
    return _between(_PACE[action], id_, action)


def regret_after(id_: str) -> timedelta:
    """How long after the payment the refund `id_` is asked for: an hour to three days."""
    return _between(_REFUND_REGRETTED, id_, "regret")


def instant_of(moment: Moment, now: datetime) -> datetime:
    """The instant of something in the past, as seen from `now`; InvalidTime when it lies in the future."""
    if isinstance(moment, timedelta):
        if moment > now - EPOCH:
            raise InvalidTime(f"Nothing is older than {iso(EPOCH)}.", "created")
        return now - moment
    if moment > now:
        raise InvalidTime(f"Must not lie in the future: it is {iso(now)} now.", "created")
    if moment < EPOCH:
        raise InvalidTime(f"Nothing is older than {iso(EPOCH)}.", "created")
    return moment


def _between(seconds: tuple[int, int], *parts: str) -> timedelta:
    least, most = seconds
    return timedelta(seconds=least + chance_of(*parts) * (most - least))
