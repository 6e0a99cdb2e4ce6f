"""/v2/bank_accounts (facts 5.2)."""

from __future__ import annotations

from flask import Blueprint, Response

from simulator.web.context import calling_merchant, simulation
from simulator.web.json import answer
from simulator.web.openapi import operation
from simulator.web.schemas.banks import BankAccountAnswer, linked_account_answer

routes = Blueprint("bank_accounts", __name__, url_prefix="/bank_accounts")


@routes.get("")
@operation("List the merchant's linked bank accounts", answers={200: [BankAccountAnswer]})
def list_() -> Response:
    """See on which accounts the merchant may be paid."""
    providers = simulation().providers
    accounts = calling_merchant().accounts
    return answer([linked_account_answer(linked, providers.find(linked.provider)) for linked in accounts])
