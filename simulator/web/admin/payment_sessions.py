"""/__admin/payment_sessions: any payment session, what may happen to it, and what has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from simulator.domain.errors import NotFound
from simulator.domain.states import PaymentAction
from simulator.service.story import StoryService
from simulator.service.tester import TesterService
from simulator.service.waiting import WaitService
from simulator.web.admin.refunds import refund_view
from simulator.web.context import simulation
from simulator.web.json import answer, read_object, read_optional_object
from simulator.web.schemas.accounts import account
from simulator.web.schemas.payment_sessions import payment_answer
from simulator.web.schemas.testers import (
    NewAction,
    NewPay,
    NewScenario,
    WaitQuery,
    event_answer,
    seconds,
    timer_answer,
)

if TYPE_CHECKING:
    from simulator.service.merchant import PaymentWithRefunds

routes = Blueprint("payment_sessions", __name__, url_prefix="/payment_sessions")

_new_action, _new_pay, _new_scenario, _wait_query = NewAction(), NewPay(), NewScenario(), WaitQuery()


@routes.get("/<id_>")
def read(id_: str) -> Response:
    """Show a payment session, its bank, its refunds with their ids, and its legal next actions."""
    return answer(_view(TesterService(simulation()).payment(id_)))


@routes.post("/<id_>/actions/<action>")
def act(id_: str, action: str) -> Response:
    """Make an action happen; `provider` is the bank for `choose_provider`, `force` does it in any state."""
    how = _new_action.load(read_optional_object())
    force = how["force"] or request.args.get("force", "").lower() in ("true", "1", "yes")
    return answer(_view(TesterService(simulation()).act(id_, _action(action), how["provider"], force=force)))


@routes.post("/<id_>/pay")
def pay(id_: str) -> Response:
    """Walk the payer's whole path: at `provider`, by the button of `scenario`, from `account`."""
    how = _new_pay.load(read_optional_object())
    payer_account = account(how["account"]) if how["account"] else None
    paid = TesterService(simulation()).pay(id_, how["provider"], how["scenario"], payer_account)
    return answer(_view(paid))


@routes.post("/<id_>/next")
def take_next_step(id_: str) -> Response:
    """Let the bank take the next step of its scenario now."""
    return answer(_view(TesterService(simulation()).next_step(id_)))


@routes.put("/<id_>/scenario")
def choose_scenario(id_: str) -> Response:
    """Say what the bank will play once the payer has authorised."""
    return answer(
        _view(TesterService(simulation()).choose_scenario(id_, _new_scenario.load(read_object())["scenario"]))
    )


@routes.get("/<id_>/timeline")
def show_timeline(id_: str) -> Response:
    """Tell the story of a payment in events, its refunds and their sessions included."""
    return answer({"events": [event_answer(event) for event in StoryService(simulation()).timeline(id_)]})


@routes.get("/<id_>/explain")
def explain(id_: str) -> Response:
    """Tell in words how a payment came into its state, what it waits for, and what could be next."""
    told = StoryService(simulation()).explain(id_)
    return answer(
        {
            "state": told.payment.state,
            "history": told.history,
            "pending": told.pending,
            "due": [timer_answer(timer) for timer in told.due],
            "actions": told.payment.actions,
        }
    )


@routes.get("/<id_>/wait")
def wait(id_: str) -> Response:
    """Answer once a payment is as `until` says: a state, `final`, or `idle`."""
    query = _wait_query.load(request.args)
    return answer(_view(WaitService(simulation()).payment(id_, query["until"], seconds(query))))


def _action(name: str) -> PaymentAction:
    try:
        return PaymentAction(name)
    except ValueError:
        raise NotFound("action", name, known=tuple(PaymentAction)) from None


def _view(paid: PaymentWithRefunds) -> dict[str, Any]:
    payment, refunds = paid
    return {
        "payment_session": payment_answer(payment, refunds),
        "provider": payment.provider.name if payment.provider else None,
        "refunds": [refund_view(refund) for refund in refunds],
        "actions": payment.actions,
        "playing": payment.play.scenario.name if payment.play else None,
    }
