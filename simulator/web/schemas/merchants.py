"""A merchant's settings on the wire: what a tester sets and is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import fields

from simulator.domain.returns import RedirectParameters, ReturnBehaviour
from simulator.domain.scenarios import Progression
from simulator.web.schemas.fields import Answer, Choice, Flag, Text, WholeNumber
from simulator.web.schemas.testers import Command

if TYPE_CHECKING:
    from typing import Any

    from simulator.domain.merchants import Merchant

_ONE_YEAR = 31_536_000
_ORIGIN = r"https?://([A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){0,9}|\[[0-9A-Fa-f:]{2,39}\])(:[0-9]{1,5})?"


class Origin(Text):
    """Where pages are from: a scheme, a host and perhaps a port."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=_ORIGIN, rule="Must be an origin such as https://shop.example:8443.", **options)


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


def merchant_view(merchant: Merchant) -> dict[str, object]:
    """A merchant's settings as they are shown: all but the secret and the seed."""
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
    }
