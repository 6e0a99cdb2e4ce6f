"""HTTP authentication: Basic with API key and secret, or Bearer with a token (facts 1.2)."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from flask import request

from simulator.domain.errors import Unauthenticated
from simulator.service.access import AccessService
from simulator.web.context import call

if TYPE_CHECKING:
    from simulator.domain.merchants import Merchant


def authenticate() -> None:
    """Find out which merchant calls; Unauthenticated or NotAuthorised when none that may."""
    scheme, _, credentials = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    this = call()
    access = AccessService(this.simulation)
    match scheme.lower():
        case "basic":
            this.merchant = access.by_secret(*decoded(credentials))
        case "bearer":
            this.merchant = access.by_token(credentials.strip())
        case "":
            raise Unauthenticated("Send your API key and secret with Basic authentication, or a Bearer token.")
        case _:
            raise Unauthenticated("Use Basic or Bearer authentication.")


def claimed() -> Merchant | None:
    """The merchant whom the credentials name, good or not; None when that is nobody who was here before."""
    scheme, _, credentials = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    store = call().simulation.store
    try:
        key = store.owner(credentials.strip()) if scheme.lower() == "bearer" else decoded(credentials)[0]
    except Unauthenticated:
        return None
    return store.merchant(key) if key else None


def decoded(credentials: str) -> tuple[str, str]:
    """The API key and secret in Basic credentials; Unauthenticated when there are none."""
    try:
        key, colon, secret = b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    if not colon:
        raise Unauthenticated("The Basic credentials are not base64 of API_KEY:API_SECRET.")
    return key, secret
