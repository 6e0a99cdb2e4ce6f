"""The world of each test: a simulation of its own, with a clock that stands still, and the actors in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from simulator.bootstrap import build_simulation
from simulator.config import Settings
from simulator.web.app import create_app
from tests.actors import PUBLIC_URL, ManualClock, MerchantCaller, NoAlarm, Tester

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from simulator.service.simulation import Simulation


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def simulation(clock: ManualClock) -> Simulation:
    return replace(build_simulation(Settings()), clock=clock, alarm=NoAlarm())


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
