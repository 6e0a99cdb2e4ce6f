"""Who is calling: API keys, secrets and tokens."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from simulator.domain.access import TOKEN_LIFETIME, Token
from simulator.domain.errors import InvalidScope, NotAuthorised, NotFound, Unauthenticated
from simulator.domain.events import Cause, Kind
from simulator.domain.keys import looks_live
from simulator.domain.timers import TimerKind

if TYPE_CHECKING:
    from simulator.domain.access import ClientKey
    from simulator.domain.merchants import Merchant
    from simulator.service.simulation import Simulation


class AccessService:
    """The door to the merchant's API."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def by_secret(self, key: str, secret: str) -> Merchant:
        """Return the merchant with this API key and secret; Unauthenticated when there is none."""
        if looks_live(key) or looks_live(secret):
            raise Unauthenticated(
                "This looks like a live key. The simulator moves no money and should never see one: use pk_test_NAME "
                "and sk_test_NAME, and consider the live key leaked if anybody else can read this traffic."
            )
        known = self._simulation.store.merchant(key)
        merchant = known or self._starting_merchant(key)
        expected = merchant.secret if merchant else ""
        if not hmac.compare_digest(expected.encode(), secret.encode(errors="replace")) or merchant is None:
            raise Unauthenticated(self._advice(key))
        return known or self._simulation.merchant(key)

    def _advice(self, key: str) -> str:
        """What to try instead of a key and a secret that were refused."""
        if self._simulation.store.merchant(key) or self._starting_merchant(key):
            return "The API key and secret do not belong together: the secret of pk_test_NAME is sk_test_NAME."
        if self._simulation.strict_keys:
            return "There is no such API key, and with --strict-keys none is made: give it by --merchant or --fixtures."
        return "There is no such API key: try pk_test_NAME with sk_test_NAME; NAME is 1 to 64 letters, digits, _ or -."

    def by_token(self, token: str) -> Merchant:
        """Return the merchant that a bearer token was issued to.

        Unauthenticated when it is unknown or expired; NotAuthorised when it is unscoped, which is good for partner
        calls only (facts 1.2).
        """
        simulation = self._simulation
        key = simulation.store.owner(token)
        if key is None:
            raise Unauthenticated("The access token is unknown or has expired: ask POST /oauth/token for a new one.")
        with simulation.store.transaction(key) as world:
            try:
                known = world.token(token)
            except NotFound as gone:
                raise Unauthenticated("The access token is unknown: ask POST /oauth/token for a new one.") from gone
            if known.expires_at <= simulation.now(world.merchant()):
                raise Unauthenticated("The access token has expired: ask POST /oauth/token for a new one.")
            merchant = world.merchant()
            if known.scope is None:
                raise NotAuthorised(
                    f"This access token has no scope: ask for one with scope={merchant.application_id}."
                )
            return merchant

    def issue_token(self, merchant: Merchant, scope: str | None) -> Token:
        """Issue a token, unscoped without `scope`; InvalidScope when that is not the merchant's application."""
        if scope is not None and scope != merchant.application_id:
            raise InvalidScope(f"The application of this API key is {merchant.application_id}, not {scope}.")
        with self._simulation.work(merchant.key, Cause(merchant.generation)) as work:
            token = Token(work.new_token(), scope, work.at)
            work.world.add(token)
            work.tell(Kind.TOKEN_ISSUED, by="merchant", scope=scope)
            work.schedule(TimerKind.TOKEN_EXPIRY, token.id, TOKEN_LIFETIME.total_seconds())
        return token

    def by_client_key(self, token: str) -> tuple[Merchant, ClientKey]:
        """Return the merchant that made a client key, and the key; NotAuthorised when it is unknown (facts 1.2)."""
        store = self._simulation.store
        try:
            with store.transaction(store.owner(token) or "") as world:
                return world.merchant(), world.client_key(token)
        except NotFound:
            raise NotAuthorised("There is no such client key: make one by POST /v2/client_keys.", "api_key") from None

    def _starting_merchant(self, key: str) -> Merchant | None:
        try:
            return self._simulation.starting_merchant(key)
        except NotFound:
            return None
