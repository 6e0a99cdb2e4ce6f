"""The mock bank in a real browser: by touch, by keyboard alone, without scripts, in a hurry, in two tabs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE, Shop, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

JANE = {"name": "Jane Doe", "email": "jane@doe.com"}
PAYEE = {"name": "Gerald Wiley", "account_number": "12345678", "sort_code": "010203"}
BANKS = ["Mock Bank", "Mock Bank Direct", "Mock Bank Business", "Mock Bank AU", "Mock Bank EU"]
RESULT = re.compile("/checkout/[0-9a-f-]{36}/result$")


def at_the_bank(shop: Shop, bank: str = "Mock Bank", currency: str = "GBP") -> str:
    """The id of a payment of £64.95 for which a bank was picked."""
    items = [{"name": "Blanket", "amount": 6495, "currency": currency, "quantity": 1}]
    request = {"reference": "Order 1042", "line_items": items, "payee": PAYEE, "payer": JANE}
    id_ = str(shop.call("POST", "/v2/payment_sessions", expect=201, **request)["id"])
    shop.call("POST", f"/__admin/payment_sessions/{id_}/actions/choose_provider", provider=bank)
    return id_


def logs_in(page: Page, shop: Shop, id_: str) -> None:
    page.goto(f"{shop.url}/bank/{id_}")
    page.get_by_test_id("log-in").click()
    expect(page.get_by_test_id("authorise")).to_be_visible()


def state(shop: Shop, id_: str) -> object:
    return shop.call("GET", f"/v2/payment_sessions/{id_}")["state"]


def width(page: Page) -> int:
    """How wide the page is, including what one would have to scroll to."""
    found: int = page.evaluate("document.documentElement.scrollWidth")
    return found


def test_a_payer_logs_in_chooses_an_account_and_authorises(visitor: Page, shop: Shop) -> None:
    id_ = at_the_bank(shop, "Mock Bank Direct")
    visitor.goto(f"{shop.url}/bank/{id_}")
    expect(visitor.get_by_test_id("bank-name")).to_have_text("Mock Bank Direct")
    expect(visitor.get_by_test_id("user-name")).to_have_value("jane@doe.com")
    visitor.get_by_test_id("log-in").click()
    expect(visitor.get_by_test_id("amount")).to_have_text("£64.95")
    expect(visitor.get_by_test_id("payee")).to_have_text("Gerald Wiley")
    visitor.get_by_text("Savings account").click()
    ending = visitor.locator("label", has_text="Savings account").locator(".hint").inner_text()[-4:]
    visitor.get_by_test_id("authorise").click()
    expect(visitor).to_have_url(RESULT)
    assert state(shop, id_) == "sent"
    shared = shop.call("GET", f"/v2/payment_sessions/{id_}/consumer_account")
    assert str(shared["account_number"]).endswith(ending)


def test_a_payer_declines(visitor: Page, shop: Shop) -> None:
    id_ = at_the_bank(shop)
    logs_in(visitor, shop, id_)
    visitor.get_by_test_id("decline").click()
    expect(visitor).to_have_url(RESULT)
    assert state(shop, id_) == "failed"


@pytest.mark.parametrize("page", ["", "/consent"])
def test_a_payer_turns_back(visitor: Page, shop: Shop, page: str) -> None:
    id_ = at_the_bank(shop)
    if page:
        logs_in(visitor, shop, id_)
    else:
        visitor.goto(f"{shop.url}/bank/{id_}")
    visitor.get_by_test_id("cancel").click()
    expect(visitor).to_have_url(f"{shop.url}/checkout/{id_}")
    assert state(shop, id_) == "awaiting_payment_consent"


def test_the_keyboard_alone_will_do(visitor: Page, shop: Shop) -> None:
    id_ = at_the_bank(shop, "Mock Bank Direct")
    visitor.goto(f"{shop.url}/bank/{id_}")
    keys = visitor.keyboard
    keys.press("Tab")
    expect(visitor.get_by_test_id("user-name")).to_be_focused()
    keys.press("Enter")
    expect(visitor.get_by_test_id("authorise")).to_be_visible()
    keys.press("Tab")
    expect(visitor.get_by_test_id("account-1")).to_be_focused()
    keys.press("ArrowUp")
    expect(visitor.get_by_test_id("account-another")).to_be_checked()
    keys.press("Tab")
    keys.type("04-05-06")
    keys.press("Tab")
    keys.type("8765 4321")
    keys.press("Enter")
    expect(visitor).to_have_url(RESULT)
    assert state(shop, id_) == "sent"
    shared = shop.call("GET", f"/v2/payment_sessions/{id_}/consumer_account")
    assert shared == {"account_number": "87654321", "name": "Jane Doe", "sort_code": "040506"}


def test_the_panel_is_folded_and_simulates_by_keyboard(visitor: Page, shop: Shop) -> None:
    id_ = at_the_bank(shop, "Mock Bank AU", "AUD")
    logs_in(visitor, shop, id_)
    button = visitor.get_by_test_id("simulate-insufficient-funds")
    expect(button).to_be_hidden()
    visitor.locator("summary").focus()
    visitor.keyboard.press("Enter")
    expect(button).to_have_accessible_description("There is too little money in the payer's account.")
    button.focus()
    visitor.keyboard.press("Enter")
    expect(visitor).to_have_url(RESULT)
    assert state(shop, id_) == "failed"


def test_the_fields_of_another_account_appear_when_it_is_chosen(visitor: Page, shop: Shop) -> None:
    logs_in(visitor, shop, at_the_bank(shop))
    sort_code = visitor.get_by_test_id("sort-code")
    expect(sort_code).to_be_hidden()
    visitor.get_by_test_id("account-another").check()
    expect(sort_code).to_be_visible()
    visitor.get_by_test_id("authorise").click()
    expect(visitor.get_by_test_id("sort-code-error")).to_have_text("Enter a sort code of 6 digits.")
    expect(sort_code).to_be_focused()
    expect(sort_code).to_have_accessible_description("6 digits, such as 01-02-03 Enter a sort code of 6 digits.")


def test_no_scripts_are_needed(browser: Browser, shop: Shop) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page, id_ = context.new_page(), at_the_bank(shop)
    logs_in(page, shop, id_)
    page.get_by_test_id("account-another").check()
    page.get_by_test_id("sort-code").fill("11-11-14")
    page.get_by_test_id("account-number").fill("00000004")
    page.get_by_test_id("authorise").click()
    expect(page).to_have_url(RESULT)
    context.close()
    assert state(shop, id_) == "pending"


def test_a_double_click_authorises_once(visitor: Page, shop: Shop) -> None:
    id_ = at_the_bank(shop)
    logs_in(visitor, shop, id_)
    visitor.get_by_test_id("authorise").dblclick()
    expect(visitor).to_have_url(RESULT)
    assert state(shop, id_) == "sent"
    events = shop.call("GET", f"/__admin/merchants/{shop.key}/events?kind=scenario.started")["events"]
    assert isinstance(events, list)
    assert len(events) == 1


def test_of_two_tabs_the_first_decides_and_both_learn_of_it(visitor: Page, shop: Shop) -> None:
    id_ = at_the_bank(shop)
    logs_in(visitor, shop, id_)
    other = visitor.context.new_page()
    other.goto(f"{shop.url}/bank/{id_}/consent")
    visitor.get_by_test_id("authorise").click()
    expect(visitor).to_have_url(RESULT)
    other.get_by_test_id("decline").click()
    expect(other).to_have_url(RESULT)
    assert state(shop, id_) == "sent"


def test_the_way_back_leads_to_the_result(visitor: Page, shop: Shop) -> None:
    id_ = at_the_bank(shop)
    logs_in(visitor, shop, id_)
    visitor.get_by_test_id("authorise").click()
    expect(visitor).to_have_url(RESULT)
    visitor.go_back()
    expect(visitor).to_have_url(RESULT)
    visitor.goto(f"{shop.url}/bank/{id_}")
    expect(visitor).to_have_url(RESULT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("bank", BANKS)
def test_every_bank_can_be_read_by_everybody(visitor: Page, shop: Shop, bank: str, scheme: str) -> None:
    visitor.emulate_media(color_scheme=scheme)
    id_ = at_the_bank(shop, bank)
    visitor.goto(f"{shop.url}/bank/{id_}")
    assert violations(visitor) == []
    visitor.get_by_test_id("user-name").fill("")
    visitor.get_by_test_id("log-in").click()
    expect(visitor.get_by_test_id("user-name-error")).to_be_visible()
    assert violations(visitor) == []
    logs_in(visitor, shop, id_)
    assert violations(visitor) == []
    if bank != "Mock Bank AU":
        visitor.get_by_test_id("account-another").check()
    visitor.get_by_test_id("authorise").click()
    visitor.locator("summary").click()
    expect(visitor.get_by_test_id("simulate-approve")).to_be_visible()
    assert visitor.title().startswith("Error: ")
    assert violations(visitor) == []


def test_nothing_is_wider_than_the_smallest_phone(visitor: Page, shop: Shop) -> None:
    visitor.set_viewport_size({"width": 320, "height": 640})
    id_ = at_the_bank(shop)
    visitor.goto(f"{shop.url}/bank/{id_}")
    assert width(visitor) == 320
    logs_in(visitor, shop, id_)
    visitor.get_by_test_id("account-another").check()
    visitor.get_by_test_id("authorise").click()
    visitor.locator("summary").click()
    assert width(visitor) == 320


def test_every_bank_has_its_own_colour_and_none_that_of_the_checkout(visitor: Page, shop: Shop) -> None:
    colours = []
    for bank in BANKS:
        logs_in(visitor, shop, at_the_bank(shop, bank))
        colours.append(
            visitor.get_by_test_id("authorise").evaluate("button => getComputedStyle(button).backgroundColor")
        )
    visitor.goto(f"{shop.url}/bank/nobody")
    colours.append(visitor.evaluate("getComputedStyle(document.body).getPropertyValue('--accent')"))
    assert len(set(colours)) == len(BANKS) + 1
