"""/v2/client_keys (facts 1.2)."""

from __future__ import annotations

from flask import Blueprint, Response

from simulator.web.context import acting_merchant, call
from simulator.web.json import answer, read_object
from simulator.web.openapi import operation
from simulator.web.schemas.checkout_sessions import ClientKeyAnswer, NewClientKey, client_key_answer

routes = Blueprint("client_keys", __name__, url_prefix="/client_keys")

_new_client_key = NewClientKey()


@routes.post("")
@operation("Create a client key for pages of some origins", body=NewClientKey, answers={201: ClientKeyAnswer})
def create() -> Response:
    """Let browsers at some origins show the merchant's payments."""
    key = acting_merchant().create_client_key(tuple(_new_client_key.load(read_object())["domains"]))
    call().subject = key.id
    return answer(client_key_answer(key), 201)
