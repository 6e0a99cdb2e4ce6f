"""Names and chances that follow from a seed."""

from __future__ import annotations

import re
from uuid import UUID

from simulator.domain.ids import chance_of, reference_of, token_of, uuid_of


def test_an_id_is_a_random_uuid_in_form() -> None:
    id_ = uuid_of("seed", "pk_test_a", "payment_session", 1)
    assert str(UUID(id_)) == id_
    assert UUID(id_).version == 4


def test_a_token_has_43_url_safe_characters() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token_of("seed", "pk_test_a", "token", 1))


def test_a_reference_is_bnkd_and_8_letters_or_digits() -> None:
    assert re.fullmatch(r"bnkd[A-Za-z0-9]{8}", reference_of("seed", "pk_test_a", "reference", 1))


def test_a_chance_is_from_0_up_to_1_and_spread_evenly() -> None:
    chances = [chance_of("seed", "pk_test_a", "fault", number) for number in range(2000)]
    assert all(0 <= chance < 1 for chance in chances)
    assert 900 < sum(chance < 0.5 for chance in chances) < 1100


def test_the_same_parts_give_the_same_names() -> None:
    assert uuid_of("seed", "a", "refund", 7) == uuid_of("seed", "a", "refund", 7)


def test_whatever_differs_gives_another_name() -> None:
    names = {
        uuid_of(*parts)
        for parts in [
            ("seed", "a", "refund", 1),
            ("seed", "a", "refund", 2),
            ("seed", "b", "refund", 1),
            ("other", "a", "refund", 1),
            ("seed", "a", "payment_session", 1),
            ("see", "da", "refund", 1),
        ]
    }
    assert len(names) == 6
