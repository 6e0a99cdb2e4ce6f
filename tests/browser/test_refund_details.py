"""The form for a refund's details in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Shop, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

JANE = {"name": "Jane Doe", "email": "jane@doe.com"}
PAYEE = {"name": "Gerald Wiley", "account_number": "12345678", "sort_code": "010203"}


def refunded(shop: Shop, currency: str = "GBP") -> str:
    """Where the customer says to which account a refund of £1.50 should go."""
    items = [{"name": "Candles", "amount": 400, "currency": currency, "quantity": 1}]
    request = {"reference": "Illuminate", "line_items": items, "payee": PAYEE, "payer": JANE}
    id_ = shop.call("POST", "/v2/payment_sessions", expect=201, **request)["id"]
    shop.call("POST", f"/__admin/payment_sessions/{id_}/pay")
    refund = shop.call("POST", "/v2/refunds", expect=201, payment_session_id=id_, amount=150)
    return str(refund["url"])


def stands(shop: Shop, url: str) -> dict[str, object]:
    return shop.call("GET", f"/v2/refunds/{url.rpartition('/')[2]}")


def fills_in(page: Page) -> None:
    page.get_by_test_id("sort-code").fill("01-02-03")
    page.get_by_test_id("account-number").fill("8765 4321")


def test_a_customer_says_where_the_money_should_go(visitor: Page, shop: Shop) -> None:
    url = refunded(shop)
    visitor.goto(url)
    expect(visitor.get_by_test_id("amount")).to_have_text("£1.50")
    expect(visitor.get_by_test_id("name")).to_have_value("Jane Doe")
    fills_in(visitor)
    visitor.get_by_test_id("send").click()
    expect(visitor.get_by_test_id("promise")).to_contain_text("£1.50 will be sent to account ending 4321")
    assert stands(shop, url)["state"] == "awaiting_payment"
    visitor.reload()
    expect(visitor.get_by_test_id("confirmation")).to_be_visible()
    visitor.goto(url)
    expect(visitor.get_by_test_id("already-given")).to_be_visible()


def test_the_keyboard_alone_will_do(visitor: Page, shop: Shop) -> None:
    url = refunded(shop, "EUR")
    visitor.goto(url)
    keys = visitor.keyboard
    keys.press("Tab")
    expect(visitor.get_by_test_id("name")).to_be_focused()
    keys.press("Tab")
    keys.type("de89 3704 0044 0532 0130 00")
    keys.press("Enter")
    expect(visitor.get_by_test_id("promise")).to_contain_text("€1.50 will be sent to account ending 3000")
    assert stands(shop, url)["state"] == "awaiting_payment"


def test_no_scripts_are_needed(browser: Browser, shop: Shop) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page, url = context.new_page(), refunded(shop)
    page.goto(url)
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("sort-code-error")).to_be_visible()
    expect(page.get_by_test_id("name")).to_have_value("Jane Doe")
    fills_in(page)
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("confirmation")).to_be_visible()
    context.close()
    assert stands(shop, url)["state"] == "awaiting_payment"


def test_a_double_click_and_a_second_tab_change_nothing(visitor: Page, shop: Shop) -> None:
    url = refunded(shop)
    visitor.goto(url)
    other = visitor.context.new_page()
    other.goto(url)
    fills_in(visitor)
    visitor.get_by_test_id("send").dblclick()
    expect(visitor.get_by_test_id("confirmation")).to_be_visible()
    first = stands(shop, url)
    other.get_by_test_id("sort-code").fill("111111")
    other.get_by_test_id("account-number").fill("22223333")
    other.get_by_test_id("send").click()
    expect(other.get_by_test_id("already-given")).to_be_visible()
    assert stands(shop, url) == first
    visitor.go_back()
    expect(visitor.get_by_test_id("already-given")).to_be_visible()


@pytest.mark.parametrize("currency", ["GBP", "EUR", "AUD"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_can_be_filled_in_by_everybody(visitor: Page, shop: Shop, scheme: str, currency: str) -> None:
    visitor.emulate_media(color_scheme=scheme)
    visitor.set_viewport_size({"width": 320, "height": 640})
    visitor.goto(refunded(shop, currency))
    assert violations(visitor) == []
    visitor.get_by_test_id("name").fill("")
    visitor.get_by_test_id("send").click()
    expect(visitor.get_by_test_id("name")).to_be_focused()
    assert visitor.title().startswith("Error: ")
    assert violations(visitor) == []
    assert visitor.evaluate("document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ending", ["confirmation", "already-given", "sent", "failed", "externally-processed"])
def test_how_a_refund_stands_can_be_read_by_everybody(visitor: Page, shop: Shop, ending: str, scheme: str) -> None:
    visitor.emulate_media(color_scheme=scheme)
    url = refunded(shop)
    admin = f"/__admin/refunds/{url.rpartition('/')[2]}/actions"
    if ending == "externally-processed":
        shop.call("POST", f"{admin}/mark_externally_processed")
    else:
        shop.call("POST", f"{admin}/provide_details")
    if ending in ("sent", "failed"):
        session = f"/__admin/payment_sessions/{stands(shop, url)['refund_payment_session_id']}"
        shop.call("POST", f"{session}/pay", scenario="approve" if ending == "sent" else "bank_error")
    visitor.goto(f"{url}/confirmation" if ending == "confirmation" else url)
    expect(visitor.get_by_test_id(ending)).to_be_visible()
    assert violations(visitor) == []
