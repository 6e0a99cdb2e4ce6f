"""A merchant's settings on the wire: what a tester sets and is shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from marshmallow import ValidationError, fields

from simulator.domain.returns import RedirectParameters, ReturnBehaviour
from simulator.domain.scenarios import Progression
from simulator.domain.webhooks import LONGEST_TIMEOUT, DeliveryMode, DeliveryOrder, SignatureTime, TypeKeys
from simulator.web.schemas.fields import Answer, Choice, Flag, Number, Object, Text, WholeNumber
from simulator.web.schemas.testers import Command
from simulator.web.schemas.webhooks import WebhookAnswer, webhook_answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from simulator.domain.merchants import Merchant

_ONE_YEAR = 31_536_000
_ORIGIN = r"https?://([A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,9}|\[[0-9A-Fa-f:]{2,39}\])(:[0-9]{1,5})?"


class Origin(Text):
    """Where pages are from: a scheme, a host and perhaps a port."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=_ORIGIN, rule="Must be an origin such as https://shop.example:8443.", **options)


class Patience(Number):
    """Seconds that a receiver has to answer."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"exclusiveMinimum": 0, "maximum": LONGEST_TIMEOUT}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> float:
        seconds = super()._deserialize(value, attr, data, **options)
        if not 0 < seconds <= LONGEST_TIMEOUT:
            raise ValidationError(f"Must be more than 0, and at most {LONGEST_TIMEOUT:g}.")
        return seconds


class NewDeliverySettings(Command):
    """How webhook messages are sent; what is left out stays as it is."""

    mode = Choice(DeliveryMode)
    order = Choice(DeliveryOrder)
    timeout = Patience()
    verify_tls = Flag()
    signature_time = Choice(SignatureTime)
    type_keys = Choice(TypeKeys)


class MerchantSettings(Command):
    """What a tester can set of a merchant."""

    name = Text()
    accept_any_payee = Flag()
    scenario = Text()
    progression = Choice(Progression)
    session_expires_after = WholeNumber(most=_ONE_YEAR, allow_none=True)
    seed = Text()
    redirect_parameters = Choice(RedirectParameters)
    return_behaviour = Choice(ReturnBehaviour)
    frame_origin = Origin(allow_none=True)
    delivery = Object(NewDeliverySettings)


class DeliverySettingsView(Answer):
    """How webhook messages are sent."""

    mode = fields.String()
    order = fields.String()
    timeout = fields.Float()
    verify_tls = fields.Boolean()
    signature_time = fields.String()
    type_keys = fields.String()


class MerchantView(Answer):
    """What `merchant_view` shows, for the API description."""

    key = fields.String()
    name = fields.String()
    email = fields.String()
    application_id = fields.String()
    accept_any_payee = fields.Boolean()
    scenario = fields.String()
    progression = fields.String()
    session_expires_after = fields.Integer(allow_none=True)
    redirect_parameters = fields.String()
    return_behaviour = fields.String()
    frame_origin = fields.String(allow_none=True)
    webhooks = fields.List(fields.Nested(WebhookAnswer))
    delivery = fields.Nested(DeliverySettingsView)


def merchant_view(merchant: Merchant) -> dict[str, object]:
    """A merchant's settings as they are shown: all but the secret, the keys of webhooks and the seed."""
    return {
        "key": merchant.key,
        "name": merchant.name,
        "email": merchant.email,
        "application_id": merchant.application_id,
        "accept_any_payee": merchant.accept_any_payee,
        "scenario": merchant.scenario,
        "progression": merchant.progression,
        "session_expires_after": merchant.session_expires_after,
        "redirect_parameters": merchant.redirect_parameters,
        "return_behaviour": merchant.return_behaviour,
        "frame_origin": merchant.frame_origin,
        "webhooks": [webhook_answer(webhook) for webhook in merchant.webhooks],
        "delivery": asdict(merchant.delivery),
    }
