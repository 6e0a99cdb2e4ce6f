"""The world of each test: a simulation of its own, with a clock that stands still, and the actors in it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from simulator.adapters.sql.opening import open_store, upgrade
from simulator.bootstrap import build_simulation
from simulator.config import MEMORY, Settings
from simulator.service.deliveries import DeliveryService
from simulator.web.app import create_app
from tests import databases
from tests.actors import PUBLIC_URL, AtOnce, ManualClock, MerchantCaller, NoAlarm, Receivers, Tester
from tests.served import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient

    from simulator.service.simulation import Simulation


def pytest_addoption(parser: pytest.Parser) -> None:
    stores = ["memory", "sqlite", "postgres"]
    parser.addoption("--store", choices=stores, default="memory", help="where the simulations keep everything")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, on a database, the tests that keep nothing in it: they run without one."""
    if config.getoption("--store") == "memory":
        return
    elsewhere = [item for item in items if "empty_store" not in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=elsewhere)
    items[:] = [item for item in items if item not in set(elsewhere)]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all the tables, to be copied: that is faster than making them."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    open_store(f"sqlite:///{path}").stop()
    return path


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty SQLite database."""
    return _copied(sqlite_template, tmp_path)


def _copied(template: Path, folder: Path) -> str:
    return f"sqlite:///{shutil.copy(template, folder / f'{uuid4()}.db')}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL database that all tests share, one after the other."""
    with databases.postgres_server() as server:
        upgrade(server.url)
        yield server.url


@pytest.fixture
def postgres(postgres_server: str) -> str:
    """The URL of an empty PostgreSQL database."""
    return databases.clear(postgres_server)


@pytest.fixture
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes a place where a simulation keeps everything, with nothing in it; each time the one before is over."""
    match request.config.getoption("--store"):
        case "sqlite":
            return partial(_copied, request.getfixturevalue("sqlite_template"), tmp_path)
        case "postgres":
            return partial(databases.clear, request.getfixturevalue("postgres_server"))
        case _:
            return lambda: MEMORY


@pytest.fixture
def store_url(empty_store: Callable[[], str]) -> str:
    """Where the simulation of a test keeps everything."""
    return empty_store()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
def simulation(clock: ManualClock, receivers: Receivers, store_url: str) -> Iterator[Simulation]:
    courier = AtOnce()
    built = build_simulation(Settings(public_url=PUBLIC_URL, store=store_url))
    simulation = replace(built, clock=clock, alarm=NoAlarm(), sender=receivers, courier=courier)
    courier.start(DeliveryService(simulation).run)
    yield simulation
    built.stop()


@pytest.fixture
def app(simulation: Simulation) -> Flask:
    return create_app(simulation, PUBLIC_URL)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """A receiver of webhooks that is a program of its own."""
    receiver = Receiver(tmp_path / "received")
    receiver.start()
    yield receiver
    receiver.kill()


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
