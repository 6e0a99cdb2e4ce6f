"""Serves the app with granian: one worker process that holds the whole simulation, or several that share a database."""

from __future__ import annotations

import errno
import gc
import logging
import os
import socket
import sys
import time
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from multiprocessing import Value, parent_process
from multiprocessing.connection import wait
from secrets import token_urlsafe
from threading import Thread
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from simulator.config import MEMORY, url_host

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

    from simulator.bridge import Bridge
    from simulator.config import Settings
    from simulator.domain.merchants import Merchant
    from simulator.service.simulation import Simulation

BRIEF = ("/v2/", "/oauth/")
"""The calls that take no longer than it takes to work them out, and to ask a database."""

_STOP_SECONDS = 3.0
_PARTING_SECONDS = 2.0
"""How long webhook messages that are under way may hold up the end of the server."""

_YOUNG_OBJECTS = 10_000


class CannotListen(Exception):
    """The address cannot be served; `str()` is the sentence that says why."""


def reserve(settings: Settings) -> tuple[Settings, socket.socket]:
    """Take the address, any free port for port 0, so that nobody but this process and its worker can listen there.

    Returns the settings with what they left open filled in, and what holds the address until it is closed.
    CannotListen when the address is taken, or none of this machine's.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as unknown:
        raise CannotListen(f"There is no host {settings.host!r} to listen on.") from unknown
    family, _, _, _, address = found[0]
    holder = socket.socket(family)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(address)
    except OSError as error:
        holder.close()
        if error.errno == errno.EADDRINUSE:
            sentence = f"Port {settings.port} is taken on {settings.host}: choose another, or 0 for any."
        else:
            sentence = f"The server cannot listen on {settings.host}: {error.strerror}."
        raise CannotListen(sentence) from error
    host, port = holder.getsockname()[:2]
    if sys.platform == "linux":
        # Only after the bind, so that it was exclusive: the worker may bind beside us, and nobody else may.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    else:
        holder.close()  # there granian binds in this process, not in the worker
    public_url = settings.public_url or f"http://{url_host(host)}:{port}"
    token = settings.admin_token or ("" if ip_address(host).is_loopback else token_urlsafe(24))
    return replace(settings, host=host, port=port, public_url=public_url, admin_token=token), holder


def serve(settings: Settings) -> None:
    """Serve on a reserved address until SIGTERM or Ctrl-C.

    Prints `ready <url>` once requests are answered, then how to make the first one.
    """
    server = Granian(
        "simulator",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        websockets=False,
        log_level=LogLevels.error,
        workers=settings.workers,
        respawn_failed_workers=settings.workers > 1,
        workers_kill_timeout=_STOP_SECONDS,  # type: ignore[arg-type]  # it only sleeps
    )
    missing = Value("i", settings.workers) if settings.workers > 1 else None
    server.serve(target_loader=partial(_load, settings, missing), wrap_loader=False)  # type: ignore[arg-type]  # RSGI objects too


def _load(settings: Settings, missing: Synchronized[int] | None) -> Bridge:
    """Build the app, in a worker, which alone needs the imports; the last one that was `missing` says it is ready."""
    from simulator.bootstrap import build_app  # noqa: PLC0415  as the docstring says
    from simulator.bridge import Bridge  # noqa: PLC0415  likewise
    from simulator.web.json import body_limit  # noqa: PLC0415  likewise

    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s", force=True)
    app, simulation = build_app(settings)
    merchants = tuple(simulation.configured.values())
    tune_garbage_collection()
    if missing is None or _is_last(missing):
        Thread(target=_announce, args=(settings, *merchants), daemon=True).start()
    Thread(target=_end_with_parent, daemon=True).start()
    shared = settings.workers > 1 or not settings.store.startswith((MEMORY, "sqlite:"))
    return Bridge(app.wsgi_app, BRIEF, body_limit, partial(_stop, simulation), shared=shared)


def _is_last(missing: Synchronized[int]) -> bool:
    with missing:
        missing.value -= 1
        return missing.value == 0


def _stop(simulation: Simulation) -> None:
    """End all that the simulation does by itself; say so when webhook messages are left behind."""
    left = simulation.stop(_PARTING_SECONDS)
    if left:
        logging.getLogger(__name__).warning("webhook messages that were not sent, or not answered: %d", left)


def _announce(settings: Settings, *merchants: Merchant) -> None:
    """Wait until the server accepts connections, then tell."""
    host = url_host(settings.host)
    while True:
        try:
            socket.create_connection((host.strip("[]"), settings.port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.002)
    from simulator.banner import banner  # noqa: PLC0415  only the worker needs it

    print(banner(f"http://{host}:{settings.port}", settings, *merchants), flush=True)  # noqa: T201  what the starter reads


def _end_with_parent() -> None:
    """Stop the worker when the process that started it is gone, however it went."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(0)


def tune_garbage_collection() -> None:
    """Keep what lives long out of the collector's way: it would look at all payments again and again.

    They have no cycles, so counting references frees them. What outlives a second look is frozen.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 5, 1_000)
    gc.callbacks.append(_freeze_survivors)


def _freeze_survivors(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] > 0:
        gc.freeze()
