"""The way back to the merchant: which outcome, and which URL tells it (facts 6, Q14, Q35)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payment, PaymentRequest
from simulator.domain.returns import Outcome, RedirectParameters, ReturnBehaviour, outcome, return_url
from simulator.domain.scenarios import Door, Play, Scenario, Step
from simulator.domain.states import PaymentAction, PaymentState

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
REQUEST = PaymentRequest(
    reference="Illuminate", line_items=(LineItem("Candles", 100, Currency.GBP, 4),), payee=SANDBOX_ACCOUNT
)
SENT = Payment(id="42", request=REQUEST, created_at=NOON, state=PaymentState.SENT)
PLAY = Play(Scenario("settle", "The bank settles.", (Step(PaymentAction.SETTLE, 5),)), Door.MERCHANT)
OVER = replace(PLAY, step=1)
TOLD = "banked-checkout-result=success&payment_result=sent&payment_id=42"


def payment(state: str, *, play: Play | None = None, cancelled: bool = False) -> Payment:
    return replace(SENT, state=PaymentState(state), play=play, cancelled=cancelled)


@pytest.mark.parametrize(
    ("state", "play", "cancelled", "expected"),
    [
        ("awaiting_provider", None, False, None),
        ("awaiting_provider", None, True, "user-cancelled"),
        ("awaiting_payment_consent", None, False, None),
        ("awaiting_payment_consent", None, True, "user-cancelled"),
        ("awaiting_payment_consent", PLAY, False, None),
        ("initiated", PLAY, False, None),
        ("initiated", None, False, "pending"),
        ("initiated", OVER, False, "pending"),
        ("pending", PLAY, False, None),
        ("pending", None, False, "pending"),
        ("sent", None, False, "success"),
        ("sent", PLAY, False, "success"),
        ("failed", None, False, "failure"),
        ("failed", PLAY, False, "failure"),
    ],
)
def test_how_it_ended_for_the_payer(state: str, play: Play | None, cancelled: bool, expected: str | None) -> None:  # noqa: FBT001  a column of the table
    assert outcome(payment(state, play=play, cancelled=cancelled)) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.com", f"http://example.com?{TOLD}"),
        ("http://example.com/", f"http://example.com/?{TOLD}"),
        ("http://example.com/success", f"http://example.com/success?{TOLD}"),
        ("http://example.com/success?", f"http://example.com/success?{TOLD}"),
        ("http://example.com/success?id=__PAYMENT_ID__", f"http://example.com/success?id=42&{TOLD}"),
        ("http://example.com/__PAYMENT_ID__/ok", f"http://example.com/42/ok?{TOLD}"),
        ("http://example.com/a?b=c&", f"http://example.com/a?b=c&{TOLD}"),
        ("http://example.com/a?b=c%26d&e", f"http://example.com/a?b=c%26d&e&{TOLD}"),
        ("http://example.com/a#top", f"http://example.com/a?{TOLD}#top"),
        ("http://example.com/a?b=c#/route?x=__PAYMENT_ID__", f"http://example.com/a?b=c&{TOLD}#/route?x=42"),
        ("http://example.com/a?b=c?d", f"http://example.com/a?b=c?d&{TOLD}"),
        ("http://example.com/a?payment_id=__PAYMENT_ID__&b=c", f"http://example.com/a?b=c&{TOLD}"),
        ("http://example.com/a?payment%5Fid=7", f"http://example.com/a?{TOLD}"),
        ("https://[::1]:8443/a", f"https://[::1]:8443/a?{TOLD}"),
        ("http://example.com/ö?ü=ß", f"http://example.com/ö?ü=ß&{TOLD}"),
    ],
)
def test_the_url_keeps_what_it_had_and_tells_the_outcome(url: str, expected: str) -> None:
    sent = replace(SENT, request=replace(REQUEST, success_url=url))
    assert return_url(sent, Outcome.SUCCESS, RedirectParameters.RESULT) == expected


@pytest.mark.parametrize(
    ("state", "how", "expected"),
    [
        ("sent", "success", "http://shop/ok?banked-checkout-result=success&payment_result=sent&payment_id=42"),
        ("pending", "pending", "http://shop/ok?banked-checkout-result=pending&payment_result=pending&payment_id=42"),
        ("failed", "failure", "http://shop/no?banked-checkout-result=failure&payment_result=failed&payment_id=42"),
        (
            "awaiting_payment_consent",
            "user-cancelled",
            "http://shop/no?banked-checkout-result=user-cancelled&payment_result=awaiting_payment_consent&payment_id=42",
        ),
    ],
)
def test_each_outcome_has_its_url_and_its_words(state: str, how: str, expected: str) -> None:
    request = replace(REQUEST, success_url="http://shop/ok", error_url="http://shop/no")
    ended = replace(SENT, state=PaymentState(state), request=request)
    assert return_url(ended, Outcome(how), RedirectParameters.RESULT) == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("result", f"http://shop/ok?a=42&{TOLD}"),
        ("status", "http://shop/ok?a=42&banked-checkout-status=success"),
        ("none", "http://shop/ok?a=42"),
    ],
)
def test_the_parameters_are_those_of_the_year_that_was_chosen(parameters: str, expected: str) -> None:
    sent = replace(SENT, request=replace(REQUEST, success_url="http://shop/ok?a=__PAYMENT_ID__"))
    assert return_url(sent, Outcome.SUCCESS, RedirectParameters(parameters)) == expected


@pytest.mark.parametrize("how", list(Outcome))
@pytest.mark.parametrize("url", [None, ""])
def test_without_a_url_the_payer_goes_nowhere(how: Outcome, url: str | None) -> None:
    stays = replace(SENT, request=replace(REQUEST, success_url=url, error_url=url))
    assert return_url(stays, how, RedirectParameters.RESULT) is None


@settings(deadline=None, derandomize=True, database=None)
@given(
    query=st.lists(st.tuples(st.text("abc%=+", max_size=4), st.text("abc?/%", max_size=4)), max_size=4),
    fragment=st.text("ab?&#/", max_size=5),
    parameters=st.sampled_from(RedirectParameters),
)
def test_whatever_the_url_nothing_of_it_is_lost(
    query: list[tuple[str, str]], fragment: str, parameters: RedirectParameters
) -> None:
    url = "https://shop.example/a?" + "&".join(f"{name}={value}" for name, value in query) + "#" + fragment
    sent = replace(SENT, request=replace(REQUEST, success_url=url))
    back = urlsplit(return_url(sent, Outcome.SUCCESS, parameters) or "")
    before = urlsplit(url)
    assert (back.scheme, back.netloc, back.path, back.fragment) == (
        before.scheme,
        before.netloc,
        before.path,
        before.fragment,
    )
    told = parse_qsl(back.query, keep_blank_values=True)
    kept = parse_qsl(before.query, keep_blank_values=True)
    assert told[: len(kept)] == kept
    assert len(told) - len(kept) == {"result": 3, "status": 1, "none": 0}[parameters]


def test_each_behaviour_says_how_often() -> None:
    arrivals = {behaviour: behaviour.arrivals for behaviour in ReturnBehaviour}
    assert [behaviour for behaviour, often in arrivals.items() if often != 1] == ["twice", "never"]
    assert (arrivals[ReturnBehaviour.TWICE], arrivals[ReturnBehaviour.NEVER]) == (2, 0)
