"""The store in memory: every merchant's world behind a lock of its own."""

from __future__ import annotations

from secrets import token_hex
from threading import Lock
from typing import TYPE_CHECKING, Any

from simulator.adapters.memory_things import Space
from simulator.adapters.memory_world import MemoryTransaction
from simulator.domain.errors import NotFound, TooManyMerchants

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from simulator.domain.merchants import Merchant

MERCHANTS_LIMIT = 100_000


class MemoryStore:
    """Keeps everything in this process, for as long as it lives."""

    def __init__(self, merchants_limit: int = MERCHANTS_LIMIT) -> None:
        self._spaces: dict[str, Space] = {}
        self._owners: dict[str, str] = {}
        self._enrolling = Lock()
        self._clock_turns: dict[str, Lock] = {}
        self._secret = token_hex()
        self._merchants_limit = merchants_limit

    def transaction(self, merchant_key: str) -> MemoryTransaction:
        """Open the merchant's world."""
        space = self._spaces.get(merchant_key)
        if space is None:
            raise NotFound("merchant", merchant_key)
        return MemoryTransaction(space, self._owners)

    def enrol(self, merchant: Merchant) -> Merchant:
        """Keep `merchant` unless its key is known; return whoever has the key."""
        with self._enrolling:
            space = self._spaces.get(merchant.key)
            if space is None:
                if len(self._spaces) >= self._merchants_limit:
                    raise TooManyMerchants(
                        f"There are {self._merchants_limit} merchants already; restart to make room."
                    )
                space = self._spaces[merchant.key] = Space(merchant)
            return space.published

    def merchant(self, key: str) -> Merchant | None:
        """Return the merchant with this API key."""
        space = self._spaces.get(key)
        return space.published if space else None

    def merchants(self) -> tuple[str, ...]:
        """Return the API keys of all merchants."""
        return tuple(self._spaces)

    def owner(self, id_: str) -> str | None:
        """Return the key of the merchant that has the payment session, refund or token `id_`."""
        return self._owners.get(id_)

    def clock_turn(self, merchant_key: str) -> AbstractContextManager[Any]:
        """Wait for one's turn to set the merchant's clock."""
        return self._clock_turns.setdefault(merchant_key, Lock())

    def secret(self) -> str:
        """Return what nobody outside can guess."""
        return self._secret

    def stop(self) -> None:
        """Forget nothing: it all goes with the process."""
