"""Deliveries: webhook messages on their way to their receivers, try by try."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from simulator.domain.errors import IllegalAction
from simulator.domain.faults import Effect
from simulator.domain.messages import Reply

if TYPE_CHECKING:
    from simulator.domain.faults import Fault

DELIVERIES_KEPT = 10_000
"""How many deliveries of a merchant are kept: of too many the oldest goes, one that is over before one that is not."""

DELIVERIES_LIMIT = 100
"""How many deliveries a list answers unless it is asked for another number."""

RETRIES = 25
"""How often a message is tried again (facts 4.4)."""

RETRY_DELAYS = tuple(n**4 + 15 for n in range(RETRIES))
"""Seconds before each retry, beside up to n + 1 more that are left to chance: 20.4 days in all.

Banked tells of 25 retries in about 21 days; that they follow Sidekiq's curve is inferred (facts 4.4).
"""

REORDER_SECONDS = 60
"""How long a message that is to come late waits for the one that is to overtake it."""

_GONE = 410
_FIRST_FAILURE, _AFTER_FAILURES = 400, 600


class Outcome(StrEnum):
    """What has become of a delivery by now."""

    HELD = "held"
    WAITING = "waiting"
    DUE = "due"
    SENDING = "sending"
    DELIVERED = "delivered"
    REFUSED = "refused"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"
    COLLECTED = "collected"
    DROPPED = "dropped"


ON_ITS_WAY = frozenset({Outcome.WAITING, Outcome.DUE, Outcome.SENDING})
"""What the next one about the same payment waits for."""

OVER = frozenset(Outcome) - ON_ITS_WAY - {Outcome.HELD}
"""What nothing follows, unless the tester sends it again."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One attempt of a delivery to `url`, which is to be made in a generation of the merchant's world."""

    merchant_key: str
    url: str
    delivery_id: str
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to send a message: when, where to, what exactly, and what came back.

    `body` is what was sent in place of the delivery's own; `fault` what went wrong with it on purpose.
    """

    at: datetime
    real_at: datetime
    url: str
    headers: tuple[tuple[str, str], ...]
    reply: Reply
    body: str | None = None
    fault: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the receiver took the message: redirections count as taken, and are not followed (facts 4.4)."""
        status = self.reply.status
        return not self.reply.error and status is not None and not _FIRST_FAILURE <= status < _AFTER_FAILURES

    @property
    def is_refusal(self) -> bool:
        """Whether the receiver wants no repetition (facts 4.4)."""
        return not self.reply.error and self.reply.status == _GONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message about the payment session `subject` for a webhook, its body fixed when the event happened.

    `number` counts the merchant's deliveries; `because` is the number of the event that made it. The next attempt
    is `due` then, and goes wrong as `effect`, that of the fault called `fault`, says. `settled` is what had become of
    it when the tester had it sent again.
    """

    id: str
    number: int
    webhook_id: str
    event: str
    subject: str
    body: str
    created_at: datetime
    because: int | None
    outcome: Outcome
    due: datetime | None = None
    attempts: tuple[Attempt, ...] = ()
    settled: Outcome | None = None
    fault: str = ""
    effect: Effect | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing follows by itself."""
        return self.outcome in OVER

    @property
    def is_held_back(self) -> bool:
        """Whether it lets the next one about the same payment go first."""
        return self.outcome is Outcome.DUE and self.effect is not None and self.effect.reorder

    def hit(self, fault: Fault) -> Delivery:
        """The delivery of which the next attempt goes wrong."""
        return replace(self, fault=fault.label, effect=fault.effect)

    def wait_until(self, due: datetime) -> Delivery:
        """The delivery that is to be tried at `due`."""
        return replace(self, outcome=Outcome.DUE, due=due)

    def begin(self) -> Delivery:
        """The delivery that is being tried."""
        return replace(self, outcome=Outcome.SENDING, due=None)

    def resend(self, at: datetime) -> Delivery:
        """The delivery that is to be tried now; IllegalAction while it is being tried."""
        if self.outcome is Outcome.SENDING:
            raise IllegalAction("delivery", self.outcome, "be sent again", ("wait",))
        settled = self.outcome if self.is_over else self.settled
        return replace(self, outcome=Outcome.DUE, due=at, settled=settled)

    def end(self, outcome: Outcome) -> Delivery:
        """The delivery of which `outcome` has become."""
        return replace(self, outcome=outcome, due=None, settled=None, fault="", effect=None)

    def attempted(self, attempt: Attempt, chance: float) -> Delivery:
        """The delivery after one more try; `chance`, from 0 up to 1, is how late within its range a retry is due."""
        tried = replace(self, attempts=(*self.attempts, attempt))
        if self.outcome is not Outcome.SENDING:  # it was cancelled meanwhile
            return tried
        if attempt.is_success:
            return tried.end(Outcome.DELIVERED)
        if self.settled is not None:
            return tried.end(self.settled)
        if attempt.is_refusal:
            return tried.end(Outcome.REFUSED)
        failures = len(self.attempts)
        if failures >= RETRIES:
            return tried.end(Outcome.GIVEN_UP)
        seconds = RETRY_DELAYS[failures] + chance * (failures + 1)
        return replace(tried, fault="", effect=None).wait_until(attempt.at + timedelta(seconds=seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """Which deliveries to list, the newest first."""

    limit: int = DELIVERIES_LIMIT
    event: str | None = None
    subject: str | None = None
    outcomes: Collection[Outcome] | None = None

    @property
    def is_of_open(self) -> bool:
        """Whether none of them is over."""
        return self.outcomes is not None and OVER.isdisjoint(self.outcomes)

    def wants(self, delivery: Delivery) -> bool:
        """Whether `delivery` is one of these."""
        return (
            self.event in (None, delivery.event)
            and self.subject in (None, delivery.subject)
            and (self.outcomes is None or delivery.outcome in self.outcomes)
        )
