"""Refunds from payment to payout, told by the actors' own verbs, and all of them at once (facts 3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import Barrier
from time import sleep
from typing import TYPE_CHECKING, TypeVar

import pytest

from simulator.domain.accounts import Account
from simulator.domain.errors import IllegalAction, InvalidAmount, NotFound, Refusal
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payer, PaymentRequest
from simulator.domain.ports import PaymentQuery
from simulator.domain.refunds import RefundRequest
from simulator.domain.states import PaymentAction
from simulator.service import tester
from simulator.service.merchant import MerchantService
from simulator.service.payer import PayerService

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from simulator.domain.payments import Payment
    from simulator.domain.ports import Clock
    from simulator.domain.refunds import Refund
    from simulator.service.simulation import Simulation

T = TypeVar("T")

KEY = "pk_test_simulator"
SHARING, SILENT = "Mock Bank Direct", "Mock Bank"
JANE = Payer("Jane Doe", "jane@doe.com")
JOHN = Payer("John Doe", "john@doe.com")
ACCOUNT = Account("Jane Doe", "87654321", "040506")


class SlowClock:
    """Takes its time to tell the time, so that whoever does not wait for his turn gets in between."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        sleep(0.001)
        return self._clock.now()


@pytest.fixture
def slow(simulation: Simulation) -> Simulation:
    """The simulation, in which everything takes long enough to get in each other's way."""
    return replace(simulation, clock=SlowClock(simulation.clock))


@pytest.fixture
def shop(slow: Simulation) -> MerchantService:
    return MerchantService(slow, KEY)


@pytest.fixture
def payer(slow: Simulation) -> PayerService:
    return PayerService(slow, KEY)


@pytest.fixture
def anybody(slow: Simulation) -> tester.TesterService:
    return tester.TesterService(slow)


@pytest.fixture
def paid(shop: MerchantService, anybody: tester.TesterService) -> Payment:
    """A payment of 400 whose payer's account is not known."""
    return anybody.pay(requested(shop).id, SILENT)[0]


@pytest.fixture
def payable(shop: MerchantService, payer: PayerService, paid: Payment) -> Refund:
    """A refund of 150 that awaits payment."""
    return payer.provide_details(refunded(shop, paid, 150).id, ACCOUNT)


def requested(
    shop: MerchantService,
    payer: Payer | None = None,
    currency: Currency = Currency.GBP,
    payee: Account = SANDBOX_ACCOUNT,
) -> Payment:
    """A payment session for 400."""
    items = (LineItem("Candles", 100, currency, 4),)
    return shop.create_payment(PaymentRequest(reference="Illuminate", line_items=items, payee=payee, payer=payer))


def refunded(shop: MerchantService, payment: Payment, amount: int, payee: Account | None = None) -> Refund:
    """A refund of `amount` pence."""
    return shop.create_refund(RefundRequest(payment_session_id=payment.id, amount=amount, payee=payee))


def session_of(shop: MerchantService, refund: Refund) -> Payment:
    """The payment session that pays a refund out."""
    assert refund.refund_payment_session_id is not None
    return shop.payment(refund.refund_payment_session_id)[0]


def at_once(*jobs: Callable[[], T]) -> list[T | Refusal]:
    """What each job returns or is refused, all begun together."""
    start = Barrier(len(jobs))

    def begin(job: Callable[[], T]) -> T | Refusal:
        start.wait(5)
        try:
            return job()
        except Refusal as refusal:
            return refusal

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(begin, jobs))


# Racing.


def test_of_fifty_racing_refunds_exactly_as_many_succeed_as_there_is_money_for(
    shop: MerchantService, paid: Payment
) -> None:
    results = at_once(*50 * [partial(refunded, shop, paid, 50)])
    refusals = [result for result in results if isinstance(result, Refusal)]
    assert len(results) - len(refusals) == 400 // 50
    assert {type(refusal) for refusal in refusals} == {InvalidAmount}
    _, refunds = shop.payment(paid.id)
    assert sum(refund.amount for refund in refunds) == 400


def test_of_racing_refunds_of_mixed_amounts_only_those_are_refused_that_do_not_fit(
    shop: MerchantService, paid: Payment
) -> None:
    amounts = [1 + 7 * number % 90 for number in range(50)]
    results = at_once(*[partial(refunded, shop, paid, amount) for amount in amounts])
    refused = [amount for amount, result in zip(amounts, results, strict=True) if isinstance(result, Refusal)]
    granted = sum(amounts) - sum(refused)
    assert granted <= 400
    assert min(refused) > 400 - granted
    _, refunds = shop.payment(paid.id)
    assert sum(refund.amount for refund in refunds) == granted


def test_racing_refunds_of_two_payments_do_not_take_from_each_other(
    shop: MerchantService, anybody: tester.TesterService, paid: Payment
) -> None:
    also_paid, _ = anybody.pay(requested(shop).id)
    at_once(*10 * [partial(refunded, shop, paid, 100), partial(refunded, shop, also_paid, 200)])
    assert [refund.amount for refund in shop.payment(paid.id)[1]] == 4 * [100]
    assert [refund.amount for refund in shop.payment(also_paid.id)[1]] == 2 * [200]


@pytest.mark.parametrize("provider", [SHARING, SILENT])
def test_of_racing_settlements_of_one_payment_one_counts(
    shop: MerchantService, anybody: tester.TesterService, provider: str
) -> None:
    payment, _ = anybody.act(requested(shop).id, PaymentAction.CHOOSE_PROVIDER, provider)
    results = at_once(*8 * [partial(anybody.act, payment.id, PaymentAction.SETTLE)])
    [settled] = [result for result in results if not isinstance(result, IllegalAction)]
    assert shop.payment(payment.id) == settled


def test_a_racing_settlement_and_failure_do_not_both_happen(
    shop: MerchantService, anybody: tester.TesterService
) -> None:
    payment, _ = anybody.act(requested(shop).id, PaymentAction.CHOOSE_PROVIDER)
    actions = 4 * [PaymentAction.SETTLE, PaymentAction.FAIL]
    results = at_once(*[partial(anybody.act, payment.id, action) for action in actions])
    [ended] = [result for result in results if not isinstance(result, IllegalAction)]
    assert shop.payment(payment.id) == ended


def test_details_that_race_make_one_payment_session(shop: MerchantService, payer: PayerService, paid: Payment) -> None:
    refund = refunded(shop, paid, 150)
    before = len(shop.payments(PaymentQuery()))
    results = at_once(*8 * [partial(payer.provide_details, refund.id, ACCOUNT)])
    [provided] = [result for result in results if not isinstance(result, IllegalAction)]
    assert shop.refund(refund.id) == provided
    assert len(shop.payments(PaymentQuery())) == before + 1


def test_a_refund_that_is_settled_and_marked_at_once_ends_one_way(
    shop: MerchantService, anybody: tester.TesterService, payable: Refund
) -> None:
    session, _ = anybody.act(session_of(shop, payable).id, PaymentAction.CHOOSE_PROVIDER)
    at_once(
        partial(anybody.act, session.id, PaymentAction.SETTLE), partial(anybody.mark_externally_processed, payable.id)
    )
    ends = (shop.refund(payable.id).state, session_of(shop, payable).state)
    assert ends in {("sent", "sent"), ("externally_processed", "failed")}


# The refund and the session that pays it out.


def test_a_refund_is_sent_when_its_session_is(
    shop: MerchantService, anybody: tester.TesterService, payable: Refund
) -> None:
    anybody.pay(session_of(shop, payable).id)
    assert shop.refund(payable.id).state == "sent"


@pytest.mark.parametrize("action", [PaymentAction.REJECT, PaymentAction.FAIL, PaymentAction.EXPIRE])
def test_a_refund_fails_when_its_session_does_and_its_money_can_be_refunded_again(
    shop: MerchantService, anybody: tester.TesterService, paid: Payment, payable: Refund, action: PaymentAction
) -> None:
    session, _ = anybody.act(session_of(shop, payable).id, PaymentAction.CHOOSE_PROVIDER)
    anybody.act(session.id, action)
    assert shop.refund(payable.id).state == "failed"
    assert refunded(shop, paid, 400).state == "awaiting_details"


def test_deleting_a_refunds_session_fails_the_refund_and_its_money_can_be_refunded_again(
    shop: MerchantService, paid: Payment, payable: Refund
) -> None:
    shop.delete_payment(session_of(shop, payable).id)
    assert shop.refund(payable.id).state == "failed"
    assert refunded(shop, paid, 400).state == "awaiting_details"


def test_a_session_that_can_no_longer_be_deleted_leaves_its_refund_alone(
    shop: MerchantService, anybody: tester.TesterService, payable: Refund
) -> None:
    session, _ = anybody.act(session_of(shop, payable).id, PaymentAction.CHOOSE_PROVIDER)
    anybody.act(session.id, PaymentAction.ACCEPT)
    with pytest.raises(IllegalAction):
        shop.delete_payment(session.id)
    assert shop.refund(payable.id) == payable


def test_a_payment_that_pays_out_a_refund_cannot_be_refunded(
    shop: MerchantService, anybody: tester.TesterService, payable: Refund
) -> None:
    session, _ = anybody.pay(session_of(shop, payable).id)
    with pytest.raises(Refusal, match="pays out a refund"):
        refunded(shop, session, 1)


def test_refunding_an_unknown_payment_blames_the_field_that_names_it(shop: MerchantService) -> None:
    with pytest.raises(NotFound) as refused:
        shop.create_refund(RefundRequest(payment_session_id="unknown", amount=1))
    assert refused.value.parameter == "payment_session_id"


def test_refunds_that_were_refused_leave_nothing_behind(shop: MerchantService, paid: Payment) -> None:
    before = shop.payments(PaymentQuery())
    with pytest.raises(InvalidAmount):
        refunded(shop, paid, 401, payee=ACCOUNT)
    assert shop.payments(PaymentQuery()) == before
    assert shop.refunds(100) == ()


# Refunds paid some other way.


def test_a_refund_paid_some_other_way_needs_no_details(
    shop: MerchantService, payer: PayerService, paid: Payment
) -> None:
    marked = shop.mark_externally_processed(refunded(shop, paid, 150).id)
    assert marked.state == "externally_processed"
    with pytest.raises(IllegalAction):
        payer.provide_details(marked.id, ACCOUNT)


@pytest.mark.parametrize(
    "actions",
    [
        [],
        [PaymentAction.CHOOSE_PROVIDER],
        [PaymentAction.CHOOSE_PROVIDER, PaymentAction.INITIATE],
        [PaymentAction.CHOOSE_PROVIDER, PaymentAction.ACCEPT],
    ],
)
def test_a_refund_paid_some_other_way_is_not_paid_by_its_session_as_well(
    shop: MerchantService, anybody: tester.TesterService, payable: Refund, actions: list[PaymentAction]
) -> None:
    for action in actions:
        anybody.act(session_of(shop, payable).id, action)
    shop.mark_externally_processed(payable.id)
    assert shop.refund(payable.id).state == "externally_processed"
    session = session_of(shop, payable)
    assert (session.state, session.actions) == ("failed", ())


def test_a_refund_paid_some_other_way_still_takes_from_the_payment(
    shop: MerchantService, paid: Payment, payable: Refund
) -> None:
    shop.mark_externally_processed(payable.id)
    with pytest.raises(InvalidAmount, match=r"£2\.50 is left"):
        refunded(shop, paid, 251)


@pytest.mark.parametrize("end", [PaymentAction.SETTLE, PaymentAction.FAIL])
def test_a_refund_that_has_ended_cannot_be_marked(
    shop: MerchantService, anybody: tester.TesterService, payable: Refund, end: PaymentAction
) -> None:
    session, _ = anybody.act(session_of(shop, payable).id, PaymentAction.CHOOSE_PROVIDER)
    ended, _ = anybody.act(session.id, end)
    with pytest.raises(IllegalAction, match="this state is final"):
        shop.mark_externally_processed(payable.id)
    assert session_of(shop, payable) == ended


# Whose account is known.


@pytest.mark.parametrize("action", [PaymentAction.INITIATE, PaymentAction.ACCEPT, PaymentAction.SETTLE])
def test_a_bank_that_shares_accounts_tells_it_once_the_payer_consented(
    shop: MerchantService, anybody: tester.TesterService, action: PaymentAction
) -> None:
    payment, _ = anybody.act(requested(shop, JANE).id, PaymentAction.CHOOSE_PROVIDER, SHARING)
    with pytest.raises(NotFound):
        shop.consumer_account(payment.id)
    assert anybody.act(payment.id, action)[0].payer_account == shop.consumer_account(payment.id)
    assert shop.consumer_account(payment.id).name == "Jane Doe"


@pytest.mark.parametrize("action", [PaymentAction.REJECT, PaymentAction.FAIL, PaymentAction.EXPIRE])
def test_a_payer_who_did_not_consent_shares_nothing(
    shop: MerchantService, anybody: tester.TesterService, action: PaymentAction
) -> None:
    payment, _ = anybody.act(requested(shop, JANE).id, PaymentAction.CHOOSE_PROVIDER, SHARING)
    anybody.act(payment.id, action)
    with pytest.raises(NotFound):
        shop.consumer_account(payment.id)


def test_a_bank_that_does_not_share_accounts_tells_nothing(shop: MerchantService, paid: Payment) -> None:
    with pytest.raises(NotFound):
        shop.consumer_account(paid.id)


def test_only_the_bank_that_was_chosen_last_shares(shop: MerchantService, anybody: tester.TesterService) -> None:
    payment, _ = anybody.act(requested(shop, JANE).id, PaymentAction.CHOOSE_PROVIDER, SHARING)
    with pytest.raises(NotFound):
        shop.consumer_account(anybody.pay(payment.id, SILENT)[0].id)


def test_an_account_that_was_shared_stays_the_same_to_the_end(
    shop: MerchantService, anybody: tester.TesterService
) -> None:
    payment, _ = anybody.act(requested(shop).id, PaymentAction.CHOOSE_PROVIDER, SHARING)
    actions = [PaymentAction.INITIATE, PaymentAction.ACCEPT, PaymentAction.SETTLE]
    assert len({anybody.act(payment.id, action)[0].payer_account for action in actions}) == 1


def test_the_same_customer_of_a_bank_has_the_same_account(shop: MerchantService, anybody: tester.TesterService) -> None:
    one, other = (anybody.pay(requested(shop, JANE).id, SHARING)[0] for _ in range(2))
    assert one.payer_account == other.payer_account


def test_other_customers_and_customers_of_other_merchants_have_other_accounts(
    shop: MerchantService, anybody: tester.TesterService, slow: Simulation
) -> None:
    elsewhere = MerchantService(slow, slow.merchant("pk_test_other").key)
    sessions = [
        requested(shop, JANE),
        requested(shop, JOHN),
        requested(shop),
        requested(shop),
        requested(elsewhere, JANE),
    ]
    accounts = {anybody.pay(session.id, SHARING)[0].payer_account for session in sessions}
    assert len(accounts) == len(sessions)


@pytest.mark.parametrize(("currency", "kind"), [("GBP", None), ("EUR", "IBAN"), ("AUD", "BSBAccountNumber")])
def test_a_customers_account_has_the_form_of_the_currency(
    shop: MerchantService, anybody: tester.TesterService, currency: str, kind: str | None
) -> None:
    payment, _ = anybody.pay(requested(shop, currency=Currency(currency)).id, SHARING)
    assert shop.consumer_account(payment.id).identifier_type == kind


def test_a_shared_account_is_where_the_refund_goes_whatever_payee_is_given(
    shop: MerchantService, anybody: tester.TesterService
) -> None:
    payment, _ = anybody.pay(requested(shop, JANE).id, SHARING)
    refund = refunded(shop, payment, 150, payee=ACCOUNT)
    assert (refund.state, refund.details) == ("awaiting_payment", payment.payer_account)
    session = session_of(shop, refund)
    assert (session.state, session.request.payee) == ("awaiting_provider", payment.payer_account)


def test_without_a_shared_account_the_given_payee_is_where_the_refund_goes(
    shop: MerchantService, paid: Payment
) -> None:
    refund = refunded(shop, paid, 150, payee=ACCOUNT)
    assert (refund.state, refund.details) == ("awaiting_payment", ACCOUNT)
    assert session_of(shop, refund).request.payee == ACCOUNT


def test_without_any_account_a_refund_awaits_details(shop: MerchantService, paid: Payment) -> None:
    refund = refunded(shop, paid, 150)
    assert (refund.state, refund.refund_payment_session_id) == ("awaiting_details", None)


def test_a_refund_is_paid_from_the_merchants_own_account(
    shop: MerchantService, anybody: tester.TesterService, payable: Refund
) -> None:
    session, _ = anybody.pay(session_of(shop, payable).id, SHARING)
    assert shop.consumer_account(session.id).is_same_as(SANDBOX_ACCOUNT)
