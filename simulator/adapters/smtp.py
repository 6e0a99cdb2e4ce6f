"""The post: hands e-mails to a mail server, by SMTP, in a thread of its own."""

from __future__ import annotations

import logging
from collections import deque
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from smtplib import SMTP, SMTPException
from threading import Condition, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulator.domain.emails import Email, Letter, Posting

_log = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds that a mail server has for each answer."""

ROOM = 1_000
"""How many e-mails may wait to be sent."""

_OWN_NAME = "localhost"
"""How the simulator greets a mail server; to look its real name up could take long."""


class SmtpPost:
    """Sends one e-mail after the other; what becomes of each is told, and stops no other.

    The thread begins with the first e-mail.
    """

    def __init__(self, host: str, port: int, *, patience: float = PATIENCE, room: int = ROOM) -> None:
        self._host, self._port, self._patience, self._room = host, port, patience, room
        self._waiting: deque[Posting] = deque()
        self._changed = Condition()
        self._thread: Thread | None = None
        self._stopped = False
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
        with self._changed:
            if self._stopped:
                return
            taken = len(self._waiting) < self._room
            if taken:
                self._waiting.append(posting)
                self._changed.notify()
            if self._thread is None:
                # A daemon, so that no server that hangs holds up the end of the process.
                self._thread = Thread(target=self._run, name="post", daemon=True)
                self._thread.start()
        if not taken:
            self._tell(posting, "Too many e-mails are waiting to be sent.")

    def stop(self) -> None:
        """Send nothing more, whatever is waiting; what is under way is not waited for."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify()

    def _run(self) -> None:
        while (posting := self._next()) is not None:
            try:
                self._carry(posting)
            except Exception:  # noqa: BLE001  whatever it was, the next must not wait
                _log.exception("what became of e-mail %s cannot be told", posting.email.id)

    def _next(self) -> Posting | None:
        """Wait for an e-mail; None when stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting)
            return None if self._stopped else self._waiting.popleft()

    def _carry(self, posting: Posting) -> None:
        if not self._is_due(posting):
            return
        try:
            message = _message(posting.email, self._write(posting.email))
            server = SMTP(self._host, self._port, _OWN_NAME, self._patience)
            try:
                server.send_message(message)
                with suppress(OSError, SMTPException):  # it has the message, however it says goodbye
                    server.quit()
            finally:
                server.close()
        except Exception as failure:  # noqa: BLE001  an e-mail or a server may be broken in any way
            _log.warning("e-mail %s failed: %r", posting.email.id, failure)
            self._tell(posting, f"{self._host}:{self._port}: {failure}")
        else:
            self._tell(posting, "")


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
