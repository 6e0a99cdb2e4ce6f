"""What a visitor is shown when something cannot be: always a page, in words, with the right status."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import render_template
from werkzeug.exceptions import HTTPException

from simulator.domain import errors
from simulator.web.errors import REFUSALS
from simulator.web.tracing import request_id

if TYPE_CHECKING:
    from flask import Flask

    Page = tuple[str, int, dict[str, str]]

_log = logging.getLogger(__name__)

_TITLES = {
    403: "Please start again",
    404: "There is nothing here",
    405: "This is not how it works",
    409: "This has moved on",
    413: "That is too much",
    422: "That is not possible",
    503: "Back in a moment",
}


def register(app: Flask) -> None:
    """Make every error of `app` a page."""
    app.register_error_handler(errors.Refusal, refused)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, bug)


def problem(status: int, sentence: str) -> Page:
    """The page that tells why something cannot be."""
    title = _TITLES.get(status, "Something went wrong")
    headers = {"Retry-After": "1"} if status == 503 else {}
    return render_template("problem.html", title=title, sentence=sentence), status, headers


def refused(refusal: errors.Refusal) -> Page:
    """The page for what the rules do not allow; what has moved on meanwhile is a conflict."""
    if isinstance(refusal, errors.NotFound):
        return problem(404, "This link leads nowhere. It may have been withdrawn: please ask whoever sent it to you.")
    status = 409 if isinstance(refusal, errors.IllegalAction) else REFUSALS[type(refusal)][0]
    return problem(status, str(refusal))


def http_error(error: HTTPException) -> Page:
    """The page for what HTTP itself refuses."""
    status = error.code or 500
    if status == 404:
        return problem(404, "There is no such page.")
    return problem(status, error.description or error.name)


def bug(error: Exception) -> Page:
    """The page for a mistake of our own, with the request id by which the log tells more."""
    _log.error("request %s failed", request_id(), exc_info=error)
    return problem(500, f"This is the simulator's own mistake; its log tells more about request {request_id()}.")
