"""E-mails in words: the text and the HTML that a mail program shows."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.domain.emails import Email, EmailKind, Letter
from simulator.domain.money import formatted
from simulator.web.context import refund_url

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def letter(email: Email, public_url: str) -> Letter:
    """What `email` says; its links start with `public_url`. The same e-mail says the same at any time."""
    told = {"payment": email.payment, "refund": email.refund, "link": link(email, public_url)}
    heading = title(email)
    text, html = (
        _environment().get_template(f"emails/{email.kind}.{form}").render(told, email=email, title=heading)
        for form in ("txt", "html")
    )
    return Letter(heading, text, html)


def title(email: Email) -> str:
    """What `email` says first, in one line."""
    match email.kind:
        case EmailKind.REFUND_DETAILS if email.refund is not None:
            sum_ = formatted(email.refund.amount, email.refund.currency)
            return _one_line(f"{email.merchant_name} would like to refund you {sum_}")
        case _:
            sum_ = formatted(email.payment.amount, email.payment.currency)
            return _one_line(f"Your payment of {sum_} to {email.merchant_name}")


def link(email: Email, public_url: str) -> str | None:
    """Where `email` asks its reader to go: the `url` of the refund, if it is about one."""
    return refund_url(email.refund.id, public_url) if email.refund else None


def _one_line(text: str) -> str:
    """A text without line breaks, so that no name looks like a line of the letter."""
    return " ".join(text.split())


def _finished(value: Any) -> Any:
    return _one_line(value) if isinstance(value, str) else value


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415  rarely needed

    from simulator.web.pages import words  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finished,
    )
    environment.filters.update(money=words.money, moment=words.moment, exact=words.exact)
    return environment
