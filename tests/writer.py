"""A process that makes payments until it is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.bootstrap import build_app
from simulator.config import Settings
from tests.actors import PUBLIC_URL, MerchantCaller, Tester

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


def write(url: str, told: Connection) -> None:
    """Make payments in the database at `url`, and tell of each, with its state, once that was answered."""
    app, _ = build_app(Settings(store=url, public_url=PUBLIC_URL))
    client = app.test_client()
    merchant, tester = MerchantCaller(client), Tester(client)
    while True:
        payment = merchant.requests_payment()["id"]
        told.send((payment, "awaiting_provider"))
        tester.ask("POST", f"/__admin/payment_sessions/{payment}/pay", json={"scenario": "approve"})
        told.send((payment, "sent"))
