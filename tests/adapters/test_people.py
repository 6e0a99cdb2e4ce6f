"""Made-up customers: the same seed is always the same person."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from simulator.adapters.people import FakerPeople
from simulator.domain.accounts import is_iban
from simulator.domain.money import Currency

SEEDS = [f"jane{number}@doe.com" for number in range(25)]


@pytest.fixture(scope="module")
def people() -> FakerPeople:
    return FakerPeople()


@pytest.mark.parametrize("currency", Currency)
def test_the_same_seed_is_the_same_person_in_any_process_and_order(people: FakerPeople, currency: Currency) -> None:
    one = [people.account(seed, None, currency) for seed in SEEDS]
    others = FakerPeople()
    assert [others.account(seed, None, currency) for seed in reversed(SEEDS)] == one[::-1]


@pytest.mark.parametrize("currency", Currency)
def test_another_seed_is_another_person(people: FakerPeople, currency: Currency) -> None:
    accounts = [people.account(seed, "Jane Doe", currency) for seed in SEEDS]
    assert len(set(accounts)) == len(SEEDS)


def test_a_person_without_a_name_gets_one(people: FakerPeople) -> None:
    assert people.account("jane@doe.com", None, Currency.GBP).name


@pytest.mark.parametrize("currency", Currency)
def test_the_holders_name_is_used_and_changes_no_number(people: FakerPeople, currency: Currency) -> None:
    named = people.account("jane@doe.com", "Jane Doe", currency)
    assert named.name == "Jane Doe"
    assert named.is_same_as(people.account("jane@doe.com", None, currency))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_in_euros_has_a_valid_iban(people: FakerPeople, seed: str) -> None:
    account = people.account(seed, None, Currency.EUR)
    assert account.identifier_type == "IBAN"
    assert is_iban(account.account_identifier or "")


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_in_pounds_has_an_account_number_of_8_digits_and_a_sort_code_of_6(
    people: FakerPeople, seed: str
) -> None:
    account = people.account(seed, None, Currency.GBP)
    assert len(account.account_number or "") == 8
    assert len(account.sort_code or "") == 6
    assert f"{account.account_number}{account.sort_code}".isdecimal()
    assert account.identifier_type is None


@pytest.mark.parametrize("seed", SEEDS)
def test_an_account_in_australian_dollars_has_a_bsb_of_6_digits_and_a_number_of_4_to_9(
    people: FakerPeople, seed: str
) -> None:
    account = people.account(seed, None, Currency.AUD)
    assert account.identifier_type == "BSBAccountNumber"
    assert (account.account_identifier or "").isdecimal()
    assert 6 + 4 <= len(account.account_identifier or "") <= 6 + 9


def test_what_is_in_an_account_follows_from_the_seed(people: FakerPeople) -> None:
    balances = [people.balance(seed) for seed in SEEDS]
    assert balances == [FakerPeople().balance(seed) for seed in SEEDS]
    assert len(set(balances)) == len(SEEDS)
    assert all(10_000 < balance < 1_000_000 for balance in balances)


def test_a_customer_has_a_name_and_an_address_that_nobody_else_reads(people: FakerPeople) -> None:
    customers = [people.customer(seed) for seed in SEEDS]
    assert [FakerPeople().customer(seed) for seed in SEEDS] == customers
    assert len(set(customers)) == len(SEEDS)
    for customer in customers:
        assert customer.email.endswith("@example.com")
        assert " " in customer.name


@pytest.mark.parametrize("currency", Currency)
def test_a_purchase_is_of_one_to_three_things(people: FakerPeople, currency: Currency) -> None:
    purchases = [people.purchase(seed, currency) for seed in SEEDS]
    assert purchases == [FakerPeople().purchase(seed, currency) for seed in SEEDS]
    assert {len(bought) for bought in purchases} == {1, 2, 3}
    for item in (item for bought in purchases for item in bought):
        assert (item.currency, item.amount > 100, 1 <= item.quantity <= 3) == (currency, True, True)


def test_people_asked_for_at_once_do_not_get_mixed_up(people: FakerPeople) -> None:
    alone = [people.account(seed, None, Currency.GBP) for seed in SEEDS]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda seed: people.account(seed, None, Currency.GBP), 8 * SEEDS))
    assert together == 8 * alone


def test_making_people_up_leaves_the_chance_of_others_alone(people: FakerPeople) -> None:
    random.seed("others")
    expected = random.random()  # noqa: S311  no secret
    random.seed("others")
    people.account("jane@doe.com", None, Currency.GBP)
    assert random.random() == expected  # noqa: S311  no secret
