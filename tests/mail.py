"""A real mail server, and what it got."""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager
from email import message_from_bytes, policy
from queue import Queue
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage


class Inbox:
    """What a mail server got, and how it was greeted."""

    def __init__(self) -> None:
        self.messages: Queue[EmailMessage] = Queue()
        self.greeting = ""

    async def handle_DATA(self, _: object, session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        self.greeting = session.host_name
        self.messages.put(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


@contextmanager
def mail_server(inbox: Inbox) -> Iterator[int]:
    """Run a mail server, and give its port."""
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


def free_port() -> int:
    """A port on which nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port
