"""Payment sessions on the wire (facts 2)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from marshmallow import ValidationError, fields, validate

from simulator.domain.money import Currency, formatted
from simulator.domain.payments import LineItem, Payer, Payment, PaymentRequest, currency_refusal, total_refusal
from simulator.domain.ports import PaymentQuery
from simulator.domain.states import PaymentState
from simulator.web.context import payment_url
from simulator.web.schemas.accounts import AccountAnswer, NewAccount, account, account_answer
from simulator.web.schemas.fields import (
    Answer,
    Choice,
    Email,
    Flag,
    Instant,
    InvalidRequest,
    List,
    ListQuery,
    Object,
    Reference,
    Request,
    Text,
    Url,
    WholeNumber,
    end_of_second,
    page_limit,
    ruby_time,
)
from simulator.web.schemas.refunds import RefundEntry, refund_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.domain.accounts import Account
    from simulator.domain.errors import Refusal
    from simulator.domain.merchants import Merchant
    from simulator.domain.refunds import Refund


class Frequency(StrEnum):
    """How often a standing payment is made."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Reward(StrEnum):
    """The loyalty schemes."""

    AVIOS = "avios"


class NewLineItem(Request):
    """Something bought; `amount` is in minor units, each."""

    name = Text(required=True)
    amount = WholeNumber(required=True)
    currency = Choice(Currency, required=True)
    quantity = WholeNumber(required=True)
    description = Text(longest=1024, allow_none=True, load_default=None)


class NewPayer(Request):
    """The person who pays."""

    name = Text(required=True)
    email = Email(required=True)


class NewReward(Request):
    """A loyalty scheme to collect with."""

    type = Choice(Reward, required=True)


class NewPaymentSession(Request):
    """The request that creates a payment session."""

    reference = Reference(required=True)
    line_items = List(Object(NewLineItem), required=True)
    payee = Object(NewAccount, required=True)
    payer = Object(NewPayer, allow_none=True, load_default=None)
    success_url = Url(allow_none=True, load_default=None)
    error_url = Url(allow_none=True, load_default=None)
    email_receipt = Flag(allow_none=True, load_default=False)
    frequency = Choice(Frequency, allow_none=True, load_default=None)
    number_of_payments = WholeNumber(allow_none=True, load_default=None)
    rewards = List(Object(NewReward), shortest=0, allow_none=True, load_default=None)


class LineItemAnswer(Answer):
    """A line item as it is answered."""

    amount = fields.Integer()
    currency = fields.String()
    description = fields.String(allow_none=True)
    name = fields.String()
    quantity = fields.Integer()


class PayerAnswer(Answer):
    """The payer as it is answered."""

    email = fields.String()
    name = fields.String()


class RewardAnswer(Answer):
    """A loyalty scheme as it is answered."""

    type = fields.String()


class PaymentSession(Answer):
    """What `payment_answer` answers, for the API description."""

    optional = frozenset({"frequency", "number_of_payments", "rewards"})

    amount = fields.Integer()
    amount_formatted = fields.String()
    created_at = fields.String()
    currency = fields.String()
    email_receipt = fields.Boolean()
    end_to_end_id = fields.UUID(allow_none=True)
    error_url = fields.String(allow_none=True)
    id = fields.UUID()
    line_items = fields.List(fields.Nested(LineItemAnswer))
    live = fields.Boolean()
    payee = fields.Nested(AccountAnswer)
    payer = fields.Nested(PayerAnswer, allow_none=True)
    reference = fields.String()
    refunds = fields.List(fields.Nested(RefundEntry))
    sent_at = fields.String(allow_none=True)
    state = fields.String(validate=validate.OneOf(tuple(PaymentState)))
    success_url = fields.String(allow_none=True)
    url = fields.Url()
    frequency = fields.String()
    number_of_payments = fields.Integer()
    rewards = fields.List(fields.Nested(RewardAnswer))


class PaymentSessionQuery(ListQuery):
    """Which payment sessions to list (Q10)."""

    state = Choice(PaymentState)
    created_at_from = Instant()
    created_at_to = Instant()


_new_payment_session = NewPaymentSession()
_query = PaymentSessionQuery()


def payment_request(body: dict[str, Any], merchant: Merchant) -> PaymentRequest:
    """What `merchant` asks for; InvalidRequest with everything that is wrong with it."""
    try:
        data = _new_payment_session.load(body)
    except ValidationError as broken:
        raise InvalidRequest(broken.messages, _refusals_of_the_rest(broken, merchant)) from broken
    return requested_payment(data)


def requested_payment(data: dict[str, Any], payee: Account | None = None) -> PaymentRequest:
    """What a loaded `NewPaymentSession` asks for; `payee` is for one that names none."""
    return PaymentRequest(
        reference=data["reference"],
        line_items=_line_items(data["line_items"]),
        payee=payee or account(data["payee"]),
        payer=Payer(**data["payer"]) if data["payer"] else None,
        success_url=data["success_url"],
        error_url=data["error_url"],
        email_receipt=data["email_receipt"] or False,
        frequency=data["frequency"],
        number_of_payments=data["number_of_payments"],
        rewards=tuple(reward["type"] for reward in data["rewards"]) if data["rewards"] is not None else None,
    )


def payment_query(args: Mapping[str, str]) -> PaymentQuery:
    """What a list's query string asks for; a larger limit than 100 is 100."""
    data = _query.load(args)
    to = data.get("created_at_to")
    return PaymentQuery(
        limit=page_limit(data),
        state=data.get("state"),
        created_at_from=data.get("created_at_from"),
        created_at_to=to and end_of_second(to),
    )


def payment_answer(payment: Payment, refunds: Iterable[Refund], public_url: str | None = None) -> dict[str, object]:
    """A payment session as it is answered: the keys of facts 2.2, in their order.

    Outside a request, `public_url`, with which its link starts, has to be told.
    """
    request = payment.request
    answer: dict[str, object] = {
        "amount": payment.amount,
        "amount_formatted": formatted(payment.amount, payment.currency),
        "created_at": ruby_time(payment.created_at),
        "currency": payment.currency,
        "email_receipt": request.email_receipt,
        "end_to_end_id": payment.end_to_end_id,
        "error_url": request.error_url,
        "id": payment.id,
        "line_items": [
            {
                "amount": item.amount,
                "currency": item.currency,
                "description": item.description,
                "name": item.name,
                "quantity": item.quantity,
            }
            for item in request.line_items
        ],
        "live": False,
        "payee": account_answer(request.payee),
        "payer": {"email": request.payer.email, "name": request.payer.name} if request.payer else None,
        "reference": request.reference,
        "refunds": [refund_entry(refund) for refund in refunds],
        "sent_at": ruby_time(payment.sent_at) if payment.sent_at else None,
        "state": payment.state,
        "success_url": request.success_url,
        "url": payment_url(payment.id, public_url),
    }
    if request.frequency is not None:
        answer["frequency"] = request.frequency
    if request.number_of_payments is not None:
        answer["number_of_payments"] = request.number_of_payments
    if request.rewards is not None:
        answer["rewards"] = [{"type": reward} for reward in request.rewards]
    return answer


def _line_items(items: Iterable[dict[str, Any]]) -> tuple[LineItem, ...]:
    return tuple(LineItem(**item) for item in items)


def _refusals_of_the_rest(broken: ValidationError, merchant: Merchant) -> list[Refusal]:
    """What else is wrong with what `broken` found well-formed, so that all can be told at once."""
    sound, messages = cast("dict[str, Any]", broken.valid_data), cast("dict[str, Any]", broken.messages)
    items = [item for item in sound.get("line_items", ()) if isinstance(item, dict)]
    found: list[Refusal | None] = [currency_refusal({item["currency"] for item in items if "currency" in item})]
    if "line_items" in sound and "line_items" not in messages:
        found.append(total_refusal(_line_items(items)))
    if "payee" in sound and set(messages.get("payee", ())) <= {"name"}:
        found.append(merchant.payee_refusal(account(sound["payee"])))
    return [refusal for refusal in found if refusal is not None]
