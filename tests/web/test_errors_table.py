"""The table of refusals: each has a status, and a code of the one vocabulary (Q4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.domain.errors import NothingToDo, Refusal
from simulator.service.waiting import WaitedInVain
from simulator.web.errors import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator

VOCABULARY = {
    "timeout": 408,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "processing": 409,
    "invalid_amount": 422,
    "invalid_currency": 422,
    "invalid_bank_account": 422,
    "invalid_action": 422,
    "invalid_idempotency_key": 422,
    "invalid_request": 422,
    "service_unavailable": 503,
}


def kinds_of(refusal: type[Refusal]) -> Iterator[type[Refusal]]:
    """The subclasses, theirs, and so on."""
    for kind in refusal.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def test_every_refusal_has_a_status_and_a_code() -> None:
    assert set(REFUSALS) == set(kinds_of(Refusal)) - {WaitedInVain}  # answered by its parent's row


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusals_code_is_a_documented_word_with_its_status(refusal: type[Refusal]) -> None:
    status, code = REFUSALS[refusal]
    assert status == VOCABULARY[code] or (refusal, status) == (NothingToDo, 409)
