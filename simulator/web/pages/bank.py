"""The mock bank: its customer logs in, chooses an account, and authorises or declines what a merchant asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, session, url_for

from simulator.domain.accounts import IdentifierType
from simulator.domain.errors import IllegalAction
from simulator.domain.states import PaymentState
from simulator.service.bank import BankService
from simulator.web import brands
from simulator.web.context import acting_merchant, call, calling_merchant, simulation
from simulator.web.pages import safety, visits
from simulator.web.pages.account_fields import TypedAccount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from werkzeug import Response

    from simulator.domain.accounts import Account
    from simulator.domain.payments import Payment
    from simulator.domain.providers import Provider
    from simulator.service.customers import CustomerAccount

    Answer = Response | str | tuple[str, int]

routes = Blueprint("bank", __name__, url_prefix="/bank/<id_>")

_ANOTHER = "another"
"""What the form sends instead of the place of an account in the list."""

_LOGINS, _REMEMBERED = "bank_logins", 16
"""Where a browser's cookie keeps for which payments it logged in at which bank, and how many of them."""

_LONGEST_NAME = 256
_NO_NAME = "Enter a user name; any will do."
_NO_ACCOUNT = "Choose one of your accounts."


@dataclass(frozen=True, slots=True)
class Choice:
    """The account that a customer chose: its place in the list, or what was typed; `wrong` if it is none of them."""

    place: str
    typed: TypedAccount
    wrong: str = ""

    @property
    def is_another(self) -> bool:
        """Whether the account was typed."""
        return self.place == _ANOTHER

    @property
    def is_wrong(self) -> bool:
        """Whether there is something to correct."""
        return bool(self.wrong or (self.is_another and self.typed.wrong))


@routes.before_request
def visit() -> None:
    """Find the merchant whose payment this is."""
    visits.begin("payment session")


@routes.before_request
def show_the_way() -> Response | None:
    """Lead away whoever has nothing to decide here: too early, too late, not logged in, or at another bank by now."""
    payment = _payment()
    if payment.state is PaymentState.AWAITING_PROVIDER:
        return redirect(f"/checkout/{payment.id}", 303)
    payment.check_authorisable()
    _, bank = _at_the_bank()
    of_another = request.method == "POST" and request.form.get("bank") != bank.id
    asked = request.endpoint in ("bank.login", "bank.log_in") or _is_logged_in(payment, bank)
    return _to("login") if of_another or not asked else None


@routes.errorhandler(IllegalAction)
def moved_on(_: IllegalAction) -> Response:
    """Show what has become of a payment that nobody can decide on any more."""
    return redirect(f"/checkout/{(request.view_args or {})['id_']}/result", 303)


@routes.get("")
def login(id_: str) -> Answer:  # noqa: ARG001  every page is about one
    """Ask who it is, unless that is known."""
    payment, bank = _at_the_bank()
    if _is_logged_in(payment, bank):
        return _to("consent")
    return _show("bank/login.html", wrong="")


@routes.post("")
def log_in(id_: str) -> Answer:
    """Let anybody in who has a name."""
    name = request.form.get("user_name", "").strip()
    if not 0 < len(name) <= _LONGEST_NAME:
        return _show("bank/login.html", wrong=_NO_NAME), 422
    _, bank = _at_the_bank()
    others = [each for each in session.get(_LOGINS, []) if each[0] != id_]
    session[_LOGINS] = [*others, [id_, bank.id]][-_REMEMBERED:]
    return _to("consent")


@routes.get("/consent")
def consent(id_: str) -> Answer:
    """Show what is to be authorised, and the accounts to pay from."""
    payment, bank = _at_the_bank()
    accounts = _bank().accounts(id_)
    typed = TypedAccount(bank.identifier_type)
    if _lists_accounts(bank):
        return _ask(accounts, Choice("0", typed))
    if payment.refund_id is not None:
        typed = TypedAccount.of(bank.identifier_type, accounts[0].account)
    return _ask(accounts, Choice(_ANOTHER, typed))


@routes.post("/authorise")
def authorise(id_: str) -> Answer:
    """Authorise the payment from the account chosen; by a button of the panel, with what that simulates."""
    _, bank = _at_the_bank()
    accounts = _bank().accounts(id_)
    scenario = request.form.get("scenario")
    choice = _choice(accounts, bank)
    unknown = choice.is_another and choice.typed.is_blank and scenario is not None
    if choice.is_wrong and not unknown:
        return _ask(accounts, choice), 422
    _bank().authorise(id_, scenario, None if unknown else _account(accounts, choice))
    return redirect(f"/checkout/{id_}/result", 303)


@routes.post("/decline")
def decline(id_: str) -> Answer:
    """Decline the payment."""
    _bank().decline(id_)
    return redirect(f"/checkout/{id_}/result", 303)


@routes.get("/authorise")
@routes.get("/decline")
def decide(id_: str) -> Answer:  # noqa: ARG001  every page is about one
    """Show the consent to whoever opens the address of a form that was sent back."""
    return _to("consent")


def _choice(accounts: Sequence[CustomerAccount], bank: Provider) -> Choice:
    """The account that the form names."""
    place = request.form.get("account", "") if _lists_accounts(bank) else _ANOTHER
    if place == _ANOTHER:
        return Choice(place, TypedAccount.read(bank.identifier_type, request.form))
    known = place in map(str, range(len(accounts)))
    return Choice(place, TypedAccount(bank.identifier_type), "" if known else _NO_ACCOUNT)


def _account(accounts: Sequence[CustomerAccount], choice: Choice) -> Account:
    if choice.is_another:
        return choice.typed.account(accounts[0].account.name)
    return accounts[int(choice.place)].account


def _ask(accounts: Sequence[CustomerAccount], choice: Choice) -> str:
    payment, bank = _at_the_bank()
    safety.allow_redirects_to([payment.request.success_url, payment.request.error_url])
    scenario, door = payment.chosen_scenario(calling_merchant().scenario)
    return _show(
        "bank/consent.html",
        accounts=accounts if _lists_accounts(bank) else (),
        choice=choice,
        scenarios=simulation().scenarios,
        scenario=scenario,
        door=door,
    )


def _show(template: str, **context: object) -> str:
    """A page of the bank about this payment."""
    payment, bank = _at_the_bank()
    return render_template(
        template,
        payment=payment,
        bank=bank,
        slug=brands.slug(bank.name),
        logo=brands.logo(bank.brand),
        merchant=calling_merchant(),
        **context,
    )


def _lists_accounts(bank: Provider) -> bool:
    """Whether a bank shows its customers their accounts; those in Australia ask for the number (facts 6)."""
    return bank.identifier_type is not IdentifierType.BSB_ACCOUNT_NUMBER


def _is_logged_in(payment: Payment, bank: Provider) -> bool:
    return [payment.id, bank.id] in session.get(_LOGINS, [])


def _at_the_bank() -> tuple[Payment, Provider]:
    """The payment, and the bank that was picked for it; IllegalAction when none was."""
    payment = _payment()
    if payment.provider is None:
        raise IllegalAction("payment session", payment.state, "be authorised", payment.actions)
    return payment, payment.provider


def _payment() -> Payment:
    return acting_merchant().payment((request.view_args or {})["id_"])[0]


def _bank() -> BankService:
    return BankService(simulation(), calling_merchant().key, call().cause)


def _to(endpoint: str) -> Response:
    """Go on to another page about the same payment."""
    return redirect(url_for(f"bank.{endpoint}", **(request.view_args or {})), 303)
