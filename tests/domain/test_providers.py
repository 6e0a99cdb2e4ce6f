"""Providers: how a bank is found, and whether it can be chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.domain.errors import InvalidProvider
from simulator.domain.money import Currency
from simulator.domain.providers import Provider, Providers

MOCK_BANK = Provider(id="6b1f5d0a-01", name="Mock Bank", brand="Mock Bank", currencies=(Currency.GBP, Currency.USD))
MOCK_BANK_DIRECT = replace(MOCK_BANK, id="6b1f5d0a-02", name="Mock Bank Direct", shares_account=True)
CLOSED_BANK = replace(
    MOCK_BANK, id="6b1f5d0a-03", name="Closed Bank", currencies=(Currency.EUR,), unavailable_because="It is Sunday."
)
PROVIDERS = Providers([MOCK_BANK, MOCK_BANK_DIRECT, CLOSED_BANK])


@pytest.mark.parametrize("name_or_id", ["Mock Bank Direct", "mock bank direct", "MOCK BANK DIRECT", "6b1f5d0a-02"])
def test_a_bank_is_found_by_its_name_in_any_case_and_by_its_id(name_or_id: str) -> None:
    assert PROVIDERS.find(name_or_id) is MOCK_BANK_DIRECT


@pytest.mark.parametrize("name_or_id", ["", "Mock", "Mock Bank ", "6b1f5d0a"])
def test_part_of_a_name_finds_no_bank(name_or_id: str) -> None:
    with pytest.raises(InvalidProvider):
        PROVIDERS.find(name_or_id)


def test_asking_for_an_unknown_bank_tells_the_known_ones() -> None:
    with pytest.raises(InvalidProvider) as refused:
        PROVIDERS.find("Bank of Nowhere")
    assert (
        str(refused.value)
        == "There is no provider 'Bank of Nowhere'; known are: Mock Bank, Mock Bank Direct, Closed Bank."
    )
    assert refused.value.parameter == "provider"


def test_banks_are_listed_in_their_order_every_time() -> None:
    assert list(PROVIDERS) == list(PROVIDERS) == [MOCK_BANK, MOCK_BANK_DIRECT, CLOSED_BANK]


def test_a_bank_is_available_until_there_is_a_reason() -> None:
    assert MOCK_BANK.status == "AVAILABLE"
    assert CLOSED_BANK.status == "UNAVAILABLE"


def test_a_bank_that_works_accepts_customers() -> None:
    MOCK_BANK.accept_customer()


def test_a_bank_says_in_which_currency_it_does_not_pay() -> None:
    MOCK_BANK.accept_currency(Currency.USD)
    with pytest.raises(InvalidProvider, match=r"^Mock Bank does not pay in EUR\.$"):
        MOCK_BANK.accept_currency(Currency.EUR)


def test_an_unavailable_bank_says_why_it_cannot_be_chosen() -> None:
    with pytest.raises(InvalidProvider, match=r"^Closed Bank is unavailable: It is Sunday\.$"):
        CLOSED_BANK.accept_customer()


def test_the_usual_bank_is_the_first_that_works_and_pays_in_the_currency() -> None:
    others = Providers([CLOSED_BANK, MOCK_BANK_DIRECT, MOCK_BANK])
    assert others.usual(Currency.USD) is MOCK_BANK_DIRECT
    with pytest.raises(InvalidProvider, match=r"^No bank pays in EUR\.$"):
        others.usual(Currency.EUR)
