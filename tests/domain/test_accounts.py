"""Bank accounts: their forms, and what is an IBAN (facts 2.1, Q5)."""

from __future__ import annotations

from string import ascii_uppercase, digits

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.domain.accounts import Account, IdentifierType, is_iban

UK = Account("Gerald Wiley", "12345678", "010203")
IBAN = Account.identified(IdentifierType.IBAN, "DE89370400440532013000")

repeatable = settings(deadline=None, derandomize=True, database=None)
countries = st.text(ascii_uppercase, min_size=2, max_size=2)
local_numbers = st.text(ascii_uppercase + digits, min_size=11, max_size=30)


def iban(country: str, local_number: str) -> str:
    """The IBAN of a local account number, its check digits made as ISO 13616 says: 98 less the remainder."""
    number = "".join(str(int(character, 36)) for character in f"{local_number}{country}00")
    return f"{country}{98 - int(number) % 97:02}{local_number}"


@pytest.mark.parametrize(
    "text",
    [
        "GB33BUKB20201555555555",
        "DE89370400440532013000",
        "FR1420041010050500013M02606",
        "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S",
        iban("XX", 11 * "1"),
        iban("XX", 30 * "1"),
    ],
)
def test_an_iban_is_recognised(text: str) -> None:
    assert is_iban(text)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("empty", ""),
        ("a digit is wrong", "DE89370400440532013001"),
        ("two digits are swapped", "DE89370400440532010300"),
        ("the check digits are wrong", "DE88370400440532013000"),
        ("small letters", "gb33bukb20201555555555"),
        ("one small letter", "GB33BUKb20201555555555"),
        ("spaces", "DE89 3704 0044 0532 0130 00"),
        ("a space after it", "DE89370400440532013000 "),
        ("too short", iban("XX", 10 * "1")),
        ("too long", iban("XX", 31 * "1")),
        ("a digit in the country", iban("1X", 11 * "1")),
        ("letters for check digits that leave the right remainder", "XXYX11111111111"),
        ("digits that are not ASCII", "DE89370400440532013٠٠٠"),  # noqa: RUF001  Arabic zeros
        ("a sort code and account number", "01020312345678"),
    ],
)
def test_what_only_looks_like_an_iban_is_not_one(why: str, text: str) -> None:
    assert not is_iban(text), why


@repeatable
@given(countries, local_numbers)
def test_whatever_has_the_right_check_digits_is_an_iban(country: str, local_number: str) -> None:
    assert is_iban(iban(country, local_number))


@repeatable
@given(countries, local_numbers, st.data())
def test_one_wrong_digit_is_always_noticed(country: str, local_number: str, data: st.DataObject) -> None:
    right = iban(country, local_number)
    place = data.draw(st.sampled_from([place for place, character in enumerate(right) if character in digits]))
    digit = data.draw(st.sampled_from(digits))
    assume(digit != right[place])
    assert not is_iban(right[:place] + digit + right[place + 1 :])


def test_a_uk_identifier_is_split_into_sort_code_and_account_number() -> None:
    account = Account.identified(IdentifierType.SORT_CODE_ACCOUNT_NUMBER, "01020312345678", "Gerald Wiley")
    assert (account.sort_code, account.account_number) == ("010203", "12345678")
    assert (account.account_identifier, account.identifier_type) == ("01020312345678", "SortCodeAccountNumber")
    assert account.name == "Gerald Wiley"


@pytest.mark.parametrize(
    ("identifier_type", "identifier"), [("IBAN", "DE89370400440532013000"), ("BSBAccountNumber", "11111412345678")]
)
def test_a_foreign_identifier_is_kept_whole(identifier_type: str, identifier: str) -> None:
    account = Account.identified(IdentifierType(identifier_type), identifier, "Jane Doe")
    assert account == Account(
        "Jane Doe", account_identifier=identifier, identifier_type=IdentifierType(identifier_type)
    )
    assert (account.sort_code, account.account_number) == (None, None)


@pytest.mark.parametrize(
    "other",
    [
        UK,
        Account("Somebody Else", "12345678", "010203"),
        Account(None, "12345678", "010203"),
        Account.identified(IdentifierType.SORT_CODE_ACCOUNT_NUMBER, "01020312345678"),
        Account(None, "12345678", "010203", "01020312345678", IdentifierType.SORT_CODE_ACCOUNT_NUMBER),
    ],
)
def test_an_account_is_the_same_whatever_its_form_and_its_holders_name(other: Account) -> None:
    assert UK.is_same_as(other)
    assert other.is_same_as(UK)


@pytest.mark.parametrize(
    "other",
    [
        Account("Gerald Wiley", "12345679", "010203"),
        Account("Gerald Wiley", "12345678", "010204"),
        Account.identified(IdentifierType.SORT_CODE_ACCOUNT_NUMBER, "01020312345679"),
        Account.identified(IdentifierType.BSB_ACCOUNT_NUMBER, "01020312345678"),
        IBAN,
    ],
)
def test_another_number_is_another_account_even_with_the_same_holder(other: Account) -> None:
    assert not UK.is_same_as(other)
    assert not other.is_same_as(UK)


def test_foreign_accounts_are_the_same_by_identifier_and_its_type() -> None:
    same = Account.identified(IdentifierType.IBAN, "DE89370400440532013000", "Jane Doe")
    other_number = Account.identified(IdentifierType.IBAN, "GB33BUKB20201555555555")
    other_type = Account.identified(IdentifierType.BSB_ACCOUNT_NUMBER, "DE89370400440532013000")
    assert IBAN.is_same_as(same)
    assert not IBAN.is_same_as(other_number)
    assert not IBAN.is_same_as(other_type)
