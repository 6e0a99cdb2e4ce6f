"""Names and chances that follow from a seed: the same seed and the same calls, the same names."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b
from string import ascii_letters, digits

_BASE62 = digits + ascii_letters
_FREE_BITS = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
_VERSION_4 = 0x00000000_0000_4000_8000_000000000000


def uuid_of(*parts: object) -> str:
    """The UUID that `parts` (seed, merchant, kind, counter) stand for."""
    return uuid_from(int.from_bytes(_digest(parts, 16)))


def uuid_from(number: int) -> str:
    """The random UUID (RFC 9562, version 4) made of the 128 bits of `number`, all but the six that it prescribes."""
    text = f"{number & _FREE_BITS | _VERSION_4:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def token_of(*parts: object) -> str:
    """The token that `parts` stand for: 43 URL-safe characters (facts 1.2), unguessable if the seed is."""
    return urlsafe_b64encode(_digest(parts, 32)).decode().rstrip("=")


def client_key_of(*parts: object) -> str:
    """The token of a client key that `parts` stand for: 32 hexadecimal digits (facts 1.2)."""
    return _digest(parts, 16).hex()


def reference_of(*parts: object) -> str:
    """The reference that `parts` stand for, as Banked makes them up: `bnkd` and 8 letters or digits (Q31)."""
    return "bnkd" + "".join(_BASE62[byte % 62] for byte in _digest(parts, 8))


def chance_of(*parts: object) -> float:
    """The number from 0 up to 1 that `parts` stand for."""
    return int.from_bytes(_digest(parts, 6)) / (1 << 48)


def _digest(parts: tuple[object, ...], size: int) -> bytes:
    return blake2b("\0".join(map(str, parts)).encode(errors="surrogatepass"), digest_size=size).digest()
