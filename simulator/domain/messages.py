"""Messages to webhook receivers: the exact bytes that are sent, what is wrong with them on purpose, and the reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simulator.domain.faults import SignatureTwist
from simulator.domain.signatures import SIGNATURE_HEADER, sign

DELIVERY_HEADER = "Simulator-Delivery"
"""The header with the id of the delivery, the same in each attempt."""

REPLY_LIMIT = 64 * 1024
"""How many bytes of a reply's body are read."""

_DIGEST_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request that is ready to be sent; its headers are all but Host, Accept, Connection and Content-Length.

    Connecting and replying may take `patience` seconds in all, beside the `pause` seconds that pass in the middle of
    the body. When it is `cut`, the connection ends there instead.
    """

    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    patience: float = 10.0
    verify_tls: bool = True
    pause: float = 0.0
    cut: bool = False
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a receiver answered within `ms` milliseconds, or the `error` because of which there is no whole answer.

    `body` is what was read of it as UTF-8, other bytes replaced.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    ms: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Twist:
    """What is wrong on purpose with a message.

    It says to be sent `shift` seconds later than it is; `change` is what becomes of its body before that is signed,
    `tamper` afterwards.
    """

    signature: SignatureTwist | None = None
    shift: int = 0
    content_type: str = "application/json"
    change: Callable[[bytes], bytes] | None = None
    tamper: Callable[[bytes], bytes] | None = None
    pause: float = 0.0
    cut: bool = False


SOUND = Twist()
"""Nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """All that a message is made of beside its body and its time: where it goes, and by whom it is signed.

    `sender` is the User-Agent, `delivery_id` what the receiver may know a repetition by.
    """

    url: str
    key: str
    sender: str
    delivery_id: str
    patience: float = 10.0
    verify_tls: bool = True

    def message(self, body: bytes, seconds: int, twist: Twist = SOUND) -> Message:
        """The message that carries `body`, signed at the Unix time `seconds`."""
        body = twist.change(body) if twist.change else body
        headers = [("Content-Type", twist.content_type), ("User-Agent", self.sender)]
        if twist.signature is not SignatureTwist.MISSING:
            headers.append((SIGNATURE_HEADER, self._signature(body, seconds + twist.shift, twist.signature)))
        headers.append((DELIVERY_HEADER, self.delivery_id))
        return Message(
            url=self.url,
            headers=tuple(headers),
            body=twist.tamper(body) if twist.tamper else body,
            patience=self.patience,
            verify_tls=self.verify_tls,
            pause=twist.pause,
            cut=twist.cut,
        )

    def _signature(self, body: bytes, seconds: int, twist: SignatureTwist | None) -> str:
        match twist:
            case SignatureTwist.WRONG:
                return f"{seconds}.{'0' * _DIGEST_LENGTH}"
            case SignatureTwist.OTHER_KEY:
                return sign(f"not {self.key}", seconds, body)
            case SignatureTwist.UPPER_CASE:
                return sign(self.key, seconds, body).upper()
            case _:
                return sign(self.key, seconds, body)
