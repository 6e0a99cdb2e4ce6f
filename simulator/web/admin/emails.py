"""/__admin/emails: what was sent to the payers."""

from __future__ import annotations

from flask import Blueprint, Response, request

from simulator.domain.emails import EMAILS_KEPT
from simulator.service.emails import EmailService
from simulator.service.tester import TesterService
from simulator.web.admin import guard
from simulator.web.context import call, simulation
from simulator.web.json import answer
from simulator.web.letters import letter
from simulator.web.openapi import operation
from simulator.web.schemas.emails import EmailsQuery, EmailsView, LetterQuery, LetterView, emails_view, letter_view

routes = Blueprint("emails", __name__)

_FORMS = {"application/json": "json", "text/html": "html", "text/plain": "text"}
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A letter is looked at, and its links are followed; it does nothing."""

_emails_query, _letter_query = EmailsQuery(), LetterQuery()


@routes.get("/merchants/<key>/emails")
@operation("List a merchant's e-mails, the newest first", query=EmailsQuery, answers={200: EmailsView, 404: None})
def list_(key: str) -> Response:
    """List the e-mails sent for a merchant, the newest first."""
    limit = int(_emails_query.load(request.args).get("limit", EMAILS_KEPT))
    merchant = TesterService(simulation()).merchant(key)
    return answer(emails_view(EmailService(simulation(), merchant.key).emails(limit), call().public_url))


@routes.get("/emails/<id_>")
@guard.open_to_links
@operation(
    "Show an e-mail as JSON, HTML or text",
    query=LetterQuery,
    answers={200: LetterView, 404: None},
    also=("text/html", "text/plain"),
)
def read(id_: str) -> Response:
    """Show an e-mail: as HTML to a browser, as text or JSON to whoever asks for it."""
    form = _letter_query.load(request.args).get("form") or _FORMS[_accepted()]
    email = EmailService(simulation(), simulation().owner("e-mail", id_)).email(id_)
    words = letter(email, call().public_url)
    match form:
        case "html":
            response = Response(words.html, content_type="text/html; charset=utf-8")
            response.headers["Content-Security-Policy"] = _POLICY
        case "text":
            response = Response(words.text, content_type="text/plain; charset=utf-8")
        case _:
            response = answer(letter_view(email, words, call().public_url))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.vary.add("Accept")
    return response


def _accepted() -> str:
    return request.accept_mimetypes.best_match(_FORMS, "application/json")
