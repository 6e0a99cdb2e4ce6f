"""Faults: which calls they match, and how long they last."""

from __future__ import annotations

import pytest

from simulator.bootstrap import load_fault_presets
from simulator.domain.faults import Effect, Fault, Match, after_hit

PATH = "/v2/payment_sessions"


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        (Match(), True),
        (Match(method="POST"), True),
        (Match(method="GET"), False),
        (Match(path=PATH), True),
        (Match(path=f"{PATH}/"), True),
        (Match(path="/v2/*"), True),
        (Match(path="*sessions"), True),
        (Match(path="/v2/refunds"), False),
        (Match(path="/v2/payment"), False),
        (Match(path="/V2/*"), False),
        (Match(method="POST", path="/v2/refunds"), False),
    ],
)
@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
def test_a_call_matches_by_method_and_path(match: Match, path: str, *, fits: bool) -> None:
    assert match.fits("POST", path, None) is fits


BODY = {"reference": "X", "flag": True, "one": 1, "nothing": None, "line_items": [{"amount": 400}], "payee": {"a": 1}}


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"reference": "X"}, True),
        ({"reference": "Y"}, False),
        ({"line_items/0/amount": 400}, True),
        ({"line_items/0/amount": 400.0}, True),
        ({"line_items/1/amount": 400}, False),
        ({"line_items/x/amount": 400}, False),
        ({"line_items/-1/amount": 400}, False),
        ({"reference/0": "X"}, False),
        ({"reference": "X", "one": 2}, False),
        ({"reference": "X", "one": 1}, True),
        ({"one": True}, False),
        ({"flag": 1}, False),
        ({"flag": True}, True),
        ({"nothing": None}, True),
        ({"absent": None}, False),
        ({"payee": {"a": 1}}, True),
    ],
)
def test_a_call_matches_by_the_fields_of_its_body(body: dict[str, object], *, fits: bool) -> None:
    assert Match(body=body).fits("POST", PATH, BODY) is fits


@pytest.mark.parametrize("body", [None, [], "X", 1])
def test_a_body_that_is_no_object_has_no_fields(body: object) -> None:
    assert not Match(body={"reference": "X"}).fits("POST", PATH, body)


def test_a_fault_is_hit_so_many_times_and_then_gone() -> None:
    twice, other = Fault(id="1", effect=Effect(status=500), times=2), Fault(id="2", effect=Effect(status=503))
    [once, kept] = after_hit((twice, other), twice)
    assert (once.times, kept) == (1, other)
    assert after_hit((once, other), once) == (other,)
    assert after_hit((other,), other) == (other,)


def test_a_delay_is_between_its_ends() -> None:
    effect = Effect(latency=(1.0, 3.0))
    assert [effect.delay(chance) for chance in (0.0, 0.5)] == [1.0, 2.0]


def test_a_fault_without_a_name_is_called_by_its_id() -> None:
    assert Fault(id="1", effect=Effect(drop=True)).label == "1"
    assert Fault(id="1", name="outage", effect=Effect(drop=True)).label == "outage"


def test_the_presets_do_something_and_nobody_has_them_yet() -> None:
    presets = load_fault_presets()
    assert list(presets)[:5] == ["bank_outage", "slow_api", "rate_limited", "flaky", "lost_response"]
    for name, preset in presets.items():
        assert (preset.fault.name, preset.fault.id) == (name, "")
        assert preset.fault.effect != Effect()
        assert preset.description
