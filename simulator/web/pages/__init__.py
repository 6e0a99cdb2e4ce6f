"""The payer's pages: the hosted checkout, the mock bank, the form for a refund's details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import StrictUndefined

from simulator import __version__
from simulator.web.pages import bank, checkout, problems, refund_details, safety, visits, words

if TYPE_CHECKING:
    from flask import Flask

_ASSETS_AGE = 86_400


def furnish(app: Flask, secret: str) -> None:
    """Give `app` the pages, of which `secret` signs the cookies, and what they are made of under /assets."""
    app.secret_key = secret
    app.config.update(
        SESSION_COOKIE_NAME="simulator_visitor",
        SESSION_COOKIE_SAMESITE="Lax",
        SEND_FILE_MAX_AGE_DEFAULT=_ASSETS_AGE,
    )
    app.static_folder = "static"
    app.add_url_rule("/assets/<path:filename>", endpoint="static", view_func=app.send_static_file)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(version=__version__, form_token=safety.form_token)
    app.jinja_env.filters.update(money=words.money, moment=words.moment, exact=words.exact)
    app.before_request(safety.check)
    app.after_request(safety.harden)
    app.after_request(visits.finish)
    app.register_blueprint(checkout.routes)
    app.register_blueprint(bank.routes)
    app.register_blueprint(refund_details.routes)
    problems.register(app)
