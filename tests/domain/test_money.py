"""Money in print (facts 2.3, Q9)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.money import LARGEST_AMOUNT, Currency, formatted

repeatable = settings(deadline=None, derandomize=True, database=None)
amounts = st.integers(min_value=0, max_value=LARGEST_AMOUNT)
currencies = st.sampled_from(Currency)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (0, "GBP", "£0.00"),
        (1, "GBP", "£0.01"),
        (99, "GBP", "£0.99"),
        (400, "GBP", "£4.00"),
        (4_000, "GBP", "£40.00"),
        (99_999, "GBP", "£999.99"),
        (123_456, "GBP", "£1,234.56"),
        (100_000_000, "GBP", "£1,000,000.00"),
        (400, "EUR", "€4.00"),
        (400, "AUD", "$4.00"),
        (400, "USD", "$4.00"),
    ],
)
def test_money_is_printed_as_banked_prints_it(amount: int, currency: str, text: str) -> None:
    assert formatted(amount, Currency(currency)) == text


def test_the_currencies_are_those_banked_pays_in() -> None:
    assert set(Currency) == {"GBP", "EUR", "AUD", "USD"}


def test_the_largest_amount_is_what_javascript_counts_to() -> None:
    assert LARGEST_AMOUNT == 9_007_199_254_740_991


@repeatable
@given(amounts, currencies)
def test_the_amount_can_be_read_back_from_what_is_printed(amount: int, currency: Currency) -> None:
    assert int(re.sub(r"\D", "", formatted(amount, currency))) == amount


@repeatable
@given(amounts, currencies)
def test_whatever_is_printed_has_a_symbol_thousands_and_two_decimals(amount: int, currency: Currency) -> None:
    assert re.fullmatch(r"[£€$](0|[1-9]\d{0,2}(,\d{3})*)\.\d{2}", formatted(amount, currency))
