"""Providers and linked bank accounts on the wire (facts 5.1, 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import fields, validate

from simulator.web.schemas.accounts import account_answer
from simulator.web.schemas.fields import Answer

if TYPE_CHECKING:
    from simulator.domain.merchants import LinkedAccount
    from simulator.domain.providers import Provider


class ProviderAnswer(Answer):
    """What `provider_answer` answers, for the API description."""

    id = fields.UUID()
    name = fields.String()
    status = fields.String(validate=validate.OneOf(("AVAILABLE", "UNAVAILABLE")))
    supports_batch = fields.Boolean()


class BankAccountAnswer(Answer):
    """What `linked_account_answer` answers, for the API description."""

    optional = frozenset({"account_identifier", "identifier_type"})

    id = fields.UUID()
    name = fields.String()
    account_number = fields.String(allow_none=True)
    account_type = fields.String()
    account_sub_type = fields.String()
    sort_code = fields.String(allow_none=True)
    account_identifier = fields.String()
    identifier_type = fields.String()
    currency = fields.String()
    consent_expires_at = fields.DateTime(allow_none=True)
    provider = fields.Nested(ProviderAnswer)


def provider_answer(provider: Provider) -> dict[str, object]:
    """A bank as it is answered."""
    return {
        "id": provider.id,
        "name": provider.name,
        "status": provider.status,
        "supports_batch": provider.supports_batch,
    }


def linked_account_answer(linked: LinkedAccount, provider: Provider) -> dict[str, object]:
    """A linked account as it is answered; `consent_expires_at` is ISO 8601, as clients parse it (facts 8a)."""
    expires_at = linked.consent_expires_at
    number = account_answer(linked.account)
    number.pop("name")
    return {
        "id": linked.id,
        "name": linked.name,
        "account_number": number.pop("account_number", None),
        "account_type": linked.account_type,
        "account_sub_type": linked.account_sub_type,
        "sort_code": number.pop("sort_code", None),
        **number,
        "currency": linked.currency,
        "consent_expires_at": expires_at and expires_at.isoformat(),
        "provider": provider_answer(provider),
    }
