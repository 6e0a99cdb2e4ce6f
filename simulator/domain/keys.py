"""API keys: which are made up for tests, and which should never be seen here."""

from __future__ import annotations

import re

DEFAULT_KEY = "pk_test_simulator"
"""The API key that exists unless it is forbidden, and that the README uses."""

_TEST_KEY = re.compile(r"pk_test_([A-Za-z0-9_-]{1,64})")


def secret_of_test_key(key: str) -> str | None:
    """The secret `sk_test_NAME` that goes with the key `pk_test_NAME`; None for a key of another form.

    NAME is up to 64 letters, digits, `_` and `-`.
    """
    match = _TEST_KEY.fullmatch(key)
    return f"sk_test_{match[1]}" if match else None


def looks_live(key_or_secret: str) -> bool:
    """Whether this seems to be a key, or a secret, by which real money moves (facts 1.2)."""
    return "_live_" in key_or_secret.lower()
