"""Merchants' clocks: what they show, when they will show it, and how far they go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulator.domain.clock import (
    END_OF_TIME,
    EPOCH,
    FASTEST,
    REAL_TIME,
    ClockMode,
    MerchantClock,
    after,
    duration,
    iso,
)
from simulator.domain.errors import InvalidTime

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

repeatable = settings(deadline=None, derandomize=True, database=None)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  given a zone
spans = st.timedeltas(timedelta(0), timedelta(days=3650))
rates = st.one_of(
    st.sampled_from([1e-6, 0.1, 1 / 3, 0.5, 1.0, 2.0, 3.0, 60.0, 86400.0, 999_999.999, float(FASTEST)]),
    st.floats(1e-6, FASTEST, allow_nan=False),
)


def refused(clock: MerchantClock, shows: datetime, rate: float = 1.0) -> InvalidTime:
    """Why the clock cannot be set so at noon."""
    with pytest.raises(InvalidTime) as refusal:
        clock.set(NOON, shows, rate)
    return refusal.value


# What it shows


def test_a_clock_that_nobody_set_shows_the_real_time() -> None:
    assert REAL_TIME.mode is ClockMode.REAL
    assert REAL_TIME.at(NOON) == NOON


@pytest.mark.parametrize(
    ("shows", "rate", "mode", "an_hour_later"),
    [
        (NOON, 1.0, ClockMode.REAL, NOON + HOUR),
        (NOON + HOUR, 1.0, ClockMode.SHIFTED, NOON + 2 * HOUR),
        (NOON, 60.0, ClockMode.SCALED, NOON + 60 * HOUR),
        (NOON + HOUR, 0.5, ClockMode.SCALED, NOON + 1.5 * HOUR),
        (NOON, 0.0, ClockMode.FROZEN, NOON),
        (NOON + HOUR, 0.0, ClockMode.FROZEN, NOON + HOUR),
    ],
)
def test_a_clock_passes_time_in_its_mode(
    shows: datetime, rate: float, mode: ClockMode, an_hour_later: datetime
) -> None:
    clock = REAL_TIME.set(NOON, shows, rate)
    assert clock.mode is mode
    assert clock.at(NOON) == shows
    assert clock.at(NOON + HOUR) == an_hour_later


def test_a_clock_set_to_the_real_time_is_as_if_nobody_had_set_it() -> None:
    frozen = REAL_TIME.set(NOON - HOUR, NOON - HOUR, 0)
    assert frozen.set(NOON, NOON, 1) == REAL_TIME


@repeatable
@given(real=instants, shows=instants, rate=rates)
def test_a_clock_shows_what_it_was_set_to(real: datetime, shows: datetime, rate: float) -> None:
    assume(shows >= real)
    assert REAL_TIME.set(real, shows, rate).at(real) == shows


@repeatable
@given(since=instants, base=instants, rate=rates | st.just(0.0), one=spans, more=spans)
def test_a_clock_never_goes_backwards(
    since: datetime, base: datetime, rate: float, one: timedelta, more: timedelta
) -> None:
    clock = MerchantClock(since, base, rate)
    assert clock.at(since + one) <= clock.at(since + one + more)


# When it shows something


@repeatable
@given(since=instants, base=instants, rate=rates, later=spans)
def test_a_clock_shows_an_instant_when_it_says_so_and_not_long_before(
    since: datetime, base: datetime, rate: float, later: timedelta
) -> None:
    clock, instant = MerchantClock(since, base, rate), base + later
    when = clock.when(instant)
    if when is None:
        assert later.total_seconds() / rate > (END_OF_TIME - since).total_seconds()
        return
    assert clock.at(when) >= instant
    if when - since > timedelta(microseconds=3):
        assert clock.at(when - timedelta(microseconds=3)) <= instant


@repeatable
@given(since=instants, base=instants, later=spans)
def test_at_the_pace_of_real_time_it_is_right_to_the_microsecond(
    since: datetime, base: datetime, later: timedelta
) -> None:
    when = MerchantClock(since, base, 1.0).when(base + later)
    assert when is not None
    assert timedelta(0) <= when - (since + later) <= timedelta(microseconds=1)


def test_a_clock_that_stands_still_never_shows_anything_else() -> None:
    assert REAL_TIME.set(NOON, NOON, 0).when(NOON + SECOND) is None
    assert REAL_TIME.set(NOON, NOON, 0).when(NOON) == NOON


@pytest.mark.parametrize("rate", [5e-324, 1e-300, 1e-12])
def test_what_is_too_far_off_is_never(rate: float) -> None:
    assert MerchantClock(NOON, NOON, rate).when(NOON + 365 * 24 * HOUR) is None


# How it can be set


@pytest.mark.parametrize(
    "clock",
    [
        REAL_TIME,
        MerchantClock(NOON, NOON, 0),
        MerchantClock(NOON, NOON, 60),
        MerchantClock(NOON - HOUR, NOON - HOUR, 1),
    ],
)
def test_a_clock_is_not_set_back(clock: MerchantClock) -> None:
    refusal = refused(clock, NOON - timedelta(microseconds=1))
    assert "only goes forwards: it shows 2026-11-23T12:00:00.000000Z" in str(refusal)
    assert clock.set(NOON, NOON, clock.rate).at(NOON) == NOON


def test_a_shifted_clock_does_not_go_back_to_the_real_time() -> None:
    refused(REAL_TIME.set(NOON, NOON + HOUR, 1), NOON)


@pytest.mark.parametrize("rate", [-1.0, -0.001, FASTEST + 1, float("inf"), float("-inf"), float("nan")])
def test_a_rate_has_its_limits(rate: float) -> None:
    refusal = refused(REAL_TIME, NOON, rate)
    assert (refusal.parameter, str(FASTEST) in str(refusal)) == ("rate", True)


def test_a_clock_goes_to_the_end_of_time_and_no_further() -> None:
    last = REAL_TIME.set(NOON, END_OF_TIME, FASTEST)
    assert last.at(NOON) == last.at(NOON + HOUR) == END_OF_TIME
    assert "no further than 9999-01-01" in str(refused(REAL_TIME, END_OF_TIME + SECOND))


@pytest.mark.parametrize("rate", [1.0, 1000.0, float(FASTEST)])
def test_a_clock_that_ran_too_far_stops_at_the_end_of_time(rate: float) -> None:
    clock = REAL_TIME.set(NOON, END_OF_TIME - SECOND, rate)
    assert clock.at(datetime(9998, 1, 1, tzinfo=UTC)) == END_OF_TIME


# How long things are


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0s", 0),
        ("90s", 90),
        ("0.5s", 0.5),
        ("0.000001s", 0.000001),
        ("15m", 900),
        ("2h", 7200),
        ("1.5h", 5400),
        ("21d", 21 * 86400),
        ("1d12h", 129_600),
        ("1d2h3m4.5s", 93_784.5),
        ("3m1d", 86_580),
        ("007s", 7),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        *("", "s", "5", "5 s", " 5s", "5s ", "5s\n", "-5s", "+5s", "5S", "5w", "5ms", "1e3s", "1,5h", ".5s", "5.s"),
        *("1d 2h", "P1D", "\u0665s", "nans", "infs", "1.0000001s", "1234567890123s", "1d2"),
    ],
)
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(InvalidTime, match="is no duration: write 90s, 15m, 2h, 21d or 1d12h") as refusal:
        duration(text)
    assert refusal.value.parameter == "by"


def test_a_duration_longer_than_any_is_refused() -> None:
    with pytest.raises(InvalidTime, match="is too long"):
        duration("999999999999d")


@repeatable
@given(st.text(alphabet="0123456789.smhd -", max_size=24))
def test_whatever_is_written_is_a_duration_or_refused(text: str) -> None:
    try:
        assert duration(text) >= timedelta(0)
    except InvalidTime as refusal:
        assert refusal.parameter == "by"  # noqa: PT017  either is right


def test_an_instant_and_a_duration_add_up_to_the_end_of_time_at_most() -> None:
    assert after(NOON, HOUR) == NOON + HOUR
    assert after(NOON, END_OF_TIME - NOON) == END_OF_TIME
    for far in (END_OF_TIME - NOON + timedelta(microseconds=1), timedelta.max):
        with pytest.raises(InvalidTime, match="no further"):
            after(NOON, far)


def test_instants_are_written_with_microseconds_and_a_z() -> None:
    assert iso(NOON) == "2026-11-23T12:00:00.000000Z"
    assert iso(NOON + timedelta(microseconds=1)) == "2026-11-23T12:00:00.000001Z"


def test_a_clock_that_began_in_the_far_future_shows_the_epoch_until_then() -> None:
    assert MerchantClock(END_OF_TIME, EPOCH + timedelta(days=1), 1e6).at(NOON) == EPOCH
