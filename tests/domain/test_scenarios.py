"""Scenarios: what the banks can play, which accounts make them, and which door wins (facts 6)."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.bootstrap import load_scenarios
from simulator.domain.accounts import Account, IdentifierType
from simulator.domain.errors import InvalidScenario
from simulator.domain.returns import ReturnBehaviour
from simulator.domain.scenarios import DEFAULT_SCENARIO, Door, Play
from simulator.domain.states import PaymentAction

if TYPE_CHECKING:
    from simulator.domain.scenarios import Scenario

SCENARIOS = load_scenarios()
BSB = "111114"

repeatable = settings(deadline=None, derandomize=True, database=None)
digit_pairs = st.integers(0, 99).map("{:02}".format)

SCRIPTS = {
    "approve": "0 settle",
    "approve_slowly": "1 initiate, 1 accept, 5 settle",
    "pending_then_sent": "0 accept, 10 settle",
    "stuck_pending": "0 accept",
    "reject": "0 reject MD16",
    "insufficient_funds": "0 fail AM04",
    "account_closed": "0 fail AC05",
    "invalid_account": "0 fail AC02",
    "unsupported_account": "0 fail AC13",
    "unsuccessful_direct_debit": "0 fail AG07",
    "fail_while_pending": "0 accept, 3 fail BANK_REJECTED",
    "bank_error": "0 fail UNKNOWN",
    "bank_timeout": "30 fail PAYMENT_EXPIRED",
    "expire": "0 expire PAYMENT_EXPIRED",
    "user_cancels": "0 cancel",
    "late_success": "0 fail UNKNOWN, 10 settle forced",
    **dict.fromkeys(
        ("return_before_webhook", "return_after_webhook", "return_without_webhook", "return_twice", "return_never"),
        "0 settle",
    ),
}

UK_ACCOUNTS = [
    *("approve", "approve_slowly", "pending_then_sent", "stuck_pending", "reject", "insufficient_funds"),
    *("account_closed", "invalid_account", "fail_while_pending", "bank_error", "bank_timeout", "expire"),
    *("user_cancels", "late_success"),
]


def script(scenario: Scenario) -> str:
    """The steps of a scenario on one line."""
    steps = []
    for step in scenario.steps:
        words = [f"{step.after:g}", step.action.value if step.action else "cancel", step.reason]
        steps.append(" ".join(filter(None, [*words, "forced" if step.force else ""])))
    return ", ".join(steps)


def played(account_number: str, sort_code: str = BSB, *, recurring: bool = False) -> str | None:
    """The script that an account makes the bank play; None for an ordinary account."""
    scenario = SCENARIOS.of_account(Account(None, account_number, sort_code), recurring=recurring)
    return script(scenario) if scenario else None


# The scripts


def test_there_are_these_scenarios_with_these_steps() -> None:
    assert {scenario.name: script(scenario) for scenario in SCENARIOS} == SCRIPTS


def test_every_scenario_is_described_and_found_by_its_name() -> None:
    for scenario in SCENARIOS:
        assert scenario.description.endswith(".")
        assert SCENARIOS.find(scenario.name) is scenario
    assert SCENARIOS.find(DEFAULT_SCENARIO).name == "approve"


@pytest.mark.parametrize("name", ["", "Approve", "approve ", "magic 050511", "nothing", "x" * 500])
def test_an_unknown_scenario_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(InvalidScenario) as refusal:
        SCENARIOS.find(name, "where")
    assert str(refusal.value).endswith(f"there are: {', '.join(SCRIPTS)}.")
    assert (refusal.value.parameter, len(str(refusal.value)) < 500) == ("where", True)


def test_each_way_back_that_is_spoilt_has_a_scenario() -> None:
    returns = {scenario.returns: scenario.name for scenario in SCENARIOS if scenario.returns is not None}
    assert returns == {each: f"return_{each}" for each in ReturnBehaviour if each is not ReturnBehaviour.NORMAL}


def test_only_late_success_forces_anything() -> None:
    assert [scenario.name for scenario in SCENARIOS if any(step.force for step in scenario.steps)] == ["late_success"]


def test_a_play_is_over_after_its_last_step() -> None:
    scenario = SCENARIOS.find("late_success")
    steps = [Play(scenario, Door.HEADER, step).next_step for step in range(3)]
    assert [step.action if step else None for step in steps] == [PaymentAction.FAIL, PaymentAction.SETTLE, None]


# The doors


def test_the_doors_are_in_their_documented_order() -> None:
    assert [door.value for door in Door] == ["magic_account", "header", "button", "tester", "merchant"]
    assert len(list(combinations(Door, 2))) == 10


# The magic accounts of the documentation (facts 6)


@pytest.mark.parametrize(
    ("account_number", "expected"),
    [
        ("050511", "5 accept, 5 settle"),
        ("010111", "1 accept, 1 settle"),
        ("019811", "1 accept, 98 settle"),
        ("980111", "98 accept, 1 settle"),
        ("989811", "98 accept, 98 settle"),
        ("300211", "30 accept, 2 settle"),
        ("991111", "0 reject MD16"),
        ("991101", "0 fail AC05"),
        ("991103", "0 fail AC13"),
        ("991100", "0 fail AC02"),
        ("992120", "0 fail AM04"),
        ("992115", "0 fail AG07"),
    ],
)
@pytest.mark.parametrize("recurring", [False, True])
def test_a_documented_magic_number_does_what_is_documented(
    account_number: str, expected: str, *, recurring: bool
) -> None:
    assert played(account_number, recurring=recurring) == expected
    named = Account.identified(IdentifierType.BSB_ACCOUNT_NUMBER, BSB + account_number)
    scenario = SCENARIOS.of_account(named, recurring=recurring)
    assert scenario is not None
    assert script(scenario) == expected


def test_a_closed_account_declines_the_payment_of_recurring_payments_only() -> None:
    assert played("992107", recurring=True) == "0 fail AC05"
    assert played("992107") is None


@pytest.mark.parametrize(
    "account_number",
    [
        *("990511", "059911", "999911", "000511", "050011", "000011", "990011", "009911"),
        *("050510", "050512", "050501", "050500", "991102", "992111", "992121"),
        *("05051", "50511", "0505110", "11", "", "12345678", "00050511"),
    ],
)
def test_an_account_number_like_a_magic_one_is_an_ordinary_one(account_number: str) -> None:
    assert played(account_number, recurring=True) is None


@pytest.mark.parametrize(
    "account_number",
    ["abcd11", "0x0511", "+5+511", "-5-511", "5_0511", " 5 511", "\u0660\u0665\u0660\u066511", "½½½½11"],
)
def test_what_is_no_number_is_no_magic_number(account_number: str) -> None:
    assert played(account_number) is None


@pytest.mark.parametrize("sort_code", ["111115", "011114", "000000", "11111"])
@pytest.mark.parametrize("account_number", ["050511", "991111", "00000005"])
def test_magic_works_at_the_mock_bank_only(sort_code: str, account_number: str) -> None:
    assert played(account_number, sort_code) is None


def test_an_account_named_by_its_iban_is_an_ordinary_one() -> None:
    iban = Account.identified(IdentifierType.IBAN, "DE89370400440532013000")
    assert SCENARIOS.of_account(iban, recurring=False) is None


@repeatable
@given(mandate=digit_pairs, payment=digit_pairs)
def test_mmpp11_waits_mm_seconds_and_then_pp(mandate: str, payment: str) -> None:
    delayed = {"00", "99"}.isdisjoint({mandate, payment})
    expected = f"{int(mandate)} accept, {int(payment)} settle" if delayed else None
    if f"{mandate}{payment}11" != "991111":
        assert played(f"{mandate}{payment}11") == expected


@repeatable
@given(st.text(max_size=10), st.booleans())
def test_whatever_an_account_is_called_it_is_magic_or_it_is_not(account_number: str, recurring: bool) -> None:  # noqa: FBT001  pytest gives it by name
    found = played(account_number, recurring=recurring)
    assert found is None or account_number.isdigit()


# The simulator's own table for UK sort codes


@pytest.mark.parametrize(("number", "name"), list(enumerate(UK_ACCOUNTS, 1)))
def test_a_uk_magic_account_plays_its_scenario(number: int, name: str) -> None:
    account_number = f"{number:08}"
    assert played(account_number) == played(account_number, recurring=True) == SCRIPTS[name]
    identified = Account.identified(IdentifierType.SORT_CODE_ACCOUNT_NUMBER, BSB + account_number)
    assert SCENARIOS.of_account(identified, recurring=False) is SCENARIOS.find(name)


def test_there_are_no_other_magic_accounts() -> None:
    documented = {"991111", "991101", "991103", "991100", "992120", "992115", "992107"}
    ours = {f"{number:08}" for number in range(1, len(UK_ACCOUNTS) + 1)}
    assert {magic.account_number for magic in SCENARIOS.magic_accounts} == documented | ours
    assert {magic.sort_code for magic in SCENARIOS.magic_accounts} == {BSB}
    assert [magic.account_number for magic in SCENARIOS.magic_accounts if magic.recurring_only] == ["992107"]
