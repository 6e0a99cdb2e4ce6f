"""The probe, asking real servers."""

from __future__ import annotations

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

from simulator.adapters.http_probe import HttpProbe
from simulator.domain.messages import REPLY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/elsewhere" else 200)
        self.send_header("Location", "/state")
        self.end_headers()
        self.wfile.write(b"x" * 2 * REPLY_LIMIT if self.path == "/much" else b'{"state":"sent\xff"}')

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def shop() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_probe_brings_what_is_told() -> None:
    with shop() as address:
        reply = HttpProbe().look(f"{address}/state", 2, verify_tls=True)
    assert (reply.status, reply.body, reply.error) == (200, '{"state":"sent\N{REPLACEMENT CHARACTER}"}', "")
    assert reply.ms > 0


def test_a_probe_follows_no_redirect_and_reads_no_more_than_it_must() -> None:
    with shop() as address:
        assert HttpProbe().look(f"{address}/elsewhere", 2, verify_tls=True).status == 302
        assert len(HttpProbe().look(f"{address}/much", 2, verify_tls=True).body) == REPLY_LIMIT


def test_a_probe_never_fails() -> None:
    for url in ("http://127.0.0.1:1/state", "http://[", "http://"):
        reply = HttpProbe().look(url, 0.5, verify_tls=True)
        assert reply.status is None
        assert reply.error
