"""E-mails in words: the text and the HTML that a mail program shows."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.domain.emails import Email, EmailKind, Letter
from simulator.domain.money import formatted

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES = Path(__file__).parent / "templates"


def letter(email: Email, public_url: str) -> Letter:
    """What `email` says; its links start with `public_url`. The same e-mail says the same at any time."""
    title = _title(email)
    text, html = (
        _environment()
        .get_template(f"emails/{email.kind}.{form}")
        .render(email=email, payment=email.payment, refund=email.refund, title=title, public_url=public_url)
        for form in ("txt", "html")
    )
    return Letter(title, text, html)


def _title(email: Email) -> str:
    match email.kind:
        case EmailKind.REFUND_DETAILS if email.refund is not None:
            sum_ = formatted(email.refund.amount, email.refund.currency)
            return f"{email.merchant_name} would like to refund you {sum_}"
        case _:
            sum_ = formatted(email.payment.amount, email.payment.currency)
            return f"Your payment of {sum_} to {email.merchant_name}"


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
    )
    environment.filters.update(money=words.money, moment=words.moment, exact=words.exact)
    return environment
