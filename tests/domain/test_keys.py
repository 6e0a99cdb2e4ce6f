"""API keys: which name a test merchant, and which look live."""

from __future__ import annotations

import pytest

from simulator.domain.keys import looks_live, secret_of_test_key


@pytest.mark.parametrize("name", ["a", "simulator", "Test_checkout-2", 64 * "x"])
def test_a_test_key_tells_its_secret(name: str) -> None:
    assert secret_of_test_key(f"pk_test_{name}") == f"sk_test_{name}"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "pk_test_",
        "pk_test_" + 65 * "x",
        "pk_test_two words",
        "pk_test_café",
        "pk_test_shop\n",
        "pk_live_shop",
        "sk_test_shop",
        "PK_TEST_shop",
        " pk_test_shop",
    ],
)
def test_any_other_key_tells_none(key: str) -> None:
    assert secret_of_test_key(key) is None


@pytest.mark.parametrize("text", ["pk_live_a", "sk_live_a", "bk_live_a", "PK_LIVE_A"])
def test_a_live_key_looks_live(text: str) -> None:
    assert looks_live(text)


@pytest.mark.parametrize("text", ["pk_test_a", "alive", "pk_test_live"])
def test_no_other_key_looks_live(text: str) -> None:
    assert not looks_live(text)
