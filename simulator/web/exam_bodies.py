"""The messages of the receiver exam: events of a made-up payment session."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payer, Payment, PaymentRequest
from simulator.domain.states import PaymentState
from simulator.domain.webhooks import TypeKeys
from simulator.web.payloads import payload

_PUBLIC_URL = "http://127.0.0.1:2265"
_CREATED_AT = datetime(2025, 3, 14, 9, 26, 53, tzinfo=UTC)
_SENT_AT = datetime(2025, 3, 14, 9, 28, 11, tzinfo=UTC)
_REQUEST = PaymentRequest(
    reference="Receiver exam",
    line_items=(
        LineItem("Café crème / Zoë's blend", 450, Currency.GBP, 2, "250 g, “extra fine”, £4.50 each"),
        LineItem("Candle", 100, Currency.GBP, 1),
    ),
    payee=replace(SANDBOX_ACCOUNT, name="Exam Shop"),
    payer=Payer("Séamus O'Brien", "seamus@example.com"),
    success_url="https://shop.example/success?id=__PAYMENT_ID__",
    error_url="https://shop.example/error",
)


def body(payment_id: str, event: str) -> bytes:
    """The body of the message that tells of `event`, such as payment_sent, of the made-up payment with this id."""
    payment = _payment(payment_id, PaymentState(event.removeprefix("payment_")))
    return payload(payment, (), event, TypeKeys.BOTH, _PUBLIC_URL).encode()


def _payment(id_: str, state: PaymentState) -> Payment:
    return Payment(
        id=id_,
        request=_REQUEST,
        created_at=_CREATED_AT,
        state=state,
        sent_at=_SENT_AT if state is PaymentState.SENT else None,
        end_to_end_id=id_,
    )
