"""/__admin/payment_sessions: any payment session, what may happen to it, and what has."""

from __future__ import annotations

from flask import Blueprint, Response, request

from simulator.domain.errors import NotFound
from simulator.domain.states import PaymentAction
from simulator.service.story import StoryService
from simulator.service.tester import TesterService
from simulator.service.waiting import WaitService
from simulator.web.context import simulation
from simulator.web.json import answer, read_object, read_optional_object
from simulator.web.openapi import operation
from simulator.web.schemas.accounts import account
from simulator.web.schemas.testers import (
    ActionQuery,
    NewAction,
    NewAuthorisation,
    NewPay,
    NewScenario,
    WaitQuery,
    seconds,
)
from simulator.web.schemas.views import (
    EventsView,
    ExplanationView,
    PaymentView,
    events_view,
    explanation_view,
    payment_view,
)

routes = Blueprint("payment_sessions", __name__, url_prefix="/payment_sessions")

_new_action, _new_pay, _new_authorisation = NewAction(), NewPay(), NewAuthorisation()
_new_scenario, _action_query, _wait_query = NewScenario(), ActionQuery(), WaitQuery()


@routes.get("/<id_>")
@operation("Show a payment session, and what may happen to it", answers={200: PaymentView, 404: None})
def read(id_: str) -> Response:
    """Show a payment session, its bank, its refunds with their ids, and its legal next actions."""
    return answer(payment_view(TesterService(simulation()).payment(id_)))


@routes.post("/<id_>/actions/<action>")
@operation(
    "Make an action happen to a payment session",
    body=NewAction,
    query=ActionQuery,
    answers={200: PaymentView, 404: None, 409: None},
)
def act(id_: str, action: str) -> Response:
    """Make an action happen; `provider` is the bank for `choose_provider`, `force` does it in any state."""
    how = _new_action.load(read_optional_object())
    force = how["force"] or _action_query.load(request.args).get("force") == "true"
    return answer(payment_view(TesterService(simulation()).act(id_, _action(action), how["provider"], force=force)))


@routes.post("/<id_>/authorise")
@operation(
    "Authorise at the bank that was picked", body=NewAuthorisation, answers={200: PaymentView, 404: None, 409: None}
)
def authorise(id_: str) -> Response:
    """Let the payer, who is at the bank, authorise there: by the button of `scenario`, from `account`."""
    how = _new_authorisation.load(read_optional_object())
    payer_account = account(how["account"]) if how["account"] else None
    return answer(payment_view(TesterService(simulation()).authorise(id_, how["scenario"], payer_account)))


@routes.post("/<id_>/decline")
@operation("Decline at the bank that was picked", answers={200: PaymentView, 404: None, 409: None})
def decline(id_: str) -> Response:
    """Let the payer, who is at the bank, decline there."""
    return answer(payment_view(TesterService(simulation()).decline(id_)))


@routes.post("/<id_>/pay")
@operation("Walk the payer's whole path", body=NewPay, answers={200: PaymentView, 404: None, 409: None})
def pay(id_: str) -> Response:
    """Walk the payer's whole path: at `provider`, by the button of `scenario`, from `account`."""
    how = _new_pay.load(read_optional_object())
    payer_account = account(how["account"]) if how["account"] else None
    paid = TesterService(simulation()).pay(id_, how["provider"], how["scenario"], payer_account)
    return answer(payment_view(paid))


@routes.post("/<id_>/cancel")
@operation("Let the payer turn away", answers={200: PaymentView, 404: None, 409: None})
def cancel(id_: str) -> Response:
    """Let the payer turn away in the checkout, which leaves the session open."""
    return answer(payment_view(TesterService(simulation()).cancel(id_)))


@routes.post("/<id_>/next")
@operation("Take the next step of the scenario now", answers={200: PaymentView, 404: None, 409: None})
def take_next_step(id_: str) -> Response:
    """Let the bank take the next step of its scenario now."""
    return answer(payment_view(TesterService(simulation()).next_step(id_)))


@routes.put("/<id_>/scenario")
@operation("Choose what the bank will play", body=NewScenario, answers={200: PaymentView, 404: None})
def choose_scenario(id_: str) -> Response:
    """Say what the bank will play once the payer has authorised."""
    return answer(
        payment_view(TesterService(simulation()).choose_scenario(id_, _new_scenario.load(read_object())["scenario"]))
    )


@routes.get("/<id_>/timeline")
@operation("Tell the story of a payment in events", answers={200: EventsView, 404: None})
def show_timeline(id_: str) -> Response:
    """Tell the story of a payment in events, its refunds and their sessions included."""
    return answer(events_view(StoryService(simulation()).timeline(id_)))


@routes.get("/<id_>/explain")
@operation("Tell the story of a payment in words", answers={200: ExplanationView, 404: None})
def explain(id_: str) -> Response:
    """Tell in words how a payment came into its state, what it waits for, and what could be next."""
    return answer(explanation_view(StoryService(simulation()).explain(id_)))


@routes.get("/<id_>/wait")
@operation(
    "Wait until a payment is in a state", query=WaitQuery, answers={200: PaymentView, 404: None, 408: None, 409: None}
)
def wait(id_: str) -> Response:
    """Answer once a payment is as `until` says: a state, `final`, or `idle`."""
    query = _wait_query.load(request.args)
    return answer(payment_view(WaitService(simulation()).payment(id_, query["until"], seconds(query))))


def _action(name: str) -> PaymentAction:
    try:
        return PaymentAction(name)
    except ValueError:
        raise NotFound("action", name, known=tuple(PaymentAction)) from None
