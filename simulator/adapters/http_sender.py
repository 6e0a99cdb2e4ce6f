"""The sender: posts messages to webhook receivers by HTTP, guarded against where they lead and how they answer.

It is h11 on a socket of our own, because the address is to be the one that was looked at, the whole exchange is to
have one time limit, and a message may have to end half-way: no client of a higher level lets us have these.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

import h11

from simulator.domain.errors import Refusal
from simulator.domain.messages import REPLY_LIMIT, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from simulator.domain.messages import Message

_METADATA = frozenset(map(ip_address, ("100.100.100.200", "192.0.0.192", "fd00:ec2::254")))
"""Where clouds tell machines their secrets, beside the link-local addresses."""

_PORTS = {"http": 80, "https": 443}
_CHUNK = 64 * 1024
_AS_IT_IS = "/:@!$&'()*+,;=?%[]"
"""What needs no encoding in the path and the query of a URL, or is encoded already."""


class _FailedError(Exception):
    """No whole reply came; `str()` is the sentence that says why."""


class HttpSender:
    """Sends each message over a connection of its own; `resolve` finds the addresses of a name."""

    def __init__(self, resolve: Callable[..., Any] = socket.getaddrinfo) -> None:
        self._resolve = resolve

    def send(self, message: Message, gate: AbstractContextManager[bool]) -> Reply | None:
        """Send a message and return what came back, at most REPLY_LIMIT bytes of it; follow no redirection.

        None when the gate was closed once connected.
        """
        begun = perf_counter()
        deadline = _Deadline(message.patience)
        try:
            with self._connected(message, deadline) as connection:
                reply = _exchange(connection, message, deadline, gate)
        except Refusal:
            raise
        except _FailedError as failed:
            reply = Reply(error=str(failed))
        except TimeoutError:
            reply = Reply(error=f"No connection within {message.patience:g} s.")
        except Exception as failure:  # noqa: BLE001  a URL or a network may be broken in any way
            reply = Reply(error=f"The connection to {message.url} failed: {failure}.")
        return reply and replace(reply, ms=round((perf_counter() - begun) * 1000, 1))

    def _connected(self, message: Message, deadline: _Deadline) -> socket.socket:
        """A connection to where `message` goes."""
        url = urlsplit(message.url)
        if url.scheme not in _PORTS or not url.hostname:
            raise _FailedError("Only http and https URLs are sent to.")
        connection = self._dial(url, deadline)
        if url.scheme == "http":
            return connection
        try:
            return _secured(connection, url, verified=message.verify_tls)
        except BaseException:
            connection.close()
            raise

    def _dial(self, url: SplitResult, deadline: _Deadline) -> socket.socket:
        """A connection to the first address of a URL's host that takes one; all of them have to be allowed."""
        port = url.port or _PORTS[url.scheme]
        try:
            found = self._resolve(url.hostname, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as unknown:
            raise _FailedError(f"The name {url.hostname} cannot be resolved.") from unknown
        for *_, address in found:
            _check(str(address[0]))
        why: OSError | None = None
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(deadline.left())
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as failure:
                connection.close()
                why = failure
            else:
                return connection
        if isinstance(why, TimeoutError):
            raise why
        reason = (why.strerror or str(why)).lower() if why else "it has no address"
        raise _FailedError(f"Cannot connect to {url.hostname}:{port}: {reason}.")


class _Deadline:
    """The time by which all is to be over."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left; TimeoutError when there are none."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def pause(self, seconds: float) -> None:
        """Let some time pass that does not count."""
        sleep(seconds)
        self._end += seconds


def _check(address: str) -> None:
    """Refuse to send to where no receiver of webhooks is; loopback and private networks are where they are."""
    ip = _embedded(ip_address(address.partition("%")[0]))
    if ip.is_link_local or ip in _METADATA:
        raise _FailedError(f"The address {ip} is never sent to: machines tell their secrets there.")
    if ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_loopback):
        raise _FailedError(f"The address {ip} is never sent to: it is nobody's.")


def _embedded(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for, if it does for one."""
    if isinstance(ip, IPv4Address):
        return ip
    teredo = ip.teredo[1] if ip.teredo else None
    translated = IPv4Address(int(ip) & 0xFFFFFFFF) if ip.packed[:12] == _TRANSLATED else None
    return ip.ipv4_mapped or ip.sixtofour or teredo or translated or ip


_TRANSLATED = IPv6Address("64:ff9b::").packed[:12]
"""With what the addresses begin that stand for IPv4 addresses beyond a translator (RFC 6052)."""


def _secured(connection: socket.socket, url: SplitResult, *, verified: bool) -> socket.socket:
    """The connection once both sides speak TLS."""
    try:
        return _context(verified=verified).wrap_socket(connection, server_hostname=url.hostname)
    except ssl.SSLCertVerificationError as refused:
        raise _FailedError(f"The certificate of {url.hostname} is not trusted: {refused.verify_message}.") from refused
    except ssl.SSLError as failure:
        raise _FailedError(f"{url.netloc} does not speak TLS: {failure.reason}.") from failure


@cache
def _context(*, verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _exchange(
    connection: socket.socket, message: Message, deadline: _Deadline, gate: AbstractContextManager[bool]
) -> Reply | None:
    """Send `message` and read the reply; None, and nothing sent, when the gate is closed."""
    protocol = h11.Connection(h11.CLIENT)
    first, *others = _parts(protocol, message)
    try:
        connection.settimeout(deadline.left())
        with gate as is_open:
            if not is_open:
                return None
            begun = connection.send(first)  # what goes into the buffer of the socket; nobody waits for the receiver
        connection.sendall(first[begun:])
        for part in others:
            deadline.pause(message.pause)
            connection.settimeout(deadline.left())
            connection.sendall(part)
    except TimeoutError:
        return Reply(error=f"The message was not taken within {deadline.seconds:g} s.")
    except (BrokenPipeError, ConnectionResetError):
        reply = _reply(connection, protocol, deadline)  # it may have said why
        sentence = "The connection was closed before all of the message was sent."
        return reply if reply.status and not reply.error else replace(reply, error=sentence)
    if message.cut:
        return Reply(error="The connection was cut half-way, on purpose.")
    return _reply(connection, protocol, deadline)


def _parts(protocol: h11.Connection, message: Message) -> Iterator[bytes]:
    """The bytes of a request, in one piece, or in two with a pause in between, or only the first half of them."""
    url = urlsplit(message.url)
    headers = [("Host", _host(url)), *message.headers]
    if message.method != "GET":
        headers.append(("Content-Length", str(len(message.body))))
    headers += [("Accept", "*/*"), ("Connection", "close")]
    target = quote(url.path or "/", _AS_IT_IS) + (f"?{quote(url.query, _AS_IT_IS)}" if url.query else "")
    head = protocol.send(h11.Request(method=message.method, target=target, headers=headers))
    body = protocol.send(h11.Data(data=message.body)) + protocol.send(h11.EndOfMessage())
    middle = len(body) // 2
    if message.cut:
        yield head + body[:middle]
    elif message.pause:
        yield head + body[:middle]
        yield body[middle:]
    else:
        yield head + body


def _host(url: SplitResult) -> str:
    """The name of a URL's host, and its port if it tells one, as the Host header has them."""
    name = url.hostname or ""
    name = f"[{name}]" if ":" in name else name.encode("idna").decode()
    return name if url.port is None else f"{name}:{url.port}"


def _reply(connection: socket.socket, protocol: h11.Connection, deadline: _Deadline) -> Reply:
    """Read a reply as far as it is kept, or as far as it goes."""
    reply, body, error = Reply(), bytearray(), ""
    try:
        while len(body) < REPLY_LIMIT:
            event = protocol.next_event()
            if event is h11.NEED_DATA:
                connection.settimeout(deadline.left())
                protocol.receive_data(connection.recv(_CHUNK))
            elif isinstance(event, h11.Response):
                headers = tuple(
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()
                )
                reply = Reply(status=event.status_code, headers=headers)
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
    except TimeoutError:
        error = f"No whole answer within {deadline.seconds:g} s."
    except ConnectionResetError:
        error = "The connection was closed before the answer was complete."
    except h11.RemoteProtocolError as wrong:
        is_cut = protocol.trailing_data[1]
        error = (
            "The connection was closed before the answer was complete."
            if is_cut
            else f"The answer is not HTTP: {wrong}."
        )
    return replace(reply, body=body[:REPLY_LIMIT].decode(errors="replace"), error=error)
