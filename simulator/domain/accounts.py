"""Bank accounts, in the forms by which Banked names them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class IdentifierType(StrEnum):
    """How `account_identifier` names an account (facts 2.1, Q5)."""

    SORT_CODE_ACCOUNT_NUMBER = "SortCodeAccountNumber"
    IBAN = "IBAN"
    BSB_ACCOUNT_NUMBER = "BSBAccountNumber"


_SORT_CODE_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's account: a sort code and account number, or an identifier and its type, or (UK) both."""

    name: str | None = None
    account_number: str | None = None
    sort_code: str | None = None
    account_identifier: str | None = None
    identifier_type: IdentifierType | None = None

    @classmethod
    def identified(cls, identifier_type: IdentifierType, identifier: str, name: str | None = None) -> Account:
        """The account that `identifier` names; a UK one has its sort code and account number filled in (Q5)."""
        if identifier_type is IdentifierType.SORT_CODE_ACCOUNT_NUMBER:
            sort_code, account_number = identifier[:_SORT_CODE_LENGTH], identifier[_SORT_CODE_LENGTH:]
            return cls(name, account_number, sort_code, identifier, identifier_type)
        return cls(name, account_identifier=identifier, identifier_type=identifier_type)

    def is_same_as(self, other: Account) -> bool:
        """Whether both name one account, whatever the form and the holder's name."""
        return self._number == other._number

    @property
    def sort_code_and_number(self) -> tuple[str, str] | None:
        """The sort code or BSB, and the account number there; None for an account named in another way."""
        if self.sort_code is not None and self.account_number is not None:
            return self.sort_code, self.account_number
        if self.identifier_type is IdentifierType.BSB_ACCOUNT_NUMBER and self.account_identifier is not None:
            return self.account_identifier[:_SORT_CODE_LENGTH], self.account_identifier[_SORT_CODE_LENGTH:]
        return None

    @property
    def ending(self) -> str:
        """The last four characters of its number, by which people know it again."""
        return (self._number[1] or "")[-4:]

    @property
    def _number(self) -> tuple[str | None, str | None]:
        if self.account_number is not None:
            return self.sort_code, self.account_number
        return self.identifier_type, self.account_identifier


def is_iban(text: str) -> bool:
    """Whether `text` is an IBAN: country, two check digits, 11 to 30 letters or digits, remainder 1 (ISO 13616)."""
    if not (15 <= len(text) <= 34 and text.isascii() and text.isalnum() and text.isupper()):
        return False
    if not (text[:2].isalpha() and text[2:4].isdigit() and "02" <= text[2:4] <= "98"):
        return False
    digits = "".join(str(int(character, 36)) for character in text[4:] + text[:4])
    return int(digits) % 97 == 1
