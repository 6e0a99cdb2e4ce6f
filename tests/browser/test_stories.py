"""The whole way in a real browser: a payment from the shop and back, a refund from the e-mail to the end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

PICTURES = Path(__file__).parents[2] / "screenshots"
JANE = {"name": "Jane Doe", "email": "jane@doe.com"}
NOBODY = "11111111-1111-4111-8111-111111111111"


def asks(shop: Shop, **fields: Any) -> dict[str, Any]:
    """A payment session for candles at £27.40, which comes back to the simulator's own pages."""
    items = [
        {"name": "Beeswax candles", "amount": 1295, "currency": "GBP", "quantity": 2},
        {"name": "Gift wrap", "amount": 150, "currency": "GBP", "quantity": 1},
    ]
    request = {
        "reference": "Order 1042",
        "line_items": items,
        "payee": {"name": "Candle Shop", "account_number": "12345678", "sort_code": "010203"},
        "payer": JANE,
        "success_url": f"{shop.url}/livez?order=1042&id=__PAYMENT_ID__",
        "error_url": f"{shop.url}/readyz?order=1042",
        **fields,
    }
    shop.call("PUT", f"/__admin/merchants/{shop.key}", name="Candle Shop")
    return shop.call("POST", "/v2/payment_sessions", expect=201, **request)


def pays(page: Page, url: str, bank: str = "mock-bank", decision: str = "authorise") -> None:
    """Walk from the checkout to the bank and decide there."""
    page.goto(url)
    page.get_by_test_id(f"bank-{bank}").click()
    page.get_by_test_id("continue").click()
    page.get_by_test_id("log-in").click()
    if decision.startswith("simulate-"):
        page.get_by_test_id("simulate").click()
    page.get_by_test_id(decision).click()


def state(shop: Shop, path: str) -> str:
    return str(shop.call("GET", path)["state"])


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_payment_from_the_shop_and_back_and_its_refund_from_the_email(
    browser: Browser, shop: Shop, *, scripts: bool
) -> None:
    with browser.new_context(viewport=PHONE, java_script_enabled=scripts) as context:
        page = context.new_page()
        payment = asks(shop, email_receipt=True)
        pays(page, payment["url"])
        back = f"id={payment['id']}&banked-checkout-result=success&payment_result=sent&payment_id={payment['id']}"
        expect(page).to_have_url(f"{shop.url}/livez?order=1042&{back}")

        refund = shop.call(
            "POST", "/v2/refunds", expect=201, payment_session_id=payment["id"], amount=1295, reference="Refund 1042"
        )
        assert refund["state"] == "awaiting_details"
        asked, receipt = shop.call("GET", f"/__admin/merchants/{shop.key}/emails")["emails"]
        assert (asked["kind"], receipt["kind"]) == ("refund_details", "receipt")
        page.goto(f"{shop.url}/__admin/emails/{asked['id']}")
        page.get_by_role("link", name="Give your account details").click()
        page.get_by_test_id("sort-code").fill("04-05-06")
        page.get_by_test_id("account-number").fill("8765 4321")
        page.get_by_test_id("send").click()
        expect(page.get_by_test_id("confirmation")).to_be_visible()

        path = f"/v2/refunds/{asked['refund_id']}"
        assert state(shop, path) == "awaiting_payment"
        session = shop.call("GET", f"/v2/payment_sessions/{shop.call('GET', path)['refund_payment_session_id']}")
        pays(page, str(session["url"]))
        expect(page.get_by_test_id("success")).to_contain_text("£12.95 refunded")
        assert state(shop, path) == "sent"
        page.goto(str(refund["url"]))
        expect(page.get_by_test_id("sent")).to_be_visible()


@pytest.mark.parametrize(
    ("decision", "result", "state_"),
    [("decline", "failure", "failed"), ("simulate-insufficient-funds", "failure", "failed")],
)
def test_a_payment_that_failed_comes_back_by_the_other_way(
    visitor: Page, shop: Shop, decision: str, result: str, state_: str
) -> None:
    payment = asks(shop)
    pays(visitor, payment["url"], decision=decision)
    back = f"banked-checkout-result={result}&payment_result={state_}&payment_id={payment['id']}"
    expect(visitor).to_have_url(f"{shop.url}/readyz?order=1042&{back}")


def test_a_payment_that_takes_its_time_is_waited_for(visitor: Page, shop: Shop) -> None:
    shop.call("PUT", f"/__admin/merchants/{shop.key}/clock", mode="scaled", rate=5)
    payment = asks(shop)
    pays(visitor, payment["url"], decision="simulate-approve-slowly")
    expect(visitor.get_by_test_id("waiting")).to_be_visible()
    expect(visitor).to_have_url(re.compile("banked-checkout-result=success"), timeout=10_000)


def test_who_cannot_be_paid_now_says_so_kindly(visitor: Page, shop: Shop) -> None:
    answer = visitor.goto(f"{shop.url}/checkout/{NOBODY}")
    assert answer is not None
    assert answer.status == 404
    payment = asks(shop)
    shop.call("DELETE", f"/v2/payment_sessions/{payment['id']}", expect=204)
    answer = visitor.goto(payment["url"])
    assert answer is not None
    assert answer.status == 404
    expect(visitor.get_by_test_id("problem")).to_be_visible()


# Pictures


def _with_bank(shop: Shop, payment: dict[str, Any]) -> None:
    shop.call("POST", f"/__admin/payment_sessions/{payment['id']}/actions/choose_provider")


def _waiting(shop: Shop) -> str:
    payment = asks(shop)
    shop.call("POST", f"/__admin/payment_sessions/{payment['id']}/pay", scenario="bank_timeout")
    return f"/checkout/{payment['id']}/result"


def _ended(shop: Shop, scenario: str) -> str:
    payment = asks(shop)
    shop.call("POST", f"/__admin/payment_sessions/{payment['id']}/pay", scenario=scenario)
    return f"/checkout/{payment['id']}"


def _refund(shop: Shop) -> str:
    payment = asks(shop)
    shop.call("POST", f"/__admin/payment_sessions/{payment['id']}/pay")
    refund = shop.call("POST", "/v2/refunds", expect=201, payment_session_id=payment["id"], amount=1295)
    return "/refunds/" + str(refund["url"]).rpartition("/")[2]


def _chosen(shop: Shop, page: str, **fields: Any) -> str:
    payment = asks(shop, **fields)
    _with_bank(shop, payment)
    return page.format(id=payment["id"])


def _email(shop: Shop) -> str:
    _refund(shop)
    [email] = shop.call("GET", f"/__admin/merchants/{shop.key}/emails?limit=1")["emails"]
    return f"/__admin/emails/{email['id']}"


PAGES: dict[str, Callable[[Shop], str]] = {
    "checkout": lambda shop: f"/checkout/{asks(shop)['id']}",
    "checkout-payer": lambda shop: _chosen(shop, "/checkout/{id}/continue", payer=None),
    "checkout-continue": lambda shop: _chosen(shop, "/checkout/{id}/continue"),
    "checkout-waiting": _waiting,
    "checkout-paid": lambda shop: _ended(shop, "approve"),
    "checkout-failed": lambda shop: _ended(shop, "insufficient_funds"),
    "checkout-pending": lambda shop: _ended(shop, "stuck_pending"),
    "checkout-expired": lambda shop: _ended(shop, "expire"),
    "bank": lambda shop: _chosen(shop, "/bank/{id}"),
    "bank-consent": lambda shop: _chosen(shop, "/bank/{id}"),
    "refund-details": _refund,
    "e-mail": _email,
    "problem": lambda _: f"/checkout/{NOBODY}",
}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_its_picture_taken(browser: Browser, shop: Shop, name: str) -> None:
    path = PAGES[name](shop)
    for place, viewport in (("phone", PHONE), ("desktop", DESKTOP)):
        for scheme in ("light", "dark"):
            with browser.new_context(viewport=viewport, color_scheme=scheme) as context:
                page = context.new_page()
                page.goto(shop.url + path)
                if name == "bank-consent":
                    page.get_by_test_id("log-in").click()
                picture = page.screenshot(path=PICTURES / f"{name}-{place}-{scheme}.png", full_page=True)
                assert len(picture) > 5_000
