"""The page for what is not there, in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_link_that_leads_nowhere_is_a_kind_page_that_everybody_can_read(
    visitor: Page, server: str, scheme: str
) -> None:
    visitor.emulate_media(color_scheme=scheme)
    answer = visitor.goto(f"{server}/checkout/nothing/at/all")
    assert answer is not None
    assert answer.status == 404
    assert visitor.get_by_test_id("problem").get_by_role("heading").inner_text() == "There is nothing here"
    assert visitor.get_by_test_id("simulator-mark").inner_text() == "simulator · no money moves"
    assert violations(visitor) == []
