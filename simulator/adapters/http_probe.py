"""The probe: asks a receiver, by HTTP, for the state of a payment."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from simulator.domain.messages import REPLY_LIMIT, Reply

if TYPE_CHECKING:
    from requests import Response


class HttpProbe:
    """Gets what URLs tell."""

    def look(self, url: str, patience: float, *, verify_tls: bool) -> Reply:
        """Get what is at `url`, within `patience` seconds for each part of the answer; it never fails."""
        import requests  # noqa: PLC0415  costs start-up time

        begun = perf_counter()
        try:
            with (
                requests.Session() as session,
                session.get(url, timeout=patience, verify=verify_tls, allow_redirects=False, stream=True) as answer,
            ):
                body = _read(answer)
        except (requests.RequestException, ValueError) as failure:
            return Reply(error=str(failure), ms=_since(begun))
        return Reply(status=answer.status_code, headers=tuple(answer.headers.items()), body=body, ms=_since(begun))


def _read(answer: Response) -> str:
    """The first bytes of the body, as text."""
    body = bytearray()
    for piece in answer.iter_content(REPLY_LIMIT):
        body += piece
        if len(body) >= REPLY_LIMIT:
            break
    return body[:REPLY_LIMIT].decode(errors="replace")


def _since(begun: float) -> float:
    return round((perf_counter() - begun) * 1000, 1)
