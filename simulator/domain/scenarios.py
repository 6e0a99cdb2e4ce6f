"""Scenarios: the scripts that a mock bank plays once the payer authorised, and how one is chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from simulator.domain.errors import InvalidScenario
from simulator.domain.returns import ReturnBehaviour
from simulator.domain.states import PaymentAction, PaymentState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from simulator.domain.accounts import Account

DEFAULT_SCENARIO = "approve"

PLAYED_IN = (
    PaymentState.AWAITING_PAYMENT_CONSENT,
    PaymentState.INITIATED,
    PaymentState.PENDING,
    PaymentState.FAILED,
)
"""Where a scenario may still have steps to come; late success comes after failure."""


class Door(StrEnum):
    """Where a scenario was chosen; the first of them wins."""

    MAGIC_ACCOUNT = "magic_account"
    HEADER = "header"
    BUTTON = "button"
    TESTER = "tester"
    MERCHANT = "merchant"


class Progression(StrEnum):
    """What a scenario's steps wait for: their delays, nothing, or the tester."""

    TIME = "time"
    IMMEDIATE = "immediate"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Step:
    """Something the bank does `after` so many seconds; without an action, the payer turns away (Q26).

    `reason` is the code of ISO 20022 or Banked for why; `force` is a bank that goes back on its word.
    """

    action: PaymentAction | None
    after: float = 0.0
    reason: str = ""
    force: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named script of steps, each beginning when the one before is done, and what the way back is like after it.

    Without `returns` that is the merchant's setting.
    """

    name: str
    description: str
    steps: tuple[Step, ...]
    returns: ReturnBehaviour | None = None


@dataclass(frozen=True, slots=True)
class Play:
    """A scenario being played: the number of its next step, counted from 0, and the door it came through."""

    scenario: Scenario
    door: Door
    step: int = 0

    @property
    def next_step(self) -> Step | None:
        """What comes next; None when the play is over."""
        return self.scenario.steps[self.step] if self.step < len(self.scenario.steps) else None


@dataclass(frozen=True, slots=True)
class MagicAccount:
    """A payer's account that decides what happens: a sort code with its account number.

    `recurring_only` counts for payments with a frequency alone.
    """

    sort_code: str
    account_number: str
    scenario: Scenario
    recurring_only: bool = False


class Scenarios:
    """All the scenarios there are, and the magic accounts."""

    def __init__(self, scenarios: Iterable[Scenario], magic_accounts: Iterable[MagicAccount]) -> None:
        self._all: Mapping[str, Scenario] = {scenario.name: scenario for scenario in scenarios}
        self.magic_accounts = tuple(magic_accounts)

    def __iter__(self) -> Iterator[Scenario]:
        return iter(self._all.values())

    def find(self, name: str, parameter: str = "scenario") -> Scenario:
        """The scenario with this name; InvalidScenario, naming the known ones, when there is none."""
        scenario = self._all.get(name)
        if scenario is None:
            raise InvalidScenario(f"There is no scenario {name[:64]!r}; there are: {', '.join(self._all)}.", parameter)
        return scenario

    def of_account(self, account: Account, *, recurring: bool) -> Scenario | None:
        """What a payment from `account` does by magic; None for ordinary accounts (facts 6)."""
        pair = account.sort_code_and_number
        if pair is None:
            return None
        for magic in self.magic_accounts:
            if pair == (magic.sort_code, magic.account_number) and (recurring or not magic.recurring_only):
                return magic.scenario
        return _timed_approval(*pair)


MAGIC_BSB = "111114"
_TIMED = re.compile("[0-9]{4}11")


def _timed_approval(sort_code: str, account_number: str) -> Scenario | None:
    """The approval of `MMPP11`: MM seconds until the mandate is processed, PP until the payment is (facts 6)."""
    if sort_code != MAGIC_BSB or not _TIMED.fullmatch(account_number):
        return None
    mandate, payment = int(account_number[:2]), int(account_number[2:4])
    if not (1 <= mandate <= 98 and 1 <= payment <= 98):
        return None
    steps = (Step(PaymentAction.ACCEPT, mandate), Step(PaymentAction.SETTLE, payment))
    description = f"The mandate is processed after {mandate} s, the payment after {payment} s more."
    return Scenario(f"magic {account_number}", description, steps)
