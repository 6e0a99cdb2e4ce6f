"""The payments in a fixture file: what was asked for, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from marshmallow import RAISE

from simulator.domain.clock import duration
from simulator.domain.errors import InvalidTime
from simulator.domain.histories import PastPayment, PastRefund
from simulator.domain.states import PaymentState, RefundState
from simulator.web.schemas.accounts import NewAccount, account
from simulator.web.schemas.fields import (
    Choice,
    Instant,
    List,
    Object,
    Reference,
    Request,
    Text,
    Url,
    WholeNumber,
)
from simulator.web.schemas.payment_sessions import (
    NewLineItem,
    NewPayer,
    NewPaymentSession,
    NewReward,
    requested_payment,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulator.domain.merchants import Merchant


class Moment(Instant):
    """How long ago, or when, something was."""

    default_error_messages = {  # noqa: RUF012  marshmallow's way
        "instant": "Must be how long ago it was, such as 3d or 2h30m, or a time such as 2019-11-01T15:48:26Z."
    }

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        try:
            return duration(value) if isinstance(value, str) else super()._deserialize(value, attr, data, **options)
        except InvalidTime:
            return super()._deserialize(value, attr, data, **options)


class RefundFixture(Request):
    """A refund of the payment that it stands in."""

    class Meta:
        """Refuse what is unknown: in a file it is a slip of the pen."""

        unknown = RAISE

    amount = WholeNumber(required=True)
    state = Choice(RefundState, load_default=None)
    created = Moment(load_default=None)
    reference = Reference(allow_none=True, load_default=None)
    success_url = Url(allow_none=True, load_default=None)
    error_url = Url(allow_none=True, load_default=None)
    payee = Object(NewAccount, unknown=RAISE, allow_none=True, load_default=None)


class PaymentFixture(NewPaymentSession):
    """A payment session as the merchant asks for it, and what became of it.

    The payee, unless it is given, is the linked account of the line items' currency.
    """

    class Meta:
        """Refuse what is unknown."""

        unknown = RAISE

    line_items = List(Object(NewLineItem, unknown=RAISE), required=True)
    payee = Object(NewAccount, unknown=RAISE)
    payer = Object(NewPayer, unknown=RAISE, allow_none=True, load_default=None)
    rewards = List(Object(NewReward, unknown=RAISE), shortest=0, allow_none=True, load_default=None)
    state = Choice(PaymentState, load_default=PaymentState.AWAITING_PROVIDER)
    created = Moment(load_default=timedelta())
    provider = Text(allow_none=False, load_default=None)
    refunds = List(Object(RefundFixture), shortest=0, load_default=())


def past_payment(data: dict[str, Any], merchant: Merchant) -> PastPayment:
    """What a loaded `PaymentFixture` tells; InvalidAccount when it has no payee and `merchant` no account."""
    if "payee" in data:
        request = requested_payment(data)
    else:
        payee = merchant.account_for(data["line_items"][0]["currency"])
        request = requested_payment(data, payee)
    return PastPayment(
        request=request,
        state=data["state"],
        created=data["created"],
        provider=data["provider"],
        refunds=tuple(_past_refund(refund) for refund in data["refunds"]),
    )


def _past_refund(data: dict[str, Any]) -> PastRefund:
    return PastRefund(**{**data, "payee": account(data["payee"]) if data["payee"] else None})
