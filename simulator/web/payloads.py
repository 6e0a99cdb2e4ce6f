"""Bodies of webhook messages: a payment session, and what has happened to it (facts 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.webhooks import PAYMENT_EVENTS, TypeKeys
from simulator.web.json import compact
from simulator.web.schemas.payment_sessions import payment_answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.payments import Payment
    from simulator.domain.refunds import Refund

TYPE = "payment_session"

_REDACTED = "redacted_"
_PERSONAL = ("payee", "payer")
_MISSPELT = frozenset(PAYMENT_EVENTS) - {"payment_initiated"}
"""Whose type is under the key `webook_type` in Banked's documentation (Q20)."""


def payload(payment: Payment, refunds: Iterable[Refund], event: str, type_keys: TypeKeys, public_url: str) -> str:
    """The body of the message that tells of `event`, exactly as `JSON.stringify` writes it.

    Redacted ones have neither payee nor payer, and are called what the others are called.
    """
    session = payment_answer(payment, refunds, public_url)
    if event.startswith(_REDACTED):
        for name in _PERSONAL:
            del session[name]
    session["webhook_event"] = event.removeprefix(_REDACTED)
    if event in _MISSPELT:
        session["webook_type"] = TYPE
    if event not in _MISSPELT or type_keys is TypeKeys.BOTH:
        session["webhook_type"] = TYPE
    return compact(session)
