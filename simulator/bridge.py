"""Lets granian's event loop run the WSGI app: it awaits the bodies first, so that no slow sender stops others."""

from __future__ import annotations

import asyncio
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian.rsgi import ProtocolError  # type: ignore[attr-defined]  # meant to be imported from there

from simulator.web.json import BODY
from simulator.web.transport import IN_GOOD_HANDS, TRANSPORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]  # as above

    from simulator.web.transport import Transport

    Response = tuple[int, list[tuple[str, str]], bytes]

_THREADS = 256
"""How many calls may take their time at once."""

_LONG_TURN = 0.05
"""Seconds: many times as long as a call to a brief path takes that has to wait for nobody."""

_HEADER_NAMES = 1000
_NOT_ASCII = "\N{REPLACEMENT CHARACTER}".encode().decode("latin-1")
"""Stands for a header value that granian does not pass on; nothing that checks a value lets it through."""


class Bridge:
    """The RSGI application that answers as the WSGI application `app` does, its answers sent whole.

    A call to a path that starts with one of `brief` is answered in the event loop itself, which is fastest and one at
    a time; any other may take its time in a thread, and as long as one of those changes something, so may all others.
    Where they are `shared` with other processes, those to brief paths run in a thread one after the other.
    `body_limit` is the most bytes of a body that `app` has use for at a path. `stop` ends what they wait for.
    """

    def __init__(
        self,
        app: WSGIApplication,
        brief: tuple[str, ...],
        body_limit: Callable[[str], int],
        stop: Callable[[], None],
        *,
        shared: bool = False,
    ) -> None:
        self._app = app
        self._stop = stop
        self._brief = brief
        self._body_limit = body_limit
        self._threads = ThreadPoolExecutor(_THREADS, "call")
        self._changes = 0
        self._turn = asyncio.Semaphore(1) if shared else None

    def __rsgi_del__(self, _: object) -> None:
        """Let whoever waits go, for the server stops."""
        self._stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        try:
            body = await self._read(scope, protocol)
        except ProtocolError:
            return  # the caller has gone
        environ = _environ(scope, body or b"")
        if body is not None:
            environ[BODY] = body
        is_brief = scope.path.startswith(self._brief)
        if is_brief and self._turn is not None:
            response = await self._call_in_turn(environ, self._turn)
        elif is_brief and not self._changes:
            response = _call(self._app, environ)
        else:
            response = await self._call_in_thread(environ)
        if TRANSPORT in environ:
            await _send(response, environ[TRANSPORT], scope, protocol)
        else:
            protocol.response_bytes(*response)

    async def _call_in_thread(self, environ: WSGIEnvironment) -> Response:
        """Answer without holding up others; one that changes something may itself hold up who needs the same world."""
        changes = environ["REQUEST_METHOD"] not in ("GET", "HEAD")
        self._changes += changes
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, _call, self._app, environ)
        finally:
            self._changes -= changes

    async def _call_in_turn(self, environ: WSGIEnvironment, turn: asyncio.Semaphore) -> Response:
        """Answer in a thread, but one after the other: Python's threads, at work side by side, hold each other up.

        One that takes longer than usual waits for somebody elsewhere, and must not hold up those who need not.
        """
        loop, is_over = asyncio.get_running_loop(), False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                turn.release()

        await turn.acquire()
        early = loop.call_later(_LONG_TURN, end)
        try:
            return await loop.run_in_executor(self._threads, _call, self._app, environ)
        finally:
            early.cancel()
            end()

    async def _read(self, scope: Scope, protocol: HTTPProtocol) -> bytes | None:
        """The body; of one that is longer than the limit, only enough for `app` to see that, or nothing."""
        length, limit = scope.headers.get("content-length", ""), self._body_limit(scope.path)
        if length.isdecimal():
            return await protocol() if int(length) <= limit else None
        if "transfer-encoding" not in scope.headers:
            return b""
        body = bytearray()
        async for chunk in protocol:
            body += chunk
            if len(body) > limit:
                break
        return bytes(body)


def _call(app: WSGIApplication, environ: WSGIEnvironment) -> Response:
    status, headers = 500, list[tuple[str, str]]()

    def start_response(line: str, sent: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
        nonlocal status, headers
        status, headers = int(line[:3]), sent
        return _write

    chunks = app(environ, start_response)
    try:
        return status, headers, b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()


def _write(_: bytes) -> object:
    raise NotImplementedError("the app returns what it answers")


async def _send(response: Response, transport: Transport, scope: Scope, protocol: HTTPProtocol) -> None:
    """Answer in a special way; while one answer is held back, others are sent."""
    await asyncio.sleep(transport.delay)
    status, headers, body = response
    if transport.drop or transport.outdated():
        _disconnect(scope)
    elif transport.keep is not None:
        await protocol.response_stream(status, headers).send_bytes(body[: transport.keep])
    else:
        protocol.response_bytes(status, headers, body)


def _disconnect(scope: Scope) -> None:
    """Break the connection on which a request came: RSGI has no word for that, so look for its socket."""
    caller, (_, port) = _address(scope.client), _address(scope.server)
    for number in Path("/dev/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=int(number.name)) as found:
            try:
                if _end(found.getpeername()) == caller and found.getsockname()[1] == port:
                    found.shutdown(socket.SHUT_RDWR)
            finally:
                found.detach()  # it is granian's to close


def _address(text: str) -> tuple[str, int]:
    """The host and port in `host:port`, an IPv4 host as itself."""
    host, _, port = text.rpartition(":")
    return host.strip("[]").removeprefix("::ffff:"), int(port)


def _end(address: Any) -> tuple[str, int] | None:
    """The host and port of a socket's end; None for a socket without."""
    return (address[0].removeprefix("::ffff:"), address[1]) if isinstance(address, tuple) else None


_names: dict[str, str] = {}


def _environ(scope: Scope, body: bytes) -> WSGIEnvironment:
    host, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string.encode().decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        IN_GOOD_HANDS: True,
    }
    if scope.authority:
        environ["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        variable = _names.get(name) or _variable(name)
        environ[variable] = f"{environ[variable]},{value}" if variable in environ else value
    for name in scope.headers.keys():  # noqa: SIM118  no dictionary
        environ.setdefault(_names.get(name) or _variable(name), _NOT_ASCII)
    return environ


def _variable(name: str) -> str:
    """What the environment calls the header `name`."""
    variable = name.upper().replace("-", "_")
    if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        variable = f"HTTP_{variable}"
    if len(_names) < _HEADER_NAMES:
        _names[name] = variable
    return variable
