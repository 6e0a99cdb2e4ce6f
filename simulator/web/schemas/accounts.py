"""Bank accounts on the wire, in the forms of Q5."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from simulator.domain.accounts import Account, IdentifierType, is_iban
from simulator.web.schemas.fields import REQUIRED, Answer, Choice, Request, Text

_BAD_IDENTIFIER = {
    IdentifierType.SORT_CODE_ACCOUNT_NUMBER: "Must be 14 digits: the sort code, then the account number.",
    IdentifierType.IBAN: "Must be a valid IBAN, in capitals and without spaces.",
    IdentifierType.BSB_ACCOUNT_NUMBER: "Must be the 6 digits of the BSB, then an account number of 4 to 9 digits.",
}


_PAIRS = (("account_number", "sort_code"), ("account_identifier", "identifier_type"))


class NewAccount(Request):
    """An account by sort code and account number, or by identifier and its type."""

    name = Text(allow_none=True, load_default=None)
    account_number = Text(pattern=r"[0-9]{8}", rule="Must be 8 digits.", allow_none=True, load_default=None)
    sort_code = Text(pattern=r"[0-9]{6}", rule="Must be 6 digits, without hyphens.", allow_none=True, load_default=None)
    account_identifier = Text(allow_none=True, load_default=None)
    identifier_type = Choice(IdentifierType, allow_none=True, load_default=None)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def names_one_account(self, data: dict[str, Any], original: object, **_: Any) -> None:
        """Refuse half an account, an identifier that breaks its type's rule, and two forms that disagree."""
        if not isinstance(original, dict):
            return
        used = [pair for pair in _PAIRS if any(original.get(field) is not None for field in pair)] or _PAIRS[:1]
        broken = {field: [REQUIRED] for pair in used for field in pair if original.get(field) is None}
        kind, identifier = data.get("identifier_type"), data.get("account_identifier")
        if kind is not None and identifier is not None:
            if not _is_identifier(kind, identifier):
                broken["account_identifier"] = [_BAD_IDENTIFIER[kind]]
            elif len(used) > 1 and not broken and not account(data).is_same_as(Account.identified(kind, identifier)):
                broken["account_identifier"] = ["Must name the same account as account_number and sort_code."]
        if broken:
            raise ValidationError(broken)


class AccountAnswer(Answer):
    """What `account_answer` answers, for the API description."""

    optional = frozenset({"account_identifier", "account_number", "identifier_type", "sort_code"})

    account_identifier = fields.String()
    account_number = fields.String()
    identifier_type = fields.String(validate=validate.OneOf(tuple(IdentifierType)))
    name = fields.String(allow_none=True)
    sort_code = fields.String()


def account(data: dict[str, Any]) -> Account:
    """The account that a loaded `NewAccount` names."""
    name, number, sort_code = data.get("name"), data.get("account_number"), data.get("sort_code")
    kind, identifier = data.get("identifier_type"), data.get("account_identifier")
    if kind is not None and identifier is not None and number is None:
        return Account.identified(kind, identifier, name)
    return Account(name, number, sort_code, identifier, kind)


def account_answer(account: Account) -> dict[str, object]:
    """An account as it is answered: a UK one with its three keys, another with its identifier, a mixed one with all."""
    answer: dict[str, object] = {}
    if account.account_identifier is not None:
        answer["account_identifier"] = account.account_identifier
    if account.account_number is not None:
        answer["account_number"] = account.account_number
    if account.identifier_type is not None:
        answer["identifier_type"] = account.identifier_type
    answer["name"] = account.name
    if account.sort_code is not None:
        answer["sort_code"] = account.sort_code
    return answer


def _is_identifier(kind: IdentifierType, text: str) -> bool:
    match kind:
        case IdentifierType.SORT_CODE_ACCOUNT_NUMBER:
            return re.fullmatch("[0-9]{14}", text) is not None
        case IdentifierType.IBAN:
            return is_iban(text)
        case IdentifierType.BSB_ACCOUNT_NUMBER:
            return re.fullmatch("[0-9]{10,15}", text) is not None
