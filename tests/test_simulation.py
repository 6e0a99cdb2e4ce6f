"""The simulation as a whole: whatever is done in whatever order, some things are always so."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from random import Random
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from simulator.bootstrap import build_simulation
from simulator.config import Settings
from simulator.domain.accounts import Account
from simulator.domain.deliveries import DeliveryQuery, Outcome
from simulator.domain.errors import InvalidAmount
from simulator.domain.events import EventQuery, Kind
from simulator.domain.messages import Reply
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, PaymentRequest
from simulator.domain.ports import PaymentQuery
from simulator.domain.refunds import RefundRequest, refunded
from simulator.domain.states import FINAL, REFUND_FINAL, PaymentAction, PaymentState
from simulator.domain.webhooks import PAYMENT_EVENTS, REDACTED_EVENTS, DeliveryMode, DeliveryOrder
from simulator.service import tester
from simulator.service.deliveries import DeliveryService
from simulator.service.merchant import MerchantService
from simulator.service.story import StoryService
from simulator.service.timers import TimerService
from simulator.web.app import create_app
from simulator.web.schemas.views import event_view
from tests.actors import PUBLIC_URL, AtOnce, ManualClock, NoAlarm, basic, payment_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from werkzeug.test import TestResponse

    from simulator.domain.events import Event
    from simulator.domain.messages import Message
    from simulator.domain.timers import Timer
    from simulator.service.simulation import Simulation

KEYS = ["pk_test_simulator", "pk_test_ada", "pk_test_bob"]
JANE = {"name": "Jane Doe", "account_number": "87654321", "sort_code": "040506"}
MAGIC = {"name": "Jane Doe", "account_identifier": "111114050511", "identifier_type": "BSBAccountNumber"}
BANKS = ["Mock Bank", "Mock Bank Direct", "Mock Bank Offline"]
STEPS = 250
FAULT = "Simulator-Fault"
NOTHING = "11111111-1111-4111-8111-111111111111"


class CountingIds:
    """Gives the next number."""

    def __init__(self) -> None:
        self.given = 0

    def new(self) -> str:
        self.given += 1
        return f"00000000-0000-4000-8000-{self.given:012}"


class World:
    """What a merchant's log has told so far, and whether it agrees with the merchant's things."""

    def __init__(self, simulation: Simulation, key: str) -> None:
        self.simulation, self.key = simulation, key
        self.told: list[str] = []
        self.begin_again()

    def begin_again(self) -> None:
        """Forget what was, as a reset does."""
        self.states: dict[str, str] = {}
        self.last: Event | None = None

    @property
    def last_number(self) -> int:
        return self.last.number if self.last else 0

    def news(self) -> tuple[Event, ...]:
        """What happened since the last look."""
        return StoryService(self.simulation).events(self.key, EventQuery(after=self.last_number))

    def check(self) -> None:
        """Hold what happened since the last check against all that must always be so."""
        forced = set()
        for event in self.news():
            self._check_order(event)
            if event.data.get("forced"):
                forced.add(event.number)
            self._check_move(event, forced)
            self.last = event
        self._check_things()

    def _check_order(self, event: Event) -> None:
        assert event.number == self.last_number + 1
        if self.last is not None:
            assert event.at >= self.last.at
            assert event.real_at >= self.last.real_at
        assert event.because is None or 0 < event.because < event.number
        if event.subject is not None and event.kind != Kind.REQUEST:  # anything can be asked for
            assert self.simulation.store.owner(event.subject) in (self.key, None)

    def _check_move(self, event: Event, forced: set[int]) -> None:
        data = event.data
        match event.kind:
            case Kind.PAYMENT_CREATED:
                assert event.subject not in self.states
                self.states[str(event.subject)] = PaymentState.AWAITING_PROVIDER
            case Kind.PAYMENT_CHANGED:
                assert self.states[str(event.subject)] == data["from"]
                assert data["from"] not in FINAL or data.get("forced") is True
                self.states[str(event.subject)] = data["to"]
            case Kind.PAYMENT_DELETED:
                del self.states[str(event.subject)]
            case Kind.REFUND_CREATED:
                self.states[str(event.subject)] = data["to"]
            case Kind.REFUND_CHANGED:
                assert self.states[str(event.subject)] == data["from"]
                assert data["from"] not in REFUND_FINAL or event.because in forced
                self.states[str(event.subject)] = data["to"]

    def _check_things(self) -> None:
        """The log told everything, no payment is refunded twice, and every timer is about something."""
        with self.simulation.store.transaction(self.key) as world:
            payments = world.payments(PaymentQuery(limit=100_000))
            by_payment = world.refunds_of([payment.id for payment in payments])
            timers = world.timers()
        refunds = [refund for each in by_payment.values() for refund in each]
        assert {thing.id: str(thing.state) for thing in (*payments, *refunds)} == self.states
        for payment in payments:
            assert refunded(by_payment[payment.id]) <= payment.amount
            assert (payment.sent_at is not None) == (payment.state is PaymentState.SENT)
        payouts = {payment.id: payment for payment in payments if payment.refund_id is not None}
        for refund in refunds:
            payout = payouts.get(refund.refund_payment_session_id or "")
            if payout is not None and refund.state in ("sent", "awaiting_payment"):
                assert (payout.state == "sent") == (refund.state == "sent")
        playing = {payment.id for payment in payments if payment.play is not None}
        assert {timer.subject for timer in timers if timer.kind == "scenario_step"} <= playing
        self._check_messages(timers)
        open_ = {payment.id for payment in payments if payment.state.startswith("awaiting_")}
        assert {timer.subject for timer in timers if timer.kind == "session_expiry"} <= open_

    def _check_messages(self, timers: Iterable[Timer]) -> None:
        """Exactly what is due has a timer, none is being sent, and what waits has something to wait for."""
        with self.simulation.store.transaction(self.key) as world:
            messages = world.deliveries(DeliveryQuery(limit=100_000))
        due = sorted(message.id for message in messages if message.outcome is Outcome.DUE)
        assert sorted(timer.subject for timer in timers if timer.kind == "delivery") == due
        assert not [message for message in messages if message.outcome is Outcome.SENDING]
        ahead = {(message.webhook_id, message.subject) for message in messages if message.outcome is Outcome.DUE}
        waiting = {(message.webhook_id, message.subject) for message in messages if message.outcome is Outcome.WAITING}
        assert waiting <= ahead


class Town:
    """Merchants, payers, banks and a tester, who do whatever a seeded generator tells them."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311  nobody is to be surprised
        self.clock = ManualClock()
        simulation = build_simulation(Settings(seed=f"town {seed}"))
        courier = AtOnce()
        parts = {"clock": self.clock, "alarm": NoAlarm(), "ids": CountingIds(), "sender": self, "courier": courier}
        self.simulation = replace(simulation, **parts)
        courier.start(DeliveryService(self.simulation).run)
        self.client = create_app(self.simulation, PUBLIC_URL).test_client()
        self.worlds = {key: World(self.simulation, key) for key in KEYS}
        for key in KEYS:
            self.simulation.merchant(key)
        self.verbs: list[tuple[int, Callable[[str], object]]] = [
            (6, self.creates),
            (1, self.creates_twice),
            (6, self.pays),
            (5, self.acts),
            (2, self.steps),
            (1, self.turns_away),
            (1, self.wants_webhooks),
            (2, self.sends_by_hand),
            (1, self.chooses),
            (4, self.refunds),
            (2, self.gives_details),
            (1, self.marks),
            (1, self.deletes),
            (4, self.advances),
            (1, self.sets_the_clock),
            (2, self.settles_in),
            (2, self.waits),
            (1, self.asks_for_a_token),
            (2, self.reads),
            (2, self.lets_time_pass),
            (1, self.resets),
            (2, self.takes_a_snapshot),
            (1, self.restores_a_snapshot),
            (1, self.has_a_past),
            (1, self.is_in_trouble),
        ]
        self.snapshots: dict[str, str] = {}

    def live(self, steps: int) -> Iterator[None]:
        """Take so many steps, and check after each."""
        weights, verbs = zip(*self.verbs, strict=True)
        for _ in range(steps):
            key = self.chance.choice(KEYS)
            [verb] = self.chance.choices(verbs, weights)
            others = (
                {} if verb == self.lets_time_pass else {other: self.worlds[other] for other in KEYS if other != key}
            )
            before = {other: len(world.news()) for other, world in others.items()}
            verb(key)
            assert {other: len(world.news()) for other, world in others.items()} == before
            for world in self.worlds.values():
                world.told += [_line(event) for event in world.news()]
                world.check()
            yield

    def send(self, message: Message, gate: AbstractContextManager[bool]) -> Reply | None:
        """Reply to a webhook message, or don't."""
        with gate as is_open:
            assert is_open
        told = json.loads(message.body)
        assert self.simulation.store.owner(told["id"]) is not None
        replies = [Reply(status=200), Reply(status=500), Reply(status=410), Reply(error="nobody is there")]
        return self.chance.choices(replies, [6, 2, 1, 1])[0]

    def log(self) -> str:
        """Everything that was ever told, also before resets."""
        return "\n".join(line for key in KEYS for line in [key, *self.worlds[key].told])

    def call(self, method: str, path: str, key: str = "", **options: Any) -> TestResponse:
        headers = options.pop("headers", {})
        if key:
            headers["Authorization"] = basic(key, key.replace("pk_", "sk_"))
        response = self.client.open(path, method=method, headers=headers, **options)
        assert response.status_code < 500 or FAULT in response.headers, response.text
        return response

    def scenario(self) -> str:
        return self.chance.choice([scenario.name for scenario in self.simulation.scenarios])

    def payment(self, key: str) -> str:
        """The id of one of the merchant's payment sessions, or of another's, or of nothing."""
        if self.chance.random() < 0.02:
            return self.chance.choice([NOTHING, *self.worlds[self.chance.choice(KEYS)].states])
        with self.simulation.store.transaction(key) as world:
            payments = world.payments(PaymentQuery(limit=12))
        return self.chance.choice([payment.id for payment in payments] or [NOTHING])

    def refund(self, key: str) -> str:
        with self.simulation.store.transaction(key) as world:
            refunds = world.refunds(8)
        return self.chance.choice([refund.id for refund in refunds] or [NOTHING])

    def mine(self, key: str, id_: str) -> bool:
        return self.simulation.store.owner(id_) in (key, None)

    def creates(self, key: str) -> None:
        headers = {"Simulator-Scenario": self.scenario()} if self.chance.random() < 0.3 else {}
        body = payment_request(pence=self.chance.randint(1, 500))
        if self.chance.random() < 0.1:
            body["frequency"] = "weekly"
        self.call("POST", "/v2/payment_sessions", key, json=body, headers=headers)

    def creates_twice(self, key: str) -> None:
        headers = {"Idempotency-Key": f"order {self.chance.randint(1, 1000)}"}
        body = payment_request()
        answers = [self.call("POST", "/v2/payment_sessions", key, json=body, headers=dict(headers)) for _ in range(2)]
        assert answers[0].data == answers[1].data or any(FAULT in answer.headers for answer in answers)

    def on_payment(self, key: str, method: str, verb: str, **body: Any) -> None:
        id_ = self.payment(key)
        if self.mine(key, id_):
            self.call(method, f"/__admin/payment_sessions/{id_}/{verb}", json=body)

    def pays(self, key: str) -> None:
        body: dict[str, Any] = {"provider": self.chance.choice(BANKS)}
        if self.chance.random() < 0.5:
            body["scenario"] = self.scenario()
        if self.chance.random() < 0.2:
            body["account"] = MAGIC
        self.on_payment(key, "POST", "pay", **body)

    def acts(self, key: str) -> None:
        action = self.chance.choice(list(PaymentAction)).value
        self.on_payment(key, "POST", f"actions/{action}", force=self.chance.random() < 0.4)

    def steps(self, key: str) -> None:
        self.on_payment(key, "POST", "next")

    def turns_away(self, key: str) -> None:
        self.on_payment(key, "POST", "cancel")

    def wants_webhooks(self, key: str) -> None:
        webhooks = self.call("GET", "/v2/webhooks", key).json
        if isinstance(webhooks, list) and webhooks and self.chance.random() < 0.3:
            self.call("DELETE", f"/v2/webhooks/{self.chance.choice(webhooks)['id']}", key)
            return
        events = self.chance.sample([*PAYMENT_EVENTS, *REDACTED_EVENTS], 4)
        url = f"http://shop.example/{self.chance.randint(1, 3)}"
        self.call("POST", "/v2/webhooks", key, json={"target_url": url, "events": events, "signature_key": "key"})
        delivery = {
            "mode": self.chance.choices([*DeliveryMode], [5, 1, 1])[0],
            "order": self.chance.choices([*DeliveryOrder], [5, 1])[0],
        }
        self.call("PUT", f"/__admin/merchants/{key}", json={"delivery": delivery})

    def sends_by_hand(self, key: str) -> None:
        messages = self.call("GET", f"/__admin/merchants/{key}/deliveries?limit=10").json["deliveries"]
        if messages:
            self.call("POST", f"/__admin/deliveries/{self.chance.choice(messages)['id']}/resend")
        if self.chance.random() < 0.3:
            self.call("POST", f"/__admin/merchants/{key}/deliveries/flush")

    def chooses(self, key: str) -> None:
        self.on_payment(key, "PUT", "scenario", scenario=self.scenario())

    def refunds(self, key: str) -> None:
        body: dict[str, Any] = {"payment_session_id": self.payment(key), "amount": self.chance.randint(1, 300)}
        if self.chance.random() < 0.7:
            body["payee"] = JANE
        self.call("POST", "/v2/refunds", key, json=body)

    def gives_details(self, key: str) -> None:
        body = JANE if self.chance.random() < 0.5 else {}
        self.call("POST", f"/__admin/refunds/{self.refund(key)}/actions/provide_details", json=body)

    def marks(self, key: str) -> None:
        self.call("POST", f"/__admin/refunds/{self.refund(key)}/actions/mark_externally_processed")

    def deletes(self, key: str) -> None:
        self.call("DELETE", f"/v2/payment_sessions/{self.payment(key)}", key)

    def advances(self, key: str) -> None:
        by = self.chance.choice(["0s", "1s", "2.5s", "10s", "1m", "3h", "21d"])
        self.call("POST", f"/__admin/merchants/{key}/clock/advance", json={"by": by})

    def sets_the_clock(self, key: str) -> None:
        modes = [
            {"mode": "frozen"},
            {"mode": "scaled", "rate": 60},
            {"mode": "shifted", "by": "400d"},
            {"mode": "real"},
        ]
        self.call("PUT", f"/__admin/merchants/{key}/clock", json=self.chance.choice(modes))

    def settles_in(self, key: str) -> None:
        settings = [
            {"scenario": self.scenario()},
            {"progression": self.chance.choice(["time", "immediate", "manual"])},
            {"session_expires_after": self.chance.choice([None, 1, 900])},
        ]
        self.call("PUT", f"/__admin/merchants/{key}", json=self.chance.choice(settings))

    def waits(self, key: str) -> None:
        query = {"until": self.chance.choice(["final", "idle", "sent", "pending"]), "timeout": "0"}
        wheres = [
            f"payment_sessions/{self.payment(key)}/wait",
            f"refunds/{self.refund(key)}/wait",
        ]
        self.call("GET", f"/__admin/{self.chance.choice(wheres)}", query_string=query)
        self.call("GET", f"/__admin/merchants/{key}/wait", query_string={"kind": "refund", "timeout": "0"})

    def asks_for_a_token(self, key: str) -> None:
        issued = self.call("POST", "/oauth/token", key, data={"grant_type": "client_credentials"}).json
        token = issued.get("access_token", "none, for a fault spoilt the call")
        self.call("GET", "/v2/providers", headers={"Authorization": f"Bearer {token}"})

    def reads(self, key: str) -> None:
        for path in ("payment_sessions", "refunds", f"payment_sessions/{self.payment(key)}", "nowhere"):
            self.call("GET", f"/v2/{path}", key)
        for verb in ("timeline", "explain"):
            self.call("GET", f"/__admin/payment_sessions/{self.payment(key)}/{verb}")

    def lets_time_pass(self, _: str) -> None:
        self.clock.advance(seconds=self.chance.choice([0.1, 1, 7, 60, 3600]))
        for key in KEYS:
            TimerService(self.simulation, key).fire_due()

    def takes_a_snapshot(self, key: str) -> None:
        snapshots = [self.call("GET", f"/__admin/merchants/{key}/snapshot").text for _ in range(2)]
        assert snapshots[0] == snapshots[1]
        self.snapshots[key] = snapshots[0]

    def restores_a_snapshot(self, key: str) -> None:
        """Put back how it was, or take over how another merchant was."""
        source, path = self.chance.choice(KEYS), f"/__admin/merchants/{key}/snapshot"
        if source in self.snapshots:
            snapshot = self.snapshots[source]
            headers = {"Content-Type": "application/json"}
            answer = self.call("PUT", path, data=snapshot.encode(), headers=headers)
            assert answer.status_code == 200, answer.text
            assert (self.call("GET", path).text == snapshot) == (source == key)
            self.worlds[key].begin_again()

    def has_a_past(self, key: str) -> None:
        self.call("POST", f"/__admin/merchants/{key}/generate", json={"payments": 5, "days": 2})

    def is_in_trouble(self, key: str) -> None:
        presets = ["bank_outage", "rate_limited", "flaky", "webhook_reorder", "webhook_delay", "webhook_drop"]
        fault = {"preset": self.chance.choice([*presets, "webhook_duplicate"]), "times": 2}
        self.call("POST", f"/__admin/merchants/{key}/faults", json=fault)

    def resets(self, key: str) -> None:
        self.call("POST", f"/__admin/merchants/{key}/reset")
        self.worlds[key].begin_again()


def _line(event: Event) -> str:
    """An event on one line; how long a call took is not the simulation's doing."""
    view = event_view(event)
    data = {name: value for name, value in event.data.items() if name != "ms"}
    return json.dumps({**view, "data": data}, sort_keys=True)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_what_must_always_be_so_is_so(seed: int) -> None:
    town = Town(seed)
    assert sum(1 for _ in town.live(STEPS)) == STEPS
    assert sum(len(world.told) for world in town.worlds.values()) > STEPS


def test_the_same_seed_tells_the_same_story_to_the_byte() -> None:
    one, same, other = Town(7), Town(7), Town(8)
    for town in (one, same, other):
        assert sum(1 for _ in town.live(STEPS)) == STEPS
    assert one.log() == same.log()
    assert one.log() != other.log()


def test_a_merchants_story_does_not_depend_on_what_others_do() -> None:
    def story(keys: list[str]) -> list[str]:
        town = Town(9)
        for key in keys:
            town.call("POST", "/v2/payment_sessions", key, json=payment_request())
            with town.simulation.store.transaction(key) as world:
                [payment] = world.payments(PaymentQuery(limit=1))
            tester.TesterService(town.simulation).pay(payment.id, "Mock Bank Direct")
        answer = town.call("GET", "/v2/payment_sessions", KEYS[0]).text
        return [answer, *(_line(event) for event in town.worlds[KEYS[0]].news() if event.kind != Kind.REQUEST)]

    alone = story([KEYS[0], KEYS[0]])
    assert story([KEYS[1], KEYS[0], KEYS[2], KEYS[1], KEYS[0]]) == alone


# Many at once

CROWD = [f"pk_test_crowd_{number}" for number in range(8)]
CALLS = 1250
"""Calls of each of the 8 threads: 10,000 in all."""


@pytest.fixture
def _hurry() -> Iterator[None]:
    """Let threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


class Worker:
    """A thread that works for all merchants in turn, and remembers what it was told that it did."""

    def __init__(self, simulation: Simulation, number: int, shared: dict[str, str], begun: Barrier) -> None:
        self.simulation, self.number, self.shared, self.begun = simulation, number, shared, begun
        self.tester = tester.TesterService(simulation)
        self.created: defaultdict[str, list[str]] = defaultdict(list)
        self.refunded: Counter[str] = Counter()
        self.sent: set[str] = set()
        self.calls = 0

    def work(self) -> None:
        chance = Random(self.number)  # noqa: S311  nobody is to be surprised
        self.begun.wait(10)
        while self.calls < CALLS:
            key = chance.choice(CROWD)
            chance.choice([self.creates, self.pays, self.refunds, self.reads, self.advances])(key)
            self.calls += 1

    def creates(self, key: str) -> None:
        payment = MerchantService(self.simulation, key).create_payment(_request(f"{self.number} {CROWD.index(key)}"))
        self.created[key].append(payment.id)

    def pays(self, key: str) -> None:
        unpaid = [id_ for id_ in self.created[key][-3:] if id_ not in self.sent]
        if not unpaid:
            return self.creates(key)
        self.tester.pay(unpaid[-1], "Mock Bank Direct")
        self.sent.add(unpaid[-1])
        return None

    def refunds(self, key: str) -> None:
        """Take a penny of the payment that all threads refund, while there is one left."""
        try:
            MerchantService(self.simulation, key).create_refund(
                RefundRequest(payment_session_id=self.shared[key], amount=1)
            )
        except InvalidAmount:
            return
        self.refunded[key] += 1

    def reads(self, key: str) -> None:
        for id_ in self.created[key][-1:]:
            payment, _ = MerchantService(self.simulation, key).payment(id_)
            assert payment.request.reference == f"{self.number} {CROWD.index(key)}"
            assert (payment.state == "sent") == (id_ in self.sent)

    def advances(self, key: str) -> None:
        TimerService(self.simulation, key).set_clock(
            lambda clock, real: clock.set(real, clock.at(real), 1 if clock.rate else 0)
        )


def _request(reference: str) -> PaymentRequest:
    items = (LineItem("Candles", 100, Currency.GBP, 1),)
    return PaymentRequest(reference=reference, line_items=items, payee=Account("Gerald", "12345678", "010203"))


@pytest.mark.usefixtures("_hurry")
def test_eight_threads_at_eight_merchants_lose_nothing_and_mix_nothing_up() -> None:
    simulation = replace(build_simulation(Settings(seed="crowd")), clock=ManualClock(), alarm=NoAlarm())
    shared, begun = {}, Barrier(8)
    for key in CROWD:
        simulation.merchant(key)
        payment = MerchantService(simulation, key).create_payment(_request("shared"))
        tester.TesterService(simulation).pay(payment.id)
        shared[key] = payment.id
    workers = [Worker(simulation, number, shared, begun) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(worker.work) for worker in workers]:
            done.result(60)
    assert sum(worker.calls for worker in workers) == 10_000
    for key in CROWD:
        _check_crowd(simulation, key, shared[key], workers)


def _check_crowd(simulation: Simulation, key: str, shared: str, workers: list[Worker]) -> None:
    """All that the threads did at a merchant is there once, in one order, and nothing else."""
    created = [id_ for worker in workers for id_ in worker.created[key]]
    sent = {id_ for worker in workers for id_ in worker.sent if id_ in set(created)}
    with simulation.store.transaction(key) as world:
        payments = {payment.id: payment for payment in world.payments(PaymentQuery(limit=100_000))}
        refunds = world.refunds_of([shared])[shared]
        events = world.events(EventQuery())
    assert len(created) == len(set(created)) == len(payments) - 1
    assert {id_ for id_, payment in payments.items() if payment.state is PaymentState.SENT} == {*sent, shared}
    assert len(refunds) == sum(worker.refunded[key] for worker in workers) == 100 == refunded(refunds)
    assert {simulation.store.owner(id_) for id_ in payments} == {key}
    assert {payment.request.reference.split()[-1] for payment in payments.values()} == {str(CROWD.index(key)), "shared"}
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    told = Counter(event.kind for event in events)
    assert told[Kind.PAYMENT_CREATED] == len(payments)
    assert told[Kind.REFUND_CREATED] == len(refunds)
    assert told[Kind.SCENARIO_STARTED] == len(sent) + 1
    assert all(event.because is None or event.because < event.number for event in events)
