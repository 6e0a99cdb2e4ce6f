"""The sender of webhook messages, by HTTP; provisional."""

from __future__ import annotations

from time import perf_counter
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
        headers = {**dict(message.headers), "Content-Length": str(len(message.body))}
        try:
            answer = requests.post(
                message.url,
                data=_slowly(message) if message.pause else message.body,
                headers=headers,
                timeout=message.patience,
                allow_redirects=False,
                verify=message.verify_tls,
            )
        except Exception as failure:  # noqa: BLE001  whatever it was, it is told
            return Reply(error=str(failure), ms=_since(begun))
        return Reply(
            status=answer.status_code, headers=tuple(answer.headers.items()), body=answer.text, ms=_since(begun)
        )


def _slowly(message: Message) -> Iterator[bytes]:
    import time  # noqa: PLC0415  provisional

    half = len(message.body) // 2
    yield message.body[:half]
    time.sleep(message.pause)
    yield message.body[half:]


def _since(begun: float) -> float:
    return round((perf_counter() - begun) * 1000, 1)
