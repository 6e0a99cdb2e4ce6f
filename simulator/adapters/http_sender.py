"""The sender of webhook messages, by HTTP; provisional."""

from __future__ import annotations

from time import perf_counter, sleep
from typing import TYPE_CHECKING

from simulator.domain.messages import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator.domain.messages import Message


class HttpSender:
    """Sends messages; provisional."""

    def send(self, message: Message, is_wanted: Callable[[], bool]) -> Reply | None:
        """Send a message and return what came back; it never fails."""
        import requests  # noqa: PLC0415  costs start-up time

        if not is_wanted():
            return None
        begun = perf_counter()
        try:
            answer = requests.post(
                message.url,
                data=_Slowly(message) if message.pause else message.body,
                headers=dict(message.headers),
                timeout=message.patience,
                allow_redirects=False,
                verify=message.verify_tls,
            )
        except Exception as failure:  # noqa: BLE001  whatever it was, it is told
            return Reply(error=str(failure), ms=_since(begun))
        return Reply(
            status=answer.status_code, headers=tuple(answer.headers.items()), body=answer.text, ms=_since(begun)
        )


class _Slowly:
    """The body of a message, with its pause in the middle."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def __len__(self) -> int:
        return len(self._message.body)

    def __iter__(self) -> Iterator[bytes]:
        half = len(self) // 2
        yield self._message.body[:half]
        sleep(self._message.pause)
        yield self._message.body[half:]


def _since(begun: float) -> float:
    return round((perf_counter() - begun) * 1000, 1)
