"""An e-mail in a browser: it is easy to read, and leads to the form for a refund's details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.actors import payment_request
from tests.browser.conftest import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.actors import Json
    from tests.browser.conftest import Shop


def emails(shop: Shop) -> Json:
    """Two e-mails to Jane: what to do for a refund, and a receipt."""
    body = payment_request(payer={"name": "Jane Doe", "email": "jane@doe.com"}, email_receipt=True)
    paid = shop.call("POST", "/v2/payment_sessions", expect=201, **body)
    shop.call("POST", f"/__admin/payment_sessions/{paid['id']}/pay")
    shop.call("POST", "/v2/refunds", expect=201, payment_session_id=paid["id"], amount=150)
    return shop.call("GET", f"/__admin/merchants/{shop.key}/emails")["emails"]


def test_an_email_leads_to_the_form(visitor: Page, shop: Shop) -> None:
    email, _ = emails(shop)
    visitor.goto(f"{shop.url}/__admin/emails/{email['id']}")
    expect(visitor).to_have_title(str(email["subject"]))
    visitor.get_by_role("link", name="Give your account details").click()
    expect(visitor).to_have_url(str(email["link"]))
    expect(visitor.get_by_role("button")).to_be_visible()


def test_everybody_can_read_an_email_on_a_phone(visitor: Page, shop: Shop) -> None:
    for email in emails(shop):
        letter = shop.call("GET", f"/__admin/emails/{email['id']}")
        visitor.set_content(str(letter["html"]))  # its own page is in a sandbox, where no script can look at it
        assert violations(visitor) == []
        assert visitor.evaluate("document.documentElement.scrollWidth <= innerWidth")
