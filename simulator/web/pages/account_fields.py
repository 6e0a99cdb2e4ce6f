"""The fields in which people type a bank account, as each country does, and what is wrong with what they typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulator.domain.accounts import Account, IdentifierType
from simulator.domain.money import Currency
from simulator.web.schemas.accounts import NewAccount, account

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEPARATORS = re.compile(r"[\s\u2010-\u2015\u2212-]+")
"""The spaces and dashes with which people break up numbers."""

_new_account = NewAccount()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form: `wrong` is what to say of anything that it cannot be."""

    name: str
    label: str
    hint: str
    wrong: str
    digits: bool = True


_SORT_CODE, _BRITISH_NUMBER = "sort_code", "account_number"
_BSB, _AUSTRALIAN_NUMBER = "bsb", "account_number"
_IBAN = "iban"

FIELDS: Mapping[IdentifierType, tuple[Field, ...]] = {
    IdentifierType.SORT_CODE_ACCOUNT_NUMBER: (
        Field(_SORT_CODE, "Sort code", "6 digits, such as 01-02-03", "Enter a sort code of 6 digits."),
        Field(_BRITISH_NUMBER, "Account number", "8 digits", "Enter an account number of 8 digits."),
    ),
    IdentifierType.BSB_ACCOUNT_NUMBER: (
        Field(_BSB, "BSB", "6 digits, such as 012-003", "Enter a BSB of 6 digits."),
        Field(_AUSTRALIAN_NUMBER, "Account number", "4 to 9 digits", "Enter an account number of 4 to 9 digits."),
    ),
    IdentifierType.IBAN: (
        Field(
            _IBAN,
            "IBAN",
            "Such as DE89 3704 0044 0532 0130 00",
            "Enter a valid IBAN: a letter or digit is wrong or missing.",
            digits=False,
        ),
    ),
}

USUAL: Mapping[Currency, IdentifierType] = {
    Currency.GBP: IdentifierType.SORT_CODE_ACCOUNT_NUMBER,
    Currency.EUR: IdentifierType.IBAN,
    Currency.AUD: IdentifierType.BSB_ACCOUNT_NUMBER,
    Currency.USD: IdentifierType.SORT_CODE_ACCOUNT_NUMBER,
}
"""How an account in a currency is usually named; US dollars go to accounts as in Britain."""


@dataclass(frozen=True, slots=True)
class TypedAccount:
    """An account as somebody typed it: the texts by the names of their fields, and what is wrong with them."""

    kind: IdentifierType
    texts: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, kind: IdentifierType, form: Mapping[str, str]) -> TypedAccount:
        """What was typed in the fields of `kind`."""
        texts = {each.name: form.get(each.name, "").strip() for each in FIELDS[kind]}
        faults = _faults(kind, _compact(texts))
        return cls(kind, texts, {each.name: each.wrong for each in FIELDS[kind] if each.name in faults})

    @classmethod
    def of(cls, kind: IdentifierType, known: Account) -> TypedAccount:
        """The account as its owner would type it; nothing when it is named in another way."""
        pair = known.sort_code_and_number
        if kind is IdentifierType.IBAN or pair is None:
            return cls(kind)
        return cls(kind, dict(zip((each.name for each in FIELDS[kind]), pair, strict=True)))

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields in which it is typed."""
        return FIELDS[self.kind]

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed."""
        return not any(self.texts.values())

    def account(self, name: str | None) -> Account:
        """The account, held by `name`; only when nothing is wrong with it."""
        return account(_new_account.load({"name": name, **_body(self.kind, _compact(self.texts))}))


def _faults(kind: IdentifierType, texts: Mapping[str, str]) -> set[str]:
    """The names of the fields that break the rules of the API."""
    if kind is IdentifierType.IBAN:
        return {_IBAN} if _new_account.validate(_body(kind, texts)) else set()
    if kind is IdentifierType.SORT_CODE_ACCOUNT_NUMBER:
        return set(_new_account.validate(_body(kind, texts)))
    sound = {_BSB: "000000", _AUSTRALIAN_NUMBER: "0000"}
    faults = {name for name in sound if _new_account.validate(_body(kind, {**sound, name: texts[name]}))}
    return faults | ({_BSB} if len(texts[_BSB]) != len(sound[_BSB]) else set())


def _body(kind: IdentifierType, texts: Mapping[str, str]) -> dict[str, str]:
    """The account in the form of the API."""
    if kind is IdentifierType.SORT_CODE_ACCOUNT_NUMBER:
        return dict(texts)
    return {"account_identifier": "".join(texts[each.name] for each in FIELDS[kind]), "identifier_type": kind}


def _compact(texts: Mapping[str, str]) -> dict[str, str]:
    return {name: _SEPARATORS.sub("", text).upper() for name, text in texts.items()}
