"""The words of the receiver exam: what is expected, how it went, how long it may take."""

from __future__ import annotations

from enum import StrEnum

DEFAULT_LIMIT = 10.0
"""Seconds within which a receiver must answer, unless the examiner says otherwise; Banked's own are unknown (Q21)."""

LONGEST_LIMIT = 60.0
"""The most seconds that a receiver may be given."""


class Expectation(StrEnum):
    """What a receiver should do; what it must do decides whether it passes."""

    MUST_ACCEPT = "must_accept"
    MUST_REFUSE = "must_refuse"
    SHOULD_REFUSE = "should_refuse"
    SHOULD_ANSWER = "should_answer"
    SHOULD_BE_SENT = "should_be_sent"
    SHOULD_STAY_SENT = "should_stay_sent"
    MUST_BE_IN_TIME = "must_be_in_time"


class Outcome(StrEnum):
    """How a question went."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"
