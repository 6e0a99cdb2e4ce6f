"""What every adapter of the `Store` port does: inherit `StoreContract` in a test class and give it a `store`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier, Event
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.domain import events
from simulator.domain.access import ANSWER_LIFETIME, TOKEN_LIFETIME, Answer, ClientKey, IdempotentCall, Token
from simulator.domain.accounts import Account, IdentifierType
from simulator.domain.clock import EPOCH
from simulator.domain.contents import Contents
from simulator.domain.deliveries import DELIVERIES_KEPT, Delivery, DeliveryQuery, Outcome
from simulator.domain.emails import EMAILS_KEPT, Email, EmailKind
from simulator.domain.errors import DuplicateId, NotFound
from simulator.domain.events import EVENTS_KEPT, EventQuery, Kind
from simulator.domain.inbox import INBOX_KEPT, Received
from simulator.domain.merchants import LinkedAccount, Merchant
from simulator.domain.money import LARGEST_AMOUNT, Currency
from simulator.domain.payments import LineItem, Payer, Payment, PaymentRequest
from simulator.domain.ports import PaymentQuery
from simulator.domain.providers import Provider
from simulator.domain.refunds import Refund, RefundRequest
from simulator.domain.states import PaymentState, RefundState
from simulator.domain.timers import Timer, TimerKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.domain.ports import Store, World

    Change = Callable[[World], None]

T = TypeVar("T")

PATIENCE = 5
"""Seconds that a thread waits for another before the test fails."""

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)

repeatable = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)

JANE = Account.identified(IdentifierType.IBAN, "DE89370400440532013000", "Jane Doe")
MOCK_BANK = Provider(
    id="mock",
    name="Mock Bank",
    brand="Mock",
    currencies=(Currency.GBP, Currency.EUR),
    supports_batch=True,
    shares_account=True,
    unavailable_because="It is Sunday.",
)
LINKED = LinkedAccount(
    id="linked",
    name="Till",
    account=Account("Gerald Wiley", "12345678", "010203", "01020312345678", IdentifierType.SORT_CODE_ACCOUNT_NUMBER),
    provider="Mock Bank",
    currency=Currency.AUD,
    account_type="personal",
    account_sub_type="savings",
    consent_expires_at=NOON,
)
ADA = Merchant(
    key="pk_test_ada",
    secret="sk_test_ada",
    name="Søren & Ada",
    email="ada@merchant.example",
    application_id="ada",
    accounts=(LINKED, replace(LINKED, id="other", account=JANE, consent_expires_at=None)),
    accept_any_payee=True,
)
BOB = Merchant(key="pk_test_bob", secret="sk_test_bob", name="Bob", email="bob@merchant.example", application_id="bob")

SMALL_REQUEST = PaymentRequest(
    reference="Illuminate", line_items=(LineItem("Candles", 100, Currency.GBP, 4),), payee=LINKED.account
)
FULL_REQUEST = PaymentRequest(
    reference="Illuminate",
    line_items=(
        LineItem("Candles “🕯”", LARGEST_AMOUNT, Currency.EUR, 1, "The long ones,\nof wax"),
        LineItem("", 1, Currency.EUR, LARGEST_AMOUNT),
    ),
    payee=JANE,
    payer=Payer("Jane Doe", "jane@doe.com"),
    success_url="http://shop.example/success?id=__PAYMENT_ID__",
    error_url="http://shop.example/error",
    email_receipt=True,
    frequency="weekly",
    number_of_payments=3,
    rewards=("avios", "nectar"),
)


def payment(id_: str, *, minute: int = 0, **fields: Any) -> Payment:
    """A payment created some minutes after noon."""
    created_at = NOON + timedelta(minutes=minute)
    return replace(Payment(id=id_, request=SMALL_REQUEST, created_at=created_at), **fields)


def refund(id_: str, payment_id: str, **fields: Any) -> Refund:
    """A refund of a payment."""
    request = RefundRequest(payment_session_id=payment_id, amount=100)
    return replace(Refund(id=id_, request=request, currency=Currency.GBP, created_at=NOON), **fields)


def token(id_: str, *, age: timedelta = timedelta(0), scope: str | None = "ada") -> Token:
    """A token that has an age at noon."""
    return Token(id_, scope, NOON - age)


def call(id_: str, *, age: timedelta = timedelta(0), answer: Answer | None = None) -> IdempotentCall:
    """An idempotent call that has an age at noon."""
    return IdempotentCall(id_, "fingerprint", "attempt", NOON - age, answer)


def timer(id_: int, subject: str = "chosen", *, minute: int = 0) -> Timer:
    """A timer due some minutes after noon."""
    return Timer(NOON + timedelta(minutes=minute), id_, TimerKind.SCENARIO_STEP, subject, because=1)


def event(number: int, subject: str | None = "sent", kind: str = Kind.TESTER, **data: Any) -> events.Event:
    """A line of the log, written some minutes after noon."""
    at = NOON + timedelta(minutes=number)
    return events.Event(number, at, at + INSTANT, kind, subject, number - 1 or None, data)


def email(id_: str, *, minute: int = 0) -> Email:
    """A receipt for a payment, sent some minutes after noon."""
    return Email(
        id=id_,
        kind=EmailKind.RECEIPT,
        created_at=NOON + timedelta(minutes=minute),
        to=Payer("Jane Doe", "jane@doe.com"),
        merchant_name=ADA.name,
        merchant_email=ADA.email,
        payment=payment("sent"),
    )


def delivery(id_: str, number: int, outcome: Outcome = Outcome.DELIVERED, subject: str = "sent") -> Delivery:
    """The `number`th delivery, about a payment that was sent."""
    return Delivery(
        id=id_,
        number=number,
        webhook_id="webhook",
        event="payment_sent",
        subject=subject,
        body="{}",
        created_at=NOON,
        because=1,
        outcome=outcome,
        due=NOON if outcome is Outcome.DUE else None,
    )


def received(id_: str) -> Received:
    """A message that came into the inbox at noon."""
    return Received(id=id_, at=NOON, real_at=NOON, headers=(("Host", "x"),), body="{}", verdict="")


SENT = payment("sent", state=PaymentState.SENT, sent_at=NOON)
ALSO_SENT = payment("also sent", state=PaymentState.SENT, sent_at=NOON)
CHOSEN = payment("chosen", state=PaymentState.AWAITING_PAYMENT_CONSENT, provider=MOCK_BANK)
UNTOUCHED = payment("untouched", minute=-1)
REFUND = refund("refund", "sent")
SECOND_REFUND = refund("second refund", "sent", state=RefundState.FAILED)
TOKEN, OLD_TOKEN = token("token"), token("old token", age=TOKEN_LIFETIME)
CALL, OLD_CALL = call("call"), call("old call", age=ANSWER_LIFETIME)
CLIENT_KEY = ClientKey("client key", "client token", ("https://shop.example",), NOON)
TIMER, LATER_TIMER = timer(2, minute=1), timer(1, minute=2)
EMAIL = email("e-mail")
DELIVERY, RECEIVED = delivery("delivery", 1), received("message")
EVENT, LATER_EVENT = event(1, did="pay"), event(2, None, Kind.CLOCK_CHANGED, rate=0.5, deep={"list": [1, None]})
ANSWER = Answer(201, "application/json", b'{"id":"\xc3\xa9\x00"}')


def furnish(world: World) -> None:
    """Put some of everything into a world: at noon, one token and one call are over."""
    for value in (SENT, UNTOUCHED, CHOSEN, ALSO_SENT, REFUND, SECOND_REFUND, OLD_TOKEN, TOKEN, LATER_TIMER, TIMER):
        world.add(value)
    world.add(EMAIL)
    world.add(DELIVERY)
    world.add(RECEIVED)
    world.add(CLIENT_KEY)
    for line in (EVENT, LATER_EVENT):
        world.record(line)
    world.save(OLD_CALL)
    world.save(CALL)


def remove_call(world: World) -> None:
    """Remove a call unless it was cleared."""
    if world.call("call") is not None:
        world.remove(CALL)


def cancel_timer(world: World) -> None:
    """Cancel a timer unless it was cleared."""
    if TIMER in world.timers():
        world.remove(TIMER)


CHANGES: dict[str, Change] = {
    "adding a payment": lambda world: world.add(payment("new payment")),
    "adding an older payment": lambda world: world.add(payment("old payment", minute=-9)),
    "adding a refund": lambda world: world.add(refund("new refund", "sent")),
    "adding the first refund of a payment": lambda world: world.add(refund("first refund", "also sent")),
    "adding an e-mail": lambda world: world.add(email("new e-mail")),
    "adding a client key": lambda world: world.add(replace(CLIENT_KEY, token="new client token")),
    "adding a token": lambda world: world.add(token("new token")),
    "beginning a call": lambda world: world.save(call("new call")),
    "answering a call": lambda world: world.save(replace(CALL, answer=ANSWER)),
    "moving a payment": lambda world: world.save(replace(CHOSEN, state=PaymentState.SENT, sent_at=NOON)),
    "giving a payment an account": lambda world: world.save(replace(SENT, payer_account=JANE)),
    "moving a refund": lambda world: world.save(replace(REFUND, state=RefundState.SENT)),
    "renaming the merchant": lambda world: world.save(replace(ADA, name="Ada & Daughters")),
    "removing a payment": lambda world: world.remove(UNTOUCHED),
    "removing a call": remove_call,
    "forgetting what is over": lambda world: world.forget_expired(NOON),
    "setting a timer": lambda world: world.add(timer(3, "sent")),
    "cancelling a timer": cancel_timer,
    "recording an event": lambda world: world.record(event(world.last_event() + 1, "new payment")),
    "recording an event in place": lambda world: world.record(replace(EVENT, subject="chosen", data={"did": "next"})),
    "clearing": lambda world: world.clear(),
    "counting": lambda world: world.count("refund"),
    "counting on": lambda world: world.recount({"refund": 7, "token": 2}),
}
IDS = [
    *("sent", "also sent", "chosen", "untouched", "new payment", "old payment"),
    *("refund", "second refund", "new refund", "first refund"),
    *("token", "old token", "new token"),
    *("call", "old call", "new call"),
    *("e-mail", "new e-mail"),
    *("client token", "new client token"),
]


class Undone(Exception):
    """Ends a transaction that is to leave no trace."""


def found(look_up: Callable[[str], T], id_: str) -> T | None:
    """What a lookup finds, if anything."""
    try:
        return look_up(id_)
    except NotFound:
        return None


def seen_in(world: World) -> dict[str, object]:
    """All that a world shows."""
    return {
        "merchant": world.merchant(),
        "payments": [found(world.payment, id_) for id_ in IDS],
        "lists": [world.payments(PaymentQuery(state=state)) for state in (None, *PaymentState)],
        "refunds": [found(world.refund, id_) for id_ in IDS],
        "last refunds": world.refunds(100),
        "refunds of payments": world.refunds_of(IDS),
        "tokens": [found(world.token, id_) for id_ in IDS],
        "client keys": [found(world.client_key, id_) for id_ in IDS],
        "calls": [world.call(id_) for id_ in IDS],
        "e-mails": [world.emails(100), *(found(world.email, id_) for id_ in IDS)],
        "timers": [world.timers(), world.next_timer(), *(world.timers([id_]) for id_ in IDS)],
        "events": [world.events(EventQuery()), *(world.events(EventQuery(subjects=[id_])) for id_ in IDS)],
        "newest event": [world.last_event(), world.latest(), world.event(1)],
        "contents": world.contents(),
    }


def seen(store: Store, merchant: Merchant = ADA) -> dict[str, object]:
    """All that can be seen of a merchant."""
    with store.transaction(merchant.key) as world:
        inside = seen_in(world)
    return {**inside, "key": store.merchant(merchant.key), "owners": [store.owner(id_) for id_ in IDS]}


def listed(store: Store, **query: Any) -> list[str]:
    """The ids of the payments that a query finds."""
    with store.transaction(ADA.key) as world:
        return [payment.id for payment in world.payments(PaymentQuery(**query))]


def side_by_side(*jobs: Callable[[], T]) -> list[T]:
    """What the jobs return, each done in a thread of its own and all begun together."""
    start = Barrier(len(jobs))

    def begin(job: Callable[[], T]) -> T:
        start.wait(PATIENCE)
        return job()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(begin, jobs, timeout=2 * PATIENCE))


class StoreContract:
    """The claims. An adapter's test class overrides the fixture `store` with an empty one."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _merchants(self, store: Store) -> None:
        store.enrol(ADA)
        store.enrol(BOB)

    @pytest.fixture
    def furnished(self, store: Store) -> Store:
        with store.transaction(ADA.key) as world:
            furnish(world)
        return store

    # What goes in comes out.

    @pytest.mark.parametrize(
        "value",
        [
            payment("small"),
            payment("without rewards", request=replace(SMALL_REQUEST, rewards=())),
            payment(
                "full",
                request=FULL_REQUEST,
                state=PaymentState.SENT,
                sent_at=NOON + INSTANT,
                end_to_end_id="end to end",
                provider=MOCK_BANK,
                payer_account=LINKED.account,
                refund_id="refund",
            ),
        ],
    )
    def test_a_payment_comes_out_as_it_went_in(self, store: Store, value: Payment) -> None:
        with store.transaction(ADA.key) as world:
            world.add(value)
        with store.transaction(ADA.key) as world:
            assert world.payment(value.id) == value
            assert world.payments(PaymentQuery()) == (value,)

    @pytest.mark.parametrize(
        "value",
        [
            refund("small", "payment"),
            Refund(
                id="full",
                request=RefundRequest(
                    payment_session_id="payment",
                    amount=LARGEST_AMOUNT,
                    reference="refund Candles",
                    success_url="http://shop.example/success",
                    error_url="http://shop.example/error",
                    payee=LINKED.account,
                ),
                currency=Currency.EUR,
                created_at=NOON,
                state=RefundState.EXTERNALLY_PROCESSED,
                details=JANE,
                refund_payment_session_id="session",
            ),
        ],
    )
    def test_a_refund_comes_out_as_it_went_in(self, store: Store, value: Refund) -> None:
        with store.transaction(ADA.key) as world:
            world.add(value)
        with store.transaction(ADA.key) as world:
            assert world.refund(value.id) == value
            assert world.refunds(100) == (value,)
            assert world.refunds_of(["payment"]) == {"payment": (value,)}

    @pytest.mark.parametrize("scope", ["ada", None])
    def test_a_token_comes_out_as_it_went_in(self, store: Store, scope: str | None) -> None:
        with store.transaction(ADA.key) as world:
            world.add(token("token", scope=scope))
        with store.transaction(ADA.key) as world:
            assert world.token("token") == token("token", scope=scope)

    @pytest.mark.parametrize("answer", [None, ANSWER, Answer(204, "", b"")])
    def test_an_idempotent_call_comes_out_as_it_went_in(self, store: Store, answer: Answer | None) -> None:
        with store.transaction(ADA.key) as world:
            world.save(call("call", answer=answer))
        with store.transaction(ADA.key) as world:
            assert world.call("call") == call("call", answer=answer)

    def test_a_merchant_comes_out_as_it_went_in(self, store: Store) -> None:
        assert store.merchant(ADA.key) == ADA
        with store.transaction(ADA.key) as world:
            assert world.merchant() == ADA

    def test_a_saved_value_replaces_the_one_before(self, furnished: Store) -> None:
        moved = replace(CHOSEN, state=PaymentState.PENDING, provider=None, payer_account=JANE)
        provided = replace(REFUND, state=RefundState.AWAITING_PAYMENT, details=JANE, refund_payment_session_id="s")
        renamed = replace(ADA, name="Ada & Daughters", accounts=())
        answered = replace(CALL, answer=ANSWER)
        with furnished.transaction(ADA.key) as world:
            for value in (moved, provided, renamed, answered):
                world.save(value)
        with furnished.transaction(ADA.key) as world:
            assert world.payment("chosen") == moved
            assert world.refund("refund") == provided
            assert world.merchant() == renamed
            assert world.call("call") == answered
        assert furnished.merchant(ADA.key) == renamed

    def test_a_removed_value_is_gone(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            world.remove(UNTOUCHED)
            world.remove(CALL)
        with furnished.transaction(ADA.key) as world:
            assert found(world.payment, "untouched") is None
            assert world.call("call") is None
        assert furnished.owner("untouched") is None
        assert "untouched" not in listed(furnished)

    def test_what_was_never_there_is_not_found(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            for look_up in (world.payment, world.refund, world.token):
                with pytest.raises(NotFound):
                    look_up("nothing")
            assert world.call("nothing") is None
            assert world.refunds_of(["nothing"]) == {"nothing": ()}
            assert world.refunds_of([]) == {}
            assert world.payments(PaymentQuery()) == ()
            assert world.refunds(100) == ()
        assert store.owner("nothing") is None

    def test_an_id_of_one_kind_finds_nothing_of_another(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            assert found(world.payment, "refund") is None
            assert found(world.refund, "sent") is None
            assert found(world.token, "sent") is None
            assert world.call("sent") is None

    @pytest.mark.parametrize("value", [payment("nothing"), refund("nothing", "sent")])
    def test_what_was_never_added_cannot_be_saved(self, furnished: Store, value: Payment | Refund) -> None:
        before = seen(furnished)
        with pytest.raises(NotFound), furnished.transaction(ADA.key) as world:
            world.save(value)
        assert seen(furnished) == before

    def test_what_was_never_added_cannot_be_removed(self, furnished: Store) -> None:
        with pytest.raises(NotFound), furnished.transaction(ADA.key) as world:
            world.remove(payment("nothing"))

    # All or nothing.

    def test_a_transaction_sees_its_own_changes(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            furnish(world)
            inside = seen_in(world)
        with store.transaction(ADA.key) as world:
            assert seen_in(world) == inside
            assert world.payment("sent") == SENT

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_transaction_sees_each_change_at_once(self, furnished: Store, change: str) -> None:
        with furnished.transaction(ADA.key) as world:
            CHANGES[change](world)
            inside = seen_in(world)
        with furnished.transaction(ADA.key) as world:
            assert seen_in(world) == inside

    @pytest.mark.parametrize("change", CHANGES)
    def test_leaving_by_an_exception_undoes_each_change(self, furnished: Store, change: str) -> None:
        before = seen(furnished)
        with suppress(Undone), furnished.transaction(ADA.key) as world:
            inside = seen_in(world)
            CHANGES[change](world)
            assert seen_in(world) != inside
            raise Undone
        assert seen(furnished) == before

    @repeatable
    @given(changes=st.lists(st.sampled_from(sorted(CHANGES)), unique=True))
    def test_leaving_by_an_exception_undoes_all_changes_in_any_order(self, store: Store, changes: list[str]) -> None:
        with store.transaction(ADA.key) as world:
            world.clear()
            furnish(world)
        before = seen(store)
        with suppress(Undone), store.transaction(ADA.key) as world:
            for change in changes:
                with suppress(NotFound):  # it was cleared before
                    CHANGES[change](world)
            raise Undone
        assert seen(store) == before

    def test_adding_again_what_was_just_removed_or_cleared_can_be_undone(self, furnished: Store) -> None:
        before = seen(furnished)
        with suppress(Undone), furnished.transaction(ADA.key) as world:
            world.remove(UNTOUCHED)
            world.add(replace(UNTOUCHED, created_at=NOON))
            world.clear()
            furnish(world)
            world.save(replace(CHOSEN, state=PaymentState.FAILED))
            raise Undone
        assert seen(furnished) == before

    def test_an_undone_transaction_takes_nothing_from_the_one_before_it(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.add(SENT)
        with suppress(Undone), store.transaction(ADA.key):
            raise Undone
        assert listed(store) == ["sent"]

    def test_after_an_undone_transaction_things_go_on_as_if_it_had_not_been(self, furnished: Store) -> None:
        with suppress(Undone), furnished.transaction(ADA.key) as world:
            world.add(payment("new payment"))
            world.remove(UNTOUCHED)
            world.add(refund("new refund", "sent"))
            raise Undone
        with furnished.transaction(ADA.key) as world:
            world.add(payment("new payment"))
            world.add(refund("new refund", "sent"))
            world.remove(UNTOUCHED)
        assert listed(furnished) == ["new payment", "also sent", "chosen", "sent"]
        with furnished.transaction(ADA.key) as world:
            assert [refund.id for refund in world.refunds_of(["sent"])["sent"]] == [
                "refund",
                "second refund",
                "new refund",
            ]

    # Values, not references.

    def test_a_next_value_counts_only_once_it_is_saved(self, furnished: Store) -> None:
        before = seen(furnished)
        with furnished.transaction(ADA.key) as world:
            replace(world.payment("chosen"), state=PaymentState.FAILED)
            replace(world.merchant(), name="Nobody")
        assert seen(furnished) == before

    def test_an_answer_keeps_while_the_world_moves_on(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            everything, refunds, of_sent = (
                world.payments(PaymentQuery()),
                world.refunds(100),
                world.refunds_of(["sent"]),
            )
            world.add(payment("new payment"))
            world.add(refund("new refund", "sent"))
            world.save(replace(REFUND, state=RefundState.SENT))
            world.save(replace(CHOSEN, state=PaymentState.FAILED))
        assert everything == (ALSO_SENT, CHOSEN, SENT, UNTOUCHED)
        assert refunds == (SECOND_REFUND, REFUND)
        assert of_sent == {"sent": (REFUND, SECOND_REFUND)}

    def test_what_a_caller_does_to_an_answer_stays_with_the_caller(self, furnished: Store) -> None:
        before = seen(furnished)
        with furnished.transaction(ADA.key) as world:
            world.refunds_of(["sent", "untouched"]).clear()
        assert seen(furnished) == before

    # Lists.

    def test_payments_are_listed_newest_first_and_of_one_instant_the_later_added_first(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            for id_, minute in [("b", 1), ("d", 3), ("a", 0), ("b, later", 1), ("c", 2), ("b, last", 1)]:
                world.add(payment(id_, minute=minute))
        assert listed(store) == ["d", "c", "b, last", "b, later", "b", "a"]

    def test_instants_are_told_apart_by_microseconds(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.add(payment("later", created_at=NOON + INSTANT))
            world.add(payment("earlier"))
        assert listed(store) == ["later", "earlier"]

    def test_a_payment_keeps_its_place_when_it_moves(self, furnished: Store) -> None:
        before = listed(furnished)
        with furnished.transaction(ADA.key) as world:
            world.save(replace(SENT, payer_account=JANE))
            world.save(replace(CHOSEN, state=PaymentState.PENDING))
            world.save(replace(UNTOUCHED, state=PaymentState.FAILED))
        assert listed(furnished) == before == ["also sent", "chosen", "sent", "untouched"]

    def test_a_state_lists_its_payments_as_they_move_in_and_out(self, furnished: Store) -> None:
        assert listed(furnished, state=PaymentState.SENT) == ["also sent", "sent"]
        with furnished.transaction(ADA.key) as world:
            world.save(replace(CHOSEN, state=PaymentState.SENT))
            world.save(replace(UNTOUCHED, state=PaymentState.FAILED))
        assert listed(furnished, state=PaymentState.SENT) == ["also sent", "chosen", "sent"]
        assert listed(furnished, state=PaymentState.FAILED) == ["untouched"]
        assert listed(furnished, state=PaymentState.AWAITING_PAYMENT_CONSENT) == []
        assert listed(furnished, state=PaymentState.AWAITING_PROVIDER) == []

    def test_a_removed_payment_leaves_the_lists_of_all_and_of_its_state(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            world.save(replace(UNTOUCHED, state=PaymentState.SENT))
            world.remove(UNTOUCHED)
        assert listed(furnished) == ["also sent", "chosen", "sent"]
        assert listed(furnished, state=PaymentState.SENT) == ["also sent", "sent"]

    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            (0, 0, ["noon", "also noon"]),
            (-1, 1, ["after", "noon", "also noon", "before"]),
            (0, None, ["after", "noon", "also noon"]),
            (None, 0, ["noon", "also noon", "before"]),
            (1, None, ["after"]),
            (2, None, []),
            (None, -2, []),
            (1, -1, []),
        ],
    )
    def test_a_range_of_time_includes_both_its_ends(
        self, store: Store, start: int | None, end: int | None, expected: list[str]
    ) -> None:
        with store.transaction(ADA.key) as world:
            for id_, offset in [("after", 1), ("also noon", 0), ("before", -1), ("noon", 0)]:
                world.add(payment(id_, created_at=NOON + offset * INSTANT, state=PaymentState.SENT))
            world.add(payment("other", state=PaymentState.FAILED))
        ends = [None if offset is None else NOON + offset * INSTANT for offset in (start, end)]
        found = listed(store, state=PaymentState.SENT, created_at_from=ends[0], created_at_to=ends[1])
        assert found == expected

    def test_a_limit_keeps_the_newest(self, furnished: Store) -> None:
        assert listed(furnished, limit=1) == ["also sent"]
        assert listed(furnished, limit=2) == ["also sent", "chosen"]
        assert listed(furnished, limit=1, state=PaymentState.SENT) == ["also sent"]
        assert listed(furnished, limit=1, created_at_to=NOON - INSTANT) == ["untouched"]
        assert listed(furnished, limit=2, created_at_from=NOON - timedelta(hours=1)) == ["also sent", "chosen"]

    def test_a_list_has_at_most_a_hundred_unless_told(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            for number in range(101):
                world.add(payment(f"{number}", minute=number))
        assert listed(store) == [f"{number}" for number in range(100, 0, -1)]

    def test_refunds_are_listed_by_when_they_were_added_the_last_first(self, furnished: Store) -> None:
        earlier = refund("earlier", "also sent", created_at=NOON - timedelta(hours=1))
        with furnished.transaction(ADA.key) as world:
            world.add(earlier)
            world.save(replace(REFUND, state=RefundState.SENT))
            assert [refund.id for refund in world.refunds(100)] == ["earlier", "second refund", "refund"]
            assert [refund.id for refund in world.refunds(2)] == ["earlier", "second refund"]

    def test_the_refunds_of_payments_are_in_the_order_they_were_added(self, furnished: Store) -> None:
        third = refund("a third", "sent", created_at=NOON - timedelta(hours=1))
        other = refund("other", "also sent")
        with furnished.transaction(ADA.key) as world:
            world.add(other)
            world.add(third)
            moved = replace(REFUND, state=RefundState.FAILED)
            world.save(moved)
            assert world.refunds_of(["also sent", "sent", "chosen"]) == {
                "also sent": (other,),
                "sent": (moved, SECOND_REFUND, third),
                "chosen": (),
            }

    # One merchant's world is no other's.

    def test_what_is_one_merchants_does_not_exist_for_another(self, furnished: Store) -> None:
        with furnished.transaction(BOB.key) as world:
            for look_up, id_ in [(world.payment, "sent"), (world.refund, "refund"), (world.token, "token")]:
                with pytest.raises(NotFound):
                    look_up(id_)
            assert world.call("call") is None
            assert world.payments(PaymentQuery()) == ()
            assert world.payments(PaymentQuery(state=PaymentState.SENT)) == ()
            assert world.refunds(100) == ()
            assert world.refunds_of(["sent"]) == {"sent": ()}
            assert world.merchant() == BOB

    @pytest.mark.parametrize("change", [lambda world: world.save(SENT), lambda world: world.remove(UNTOUCHED)])
    def test_what_is_one_merchants_cannot_be_changed_by_another(self, furnished: Store, change: Change) -> None:
        before = seen(furnished)
        with pytest.raises(NotFound), furnished.transaction(BOB.key) as world:
            change(world)
        assert seen(furnished) == before

    def test_two_merchants_may_use_one_idempotency_key(self, furnished: Store) -> None:
        bobs = replace(CALL, fingerprint="another", answer=ANSWER)
        with furnished.transaction(BOB.key) as world:
            world.save(bobs)
        with furnished.transaction(ADA.key) as world:
            assert world.call("call") == CALL
            world.remove(CALL)
        with furnished.transaction(BOB.key) as world:
            assert world.call("call") == bobs

    def test_clearing_leaves_nothing_but_the_merchant(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            world.save(replace(ADA, name="Ada & Daughters"))
            world.clear()
        nothing = [None for _ in IDS]
        assert seen(furnished) == {
            "merchant": replace(ADA, name="Ada & Daughters"),
            "payments": nothing,
            "lists": [() for _ in (None, *PaymentState)],
            "refunds": nothing,
            "last refunds": (),
            "refunds of payments": dict.fromkeys(IDS, ()),
            "tokens": nothing,
            "client keys": nothing,
            "calls": nothing,
            "e-mails": [(), *nothing],
            "timers": [(), None, *(() for _ in IDS)],
            "events": [(), *(() for _ in IDS)],
            "newest event": [0, EPOCH, None],
            "contents": Contents(merchant=replace(ADA, name="Ada & Daughters")),
            "key": replace(ADA, name="Ada & Daughters"),
            "owners": nothing,
        }

    def test_clearing_and_forgetting_leave_other_merchants_alone(self, furnished: Store) -> None:
        before = seen(furnished)
        with furnished.transaction(BOB.key) as world:
            world.add(payment("bobs payment"))
            world.forget_expired(NOON + ANSWER_LIFETIME)
            world.clear()
        assert seen(furnished) == before

    # Ids.

    @pytest.mark.parametrize(
        "value",
        [
            *[make(id_) for id_ in ("sent", "refund", "token") for make in (payment, token)],
            *[refund(id_, "sent") for id_ in ("sent", "refund", "token")],
        ],
        ids=lambda value: f"{type(value).__name__} {value.id}",
    )
    @pytest.mark.parametrize("merchant", [ADA, BOB], ids=lambda merchant: merchant.name)
    def test_an_id_is_given_once_whoever_has_it_and_whatever_it_names(
        self, furnished: Store, value: Payment | Refund | Token, merchant: Merchant
    ) -> None:
        before, bobs = seen(furnished), seen(furnished, BOB)
        with pytest.raises(DuplicateId), furnished.transaction(merchant.key) as world:
            world.add(value)
        assert (seen(furnished), seen(furnished, BOB)) == (before, bobs)

    def test_the_owner_of_an_id_is_the_merchant_that_has_it(self, furnished: Store) -> None:
        with furnished.transaction(BOB.key) as world:
            world.add(payment("bobs payment"))
        assert {id_: furnished.owner(id_) for id_ in ("sent", "refund", "token", "bobs payment")} == {
            "sent": ADA.key,
            "refund": ADA.key,
            "token": ADA.key,
            "bobs payment": BOB.key,
        }

    def test_an_idempotency_key_is_no_id_that_has_an_owner(self, furnished: Store) -> None:
        assert furnished.owner("call") is None

    @pytest.mark.parametrize(
        ("forget", "id_"),
        [
            (lambda world: world.remove(UNTOUCHED), "untouched"),
            (lambda world: world.clear(), "sent"),
            (lambda world: world.clear(), "refund"),
            (lambda world: world.clear(), "token"),
            (lambda world: world.forget_expired(NOON), "old token"),
        ],
    )
    def test_an_id_is_free_again_once_it_is_forgotten(self, furnished: Store, forget: Change, id_: str) -> None:
        with furnished.transaction(ADA.key) as world:
            forget(world)
        assert furnished.owner(id_) is None
        with furnished.transaction(BOB.key) as world:
            world.add(payment(id_))
        assert furnished.owner(id_) == BOB.key

    def test_an_id_is_free_again_when_adding_it_was_undone(self, store: Store) -> None:
        with suppress(Undone), store.transaction(ADA.key) as world:
            furnish(world)
            raise Undone
        with store.transaction(BOB.key) as world:
            furnish(world)
        assert store.owner("sent") == BOB.key

    def test_an_id_is_not_free_when_forgetting_it_was_undone(self, furnished: Store) -> None:
        with suppress(Undone), furnished.transaction(ADA.key) as world:
            world.clear()
            raise Undone
        with pytest.raises(DuplicateId), furnished.transaction(BOB.key) as world:
            world.add(payment("sent"))
        assert furnished.owner("sent") == ADA.key

    # What is over.

    @pytest.mark.parametrize("forget_late", [timedelta(0), INSTANT, timedelta(days=365)])
    @pytest.mark.parametrize("answer", [None, ANSWER])
    def test_tokens_and_calls_are_forgotten_from_the_instant_they_are_over(
        self, store: Store, forget_late: timedelta, answer: Answer | None
    ) -> None:
        value = call("call", answer=answer)
        with store.transaction(ADA.key) as world:
            world.add(TOKEN)
            world.save(value)
        with store.transaction(ADA.key) as world:
            world.forget_expired(TOKEN.expires_at + forget_late)
            assert found(world.token, "token") is None
            world.forget_expired(value.expires_at + forget_late)
            assert world.call("call") is None
        assert store.owner("token") is None

    def test_what_is_over_is_forgotten_in_whatever_order_it_came(self, store: Store) -> None:
        older = token("older", age=timedelta(hours=1))
        with store.transaction(ADA.key) as world:
            for value in (call("answered", answer=ANSWER), call("lost")):
                world.save(value)
            for value in (TOKEN, older):
                world.add(value)
        with store.transaction(ADA.key) as world:
            world.forget_expired(older.expires_at)
            assert (found(world.token, "older"), found(world.token, "token")) == (None, TOKEN)
            assert (world.call("lost"), world.call("answered")) == (None, call("answered", answer=ANSWER))

    def test_what_is_over_is_forgotten_although_that_was_undone_before(self, furnished: Store) -> None:
        with suppress(Undone), furnished.transaction(ADA.key) as world:
            world.forget_expired(NOON)
            raise Undone
        with furnished.transaction(ADA.key) as world:
            world.forget_expired(NOON)
            assert (found(world.token, "old token"), world.call("old call")) == (None, None)

    def test_an_id_is_not_free_before_forgetting_it_is_done(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            world.remove(UNTOUCHED)
            with pytest.raises(DuplicateId), furnished.transaction(BOB.key) as other_world:
                other_world.add(UNTOUCHED)
            world.add(UNTOUCHED)
        assert furnished.owner("untouched") == ADA.key

    def test_a_call_that_is_not_there_cannot_be_removed(self, store: Store) -> None:
        with pytest.raises(NotFound), store.transaction(ADA.key) as world:
            world.remove(CALL)

    @pytest.mark.parametrize("answer", [None, ANSWER])
    def test_tokens_and_calls_are_kept_until_the_last_instant_before(self, store: Store, answer: Answer | None) -> None:
        value = call("call", answer=answer)
        with store.transaction(ADA.key) as world:
            world.add(TOKEN)
            world.forget_expired(TOKEN.expires_at - INSTANT)
            world.save(value)
            world.forget_expired(value.expires_at - INSTANT)
            assert world.call("call") == value
        with store.transaction(ADA.key) as world:
            assert world.call("call") == value

    def test_forgetting_what_is_over_leaves_all_else(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            world.forget_expired(NOON)
            assert [found(world.token, id_) for id_ in ("old token", "token")] == [None, TOKEN]
            assert [world.call(id_) for id_ in ("old call", "call")] == [None, CALL]
            assert world.payments(PaymentQuery()) == (ALSO_SENT, CHOSEN, SENT, UNTOUCHED)
            assert world.refunds(100) == (SECOND_REFUND, REFUND)

    # Merchants.

    def test_an_unknown_merchant_has_no_world(self, store: Store) -> None:
        with pytest.raises(NotFound), store.transaction("pk_test_nobody"):
            pass
        assert store.merchant("pk_test_nobody") is None

    def test_enrolling_returns_the_merchant(self, store: Store) -> None:
        carol = replace(BOB, key="pk_test_carol")
        assert store.enrol(carol) == carol
        assert store.merchant("pk_test_carol") == carol

    def test_enrolling_again_changes_nothing(self, furnished: Store) -> None:
        before = seen(furnished)
        assert furnished.enrol(replace(ADA, secret="sk_test_other", name="Other")) == ADA
        assert seen(furnished) == before

    def test_all_merchants_are_listed_in_the_order_they_came(self, store: Store) -> None:
        assert store.merchants() == (ADA.key, BOB.key)
        store.enrol(replace(BOB, key="pk_test_carol"))
        store.enrol(ADA)
        assert store.merchants() == (ADA.key, BOB.key, "pk_test_carol")

    def test_whoever_enrols_a_key_at_once_all_get_the_same_merchant(self, store: Store) -> None:
        claims = [replace(BOB, key="pk_test_new", secret=f"sk_test_{number}") for number in range(8)]
        enrolled = side_by_side(*[partial(store.enrol, claim) for claim in claims])
        assert enrolled == 8 * [store.merchant("pk_test_new")]

    # Timers.

    def test_timers_are_in_the_order_they_are_due_and_of_one_instant_in_the_order_of_their_ids(
        self, store: Store
    ) -> None:
        timers = [timer(4), timer(2, minute=1), timer(1, "sent"), timer(5, "sent", minute=-1), timer(3)]
        with store.transaction(ADA.key) as world:
            assert (world.timers(), world.next_timer()) == ((), None)
            for each in timers:
                world.add(each)
        with store.transaction(ADA.key) as world:
            assert [each.id for each in world.timers()] == [5, 1, 3, 4, 2]
            assert world.next_timer() == timers[3]

    def test_a_timer_comes_out_as_it_went_in(self, store: Store) -> None:
        alone = Timer(NOON, 1, TimerKind.TOKEN_EXPIRY, "token", None)
        with store.transaction(ADA.key) as world:
            world.add(alone)
        with store.transaction(ADA.key) as world:
            assert world.timers() == (alone,)

    def test_the_timers_of_some_things_are_in_the_order_they_are_due(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            for each in (timer(1, "a", minute=3), timer(2, "b", minute=2), timer(3, "a", minute=1), timer(4, "c")):
                world.add(each)
        with store.transaction(ADA.key) as world:
            assert [each.id for each in world.timers(["a"])] == [3, 1]
            assert [each.id for each in world.timers(["b", "a", "a", "nothing"])] == [3, 2, 1]
            assert world.timers([]) == world.timers(["nothing"]) == ()

    def test_a_cancelled_timer_is_gone_and_no_other(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            assert world.next_timer() == TIMER
            world.remove(TIMER)
        with furnished.transaction(ADA.key) as world:
            assert world.timers() == world.timers(["chosen"]) == (LATER_TIMER,)
            world.remove(LATER_TIMER)
            assert (world.timers(), world.next_timer()) == ((), None)

    def test_timers_of_two_merchants_may_have_one_id(self, furnished: Store) -> None:
        with furnished.transaction(BOB.key) as world:
            world.add(timer(1, "bobs"))
            assert world.timers() == (timer(1, "bobs"),)
        with furnished.transaction(ADA.key) as world:
            assert world.timers() == (TIMER, LATER_TIMER)

    # Events.

    def test_events_are_listed_the_oldest_first(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            assert world.events(EventQuery()) == (EVENT, LATER_EVENT)
            assert (world.event(1), world.event(2), world.event(3), world.event(0)) == (EVENT, LATER_EVENT, None, None)
            assert (world.last_event(), world.latest()) == (2, LATER_EVENT.at)

    def test_a_world_without_events_begins_at_the_epoch(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            assert (world.last_event(), world.latest()) == (0, EPOCH)
            assert world.events(EventQuery()) == ()

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ({}, [1, 2, 3, 4, 5, 6]),
            ({"after": 4}, [5, 6]),
            ({"after": 6}, []),
            ({"after": 10**18}, []),
            ({"limit": 2}, [1, 2]),
            ({"after": 1, "limit": 2}, [2, 3]),
            ({"kind": "refund"}, [4, 5]),
            ({"kind": "refund.changed"}, [5]),
            ({"kind": "refund.chang"}, []),
            ({"kind": "ref"}, []),
            ({"subjects": ["a"]}, [1, 3, 5]),
            ({"subjects": ["a", "b"]}, [1, 2, 3, 4, 5]),
            ({"subjects": []}, []),
            ({"subjects": ["a"], "kind": "refund", "after": 1, "limit": 1}, [5]),
            ({"subjects": ["a"], "limit": 2}, [1, 3]),
        ],
    )
    def test_a_query_finds_its_events(self, store: Store, query: dict[str, Any], numbers: list[int]) -> None:
        kinds = [Kind.TESTER, Kind.REQUEST, "refundable", Kind.REFUND_CREATED, Kind.REFUND_CHANGED, Kind.TESTER]
        with store.transaction(ADA.key) as world:
            for number, (kind, subject) in enumerate(zip(kinds, ["a", "b", "a", "b", "a", None], strict=True), 1):
                world.record(event(number, subject, kind))
        with store.transaction(ADA.key) as world:
            assert [found.number for found in world.events(EventQuery(**query))] == numbers

    def test_an_event_is_replaced_in_its_place(self, furnished: Store) -> None:
        told_more = replace(EVENT, subject="chosen", data={"did": "pay", "status": 200})
        with furnished.transaction(ADA.key) as world:
            world.record(told_more)
        with furnished.transaction(ADA.key) as world:
            assert world.events(EventQuery()) == (told_more, LATER_EVENT)
            assert world.event(1) == told_more
            assert (world.last_event(), world.latest()) == (2, LATER_EVENT.at)

    @pytest.fixture
    def full(self, store: Store) -> Store:
        """A store where as many events happened as are kept."""
        with store.transaction(ADA.key) as world:
            for number in range(1, EVENTS_KEPT + 1):
                world.record(event(number, f"thing {number % 10}"))
        return store

    def test_the_newest_events_are_kept(self, full: Store) -> None:
        with full.transaction(ADA.key) as world:
            assert len(world.events(EventQuery())) == EVENTS_KEPT
            for more in (1, 2, 3):
                world.record(event(EVENTS_KEPT + more))
        with full.transaction(ADA.key) as world:
            kept = [each.number for each in world.events(EventQuery(limit=2 * EVENTS_KEPT))]
            assert kept == list(range(4, EVENTS_KEPT + 4))
            assert (world.event(3), world.event(4), world.last_event()) == (None, event(4, "thing 4"), EVENTS_KEPT + 3)
            assert [each.number for each in world.events(EventQuery(after=1, limit=2))] == [4, 5]
            assert [each.number for each in world.events(EventQuery(after=EVENTS_KEPT + 1))] == [
                EVENTS_KEPT + 2,
                EVENTS_KEPT + 3,
            ]

    def test_an_event_that_is_no_longer_kept_does_not_come_back(self, full: Store) -> None:
        with full.transaction(ADA.key) as world:
            world.record(event(EVENTS_KEPT + 1))
            before = world.events(EventQuery())
            world.record(event(1, "late answer"))
            assert world.event(1) is None
            assert world.events(EventQuery()) == before

    def test_the_oldest_events_come_back_when_what_put_them_out_is_undone(self, full: Store) -> None:
        with full.transaction(ADA.key) as world:
            before = world.events(EventQuery())
        with suppress(Undone), full.transaction(ADA.key) as world:
            for more in (1, 2, 3):
                world.record(event(EVENTS_KEPT + more))
            world.record(event(EVENTS_KEPT, "in place"))
            raise Undone
        with full.transaction(ADA.key) as world:
            assert world.events(EventQuery()) == before
            assert world.last_event() == EVENTS_KEPT

    # Counts.

    def test_every_kind_of_thing_is_counted_from_one(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            assert [world.count("refund"), world.count("payment"), world.count("refund")] == [1, 1, 2]
        with store.transaction(ADA.key) as world:
            assert [world.count("refund"), world.count("payment")] == [3, 2]
        with store.transaction(BOB.key) as world:
            assert world.count("refund") == 1

    def test_what_was_undone_was_not_counted(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.count("refund")
        with suppress(Undone), store.transaction(ADA.key) as world:
            assert [world.count("refund"), world.count("refund"), world.count("payment")] == [2, 3, 1]
            raise Undone
        with store.transaction(ADA.key) as world:
            assert [world.count("refund"), world.count("payment")] == [2, 1]

    def test_counting_goes_on_where_it_is_told_to(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.count("payment")
            world.recount({"refund": 7})
        with store.transaction(ADA.key) as world:
            assert world.contents().counts == {"payment": 1, "refund": 7}
            assert [world.count("refund"), world.count("payment"), world.count("token")] == [8, 2, 1]

    def test_an_id_is_free_until_something_has_it_and_once_nothing_has_it(self, furnished: Store) -> None:
        with furnished.transaction(BOB.key) as world:
            assert (world.is_free("sent"), world.is_free("nobody's")) == (False, True)
        with suppress(Undone), furnished.transaction(ADA.key) as world:
            world.add(payment("new payment"))
            assert not world.is_free("new payment")
            world.clear()
            assert world.is_free("sent")
            raise Undone
        with furnished.transaction(ADA.key) as world:
            assert (world.is_free("sent"), world.is_free("new payment")) == (False, True)

    def test_a_merchant_is_as_it_was_to_others_until_the_transaction_is_over(self, furnished: Store) -> None:
        renamed = replace(ADA, name="Ada & Daughters")
        with furnished.transaction(ADA.key) as world:
            world.save(renamed)
            assert furnished.merchant(ADA.key) == ADA
            assert world.merchant() == renamed
        assert furnished.merchant(ADA.key) == renamed

    # E-mails.

    def test_the_newest_emails_are_listed_the_newest_first(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            world.add(email("second"))
            world.add(email("third", minute=-1))
        with furnished.transaction(ADA.key) as world:
            assert [each.id for each in world.emails(2)] == ["third", "second"]
            assert [each.id for each in world.emails(9)] == ["third", "second", "e-mail"]
            assert world.email("second") == email("second")
        assert furnished.owner("second") == ADA.key

    def test_the_oldest_email_makes_room_for_the_newest(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            for number in range(EMAILS_KEPT):
                world.add(email(f"e-mail {number}"))
        with suppress(Undone), store.transaction(ADA.key) as world:
            world.add(email("one too many"))
            raise Undone
        assert [store.owner(f"e-mail {number}") for number in (0, EMAILS_KEPT - 1)] == [ADA.key, ADA.key]
        with store.transaction(ADA.key) as world:
            assert [each.id for each in world.emails(EMAILS_KEPT)][-1] == "e-mail 0"
            world.add(email("one more"))
        with store.transaction(ADA.key) as world:
            kept = [each.id for each in world.emails(2 * EMAILS_KEPT)]
            assert (len(kept), kept[0], kept[-1]) == (EMAILS_KEPT, "one more", "e-mail 1")
            assert found(world.email, "e-mail 0") is None
        assert store.owner("e-mail 0") is None

    # Webhook messages, and the inbox.

    def test_deliveries_are_listed_newest_first_by_event_subject_and_outcome(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.add(delivery("second", 2, Outcome.DUE))
            world.add(delivery("first", 1))
            world.add(delivery("third", 3, subject="other"))
        with store.transaction(ADA.key) as world:

            def ids(**query: Any) -> list[str]:
                return [each.id for each in world.deliveries(DeliveryQuery(**query))]

            assert ids() == ["third", "second", "first"]
            assert ids(limit=1) == ["third"]
            assert ids(subject="sent") == ["second", "first"]
            assert ids(subject="nothing") == []
            assert ids(event="payment_sent", subject="other") == ["third"]
            assert ids(event="payment_failed") == []
            assert ids(outcomes={Outcome.DUE}) == ["second"]
            assert ids(outcomes={Outcome.DELIVERED}) == ["third", "first"]
            assert ids(outcomes={Outcome.DUE, Outcome.DELIVERED}, subject="sent") == ["second", "first"]

    def test_a_delivery_is_kept_as_it_was_saved_last_unless_that_was_undone(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.add(delivery("id", 1, Outcome.DUE))
        with suppress(Undone), store.transaction(ADA.key) as world:
            world.save(delivery("id", 1))
            assert world.delivery("id").outcome is Outcome.DELIVERED
            raise Undone
        with store.transaction(ADA.key) as world:
            assert world.delivery("id") == delivery("id", 1, Outcome.DUE)
            assert world.deliveries(DeliveryQuery(outcomes={Outcome.DUE})) == (delivery("id", 1, Outcome.DUE),)
            world.save(delivery("id", 1))
            assert world.deliveries(DeliveryQuery(outcomes={Outcome.DUE})) == ()
            assert found(world.delivery, "nothing") is None
        with suppress(Undone), store.transaction(ADA.key) as world:
            world.add(delivery("undone", 2))
            raise Undone
        assert (store.owner("id"), store.owner("undone")) == (ADA.key, None)

    def test_of_too_many_deliveries_the_oldest_that_is_over_goes(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.add(delivery("due", 1, Outcome.DUE))
            for number in range(2, DELIVERIES_KEPT + 1):
                world.add(delivery(f"delivery {number}", number))
        with suppress(Undone), store.transaction(ADA.key) as world:
            world.add(delivery("one too many", DELIVERIES_KEPT + 1))
            raise Undone
        assert store.owner("delivery 2") == ADA.key
        with store.transaction(ADA.key) as world:
            assert world.delivery("delivery 2").number == 2
            world.add(delivery("one more", DELIVERIES_KEPT + 1))
        with store.transaction(ADA.key) as world:
            kept = [each.id for each in world.deliveries(DeliveryQuery(limit=2 * DELIVERIES_KEPT))]
            assert (len(kept), kept[0], kept[-2:]) == (DELIVERIES_KEPT, "one more", ["delivery 3", "due"])
        assert store.owner("delivery 2") is None

    def test_of_too_many_deliveries_none_of_which_is_over_the_oldest_goes_with_its_timer(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            for number in range(DELIVERIES_KEPT):
                world.add(delivery(f"delivery {number}", number, Outcome.DUE))
            world.add(Timer(NOON, 1, TimerKind.DELIVERY, "delivery 0"))
            world.add(Timer(NOON, 2, TimerKind.DELIVERY, "delivery 1"))
            world.add(delivery("one more", DELIVERIES_KEPT, Outcome.DUE))
        with store.transaction(ADA.key) as world:
            assert found(world.delivery, "delivery 0") is None
            assert [each.subject for each in world.timers()] == ["delivery 1"]

    def test_the_inbox_keeps_the_newest_messages(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            for number in range(INBOX_KEPT + 1):
                world.add(received(f"message {number}"))
        with store.transaction(ADA.key) as world:
            kept = [each.id for each in world.inbox(2 * INBOX_KEPT)]
            assert (len(kept), kept[0], kept[-1]) == (INBOX_KEPT, f"message {INBOX_KEPT}", "message 1")
            assert world.inbox(1) == (received(f"message {INBOX_KEPT}"),)
        assert store.owner("message 0") is None

    # All there is.

    def test_the_contents_are_all_there_is_but_for_calls_under_way(self, furnished: Store) -> None:
        answered = replace(CALL, answer=ANSWER)
        with furnished.transaction(ADA.key) as world:
            world.save(answered)
            world.count("token")
            assert world.contents() == Contents(
                merchant=ADA,
                counts={"token": 1},
                payment_sessions=(UNTOUCHED, SENT, CHOSEN, ALSO_SENT),
                refunds=(REFUND, SECOND_REFUND),
                tokens=(OLD_TOKEN, TOKEN),
                client_keys=(CLIENT_KEY,),
                idempotent_calls=(answered,),
                emails=(EMAIL,),
                deliveries=(DELIVERY,),
                inbox=(RECEIVED,),
                timers=(TIMER, LATER_TIMER),
                events=(EVENT, LATER_EVENT),
            )
        with furnished.transaction(BOB.key) as world:
            assert world.contents() == Contents(merchant=BOB)

    def test_a_log_that_does_not_begin_with_the_first_event_is_kept_as_it_is(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            for number in (5, 6, 7):
                world.record(event(number))
        with store.transaction(ADA.key) as world:
            assert [each.number for each in world.events(EventQuery())] == [5, 6, 7]
            assert [each.number for each in world.contents().events] == [5, 6, 7]
            assert (world.event(4), world.last_event()) == (None, 7)

    def test_a_cleared_world_counts_from_one_again_unless_clearing_was_undone(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.count("refund")
        with suppress(Undone), store.transaction(ADA.key) as world:
            world.clear()
            assert world.count("refund") == 1
            raise Undone
        with store.transaction(ADA.key) as world:
            assert world.count("refund") == 2
            world.clear()
            assert world.count("refund") == 1

    def test_clearing_tells_how_much_there_was(self, furnished: Store) -> None:
        with furnished.transaction(ADA.key) as world:
            assert world.clear() == {
                "payment_sessions": 4,
                "refunds": 2,
                "tokens": 2,
                "client_keys": 1,
                "idempotency_keys": 2,
                "emails": 1,
                "deliveries": 1,
                "inbox": 1,
                "timers": 2,
                "events": 2,
            }
            assert set(world.clear().values()) == {0}

    # Savepoints.

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_savepoint_undoes_each_change_inside_it(self, furnished: Store, change: str) -> None:
        before = seen(furnished)
        with furnished.transaction(ADA.key) as world:
            with suppress(Undone), world.savepoint():
                CHANGES[change](world)
                raise Undone
            assert seen_in(world) == {name: before[name] for name in seen_in(world)}
        assert seen(furnished) == before

    @repeatable
    @given(
        outside=st.lists(st.sampled_from(sorted(CHANGES)), unique=True),
        inside=st.lists(st.sampled_from(sorted(CHANGES)), unique=True),
    )
    def test_a_savepoint_undoes_what_is_inside_and_nothing_before(
        self, store: Store, outside: list[str], inside: list[str]
    ) -> None:
        inside = [change for change in inside if change not in outside]
        with store.transaction(ADA.key) as world:
            world.clear()
            furnish(world)
            for change in outside:
                with suppress(NotFound):  # it was cleared before
                    CHANGES[change](world)
        expected = seen(store)
        with store.transaction(ADA.key) as world:
            world.clear()
            furnish(world)
        with store.transaction(ADA.key) as world:
            for change in outside:
                with suppress(NotFound):
                    CHANGES[change](world)
            with suppress(Undone), world.savepoint():
                for change in inside:
                    with suppress(NotFound):
                        CHANGES[change](world)
                raise Undone
        assert seen(store) == expected

    def test_what_was_done_in_a_savepoint_stays_when_it_is_left_well(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            with world.savepoint():
                world.add(SENT)
                assert world.count("refund") == 1
            assert world.payment("sent") == SENT
        assert store.owner("sent") == ADA.key

    def test_after_a_failed_savepoint_the_transaction_goes_on(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            world.add(TIMER)
            with suppress(Undone), world.savepoint():
                world.remove(TIMER)
                world.add(SENT)
                world.record(event(1))
                raise Undone
            world.add(SENT)
            world.record(event(1, "again"))
        with store.transaction(ADA.key) as world:
            assert (world.timers(), world.payment("sent"), world.event(1)) == ((TIMER,), SENT, event(1, "again"))

    def test_a_savepoint_inside_another_undoes_its_own_part_alone(self, store: Store) -> None:
        with store.transaction(ADA.key) as world:
            with suppress(Undone), world.savepoint():
                world.add(SENT)
                with suppress(Undone), world.savepoint():
                    world.add(CHOSEN)
                    raise Undone
                assert found(world.payment, "chosen") is None
                assert world.payment("sent") == SENT
                raise Undone
            assert found(world.payment, "sent") is None

    def test_a_transaction_undoes_what_its_savepoints_left(self, furnished: Store) -> None:
        before = seen(furnished)
        with suppress(Undone), furnished.transaction(ADA.key) as world:
            with world.savepoint():
                world.remove(UNTOUCHED)
                world.remove(TIMER)
            with suppress(Undone), world.savepoint():
                world.clear()
                raise Undone
            raise Undone
        assert seen(furnished) == before

    # Many at once.

    def test_of_one_merchants_writers_none_overwrites_another(self, store: Store) -> None:
        def count() -> None:
            for _ in range(10):
                with store.transaction(ADA.key) as world:
                    number = int(world.merchant().application_id)
                    sleep(0)
                    world.save(replace(ADA, application_id=str(number + 1)))

        with store.transaction(ADA.key) as world:
            world.save(replace(ADA, application_id="0"))
        side_by_side(*8 * [count])
        merchant = store.merchant(ADA.key)
        assert merchant is not None
        assert merchant.application_id == "80"

    def test_payments_added_at_once_are_all_listed(self, store: Store) -> None:
        def add(thread: int) -> None:
            for number in range(10):
                with store.transaction(ADA.key) as world:
                    world.add(payment(f"{thread}.{number}", minute=number))

        side_by_side(*[partial(add, thread) for thread in range(8)])
        ids = {f"{thread}.{number}" for thread in range(8) for number in range(10)}
        assert set(listed(store)) == ids
        assert {store.owner(id_) for id_ in ids} == {ADA.key}

    def test_a_transaction_waits_for_the_merchants_one_before_it(self, store: Store) -> None:
        entered = Event()

        def enter() -> None:
            with store.transaction(ADA.key) as world:
                entered.set()
                assert world.payment("sent") == SENT

        with ThreadPoolExecutor(1) as threads:
            with store.transaction(ADA.key) as world:
                waiting = threads.submit(enter)
                assert not entered.wait(0.05)
                world.add(SENT)
            waiting.result(PATIENCE)

    def test_transactions_of_different_merchants_run_side_by_side(self, store: Store) -> None:
        both_are_in = Barrier(2)

        def meet(merchant: Merchant) -> None:
            with store.transaction(merchant.key) as world:
                world.add(payment(f"before, {merchant.name}"))
                both_are_in.wait(PATIENCE)
                world.add(payment(f"after, {merchant.name}"))

        side_by_side(partial(meet, ADA), partial(meet, BOB))
        assert listed(store) == [f"after, {ADA.name}", f"before, {ADA.name}"]

    def test_of_two_merchants_that_give_one_id_at_once_one_gets_it(self, store: Store) -> None:
        def claim(id_: str, merchant: Merchant) -> str | None:
            try:
                with store.transaction(merchant.key) as world:
                    world.add(payment(id_))
            except DuplicateId:
                return None
            return merchant.key

        for number in range(20):
            id_ = f"contested {number}"
            claims = side_by_side(partial(claim, id_, ADA), partial(claim, id_, BOB))
            [winner] = [key for key in claims if key is not None]
            assert store.owner(id_) == winner
