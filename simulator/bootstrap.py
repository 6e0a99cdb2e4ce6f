"""Puts the parts together: the only module that knows which adapters are in use."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from simulator import __version__
from simulator.adapters.bell import LocalBell
from simulator.adapters.courier import ThreadCourier
from simulator.adapters.late_sender import LateSender
from simulator.adapters.memory import MemoryStore
from simulator.adapters.people import FakerPeople
from simulator.adapters.post import NoPost
from simulator.adapters.scheduler import Scheduler
from simulator.adapters.system import RandomIds, SystemClock
from simulator.config import MEMORY, InvalidSetting
from simulator.domain.accounts import IdentifierType
from simulator.domain.errors import Refusals, UnusableStore
from simulator.domain.faults import Effect, Fault, Match, Preset, SignatureTwist
from simulator.domain.keys import DEFAULT_KEY, secret_of_test_key
from simulator.domain.money import Currency
from simulator.domain.providers import Provider, Providers
from simulator.domain.returns import ReturnBehaviour
from simulator.domain.scenarios import MagicAccount, Scenario, Scenarios, Step
from simulator.domain.states import PaymentAction
from simulator.service.emails import PostService
from simulator.service.simulation import Simulation, sandbox_merchant
from simulator.service.timers import TimerService
from simulator.web.app import create_app
from simulator.web.letters import letter
from simulator.web.payloads import payload

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterable, Iterator
    from datetime import timedelta

    from flask import Flask

    from simulator.adapters.smtp import SmtpPost
    from simulator.adapters.sql.watch import SharedScheduler
    from simulator.config import MailServer, Settings
    from simulator.domain.deliveries import Errand
    from simulator.domain.merchants import Merchant
    from simulator.domain.ports import Bell, Clock, Store
    from simulator.service.exam import Examiner
    from simulator.web.schemas.fixtures import Start

_AGENT = f"banked-simulator/{__version__}"
"""Who says to send webhook messages."""


def build_app(settings: Settings) -> tuple[Flask, Simulation]:
    """The app that `settings` describe and the simulation that it shows; InvalidSetting for broken fixtures."""
    simulation = build_simulation(settings)
    simulation.alarm.watch()
    return create_app(simulation, settings.public_url, settings.admin_token), simulation


def build_simulation(settings: Settings) -> Simulation:
    """The simulation that `settings` describe, with its fixtures loaded; InvalidSetting when these are broken."""
    providers, clock = load_providers(), SystemClock()
    starts = _starts(settings, providers)
    parts = _parts(settings.store, clock)
    post = _post(settings.smtp)
    simulation = Simulation(
        store=parts.store,
        clock=clock,
        ids=RandomIds(),
        people=FakerPeople(),
        alarm=parts.alarm,
        bell=parts.bell,
        post=post,
        sender=LateSender(),
        courier=parts.courier,
        payload=partial(payload, public_url=settings.public_url),
        webhooks=settings.webhooks,
        user_agent=_AGENT,
        providers=providers,
        scenarios=load_scenarios(),
        seed=settings.seed or _seed_of(parts.store.secret()),
        configured={merchant.key: merchant for merchant in _configured(settings, starts)},
        pasts={start.merchant.key: start.past for start in starts},
        strict_keys=settings.strict_keys,
        fault_presets=load_fault_presets(),
    )
    for key in simulation.configured:
        simulation.merchant(key)
    for start in starts:
        _begin(simulation, start)
    parts.courier.start(partial(_deliver, simulation))
    parts.alarm.start(partial(_fire, simulation))
    service = PostService(simulation)
    post.start(lambda email: letter(email, settings.public_url), service.is_due, service.tell_fate)
    return simulation


def check_store(url: str) -> None:
    """Open a store and let it go again; InvalidSetting when it cannot be used."""
    _parts(url, SystemClock()).store.stop()


def upgrade_store(url: str) -> str:
    """Give a database the newest schema, and return which that is; InvalidSetting when it cannot be had."""
    with _explained():
        from simulator.adapters.sql.opening import upgrade  # noqa: PLC0415  needs what is not always installed

        return upgrade(url)


def prune_store(url: str, older_than: timedelta) -> Counter[str]:
    """Forget what is older and over; return how much there was, by kind. InvalidSetting when there is no such store."""
    with _explained():
        from simulator.adapters.sql.opening import open_store  # noqa: PLC0415  needs what may not be there
        from simulator.adapters.sql.pruning import prune  # noqa: PLC0415  likewise

        store = open_store(url)
        try:
            return prune(store, older_than, SystemClock().now())
        finally:
            store.stop()


class _Parts(NamedTuple):
    """Those that differ with where everything is kept."""

    store: Store
    alarm: Scheduler | SharedScheduler
    bell: Bell
    courier: ThreadCourier


def _parts(url: str, clock: Clock) -> _Parts:
    """The parts for the store that a URL names; InvalidSetting when it cannot be used."""
    if url == MEMORY:
        return _Parts(MemoryStore(), Scheduler(clock), LocalBell(), ThreadCourier())
    with _explained():
        from simulator.adapters.sql.opening import open_bell, open_store  # noqa: PLC0415  needs what may not be there
        from simulator.adapters.sql.watch import SharedCourier, SharedScheduler  # noqa: PLC0415  likewise

        store = open_store(url)
        return _Parts(store, SharedScheduler(clock, store), open_bell(url), SharedCourier(store))


@contextmanager
def _explained() -> Iterator[None]:
    """Say what is to do when a database cannot be used."""
    try:
        yield
    except ImportError as missing:
        sentence = f"A database needs more ({missing.msg}): pip install 'banked-simulator[sql]'."
        raise InvalidSetting(sentence, "--store") from missing
    except UnusableStore as unusable:
        raise InvalidSetting(str(unusable), "--store") from unusable


def _seed_of(secret: str) -> str:
    """A seed that all who share a store have in common, and that does not give the secret away."""
    return sha256(f"seed {secret}".encode()).hexdigest()[:32]


def _fire(simulation: Simulation, merchant_key: str, lost: Collection[str] = ()) -> None:
    TimerService(simulation, merchant_key).fire_due(lost)


def _deliver(simulation: Simulation, errand: Errand) -> None:
    from simulator.service.deliveries import DeliveryService  # noqa: PLC0415  costs start-up time

    DeliveryService(simulation).run(errand)


def build_examiner() -> Examiner:
    """The examiner of webhook receivers, for whom no simulation is needed."""
    from simulator.service.exam import Examiner  # noqa: PLC0415  costs start-up time, and serves no call
    from simulator.web.exam_bodies import body  # noqa: PLC0415  likewise

    return Examiner(sender=LateSender(), clock=SystemClock(), ids=RandomIds(), body=body, agent=_AGENT)


def _post(server: MailServer | None) -> SmtpPost | NoPost:
    if server is None:
        return NoPost()
    from simulator.adapters.smtp import SmtpPost  # noqa: PLC0415  costs start-up time, and most send nothing

    return SmtpPost(server.host, server.port)


def _begin(simulation: Simulation, start: Start) -> None:
    """Let a merchant's past happen, unless it did before; InvalidSetting with where it broke which rule."""
    from simulator.service.history import relive  # noqa: PLC0415  costs start-up time, and most merchants have no past

    try:
        with simulation.work(start.merchant.key) as work:
            if not (work.merchant.generation or work.world.last_event()):
                relive(work, start.past)
    except Refusals as broken:
        reasons = [f"{start.place}/{refusal.parameter}: {refusal}" for refusal in broken.refusals]
        raise InvalidSetting("\n".join(reasons)) from broken


def load_providers() -> Providers:
    """The banks that the program ships."""
    return Providers(_provider(**provider) for provider in _data("providers.json"))


def load_scenarios() -> Scenarios:
    """The scenarios and magic accounts that the program ships."""
    data = _data("scenarios.json")
    scenarios = {each["name"]: _scenario(**each) for each in data["scenarios"]}
    magic = [MagicAccount(**{**each, "scenario": scenarios[each["scenario"]]}) for each in data["magic_accounts"]]
    return Scenarios(scenarios.values(), magic)


def load_fault_presets() -> dict[str, Preset]:
    """The faults that the program ships, by name."""
    return {each["name"]: _fault_preset(**each) for each in _data("faults.json")}


def _provider(
    currencies: list[str], identifier_type: str = IdentifierType.SORT_CODE_ACCOUNT_NUMBER, **provider: Any
) -> Provider:
    pays_in = tuple(Currency(currency) for currency in currencies)
    return Provider(**provider, currencies=pays_in, identifier_type=IdentifierType(identifier_type))


def _fault_preset(
    description: str, effect: dict[str, Any], match: dict[str, Any] | None = None, **fault: Any
) -> Preset:
    if "latency" in effect:
        effect["latency"] = tuple(effect["latency"])
    if "signature" in effect:
        effect["signature"] = SignatureTwist(effect["signature"])
    return Preset(Fault(**fault, effect=Effect(**effect), match=Match(**match or {})), description)


def _scenario(name: str, description: str, steps: list[dict[str, Any]], returns: str | None = None) -> Scenario:
    script = tuple(Step(**{**step, "action": _action(step["action"])}) for step in steps)
    return Scenario(name, description, script, ReturnBehaviour(returns) if returns else None)


def _action(name: str | None) -> PaymentAction | None:
    return PaymentAction(name) if name else None


def _data(name: str) -> Any:
    return json.loads((Path(__file__).parent / "data" / name).read_text("utf-8"))


def _starts(settings: Settings, providers: Providers) -> list[Start]:
    """What the fixtures tell, but for merchants that other settings replace."""
    if settings.fixtures is None:
        return []
    from simulator.web.schemas.fixtures import load_fixtures  # noqa: PLC0415  costs start-up time

    replaced = {merchant.key for merchant in settings.merchants}
    return [start for start in load_fixtures(settings.fixtures, providers) if start.merchant.key not in replaced]


def _configured(settings: Settings, starts: Iterable[Start]) -> Iterator[Merchant]:
    """The merchants that always exist; a later one replaces an earlier one with the same key."""
    if not settings.strict_keys and (secret := secret_of_test_key(DEFAULT_KEY)):
        yield sandbox_merchant(DEFAULT_KEY, secret)
    yield from (start.merchant for start in starts)
    yield from (sandbox_merchant(merchant.key, merchant.secret) for merchant in settings.merchants)
