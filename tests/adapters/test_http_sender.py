"""The sender: exact bytes out, guarded, and whatever comes back, within its time."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager, nullcontext, suppress
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from simulator.adapters.http_sender import HttpSender
from simulator.domain.messages import REPLY_LIMIT, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from simulator.domain.messages import Reply

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Twice: a\r\nX-Twice: b\r\n\r\nok"


class Server:
    """Takes one connection after the other, keeps what it reads, and does as it was told."""

    def __init__(self, listener: socket.socket, behave: Callable[[socket.socket], None]) -> None:
        self.port: int = listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.has_read = Event()
        self._listener = listener
        self._behave = behave
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                with suppress(OSError):
                    self._behave(connection)

    def reads(self, connection: socket.socket) -> bytes:
        """A whole request, or what comes of it before the connection ends."""
        data = b""
        while not _is_whole(data):
            some = connection.recv(65536)
            if not some:
                break
            data += some
        self.requests.append(data)
        self.has_read.set()
        return data


def _is_whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    [length] = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    return len(body) >= length


@contextmanager
def serving(answer: bytes | Callable[[socket.socket], None] = OK, host: str = "127.0.0.1") -> Iterator[Server]:
    """A server that reads a request and answers, or does what `answer` does with the connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen()
        server: Server

        def behave(connection: socket.socket) -> None:
            if callable(answer):
                answer(connection)
            else:
                server.reads(connection)
                connection.sendall(answer)

        server = Server(listener, behave)
        yield server
        listener.shutdown(socket.SHUT_RDWR)


def message(url: str, **fields: Any) -> Message:
    headers = (("Content-Type", "application/json"), ("banked-signature", "1.a"))
    return Message(**{"url": url, "headers": headers, "body": b'{"a":1}', "patience": 5.0, **fields})


def sends(url: str, sender: HttpSender | None = None, **fields: Any) -> Reply:
    reply = (sender or HttpSender()).send(message(url, **fields), nullcontext(True))
    assert reply is not None
    return reply


def leading_to(*addresses: str) -> HttpSender:
    """A sender for whom every name has these addresses."""

    def resolve(_: str, port: int, **__: Any) -> list[Any]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 0, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))
            for address in addresses
        ]

    return HttpSender(resolve)


def test_the_request_is_what_was_to_be_sent_to_the_byte() -> None:
    with serving() as server:
        sends(f"http://127.0.0.1:{server.port}/hooks?a=b%20c&d#fragment")
    assert server.requests == [
        b"POST /hooks?a=b%20c&d HTTP/1.1\r\n"
        b"Host: 127.0.0.1:" + str(server.port).encode() + b"\r\n"
        b"Content-Type: application/json\r\nbanked-signature: 1.a\r\n"
        b"Content-Length: 7\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        b'{"a":1}'
    ]


def test_a_url_of_any_letters_is_sent_as_urls_are() -> None:
    with serving() as server:
        reply = sends(f"http://bücher.example:{server.port}/hööks/%C3%A9?q=ü", leading_to("127.0.0.1"))
    assert (reply.status, reply.error) == (200, "")
    assert server.requests[0].startswith(b"POST /h%C3%B6%C3%B6ks/%C3%A9?q=%C3%BC HTTP/1.1\r\n")
    assert f"Host: xn--bcher-kva.example:{server.port}\r\n".encode() in server.requests[0]


def test_what_no_connection_can_carry_is_an_error() -> None:
    with serving() as server:
        reply = sends(f"http://127.0.0.1:{server.port}/", headers=(("X-Broken", "a\r\nb"),))
    assert (reply.status, reply.error.startswith("The connection to http://127.0.0.1:")) == (None, True)


def test_the_reply_is_told_as_it_came() -> None:
    with serving() as server:
        reply = sends(f"http://127.0.0.1:{server.port}")
    assert (reply.status, reply.body, reply.error) == (200, "ok", "")
    assert reply.headers == (("Content-Length", "2"), ("X-Twice", "a"), ("X-Twice", "b"))
    assert 0 < reply.ms < 5000


def test_a_redirection_is_not_followed() -> None:
    with serving(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n") as server:
        reply = sends(f"http://127.0.0.1:{server.port}/hooks")
    assert (reply.status, len(server.requests)) == (302, 1)


def test_chunks_and_what_comes_before_the_answer_are_understood() -> None:
    answer = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    with serving(answer) as server:
        reply = sends(f"http://127.0.0.1:{server.port}")
    assert (reply.status, reply.body, reply.error) == (200, "ok", "")


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    with serving(b"HTTP/1.1 200 OK\r\n\r\nall of it \xff") as server:
        reply = sends(f"http://127.0.0.1:{server.port}")
    assert (reply.body, reply.error) == ("all of it \N{REPLACEMENT CHARACTER}", "")


def test_no_more_is_read_than_is_kept() -> None:
    def endless(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with serving(endless) as server:
        reply = sends(f"http://127.0.0.1:{server.port}")
    assert (reply.status, len(reply.body), reply.error) == (200, REPLY_LIMIT, "")


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"", None, "The connection was closed before the answer was complete."),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", 200, "The connection was closed before the answer was"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", None, "The answer is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, None, "The answer is not HTTP"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer: bytes, status: int | None, error: str) -> None:
    with serving(answer) as server:
        reply = sends(f"http://127.0.0.1:{server.port}")
    assert reply.status == status
    assert reply.error.startswith(error)


def test_a_receiver_that_hangs_or_trickles_has_no_more_than_its_time() -> None:
    def trickle(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" * 100:
            connection.sendall(bytes([byte]))
            connection.settimeout(0.05)
            try:
                connection.recv(1)
            except TimeoutError:
                continue

    begun = monotonic()
    with serving(trickle) as server:
        reply = sends(f"http://127.0.0.1:{server.port}", patience=0.3)
    assert reply.error == "No whole answer within 0.3 s."
    assert 0.25 < monotonic() - begun < 3


def test_a_pause_in_the_middle_does_not_count() -> None:
    with serving() as server:
        begun = monotonic()
        reply = sends(f"http://127.0.0.1:{server.port}", pause=0.4, patience=0.3)
    assert (reply.status, reply.error) == (200, "")
    assert monotonic() - begun > 0.4
    assert server.requests[0].endswith(b'\r\n\r\n{"a":1}')


def test_a_message_is_cut_half_way() -> None:
    with serving() as server:
        reply = sends(f"http://127.0.0.1:{server.port}", cut=True)
        assert server.has_read.wait(5)
    assert (reply.status, reply.error) == (None, "The connection was cut half-way, on purpose.")
    assert server.requests[0].endswith(b'\r\n\r\n{"a')
    assert b"Content-Length: 7" in server.requests[0]


def test_who_refuses_a_huge_body_before_its_end_is_heard() -> None:
    def refuses(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    with serving(refuses) as server:
        reply = sends(f"http://127.0.0.1:{server.port}", body=b"x" * 10_000_000)
    assert (reply.status, reply.error) == (413, "")


def test_what_is_no_longer_wanted_once_connected_is_not_sent() -> None:
    with serving() as server:
        assert HttpSender().send(message(f"http://127.0.0.1:{server.port}"), nullcontext(False)) is None
        sends(f"http://127.0.0.1:{server.port}/second")
    assert [request.split()[1] for request in server.requests if request] == [b"/second"]


# Where it leads.


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",  # noqa: S104  never listened on
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::1",
        "64:ff9b::a9fe:a9fe",
        "::",
        "ff02::1",
    ],
)
def test_addresses_that_no_receiver_has_are_never_connected_to(address: str) -> None:
    reply = sends("http://shop.example/", leading_to(address))
    assert "is never sent to" in reply.error
    assert "is never sent to" in sends("http://shop.example/", leading_to("127.0.0.1", address)).error


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://2852039166/", "http://0xa9fea9fe/", "http://[fe80::1]/"]
)
def test_odd_spellings_lead_to_the_same_addresses(url: str) -> None:
    assert "is never sent to" in sends(url).error


def test_the_name_is_resolved_once_and_that_address_is_used() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]

    with serving() as server:
        reply = sends(f"http://shop.example:{server.port}/", HttpSender(resolve))
    assert (reply.status, asked) == (200, ["shop.example"])
    assert f"Host: shop.example:{server.port}".encode() in server.requests[0]


def test_the_next_address_is_tried_when_one_refuses() -> None:
    with serving() as server:
        assert sends(f"http://shop.example:{server.port}/", leading_to("127.0.0.2", "127.0.0.1")).status == 200


def test_ipv6_is_spoken() -> None:
    with serving(host="::1") as server:
        assert sends(f"http://[::1]:{server.port}/").status == 200
    assert f"Host: [::1]:{server.port}".encode() in server.requests[0]


def test_nobody_there_and_no_such_name_are_told() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert sends(f"http://127.0.0.1:{port}").error == f"Cannot connect to 127.0.0.1:{port}: connection refused."

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    assert sends("http://nowhere.example", HttpSender(unknown)).error == (
        "The name nowhere.example cannot be resolved."
    )


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http://", "/hooks", "http://127.0.0.1:99999/"])
def test_other_urls_are_refused(url: str) -> None:
    assert sends(url).error


def test_credentials_in_a_url_are_not_sent() -> None:
    with serving() as server:
        sends(f"http://user:secret@127.0.0.1:{server.port}/")
    assert b"secret" not in server.requests[0]


# TLS.


@contextmanager
def serving_tls(name: str) -> Iterator[tuple[Server, trustme.CA]]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)

    def behave(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            server.reads(secured)
            secured.sendall(OK)

    with serving(behave) as server:
        yield server, authority


def test_a_certificate_that_nobody_trusts_is_refused_unless_that_does_not_matter() -> None:
    with serving_tls("127.0.0.1") as (server, _):
        url = f"https://127.0.0.1:{server.port}/"
        assert sends(url).error.startswith("The certificate of 127.0.0.1 is not trusted: ")
        assert server.requests == []
        assert sends(url, verify_tls=False).status == 200


def test_the_certificate_is_that_of_the_name_and_not_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    create = ssl.create_default_context
    with serving_tls("shop.example") as (server, authority):

        def trusting() -> ssl.SSLContext:
            context = create()
            authority.configure_trust(context)
            return context

        from simulator.adapters import http_sender  # noqa: PLC0415  only here is it looked into

        http_sender._context.cache_clear()  # noqa: SLF001  the authorities are read once
        monkeypatch.setattr(ssl, "create_default_context", trusting)
        assert sends(f"https://shop.example:{server.port}/", leading_to("127.0.0.1")).status == 200
        assert "is not trusted" in sends(f"https://other.example:{server.port}/", leading_to("127.0.0.1")).error
        http_sender._context.cache_clear()  # noqa: SLF001  as above


def test_who_speaks_no_tls_is_told() -> None:
    with serving(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server:

        def plain(connection: socket.socket) -> None:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        server._behave = plain  # noqa: SLF001  it cannot wait for a whole request
        assert "does not speak TLS" in sends(f"https://127.0.0.1:{server.port}/").error
