"""The accounts that a bank shows to its customer: always the same, and the first is the one that it shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.domain.accounts import Account
from simulator.domain.errors import IllegalAction
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payer, PaymentRequest
from simulator.domain.refunds import RefundRequest
from simulator.domain.scenarios import Door
from simulator.service import tester
from simulator.service.bank import BankService
from simulator.service.merchant import MerchantService
from simulator.service.payer import PayerService

if TYPE_CHECKING:
    from simulator.domain.payments import Payment
    from simulator.service.customers import CustomerAccount
    from simulator.service.simulation import Simulation

KEY = "pk_test_simulator"
DIRECT = "Mock Bank Direct"
JANE, JOHN = Payer("Jane Doe", "jane@doe.com"), Payer("John Doe", "john@doe.com")


def at_the_bank(
    simulation: Simulation,
    bank: str = DIRECT,
    payer: Payer | None = JANE,
    currency: Currency = Currency.GBP,
    scenario: str | None = None,
) -> Payment:
    """A payment whose payer has come to the bank."""
    simulation.merchant(KEY)
    items = (LineItem("Candles", 400, currency, 1),)
    request = PaymentRequest(reference="Illuminate", line_items=items, payee=SANDBOX_ACCOUNT, payer=payer)
    payment = MerchantService(simulation, KEY).create_payment(request, scenario)
    return PayerService(simulation, KEY).choose_provider(payment.id, bank)


def payout(simulation: Simulation, currency: Currency = Currency.GBP) -> str:
    """The id of a session by which the merchant, who has come to the bank, pays a refund out."""
    payment = at_the_bank(simulation, currency=currency)
    BankService(simulation, KEY).authorise(payment.id)
    request = RefundRequest(payment_session_id=payment.id, amount=100)
    session = MerchantService(simulation, KEY).create_refund(request).refund_payment_session_id
    assert session is not None
    PayerService(simulation, KEY).choose_provider(session, DIRECT)
    return session


def accounts(simulation: Simulation, payment_id: str) -> tuple[CustomerAccount, ...]:
    return BankService(simulation, KEY).accounts(payment_id)


@pytest.mark.parametrize("currency", Currency)
@pytest.mark.parametrize("payer", [JANE, None])
def test_the_first_account_is_the_one_that_the_bank_shares(
    simulation: Simulation, payer: Payer | None, currency: Currency
) -> None:
    payment = at_the_bank(simulation, payer=payer, currency=currency)
    first = accounts(simulation, payment.id)[0].account
    BankService(simulation, KEY).authorise(payment.id)
    assert MerchantService(simulation, KEY).consumer_account(payment.id) == first


def test_a_payer_has_the_same_accounts_at_a_bank_each_time(simulation: Simulation) -> None:
    one, again = (accounts(simulation, at_the_bank(simulation).id) for _ in range(2))
    assert one == again
    assert [each.label for each in one] == ["Current account", "Joint account", "Savings account"]
    assert len({each.account.account_number for each in one}) == len({each.balance for each in one}) == 3
    assert {each.account.sort_code for each in one} == {one[0].account.sort_code}
    assert {each.account.name for each in one} == {"Jane Doe"}


def test_another_payer_or_bank_has_other_accounts(simulation: Simulation) -> None:
    customers = [(DIRECT, JANE), (DIRECT, JOHN), ("Mock Bank", JANE)]
    found = [accounts(simulation, at_the_bank(simulation, bank, payer).id) for bank, payer in customers]
    assert len({each.account for listed in found for each in listed}) == 9


def test_looking_at_the_accounts_changes_nothing(simulation: Simulation) -> None:
    payment = at_the_bank(simulation)
    accounts(simulation, payment.id)
    assert MerchantService(simulation, KEY).payment(payment.id)[0] == payment


def test_nobody_has_accounts_before_a_bank_is_picked(simulation: Simulation) -> None:
    simulation.merchant(KEY)
    items = (LineItem("Candles", 400, Currency.GBP, 1),)
    request = PaymentRequest(reference="Illuminate", line_items=items, payee=SANDBOX_ACCOUNT)
    payment = MerchantService(simulation, KEY).create_payment(request)
    with pytest.raises(IllegalAction, match="awaiting_provider"):
        accounts(simulation, payment.id)


def test_a_refund_is_paid_from_the_merchants_linked_account(simulation: Simulation) -> None:
    [linked] = accounts(simulation, payout(simulation))
    assert linked.label == "Mock Bank account"
    assert linked.account == Account("Simulator", "12345678", "010203")


def test_a_refund_in_a_currency_without_a_linked_account_is_paid_from_one_that_is_made_up(
    simulation: Simulation,
) -> None:
    [made_up] = accounts(simulation, payout(simulation, Currency.EUR))
    assert made_up.label == "Business account"
    assert made_up.account.identifier_type == "IBAN"
    assert made_up.account.name == "Simulator"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_account_that_the_payer_chooses_is_the_one_that_the_bank_shares(simulation: Simulation, place: int) -> None:
    payment = at_the_bank(simulation)
    chosen = accounts(simulation, payment.id)[place].account
    BankService(simulation, KEY).authorise(payment.id, account=chosen)
    assert MerchantService(simulation, KEY).consumer_account(payment.id) == chosen


@pytest.mark.parametrize("scenario", ["approve", "stuck_pending", None])
def test_who_declines_pays_nothing_whatever_was_to_be_played(simulation: Simulation, scenario: str | None) -> None:
    payment = at_the_bank(simulation, scenario=scenario)
    tester.TesterService(simulation).choose_scenario(payment.id, "approve")
    declined = BankService(simulation, KEY).decline(payment.id)
    assert (declined.state, declined.payer_account) == ("failed", None)
    assert Door.BUTTON not in dict(declined.scenarios)
    with pytest.raises(IllegalAction):
        BankService(simulation, KEY).decline(payment.id)


def test_a_bank_that_is_left_for_another_shares_nothing(simulation: Simulation) -> None:
    payment = at_the_bank(simulation)
    chosen = accounts(simulation, payment.id)[0].account
    BankService(simulation, KEY).authorise(payment.id, "user_cancels", chosen)
    PayerService(simulation, KEY).choose_provider(payment.id, "Mock Bank")
    assert BankService(simulation, KEY).authorise(payment.id).payer_account is None
