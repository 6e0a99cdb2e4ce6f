"""The hosted checkout: the payer sees what is to be paid, says who they are, picks a bank, and comes back from it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from marshmallow import ValidationError

from simulator.config import is_loopback
from simulator.domain.errors import IllegalAction, InvalidProvider
from simulator.domain.payments import Payer
from simulator.domain.returns import outcome
from simulator.service.payer import PayerService
from simulator.web import brands
from simulator.web.context import acting_merchant, call, calling_merchant, payment_url, simulation
from simulator.web.pages import endings, safety, visits
from simulator.web.pages.matters import Matter
from simulator.web.schemas.payment_sessions import NewPayer

if TYPE_CHECKING:
    from flask import Response
    from werkzeug import Response as AnyResponse

    from simulator.domain.payments import Payment

    Answer = AnyResponse | str | tuple[str, int]

routes = Blueprint("checkout", __name__, url_prefix="/checkout/<id_>")

_new_payer = NewPayer()


@routes.before_request
def visit() -> None:
    """Find the merchant, who may show these pages in a frame of its own."""
    visits.begin("payment session")
    safety.allow_frame(calling_merchant().frame_origin)


@routes.errorhandler(IllegalAction)
def moved_on(_: IllegalAction) -> AnyResponse:
    """Show what is now to whoever posts a form of what was."""
    return _to("choose")


@routes.get("")
def choose(id_: str) -> Answer:
    """Show what is to be paid and the banks to pay by; of what is paid already, how it ended."""
    payment = _payment(id_)
    if payment.is_under_way:
        return _to("result")
    if payment.is_authorised:
        return endings.show_again(payment)
    return _bank_list(payment)


@routes.post("/provider")
def choose_provider(id_: str) -> Answer:
    """Pick a bank."""
    try:
        _payer().choose_shown_provider(id_, request.form.get("provider", ""))
    except InvalidProvider:
        return _bank_list(_payment(id_), "You cannot pay by that bank now. Please choose another one."), 422
    return _to("proceed")


@routes.get("/continue")
def proceed(id_: str) -> Answer:
    """Ask who pays, if that is not known, then show what happens next."""
    payment = _payment(id_)
    if payment.is_authorised or payment.provider is None:
        return _to("choose")
    if payment.request.payer is None:
        return _details({}, {})
    return _show("checkout/continue.html", payment, logo=brands.logo(payment.provider.brand))


@routes.post("/continue")
def go_on(id_: str) -> Answer:
    """Take down who pays, or take the payer to the bank."""
    payment = _payment(id_)
    if payment.is_authorised or payment.provider is None:
        return _to("choose")
    if payment.request.payer is None:
        return _introduce(id_)
    if "name" in request.form:  # somebody, in another tab, was quicker to say who pays
        return _to("proceed")
    return redirect(f"/bank/{id_}", 303)


@routes.post("/cancel")
def cancel(id_: str) -> AnyResponse:
    """Turn away."""
    _payer().cancel(id_)
    endings.forget(id_)
    return _to("result")


@routes.get("/result")
def result(id_: str) -> Answer:
    """Let the payer wait for the bank, then go back to the merchant, or see here how it ended."""
    payment = _payment(id_)
    if endings.is_held(payment):
        if "again" in request.args:
            visits.forget()
        return _show("checkout/wait.html", payment, without_waiting=endings.way_out(payment))
    how = outcome(payment)
    return endings.leave(payment, how) if how is not None else _to("choose")


@routes.get("/progress")
def progress(id_: str) -> Response:
    """Tell the waiting page whether there is still something to wait for."""
    visits.forget()
    return jsonify(under_way=endings.is_held(_payment(id_)))


def _introduce(id_: str) -> Answer:
    given = {field: request.form.get(field, "").strip() for field in ("name", "email")}
    try:
        payer = Payer(**_new_payer.load(given))
    except ValidationError as broken:
        return _details(given, broken.messages_dict), 422
    _payer().introduce(id_, payer)
    return _to("proceed")


def _details(given: dict[str, str], wrong: dict[str, Any]) -> str:
    payment = _payment((request.view_args or {})["id_"])
    return _show("checkout/details.html", payment, given=given, wrong=wrong)


def _bank_list(payment: Payment, wrong: str = "") -> str:
    known = [bank for bank in simulation().providers if payment.currency in bank.currencies]
    search = request.args.get("search", "")[:64] if len(known) >= brands.SEARCHABLE else ""
    return _show(
        "checkout/banks.html",
        payment,
        brands=brands.by_brand(known, search),
        search=search,
        searchable=len(known) >= brands.SEARCHABLE,
        slug=brands.slug,
        qr=_qr(payment_url(payment.id)),
        is_for_phones=not is_loopback(call().public_url),
        wrong=wrong,
    )


@lru_cache(maxsize=256)
def _qr(url: str) -> str:
    """A data URI of the QR code of `url`; the mask is given, because to find the best takes four times as long."""
    import segno  # noqa: PLC0415  costs start-up time

    return segno.make(url, error="l", mask=3, micro=False).svg_data_uri(border=3, light="#fff", omitsize=True)


def _show(template: str, payment: Payment, **context: Any) -> str:
    """A page about `payment`, whose forms may lead back to the merchant."""
    safety.allow_redirects_to(endings.ways_back(payment))
    return render_template(template, matter=Matter(payment, calling_merchant()), payment=payment, **context)


def _payment(id_: str) -> Payment:
    return acting_merchant().payment(id_)[0]


def _payer() -> PayerService:
    return PayerService(simulation(), calling_merchant().key, call().cause)


def _to(endpoint: str) -> AnyResponse:
    """Go on to another page about the same payment."""
    return redirect(url_for(f"checkout.{endpoint}", **(request.view_args or {})), 303)
