"""E-mails: who gets one, what it says, and how a tester reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.actors import PUBLIC_URL, refund_id

if TYPE_CHECKING:
    from tests.actors import Json, MerchantCaller, Tester

KEY = "pk_test_simulator"
WORLD = f"/__admin/merchants/{KEY}"
JANE = {"name": "Jane Doe", "email": "jane@doe.com"}
ACCOUNT = {"name": "Jane Doe", "account_number": "87654321", "sort_code": "040506"}


def emails(tester: Tester, **query: Any) -> list[Json]:
    found: list[Json] = tester.ask("GET", f"{WORLD}/emails", query_string=query)["emails"]
    return found


def reads(tester: Tester, email: Json, accept: str = "application/json") -> str:
    response = tester.call("GET", f"/__admin/emails/{email['id']}", headers={"Accept": accept})
    assert response.status_code == 200
    return response.text


def refunded(merchant: MerchantCaller, tester: Tester, provider: str = "Mock Bank", **refund: Any) -> Json:
    """A refund of £1.50 to Jane."""
    paid = merchant.requests_payment(payer=JANE)
    tester.pays(paid, provider)
    return merchant.refunds(paid, pence=150, **refund)


def test_a_refund_without_details_asks_the_customer_for_them(merchant: MerchantCaller, tester: Tester) -> None:
    refund = refunded(merchant, tester)
    [email] = emails(tester)
    assert email == {
        "id": email["id"],
        "kind": "refund_details",
        "created_at": "2026-11-23T12:00:00.000000Z",
        "from": {"name": "Simulator", "email": "payments@merchant.example"},
        "to": JANE,
        "subject": "Simulator would like to refund you £1.50",
        "payment_session_id": refund["payment_session_id"],
        "refund_id": refund_id(refund),
        "link": refund["url"],
    }
    letter = json.loads(reads(tester, email))
    assert letter["text"].splitlines()[0] == "Hello Jane Doe,"
    assert refund["url"] in letter["text"].splitlines()
    assert f'href="{refund["url"]}"' in letter["html"]


def test_a_refund_whose_details_are_known_asks_nobody(merchant: MerchantCaller, tester: Tester) -> None:
    refunded(merchant, tester, "Mock Bank Direct")
    refunded(merchant, tester, payee=ACCOUNT)
    assert emails(tester) == []


def test_without_an_address_there_is_no_email(merchant: MerchantCaller, tester: Tester) -> None:
    paid = merchant.requests_payment(email_receipt=True)
    tester.pays(paid)
    assert merchant.refunds(paid, pence=150)["state"] == "awaiting_details"
    assert emails(tester) == []


def test_who_wants_a_receipt_gets_one_when_the_money_is_sent(merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("PUT", f"{WORLD}/clock", json={"mode": "frozen"})
    items = [
        {"name": "Beeswax candles", "amount": 1295, "currency": "GBP", "quantity": 2},
        {"name": "Gift wrap", "amount": 150, "currency": "GBP", "quantity": 1},
    ]
    payment = merchant.requests_payment(payer=JANE, email_receipt=True, line_items=items)
    tester.ask("POST", f"/__admin/payment_sessions/{payment['id']}/pay", json={"scenario": "pending_then_sent"})
    assert emails(tester) == []
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "1m"})
    [email] = emails(tester)
    assert (email["kind"], email["subject"]) == ("receipt", "Your payment of £27.40 to Simulator")
    assert (email["refund_id"], email["link"]) == (None, None)
    assert email["created_at"] == "2026-11-23T12:00:10.000000Z"
    text = reads(tester, email, "text/plain")
    assert "2 \u00d7 Beeswax candles: £25.90\n1 \u00d7 Gift wrap: £1.50\nTotal: £27.40\n" in text
    assert "Reference: Illuminate\nPaid on: 23 Nov 2026, 12:00\n" in text


@pytest.mark.parametrize("scenario", ["reject", "stuck_pending", "user_cancels"])
def test_who_has_not_paid_gets_no_receipt(merchant: MerchantCaller, tester: Tester, scenario: str) -> None:
    payment = merchant.requests_payment(payer=JANE, email_receipt=True)
    tester.ask("POST", f"/__admin/payment_sessions/{payment['id']}/pay", json={"scenario": scenario})
    assert emails(tester) == []


def test_the_newest_emails_come_first_and_are_the_merchants_own(
    merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester
) -> None:
    refunds = [refunded(merchant, tester) for _ in range(3)]
    refunded(other_merchant, tester)
    ids = [email["refund_id"] for email in emails(tester)]
    assert ids == [refund_id(refund) for refund in reversed(refunds)]
    assert [email["refund_id"] for email in emails(tester, limit=2)] == ids[:2]
    tester.ask("GET", f"{WORLD}/emails", query_string={"limit": "many"}, expect=422)


def test_an_email_is_a_page_to_browsers_and_text_to_who_asks(merchant: MerchantCaller, tester: Tester) -> None:
    refunded(merchant, tester)
    [email] = emails(tester)
    path = f"/__admin/emails/{email['id']}"
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = tester.call("GET", path, headers=browser)
    assert page.mimetype == "text/html"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-s" not in policy  # neither scripts nor our own origin
    assert (page.headers["X-Content-Type-Options"], page.headers["Vary"]) == ("nosniff", "Accept")
    assert tester.call("GET", path).mimetype == "application/json"
    assert tester.call("GET", path, headers={"Accept": "text/plain"}).mimetype == "text/plain"
    assert tester.call("GET", f"{path}?form=text", headers=browser).mimetype == "text/plain"
    assert tester.call("GET", f"{path}?form=html").text == page.text == tester.ask("GET", path)["html"]
    tester.ask("GET", f"{path}?form=pdf", expect=422)
    tester.ask("GET", "/__admin/emails/11111111-1111-4111-8111-111111111111", expect=404)
    tester.ask("GET", f"/__admin/emails/{email['payment_session_id']}", expect=404)


def test_nothing_in_an_email_is_markup(merchant: MerchantCaller, tester: Tester) -> None:
    name = '<script>alert("x")</script>'
    tester.ask("PUT", WORLD, json={"name": name})
    paid = merchant.requests_payment(payer={"name": name, "email": "jane@doe.com"}, email_receipt=True)
    tester.pays(paid)
    merchant.refunds(paid, pence=150)
    pages = [reads(tester, email, "text/html") for email in emails(tester)]
    assert len(pages) == 2
    assert all("<script" not in page and "&lt;script&gt;" in page for page in pages)


def test_no_name_looks_like_a_line_of_its_own(merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("PUT", WORLD, json={"name": "Candles\r\n& Co"})
    payer = {"name": "Jane\n\nSend it to evil.example\u2028now", "email": "jane@doe.com"}
    paid = merchant.requests_payment(payer=payer)
    tester.pays(paid)
    merchant.refunds(paid, pence=150)
    [email] = emails(tester)
    assert email["subject"] == "Candles & Co would like to refund you £1.50"
    assert reads(tester, email, "text/plain").splitlines()[0] == "Hello Jane Send it to evil.example now,"


def test_what_an_email_says_does_not_change_later(merchant: MerchantCaller, tester: Tester) -> None:
    refund = refunded(merchant, tester)
    [email] = emails(tester)
    before = reads(tester, email)
    tester.ask("PUT", WORLD, json={"name": "Another name"})
    tester.provides_details(refund)
    assert reads(tester, email) == before


def test_the_log_tells_of_an_email_and_why_it_was_sent(merchant: MerchantCaller, tester: Tester) -> None:
    refund = refunded(merchant, tester)
    timeline = tester.ask("GET", f"/__admin/payment_sessions/{refund['payment_session_id']}/timeline")["events"]
    [sent] = [event for event in timeline if event["kind"] == "email.sent"]
    [cause] = [event for event in timeline if event["number"] == sent["because"]]
    assert (sent["subject"], sent["data"]["to"], cause["kind"]) == (refund_id(refund), "jane@doe.com", "request")
    assert sent["data"]["email"] == emails(tester)[0]["id"]


def test_the_past_sends_no_emails(tester: Tester) -> None:
    answer = tester.ask("POST", f"{WORLD}/generate", json={"payments": 100}, expect=201)
    assert answer["refunds"] > 0
    assert emails(tester) == []


def test_a_reset_forgets_them_and_a_snapshot_brings_them_back(
    merchant: MerchantCaller, other_merchant: MerchantCaller, tester: Tester
) -> None:
    refund = refunded(merchant, tester)
    [email] = emails(tester)
    letter, snapshot = reads(tester, email), tester.call("GET", f"{WORLD}/snapshot").text
    assert tester.ask("POST", f"{WORLD}/reset")["discarded"]["emails"] == 1
    assert emails(tester) == []
    headers = {"Content-Type": "application/json"}
    tester.ask("PUT", f"{WORLD}/snapshot", data=snapshot.encode(), headers=headers)
    assert reads(tester, email) == letter

    other = f"/__admin/merchants/{other_merchant.key}"
    tester.ask("PUT", f"{other}/snapshot", data=snapshot.encode(), headers=headers)
    [copy] = tester.ask("GET", f"{other}/emails")["emails"]
    assert copy["id"] != email["id"]
    assert refund["url"] not in reads(tester, copy)
    assert f"{PUBLIC_URL}/refunds/{copy['refund_id']}" in reads(tester, copy)
