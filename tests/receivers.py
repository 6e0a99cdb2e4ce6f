"""Receivers of webhooks, in threads: a good one, and others that have each one classic bug."""

from __future__ import annotations

import hmac
import json
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

KEY = "the key of the shop"
LARGEST = 1024 * 1024
TOLERANCE = 300
FINAL = ("sent", "failed")


class Refused(Exception):
    """What is wrong with a message, as a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class GoodReceiver(BaseHTTPRequestHandler):
    """Verifies the raw body, then its age and type; knows each event again; never goes back; answers at once."""

    protocol_version = "HTTP/1.1"
    server_class: ClassVar[type[HTTPServer]] = ThreadingHTTPServer
    server: Any

    def do_POST(self) -> None:
        try:
            length = int(self.headers["Content-Length"])
            raw = self.read(length)
            self.verify(raw)
            self.check_type()
            self.take(json.loads(raw))
            self.answer(self.accepted())
        except Refused as refused:
            self.answer(refused.status)

    def do_GET(self) -> None:
        state = self.server.states.get(self.path.rpartition("/")[2], "unknown")
        self.answer(200, json.dumps({"state": state}).encode())

    def read(self, length: int) -> bytes:
        """The body; what is too much is read too, so that the sender comes to read the answer."""
        if length <= LARGEST:
            return self.rfile.read(length)
        while length > 0:
            length -= len(self.rfile.read(min(length, LARGEST)))
        raise Refused(413)

    def verify(self, raw: bytes) -> None:
        seconds, digest = self.signature()
        if not hmac.compare_digest(self.digest(seconds, self.signed(raw)), digest):
            raise Refused(401)
        self.check_age(seconds)

    def signature(self) -> tuple[str, str]:
        seconds, dot, digest = self.headers.get("banked-signature", "").partition(".")
        if not (dot and seconds.isdecimal() and digest.isascii()):
            raise Refused(401)
        return seconds, digest

    def digest(self, seconds: str, signed: bytes) -> str:
        return hmac.digest(KEY.encode(), seconds.encode() + b"." + signed, "sha256").hex()

    def signed(self, raw: bytes) -> bytes:
        """What should have been signed."""
        return raw

    def check_age(self, seconds: str) -> None:
        if abs(time.time() - int(seconds)) > TOLERANCE:
            raise Refused(401)

    def check_type(self) -> None:
        if self.headers.get_content_type() != "application/json":
            raise Refused(415)

    def take(self, event: dict[str, Any]) -> None:
        with self.server.lock:
            if self.server.states.get(event["id"]) not in FINAL:
                self.server.states[event["id"]] = event["state"]

    def accepted(self) -> int:
        return 200

    def answer(self, status: int, body: bytes = b"{}") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Trusting(GoodReceiver):
    """Verifies nothing."""

    def verify(self, raw: bytes) -> None:
        """Believe everything."""


class AcceptingUnsigned(GoodReceiver):
    """Verifies a signature only if there is one."""

    def verify(self, raw: bytes) -> None:
        if "banked-signature" in self.headers:
            super().verify(raw)


class Rewriting(GoodReceiver):
    """Verifies JSON that was parsed and written again, as Python does it by default."""

    def signed(self, raw: bytes) -> bytes:
        try:
            return json.dumps(json.loads(raw)).encode()
        except ValueError:
            raise Refused(400) from None


class RewritingCompactly(GoodReceiver):
    """Verifies JSON that was parsed and written again, as JavaScript does it."""

    def signed(self, raw: bytes) -> bytes:
        try:
            return json.dumps(json.loads(raw), ensure_ascii=False, separators=(",", ":")).encode()
        except ValueError:
            raise Refused(400) from None


class ParsingFirst(GoodReceiver):
    """Parses what it has not verified, and crashes if that is no JSON."""

    def verify(self, raw: bytes) -> None:
        try:
            json.loads(raw)["id"]
        except ValueError:
            raise Refused(500) from None
        super().verify(raw)


class CrashingWithoutFullStop(GoodReceiver):
    """Takes a signature apart that has no parts."""

    def signature(self) -> tuple[str, str]:
        try:
            seconds, digest = self.headers["banked-signature"].split(".")
        except ValueError:
            raise Refused(500) from None
        except AttributeError:
            raise Refused(401) from None
        return seconds, digest


class Ageless(GoodReceiver):
    """Takes messages of any age."""

    def check_age(self, seconds: str) -> None:
        """Find all ages right."""


class Hasty(Ageless, RewritingCompactly):
    """The one of the README: takes messages of any age, and verifies JSON that was written again."""


class Typeless(GoodReceiver):
    """Takes any content type."""

    def check_type(self) -> None:
        """Find all types right."""


class GoingBack(GoodReceiver):
    """Believes the latest event."""

    def take(self, event: dict[str, Any]) -> None:
        with self.server.lock:
            self.server.states[event["id"]] = event["state"]


class RefusingRepetitions(GoodReceiver):
    """Takes an event that it knows for an error."""

    def take(self, event: dict[str, Any]) -> None:
        if self.server.states.get(event["id"]) == event["state"]:
            raise Refused(409)
        super().take(event)


class Working(GoodReceiver):
    """Does its work, a long one, before it answers."""

    seconds = 1.5

    def take(self, event: dict[str, Any]) -> None:
        time.sleep(self.seconds)
        super().take(event)


class OneByOne(Working):
    """Does a short work before it answers, and serves nobody else meanwhile."""

    protocol_version = "HTTP/1.0"
    server_class = HTTPServer
    seconds = 0.15


class DroppingInBursts(GoodReceiver):
    """Hangs up on whoever comes while five others are served."""

    def do_POST(self) -> None:
        with self.server.lock:
            self.server.serving += 1
            crowded = self.server.serving > 5
        try:
            time.sleep(0.05)
            if crowded:
                self.close_connection = True
            else:
                super().do_POST()
        finally:
            with self.server.lock:
                self.server.serving -= 1


class ComparingBeginnings(GoodReceiver):
    """Compares as many digits as were given."""

    def verify(self, raw: bytes) -> None:
        seconds, digest = self.signature()
        if not self.digest(seconds, raw).startswith(digest):
            raise Refused(401)
        self.check_age(seconds)


class ComparingSome(GoodReceiver):
    """Compares some digits only."""

    def verify(self, raw: bytes) -> None:
        seconds, digest = self.signature()
        if self.digest(seconds, raw)[:16] != digest[:16]:
            raise Refused(401)
        self.check_age(seconds)


class SwallowedByLargeBodies(GoodReceiver):
    """Is of no use after a large body."""

    def do_POST(self) -> None:
        if self.server.broken:
            self.answer(503)
        elif int(self.headers["Content-Length"]) > LARGEST:
            self.server.broken = True
            self.close_connection = True
        else:
            super().do_POST()


class HangingUp(GoodReceiver):
    """Answers a body that is too large without reading it, so that its answer may be lost."""

    def read(self, length: int) -> bytes:
        if length > LARGEST:
            self.close_connection = True
            raise Refused(413)
        return super().read(length)


class Redirecting(GoodReceiver):
    """Sends everybody elsewhere, once they are verified."""

    def accepted(self) -> int:
        return 302


class _Hooks:
    """A server with what its handlers remember."""

    daemon_threads = True
    request_queue_size = 64


@contextmanager
def listening(kind: type[GoodReceiver]) -> Iterator[str]:
    """Let a receiver listen, and give its address."""

    class Server(_Hooks, kind.server_class):  # type: ignore[misc, name-defined]
        states: ClassVar[dict[str, str]] = {}
        lock = Lock()
        broken = False
        serving = 0

        def handle_error(self, request: socket.socket, client_address: object) -> None:
            """Let senders hang up."""

    with Server(("127.0.0.1", 0), kind) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
