"""What mobile and embedded checkouts work with: client keys, and payments as they show them (facts 1.2, 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from marshmallow import fields, validate

from simulator.domain.states import PaymentState
from simulator.web.brands import by_brand
from simulator.web.schemas.accounts import AccountAnswer
from simulator.web.schemas.fields import Answer, List, Object, Request, Text, Url
from simulator.web.schemas.payment_sessions import LineItemAnswer, payment_answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.domain.access import ClientKey
    from simulator.domain.payments import Payment
    from simulator.domain.providers import Provider


_ASSUMED_PORTS = {"http": ":80", "https": ":443"}


class Origin(Url):
    """Where pages of a site come from: scheme, host and port, and nothing more."""

    default_error_messages = {"origin": "Must be an origin such as https://checkout.example.com."}  # noqa: RUF012  marshmallow's way

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        parts = urlsplit(text)
        if f"{parts.scheme}://{parts.netloc}" != text or "@" in parts.netloc:
            raise self.make_error("origin")
        return as_browsers_write(text)


def as_browsers_write(origin: str) -> str:
    """An origin in lower case, and without the port that everybody assumes."""
    origin = origin.lower()
    scheme, _, _ = origin.partition(":")
    return origin.removesuffix(_ASSUMED_PORTS.get(scheme, ""))


class NewClientKey(Request):
    """The origins of the pages that may use the key."""

    domains = List(Origin(), required=True)


class ClientKeyAnswer(Answer):
    """What `client_key_answer` answers, for the API description."""

    domains = fields.List(fields.String())
    token = fields.String()
    id = fields.UUID()


class CheckoutQuery(Request):
    """The form of logos wanted; it is always SVG."""

    logo_format = Text()


class NewChoice(Request):
    """The bank that the payer picked."""

    provider_id = Text(required=True)


class ProviderEntry(Answer):
    """A bank in `checkout_answer`, for the API description."""

    id = fields.UUID()
    name = fields.String()
    status = fields.String(validate=validate.OneOf(("AVAILABLE", "UNAVAILABLE")))
    status_detail = fields.String(allow_none=True)


class BrandEntry(Answer):
    """A house of banks in `checkout_answer`, for the API description."""

    name = fields.String()
    logo = fields.String()
    providers = fields.List(fields.Nested(ProviderEntry))


class CheckoutSession(Answer):
    """What `checkout_answer` answers, for the API description."""

    id = fields.UUID()
    state = fields.String(validate=validate.OneOf([state.value for state in PaymentState]))
    amount = fields.Integer()
    amount_formatted = fields.String()
    currency = fields.String()
    line_items = fields.List(fields.Nested(LineItemAnswer))
    payee = Object(AccountAnswer)
    payer_details_required = fields.Boolean()
    provider_brands = fields.List(fields.Nested(BrandEntry))
    terms_and_conditions = fields.String()
    end_to_end_id = fields.String(allow_none=True)
    affiliate_id = fields.String(allow_none=True)
    logo = fields.String(allow_none=True)


class ChosenSession(CheckoutSession):
    """What the choice of a bank answers, for the API description."""

    redirect_url = fields.String()


def client_key_answer(key: ClientKey) -> dict[str, object]:
    """A client key as it is answered, once."""
    return {"domains": key.domains, "token": key.token, "id": key.id}


def checkout_answer(payment: Payment, providers: Iterable[Provider], public_url: str) -> dict[str, object]:
    """A payment as its payer's app shows it: the keys of facts 5.3, in their order."""
    session = payment_answer(payment, ())
    shared = ("id", "state", "amount", "amount_formatted", "currency", "line_items", "payee")
    assets = f"{public_url}/assets"
    brands = by_brand(provider for provider in providers if payment.currency in provider.currencies)
    return {
        **{name: session[name] for name in shared},
        "payer_details_required": payment.request.payer is None,
        "provider_brands": [
            {
                "name": brand.name,
                "logo": f"{assets}/{brand.logo}",
                "providers": [_provider_entry(provider) for provider in brand.banks],
            }
            for brand in brands
        ],
        "terms_and_conditions": f"{assets}/terms.html",
        "end_to_end_id": payment.end_to_end_id,
        "affiliate_id": None,
        "logo": None,
    }


def _provider_entry(provider: Provider) -> dict[str, object]:
    return {
        "id": provider.id,
        "name": provider.name,
        "status": provider.status,
        "status_detail": provider.unavailable_because or None,
    }
