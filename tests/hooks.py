"""A merchant's webhook receiver, as a program of its own: verifies as Banked's documentation says, and writes down.

It knows nothing of the simulator. Each message that verifies becomes a line of FILE: event, payment and delivery.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KEY = "a key that the shop made up"


class Hooks(BaseHTTPRequestHandler):
    """Answers as the path says: /status/503, /hang, /redirect, and 200 otherwise."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        timestamp, _, signature = self.headers["banked-signature"].partition(".")
        digest = hmac.new(KEY.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(digest, signature):
            told = json.loads(body)
            line = " ".join([told["webhook_event"], told["id"], self.headers["Simulator-Delivery"]])
            with Path(sys.argv[2]).open("a") as file:
                file.write(f"{line}\n")
            self._answer()
        else:
            self._reply(401)

    def _answer(self) -> None:
        match self.path.split("/")[1:]:
            case ["status", status]:
                self._reply(int(status))
            case ["hang"]:
                time.sleep(60)
            case ["redirect"]:
                self._reply(302, location="/followed")
            case _:
                self._reply(200)

    def do_GET(self) -> None:
        """Say that it is there."""
        self._reply(200)

    def _reply(self, status: int, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if location:
            self.send_header("Location", location)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 128
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Hooks).serve_forever()
