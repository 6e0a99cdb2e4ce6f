"""How a payment ended for its payer: the way back to the merchant, or a page of our own that tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, render_template, session

from simulator.domain.returns import Outcome, ReturnBehaviour, outcome, return_url
from simulator.service.deliveries import DeliveryService
from simulator.service.story import StoryService
from simulator.web.context import calling_merchant, simulation
from simulator.web.pages.matters import Matter

if TYPE_CHECKING:
    from werkzeug import Response

    from simulator.domain.payments import Payment

    Answer = Response | tuple[str, int]

_ARRIVALS = "arrivals"
_REMEMBERED = 8
"""How many arrivals at a merchant's URL a browser is asked to remember."""

_REASONS = {
    "AM04": "There is not enough money in the account.",
    "AC05": "The account is closed.",
    "AC02": "The bank does not know the account.",
    "AC13": "An account of this kind cannot be used for this.",
    "AG07": "The bank could not collect the money.",
    "MD16": "It was declined at the bank.",
}
_DECLINED = "It was declined at the bank."
_UNKNOWN = "The bank could not complete it."


def leave(payment: Payment, how: Outcome) -> Answer:
    """Take the payer to the merchant or, when there is no URL or this browser was there, show how it ended."""
    url = _return_url(payment, how)
    if url is not None and _arrives(payment, f"{payment.id} {how}"):
        return redirect(url, 303)
    return _show(payment, how, again=False)


def show_again(payment: Payment) -> Answer:
    """The page for whoever opens a payment that is out of their hands, unless they are to arrive at the shop twice."""
    how = outcome(payment) or Outcome.PENDING
    if f"{payment.id} {how}" in session.get(_ARRIVALS, []) and behaviour(payment) is ReturnBehaviour.TWICE:
        return leave(payment, how)
    return _show(payment, how, again=True)


def behaviour(payment: Payment) -> ReturnBehaviour:
    """What the way back is like."""
    return payment.returns or calling_merchant().return_behaviour


def is_held(payment: Payment) -> bool:
    """Whether the payer waits: for the bank or, if that is to come first, for the webhook."""
    if payment.is_under_way:
        return True
    messages = DeliveryService(simulation())
    is_late = behaviour(payment) is ReturnBehaviour.AFTER_WEBHOOK
    return is_late and messages.is_awaited(calling_merchant().key, payment.id)


def forget(payment_id: str) -> None:
    """Let the payer of this payment go back to the merchant once more."""
    session[_ARRIVALS] = [each for each in session.get(_ARRIVALS, []) if not each.startswith(payment_id)]


def way_out(payment: Payment) -> str | None:
    """Where a payer goes who does not wait for the bank."""
    return _return_url(payment, Outcome.PENDING)


def ways_back(payment: Payment) -> list[str]:
    """The merchant's URLs to which the forms of this payment's pages may lead."""
    return [url for how in Outcome if (url := _return_url(payment, how))]


def _return_url(payment: Payment, how: Outcome) -> str | None:
    return return_url(payment, how, calling_merchant().redirect_parameters)


def _arrives(payment: Payment, ending: str) -> bool:
    """Whether this browser may go to the merchant once more for `ending`; its cookie remembers the last ones."""
    arrivals = session.get(_ARRIVALS, [])
    if arrivals.count(ending) >= behaviour(payment).arrivals:
        return False
    session[_ARRIVALS] = [*arrivals, ending][-_REMEMBERED:]
    return True


def _show(payment: Payment, how: Outcome, *, again: bool) -> Answer:
    action, reason = _last_change(payment) if how is Outcome.FAILURE else ("", "")
    ending = "expired" if action == "expire" else how
    page = render_template(
        f"checkout/{ending}.html",
        matter=Matter(payment, calling_merchant()),
        payment=payment,
        back=_return_url(payment, how),
        again=again,
        because=_REASONS.get(reason, _DECLINED if action == "reject" else _UNKNOWN),
    )
    return page, 410 if ending == "expired" else 200


def _last_change(payment: Payment) -> tuple[str, str]:
    """What made a payment fail, and the code of the reason."""
    change = StoryService(simulation()).last_change(payment.id)
    return (change.data["action"], change.data.get("reason", "")) if change else ("", "")
