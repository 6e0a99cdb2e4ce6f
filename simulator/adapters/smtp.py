"""The post: hands e-mails to a mail server, by SMTP, in a thread of its own."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from smtplib import SMTP
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.domain.emails import Email, Letter, Posting

_log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a mail server has for each answer."""

ROOM = 1_000
"""How many e-mails may wait to be sent."""


class SmtpPost:
    """Sends one e-mail after the other; what becomes of each is told, and stops no other."""

    def __init__(self, host: str, port: int, *, patience: float = PATIENCE, room: int = ROOM) -> None:
        self._host, self._port, self._patience = host, port, patience
        self._room = BoundedSemaphore(room)
        self._worker = ThreadPoolExecutor(1, "post")
        self._write: Callable[[Email], Letter]
        self._is_due: Callable[[Posting], bool]
        self._tell: Callable[[Posting, str], None]

    def start(
        self,
        write: Callable[[Email], Letter],
        is_due: Callable[[Posting], bool],
        tell: Callable[[Posting, str], None],
    ) -> None:
        """Put e-mails in words by `write`, send those that are still due, and `tell` why one failed, if it did."""
        self._write, self._is_due, self._tell = write, is_due, tell

    def take(self, posting: Posting) -> None:
        """Send an e-mail, after those that were taken before."""
        if not self._room.acquire(blocking=False):
            self._tell(posting, "Too many e-mails are waiting to be sent.")
            return
        try:
            self._worker.submit(self._carry, posting)
        except RuntimeError:
            self._tell(posting, "The simulator is stopping.")

    def stop(self) -> None:
        """Send nothing more."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _carry(self, posting: Posting) -> None:
        email = posting.email
        try:
            if not self._is_due(posting):
                return
            with SMTP(self._host, self._port, timeout=self._patience) as server:
                server.send_message(_message(email, self._write(email)))
        except Exception as failure:  # noqa: BLE001  whatever it was, the next must not wait
            _log.warning("e-mail %s failed: %r", email.id, failure)
            self._tell(posting, f"{self._host}:{self._port}: {failure}")
        else:
            self._tell(posting, "")
        finally:
            self._room.release()


def _message(email: Email, letter: Letter) -> EmailMessage:
    """The e-mail as mail servers take it; ValueError when an address is none."""
    message = EmailMessage()
    message["Subject"] = _line(letter.title)
    message["From"] = Address(_line(email.merchant_name), addr_spec=email.merchant_email)
    message["To"] = Address(_line(email.to.name), addr_spec=email.to.email)
    message["Date"] = format_datetime(email.created_at)
    message["Message-ID"] = f"<{email.id}@simulator.invalid>"
    message.set_content(letter.text)
    message.add_alternative(letter.html, subtype="html")
    return message


def _line(text: str) -> str:
    """Text that cannot begin a header of its own."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
