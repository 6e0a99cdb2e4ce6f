"""E-mails on the wire, as a tester sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields

from simulator.domain.clock import iso
from simulator.web.letters import link, title
from simulator.web.schemas.fields import Answer, Text
from simulator.web.schemas.testers import Command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.emails import Email, Letter


class EmailsQuery(Command):
    """How many e-mails to list."""

    limit = Text(pattern="[1-9][0-9]{0,8}", rule="Must be a whole number, 1 or more.")


class LetterQuery(Command):
    """In which form to show an e-mail; without it, as the Accept header says."""

    form = Text(pattern="json|html|text", rule="Must be json, html or text.")


class CorrespondentView(Answer):
    """Who writes or is written to."""

    name = fields.String()
    email = fields.String()


class EmailView(Answer):
    """What `email_view` shows, for the API description."""

    id = fields.UUID()
    kind = fields.String()
    created_at = fields.DateTime()
    sender = fields.Nested(CorrespondentView, data_key="from")
    to = fields.Nested(CorrespondentView)
    title = fields.String(data_key="subject")
    payment_session_id = fields.UUID()
    refund_id = fields.UUID(allow_none=True)
    link = fields.Url(allow_none=True)


class LetterView(EmailView):
    """What `letter_view` shows, for the API description."""

    text = fields.String()
    html = fields.String()


class EmailsView(Answer):
    """A list of e-mails."""

    emails = fields.List(fields.Nested(EmailView))


def email_view(email: Email, public_url: str) -> dict[str, Any]:
    """An e-mail without its words."""
    return {
        "id": email.id,
        "kind": email.kind,
        "created_at": iso(email.created_at),
        "from": {"name": email.merchant_name, "email": email.merchant_email},
        "to": {"name": email.to.name, "email": email.to.email},
        "subject": title(email),
        "payment_session_id": email.payment.id,
        "refund_id": email.refund.id if email.refund else None,
        "link": link(email, public_url),
    }


def letter_view(email: Email, words: Letter, public_url: str) -> dict[str, Any]:
    """An e-mail with its words."""
    return {**email_view(email, public_url), "text": words.text, "html": words.html}


def emails_view(emails: Iterable[Email], public_url: str) -> dict[str, Any]:
    """A list of e-mails as it is shown."""
    return {"emails": [email_view(email, public_url) for email in emails]}
