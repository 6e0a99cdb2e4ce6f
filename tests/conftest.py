"""The world of each test: a simulation of its own, with a clock that stands still, and the actors in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from simulator.bootstrap import build_simulation
from simulator.config import Settings
from simulator.service.deliveries import DeliveryService
from simulator.web.app import create_app
from tests.actors import PUBLIC_URL, AtOnce, ManualClock, MerchantCaller, NoAlarm, Receivers, Tester

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from simulator.service.simulation import Simulation


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
def simulation(clock: ManualClock, receivers: Receivers) -> Simulation:
    courier = AtOnce()
    built = build_simulation(Settings(public_url=PUBLIC_URL))
    simulation = replace(built, clock=clock, alarm=NoAlarm(), sender=receivers, courier=courier)
    courier.start(DeliveryService(simulation).run)
    return simulation


@pytest.fixture
def app(simulation: Simulation) -> Flask:
    return create_app(simulation, PUBLIC_URL)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def merchant(client: FlaskClient) -> MerchantCaller:
    """The merchant of the README, with one linked account."""
    return MerchantCaller(client)


@pytest.fixture
def other_merchant(client: FlaskClient) -> MerchantCaller:
    """A merchant made on first use."""
    return MerchantCaller(client, "pk_test_other", "sk_test_other")


@pytest.fixture
def tester(client: FlaskClient) -> Tester:
    return Tester(client)
