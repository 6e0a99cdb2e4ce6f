"""Deliveries: what follows from each attempt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from simulator.domain.clock import EPOCH
from simulator.domain.deliveries import ON_ITS_WAY, OVER, RETRIES, RETRY_DELAYS, Attempt, Delivery, Outcome
from simulator.domain.errors import IllegalAction
from simulator.domain.messages import Reply

DUE = Delivery(
    id="id",
    number=1,
    webhook_id="webhook",
    event="payment_sent",
    subject="payment",
    body="{}",
    created_at=EPOCH,
    because=1,
    outcome=Outcome.DUE,
    due=EPOCH,
)


def attempt(status: int | None = None, error: str = "") -> Attempt:
    return Attempt(at=EPOCH, real_at=EPOCH, url="http://x", headers=(), reply=Reply(status=status, error=error))


def tried(status: int | None = None, error: str = "", delivery: Delivery = DUE, chance: float = 0.0) -> Delivery:
    return delivery.begin().attempted(attempt(status, error), chance)


@pytest.mark.parametrize("status", [200, 201, 204, 299, 301, 302, 304, 399])
def test_2xx_and_3xx_are_success(status: int) -> None:
    done = tried(status)
    assert (done.outcome, done.due, len(done.attempts)) == (Outcome.DELIVERED, None, 1)


@pytest.mark.parametrize("status", [400, 401, 404, 409, 411, 429, 500, 503, 599])
def test_4xx_and_5xx_are_tried_again(status: int) -> None:
    again = tried(status)
    assert (again.outcome, again.due) == (Outcome.DUE, EPOCH + timedelta(seconds=15))


def test_what_brings_no_reply_is_tried_again_even_if_there_was_a_status() -> None:
    assert tried(error="No answer within 10 s.").outcome is Outcome.DUE
    assert tried(200, "The answer was cut.").outcome is Outcome.DUE
    assert tried(410, "The answer was cut.").outcome is Outcome.DUE


def test_410_ends_it_for_good() -> None:
    assert tried(410).outcome is Outcome.REFUSED


def test_25_retries_follow_the_curve_and_then_it_is_given_up() -> None:
    delivery, waits = DUE, []
    while delivery.outcome is Outcome.DUE:
        delivery = tried(500, delivery=delivery)
        waits.append(delivery.due and (delivery.due - EPOCH).total_seconds())
    assert waits == [*RETRY_DELAYS, None]
    assert waits[:6] == [15, 16, 31, 96, 271, 640]
    assert (delivery.outcome, len(delivery.attempts)) == (Outcome.GIVEN_UP, RETRIES + 1)
    assert timedelta(days=20) < timedelta(seconds=sum(RETRY_DELAYS)) < timedelta(days=21)


def test_chance_makes_a_retry_later_and_the_more_so_the_later_it_is() -> None:
    first = tried(500, chance=0.5)
    second = tried(500, delivery=first, chance=0.5)
    assert first.due == EPOCH + timedelta(seconds=15.5)
    assert second.due == EPOCH + timedelta(seconds=16 + 1)


@pytest.mark.parametrize("outcome", sorted(OVER))
def test_what_is_over_can_be_sent_again_and_stays_what_it_was_when_that_fails(outcome: Outcome) -> None:
    over = replace(DUE, outcome=outcome, due=None)
    again = over.resend(EPOCH)
    assert again.outcome is Outcome.DUE
    assert tried(500, delivery=again).outcome is outcome
    assert tried(200, delivery=again).outcome is Outcome.DELIVERED


@pytest.mark.parametrize("outcome", [Outcome.DUE, Outcome.WAITING, Outcome.HELD])
def test_what_is_not_over_can_be_sent_before_its_time_and_is_tried_on_when_that_fails(outcome: Outcome) -> None:
    again = replace(DUE, outcome=outcome).resend(EPOCH)
    assert tried(500, delivery=again).outcome is Outcome.DUE
    assert tried(200, delivery=again).outcome is Outcome.DELIVERED


def test_what_is_being_sent_cannot_be_sent_again() -> None:
    with pytest.raises(IllegalAction):
        DUE.begin().resend(EPOCH)


def test_what_was_cancelled_while_it_was_sent_stays_so_and_tells_of_the_attempt() -> None:
    cancelled = DUE.begin().end(Outcome.CANCELLED).attempted(attempt(200), 0)
    assert (cancelled.outcome, len(cancelled.attempts)) == (Outcome.CANCELLED, 1)


def test_a_delivery_is_on_its_way_or_held_or_over() -> None:
    assert set(Outcome) == ON_ITS_WAY | OVER | {Outcome.HELD}
    assert ON_ITS_WAY.isdisjoint(OVER)
