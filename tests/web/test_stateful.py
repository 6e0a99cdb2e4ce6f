"""Random walks of two merchants through the whole API, and what must hold after every step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from simulator.bootstrap import build_simulation
from simulator.config import MEMORY, Settings
from simulator.domain.states import PaymentAction, PaymentState, RefundAction
from simulator.web.app import create_app
from tests import actors

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import DataObject

    from tests.actors import Json

Thing = tuple[str, str]
"""The name of the merchant whose it is, and its id."""

FINAL = {"sent", "failed", "externally_processed"}
DELETABLE = {"awaiting_provider", "awaiting_payment_consent"}
SESSION_STATES = {
    "awaiting_payment": DELETABLE | {"initiated", "pending"},
    "sent": {"sent"},
    "failed": {"failed", "deleted"},
    "externally_processed": {"failed"},
}
"""Where a refund's payment session, once there is one, may stand while the refund is in each state."""
ENOUGH = 5
"""So many payments and refunds of a merchant are enough for the steps to be about the same ones."""
OFFLINE = "Mock Bank Offline"
PAYEE = {"name": "Jane Doe", "account_number": "87654321", "sort_code": "040506"}

data = st.data()
names = st.sampled_from(["alice", "bob"])
banks = st.sampled_from(["Mock Bank", "Mock Bank Direct"])
payees = st.sampled_from([None, PAYEE])
times = st.integers(1, 3)


@dataclass
class Expected:
    """The ids of all that a merchant should have, in the order of creation."""

    payments: list[str] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Seen:
    """All that a merchant has, as it is read one by one: by id, in the order of creation."""

    payments: dict[str, Json]
    refunds: dict[str, Json]


def when(has: Callable[[TwoMerchants], object]) -> Callable[[Any], Any]:
    return precondition(lambda machine: bool(has(machine)))


class TwoMerchants(RuleBasedStateMachine):
    """Two merchants, their payers and banks, and a tester who resets them at times."""

    def __init__(self, store_url: str) -> None:
        super().__init__()
        self.clock = actors.ManualClock()
        built = build_simulation(Settings(seed="walk", store=store_url))
        self.built = built
        client = create_app(replace(built, clock=self.clock, alarm=actors.NoAlarm()), actors.PUBLIC_URL).test_client()
        self.tester = actors.Tester(client)
        self.merchants = {
            name: actors.MerchantCaller(client, f"pk_test_{name}", f"sk_test_{name}") for name in ("alice", "bob")
        }
        self.expected = {name: Expected() for name in self.merchants}
        self.deleted: list[Thing] = []
        self.ended: dict[str, str] = {}
        self.idempotency_keys = count()

    def teardown(self) -> None:
        self.built.stop()

    # What the actors do

    @initialize()
    def there_are_refunds_in_all_stages(self) -> None:
        for name, bank in (("alice", "Mock Bank"), ("bob", "Mock Bank Direct")):
            self.creates(name, [(200, 3)], "GBP", 1)
            paid = self.newest_payment(name)
            self.moves(paid, "pay", bank)
            self.refunds_some_of(paid, 100)
            self.refunds_some_of(paid, 150, PAYEE)
            self.moves(self.newest_payment(name), "pay", bank)
            self.refunds_some_of(paid, 200, PAYEE)

    @rule(
        name=names,
        items=st.lists(st.tuples(st.integers(1, 300), st.integers(1, 3)), min_size=1, max_size=3),
        currency=st.sampled_from(["GBP", "EUR", "AUD", "USD"]),
        times=times,
    )
    def creates(self, name: str, items: list[tuple[int, int]], currency: str, times: int) -> None:
        if len(self.expected[name].payments) >= ENOUGH:
            return
        line_items = [
            {"name": "Candles", "amount": amount, "currency": currency, "quantity": quantity}
            for amount, quantity in items
        ]
        request = actors.payment_request(line_items=line_items)
        payment = self.repeats(name, times, "POST", "/v2/payment_sessions", expect=201, json=request)
        assert payment["amount"] == sum(amount * quantity for amount, quantity in items)
        self.expected[name].payments.append(payment["id"])

    @when(lambda self: self.payments)
    @rule(data=data, bank=banks)
    def pays(self, data: DataObject, bank: str) -> None:
        self.moves(data.draw(st.sampled_from(self.payments)), "pay", bank)

    @when(lambda self: self.open_payments)
    @rule(data=data, bank=banks, times=times)
    def does_what_is_legal(self, data: DataObject, bank: str, times: int) -> None:
        payment = data.draw(st.sampled_from(self.open_payments))
        for _ in range(times):
            legal = self.tester.ask("GET", f"/__admin/payment_sessions/{payment[1]}")["actions"]
            if legal:
                self.moves(payment, data.draw(st.sampled_from(legal)), bank)

    @when(lambda self: self.payments + self.gone)
    @rule(data=data, action=st.sampled_from(PaymentAction), bank=banks | st.just(OFFLINE))
    def does_anything(self, data: DataObject, action: PaymentAction, bank: str) -> None:
        self.moves(data.draw(st.sampled_from(self.payments + self.gone)), action, bank)

    @when(lambda self: self.payments + self.gone)
    @rule(data=data, amount=st.integers(1, 300), payee=payees, times=times)
    def refunds_some(self, data: DataObject, amount: int, payee: dict[str, str] | None, times: int) -> None:
        self.refunds_some_of(data.draw(st.sampled_from(self.payments + self.gone)), amount, payee, times)

    @when(lambda self: self.refunds)
    @rule(data=data)
    def provides_details(self, data: DataObject) -> None:
        refund = data.draw(st.sampled_from(self.refunds))
        provided = self.moves_refund(refund, RefundAction.PROVIDE_DETAILS, json=PAYEE)
        if provided is not None:
            self.expects_session_of(refund[0], provided)

    @when(lambda self: self.refunds)
    @rule(data=data)
    def marks_externally_processed(self, data: DataObject) -> None:
        self.moves_refund(data.draw(st.sampled_from(self.refunds)), RefundAction.MARK_EXTERNALLY_PROCESSED)

    @when(lambda self: self.payments + self.gone)
    @rule(data=data, times=times)
    def deletes(self, data: DataObject, times: int) -> None:
        name, id_ = data.draw(st.sampled_from(self.payments + self.gone))
        payment = self.reads(name).payments.get(id_)
        status = 404 if payment is None else 204 if payment["state"] in DELETABLE else 422
        self.repeats(name, times, "DELETE", f"/v2/payment_sessions/{id_}", expect=status)
        if status == 204:
            self.expected[name].payments.remove(id_)
            self.deleted.append((name, id_))

    @when(lambda self: len(self.ended) > ENOUGH)
    @rule(name=names)
    def resets(self, name: str) -> None:
        self.tester.ask("POST", f"/__admin/merchants/{self.merchants[name].key}/reset")
        self.deleted += [(name, id_) for id_ in self.expected[name].payments]
        self.expected[name] = Expected()
        self.ended.clear()  # the names of those that are gone will be used again

    @when(lambda self: self.payments)
    @rule(data=data)
    def tries_anothers_payment(self, data: DataObject) -> None:
        name, id_ = data.draw(st.sampled_from(self.payments))
        other = self.other(name)
        other.ask("GET", f"/v2/payment_sessions/{id_}", expect=404)
        other.ask("GET", f"/v2/payment_sessions/{id_}/consumer_account", expect=404)
        other.ask("DELETE", f"/v2/payment_sessions/{id_}", expect=404)
        other.ask("POST", "/v2/refunds", json={"payment_session_id": id_, "amount": 1}, expect=404)

    @when(lambda self: self.refunds)
    @rule(data=data)
    def tries_anothers_refund(self, data: DataObject) -> None:
        name, id_ = data.draw(st.sampled_from(self.refunds))
        self.other(name).ask("GET", f"/v2/refunds/{id_}", expect=404)

    @rule(seconds=st.sampled_from([0.3, 1, 3600]))
    def waits(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    # What must hold

    @invariant()
    def all_is_well(self) -> None:
        lists = {name: self.lists(name) for name in self.merchants}
        for name in self.merchants:
            seen = self.reads(name)
            self.lists_tell_what_reads_do(name, seen)
            self.the_tester_is_told_the_same(seen)
            self.what_has_ended_stays_as_it_is(seen)
            no_more_is_refunded_than_was_paid(seen)
            refunds_and_their_payment_sessions_agree(seen)
            what_is_sent_has_a_time_of_sending(seen)
        assert {name: self.lists(name) for name in self.merchants} == lists, "reading changed something"

    def lists_tell_what_reads_do(self, name: str, seen: Seen) -> None:
        payments, refunds = list(reversed(seen.payments.values())), list(reversed(seen.refunds.values()))
        assert self.lists(name) == (payments, refunds)
        for state in PaymentState:
            filtered = self.merchants[name].ask("GET", f"/v2/payment_sessions?state={state}")
            assert filtered == [payment for payment in payments if payment["state"] == state]
        for id_, payment in seen.payments.items():
            of_payment = [refund for refund in seen.refunds.values() if refund["payment_session_id"] == id_]
            assert payment["refunds"] == [without_url(refund) for refund in of_payment]

    def the_tester_is_told_the_same(self, seen: Seen) -> None:
        for id_, payment in seen.payments.items():
            view = self.tester.ask("GET", f"/__admin/payment_sessions/{id_}")
            assert view["payment_session"] == payment
            assert (not view["actions"]) == (payment["state"] in FINAL)
            refunds = {refund["id"]: refund["refund"] for refund in view["refunds"]}
            assert refunds == {ours: refund for ours, refund in seen.refunds.items() if ours in refunds}

    @property
    def gone(self) -> list[Thing]:
        """The payments that no longer exist."""
        return [thing for thing in self.deleted if thing not in self.payments]

    def what_has_ended_stays_as_it_is(self, seen: Seen) -> None:
        for id_, thing in (seen.payments | seen.refunds).items():
            assert self.ended.get(id_, thing["state"]) == thing["state"]
            if thing["state"] in FINAL:
                self.ended[id_] = thing["state"]

    # How they do it

    @property
    def payments(self) -> list[Thing]:
        return [(name, id_) for name, expected in self.expected.items() for id_ in expected.payments]

    def newest_payment(self, name: str) -> Thing:
        return name, self.expected[name].payments[-1]

    @property
    def open_payments(self) -> list[Thing]:
        return [payment for payment in self.payments if payment[1] not in self.ended]

    @property
    def refunds(self) -> list[Thing]:
        return [(name, id_) for name, expected in self.expected.items() for id_ in expected.refunds]

    def other(self, name: str) -> actors.MerchantCaller:
        return self.merchants["bob" if name == "alice" else "alice"]

    def reads(self, name: str) -> Seen:
        expected, merchant = self.expected[name], self.merchants[name]
        return Seen(
            {id_: merchant.reads_payment(id_) for id_ in expected.payments},
            {id_: merchant.ask("GET", f"/v2/refunds/{id_}") for id_ in expected.refunds},
        )

    def lists(self, name: str) -> tuple[Json, Json]:
        merchant = self.merchants[name]
        return merchant.ask("GET", "/v2/payment_sessions"), merchant.ask("GET", "/v2/refunds")

    def repeats(self, name: str, times: int, method: str, path: str, *, expect: int, **options: Any) -> Json:
        """Make a call several times with one idempotency key; all answers are the first one."""
        headers = {"Idempotency-Key": f"key {next(self.idempotency_keys)}"}
        answers = [self.merchants[name].call(method, path, headers=headers, **options) for _ in range(times)]
        assert [answer.status_code for answer in answers] == [expect] * times, answers[0].text
        assert len({answer.data for answer in answers}) == 1
        return answers[0].json if answers[0].data else None

    def moves(self, payment: Thing, verb: str, bank: str) -> None:
        """Pay or act on a payment if that is legal, and find it refused otherwise."""
        action = PaymentAction.CHOOSE_PROVIDER if verb == "pay" else verb
        status = self.status_of_action(action, "payment_sessions", payment)
        if status == 200 and action == PaymentAction.CHOOSE_PROVIDER and bank == OFFLINE:
            status = 422
        path = f"/__admin/payment_sessions/{payment[1]}/" + ("pay" if verb == "pay" else f"actions/{verb}")
        self.tester.ask("POST", path, json={"provider": bank}, expect=status)

    def moves_refund(self, refund: Thing, action: RefundAction, **options: Any) -> Json:
        """Act on a refund if that is legal, and find it refused otherwise; return the refund if it was moved."""
        status = self.status_of_action(action, "refunds", refund)
        view = self.tester.ask("POST", f"/__admin/refunds/{refund[1]}/actions/{action}", expect=status, **options)
        return view["refund"] if status == 200 else None

    def refunds_some_of(self, payment: Thing, amount: int, payee: dict[str, str] | None = None, times: int = 1) -> None:
        """Refund a payment if that is allowed, and find it refused otherwise."""
        name, id_ = payment
        status = self.status_of_refund(name, id_, amount)
        shared = self.merchants[name].call("GET", f"/v2/payment_sessions/{id_}/consumer_account").status_code == 200
        request = {"payment_session_id": id_, "amount": amount, "payee": payee}
        refund = self.repeats(name, times, "POST", "/v2/refunds", expect=status, json=request)
        if status == 201:
            assert refund["state"] == ("awaiting_payment" if shared or payee else "awaiting_details")
            self.expected[name].refunds.append(actors.refund_id(refund))
            self.expects_session_of(name, refund)

    def status_of_action(self, action: str, kind: str, thing: Thing) -> int:
        """What the tester should be answered who asks for `action`: by what exists, and what is said to be legal."""
        if thing in self.gone:
            return 404
        return 200 if action in self.tester.ask("GET", f"/__admin/{kind}/{thing[1]}")["actions"] else 409

    def status_of_refund(self, name: str, id_: str, amount: int) -> int:
        """What a merchant should be answered who refunds `amount` of the payment session `id_`."""
        seen = self.reads(name)
        if id_ not in seen.payments:
            return 404
        payment = seen.payments[id_]
        is_payout = id_ in {refund["refund_payment_session_id"] for refund in seen.refunds.values()}
        fits = amount + refunded(payment) <= payment["amount"]
        return 201 if payment["state"] == "sent" and not is_payout and fits else 422

    def expects_session_of(self, name: str, refund: Json) -> None:
        """Remember the payment session that `refund` has just got, if it has."""
        if refund["refund_payment_session_id"] is not None:
            self.expected[name].payments.append(refund["refund_payment_session_id"])


def no_more_is_refunded_than_was_paid(seen: Seen) -> None:
    for payment in seen.payments.values():
        assert payment["state"] == "sent" or not payment["refunds"]
        assert refunded(payment) <= payment["amount"]


def refunds_and_their_payment_sessions_agree(seen: Seen) -> None:
    for refund in seen.refunds.values():
        id_ = refund["refund_payment_session_id"]
        if id_ is None:
            assert refund["state"] in {"awaiting_details", "externally_processed"}
        else:
            session = seen.payments.get(id_, {"state": "deleted", "amount": refund["amount"]})
            assert session["state"] in SESSION_STATES[refund["state"]]
            assert session["amount"] == refund["amount"]


def what_is_sent_has_a_time_of_sending(seen: Seen) -> None:
    for payment in seen.payments.values():
        assert (payment["sent_at"] is not None) == (payment["state"] == "sent")


def without_url(refund: Json) -> Json:
    """A refund as it stands in its payment session."""
    return {name: value for name, value in refund.items() if name != "url"}


def refunded(payment: Json) -> int:
    """What the refunds of a payment take from it: all but the failed ones."""
    return sum(refund["amount"] for refund in payment["refunds"] if refund["state"] != "failed")


def test_two_merchants_stay_right_whatever_they_do(empty_store: Callable[[], str]) -> None:
    walks = 50 if empty_store() == MEMORY else 10
    few = settings(max_examples=walks, stateful_step_count=20, deadline=None, derandomize=True, database=None)
    run_state_machine_as_test(lambda: TwoMerchants(empty_store()), settings=few)
