"""What the server says once it is ready."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from simulator import __version__
from simulator.domain.keys import secret_of_test_key
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.webhooks import DEFAULT_SIGNATURE_KEY
from simulator.web.schemas.accounts import account_answer

if TYPE_CHECKING:
    from simulator.config import Settings
    from simulator.domain.merchants import Merchant

_MOST_SHOWN = 5
"""How many keys of other merchants are told."""


def banner(address: str, settings: Settings, merchant: Merchant, *others: Merchant) -> str:
    """What the server says once it is ready: a line for programs, then some for people."""
    public_url = settings.public_url
    token = f"\n  token   {settings.admin_token} for {public_url}/__admin" if settings.admin_token else ""
    shown = [other.key for other in others[:_MOST_SHOWN]] + ["…"] * (len(others) > _MOST_SHOWN)
    also = f"\n  also    {', '.join(shown)}" if shown else ""
    told = "".join(f"\n  webhook {url} with the signature key {DEFAULT_SIGNATURE_KEY}" for url in settings.webhooks)
    guessable = merchant.secret == secret_of_test_key(merchant.key)
    secret = merchant.secret if guessable else "(as configured)"
    user = shlex.quote(f"{merchant.key}:{merchant.secret if guessable else 'SECRET'}")
    linked = merchant.accounts[0] if merchant.accounts else None
    item = {"name": "Candles", "amount": 100, "currency": linked.currency if linked else Currency.GBP, "quantity": 4}
    payee = {**account_answer(linked.account if linked else SANDBOX_ACCOUNT), "name": merchant.name}
    body = json.dumps({"reference": "Illuminate", "line_items": [item], "payee": payee}, separators=(",", ":"))
    return f"""ready {address}

  Banked simulator {__version__}: no money moves here.

  API     {public_url}/v2
  key     {merchant.key}
  secret  {secret}{also}{token}{told}

  curl -u {user} {public_url}/v2/payment_sessions \\
    -H 'Content-Type: application/json' \\
    -d {shlex.quote(body)}
"""
