"""The settings: what they are, and what they may be."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from simulator.domain.keys import looks_live

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT_PREFIX = "BANKED_SIMULATOR_"
DEFAULT_PORT = 2265
MEMORY = "memory"
"""The store that goes with the process."""


class InvalidSetting(Exception):
    """A value that a setting cannot have; `str()` is the sentence for its reader, `flag` the setting if it is known."""

    def __init__(self, sentence: str, flag: str = "") -> None:
        super().__init__(sentence)
        self.flag = flag


@dataclass(frozen=True, slots=True)
class MerchantSetting:
    """An API key and its secret, as `--merchant KEY:SECRET` gives them."""

    key: str
    secret: str

    @classmethod
    def parse(cls, text: str) -> MerchantSetting:
        """Read KEY:SECRET; InvalidSetting when it is something else."""
        key, _, secret = text.partition(":")
        return cls.checked(key, secret)

    @classmethod
    def checked(cls, key: str, secret: str) -> MerchantSetting:
        """The pair; InvalidSetting, without the secret, when Basic authentication cannot carry it or it is live."""
        if not (key and secret) or ":" in key or not (key + secret).isprintable():
            raise InvalidSetting("A merchant is KEY:SECRET, in printable characters and without a colon in the key.")
        if looks_live(key) or looks_live(secret):
            raise InvalidSetting("It looks like a live key; the simulator should never see one.")
        return cls(key, secret)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where a mail server listens, as `--smtp HOST:PORT` gives it."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> MailServer:
        """Read HOST:PORT; InvalidSetting when it is something else."""
        host, _, port = text.rpartition(":")
        if not host or not host.isprintable() or " " in host or not (port.isascii() and port.isdecimal()):
            raise InvalidSetting(f"{text!r} is not HOST:PORT, such as 127.0.0.1:1025.")
        if not 0 < int(port) < 65536:
            raise InvalidSetting(f"{port} is no port: they go from 1 to 65535.")
        return cls(host.strip("[]"), int(port))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the server is told at its start. `public_url` has no slash at its end; empty, it is where the server is."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    public_url: str = ""
    fixtures: Path | None = None
    merchants: tuple[MerchantSetting, ...] = ()
    strict_keys: bool = False
    seed: str = ""
    admin_token: str = ""
    smtp: MailServer | None = None
    webhooks: tuple[str, ...] = ()
    store: str = field(default=MEMORY, repr=False)
    workers: int = 1
    log_level: str = "info"


def parse_text(text: str) -> str:
    """Return a text; InvalidSetting for none."""
    if not text:
        raise InvalidSetting("It must not be empty.")
    return text


def parse_store(text: str) -> str:
    """Return `memory` or the URL of a database; InvalidSetting, which does not repeat it, for anything else."""
    if text != MEMORY and not text.startswith(("sqlite:///", "postgresql://")):
        raise InvalidSetting("A store is memory, sqlite:///FILE, or postgresql://USER@HOST/DATABASE.")
    return text


def parse_webhook(text: str) -> str:
    """Return an http or https URL; InvalidSetting when it is none."""
    if not is_web_url(text):
        raise InvalidSetting(f"{text!r} is not an http or https URL.")
    return text


def parse_public_url(text: str) -> str:
    """Return an http or https URL without the slash at its end, or nothing for nothing.

    InvalidSetting when links cannot start with it.
    """
    if (text and not is_web_url(text)) or any(mark in text for mark in "?#@"):
        raise InvalidSetting(f"{text!r} is not an http or https URL without user, query and fragment.")
    return text.rstrip("/")


@lru_cache(maxsize=1024)  # merchants send the same few with every payment
def is_web_url(text: str) -> bool:
    """Whether `text` is an absolute http or https URL without spaces or control characters."""
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Whether a URL leads to the machine on which it is read."""
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def url_host(host: str) -> str:
    """How a URL names the machine that listens on `host`: 127.0.0.1 for all its addresses, brackets for IPv6.

    Never `localhost`, which some clients refuse for want of a dot (facts 8a).
    """
    if host in ("0.0.0.0", "::", "localhost", ""):  # noqa: S104  only compared
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
