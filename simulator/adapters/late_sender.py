"""The sender that is made with its first message: many simulators never send one, and all want to start fast."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from simulator.adapters.http_sender import HttpSender
    from simulator.domain.messages import Message, Reply


class LateSender:
    """Sends messages by HTTP."""

    def send(self, message: Message, gate: AbstractContextManager[bool]) -> Reply | None:
        """Send a message and return what came back, as HttpSender does."""
        return self._sender.send(message, gate)

    @cached_property
    def _sender(self) -> HttpSender:
        from simulator.adapters.http_sender import HttpSender  # noqa: PLC0415  this is what it is for

        return HttpSender()
