"""The checkout by HTTP: what is asked, who pays, which bank, and forms of what was (facts 6, Q26)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from simulator.domain.money import Currency
from simulator.domain.providers import Provider, Providers
from simulator.web.app import create_app
from tests.actors import PUBLIC_URL, MerchantCaller
from tests.web.pages.payers import Visitor, visits

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from simulator.service.simulation import Simulation
    from tests.actors import Json, Tester

JANE = {"name": "Jane Doe", "email": "jane@doe.com"}
URLS = {"success_url": "http://shop.example/ok?id=__PAYMENT_ID__", "error_url": "http://shop.example/no"}
CANDLES = {"name": "Candles", "amount": 100, "currency": "GBP", "quantity": 4}
SLOWLY = {"scenario": "approve_slowly"}


@pytest.fixture
def payment(merchant: MerchantCaller) -> Json:
    return merchant.requests_payment(payer=JANE, **URLS)


@pytest.fixture
def visitor(client: FlaskClient, payment: Json) -> Visitor:
    return Visitor(client, payment["id"])


def state(merchant: MerchantCaller, payment: Json) -> str:
    return merchant.reads_payment(payment["id"])["state"]


def refund_session(merchant: MerchantCaller, tester: Tester, **fields: object) -> Json:
    """The session by which the merchant pays £1.50 back to Jane Doe."""
    payment = merchant.requests_payment(payer=JANE)
    tester.pays(payment)
    refund = merchant.refunds(payment, pence=150, **fields)
    tester.provides_details(refund)
    return merchant.reads_payment(merchant.reads_refund(refund)["refund_payment_session_id"])


# What is asked


def test_the_first_page_says_who_asks_for_how_much_for_what(client: FlaskClient, merchant: MerchantCaller) -> None:
    matches = {"name": "Matches & <b>more</b>", "amount": 25, "currency": "GBP", "quantity": 2, "description": "Red"}
    visitor = Visitor(client, merchant.requests_payment(line_items=[CANDLES, matches])["id"])
    page = visitor.opens()
    assert "<title>Pay Simulator £4.50</title>" in page
    assert re.search(r"Pay Simulator</span>\s+<span class=\"amount\" data-testid=\"amount\">£4.50", page)
    assert visitor.reads("reference") == "Illuminate"
    lines = re.findall(r'data-testid="line-item">(.*?)</li>', page, re.DOTALL)
    texts = [" ".join(re.sub("<[^>]*>", " ", line).split()) for line in lines]
    assert texts == [
        "4 \N{MULTIPLICATION SIGN} Candles £4.00",
        "2 \N{MULTIPLICATION SIGN} Matches &amp; &lt;b&gt;more&lt;/b&gt; Red £0.50",
    ]


def test_a_long_list_of_things_is_folded(client: FlaskClient, merchant: MerchantCaller) -> None:
    visitor = Visitor(client, merchant.requests_payment(line_items=[CANDLES] * 5)["id"])
    assert "<details" in visitor.opens()
    assert visitor.reads("show-items") == "5 items"


@pytest.mark.parametrize(
    ("currency", "total", "banks"),
    [
        ("GBP", "£1,234.56", ["mock-bank", "mock-bank-direct", "mock-bank-business", "mock-bank-offline"]),
        ("EUR", "€1,234.56", ["mock-bank-eu"]),
        ("AUD", "$1,234.56", ["mock-bank-au"]),
    ],
)
def test_only_banks_for_the_currency_are_offered(
    client: FlaskClient, merchant: MerchantCaller, currency: str, total: str, banks: list[str]
) -> None:
    item = {"name": "Gold", "amount": 123_456, "currency": currency, "quantity": 1}
    visitor = Visitor(client, merchant.requests_payment(line_items=[item])["id"])
    page = visitor.opens()
    assert visitor.reads("amount") == total
    assert re.findall('data-testid="bank-([^"]+)"', page) == banks
    for path in set(re.findall(r'/assets/(banks/[^"?]+)', page)):
        with client.get(f"/assets/{path}") as logo:
            assert logo.mimetype == "image/svg+xml"


def test_a_bank_that_does_not_work_is_there_with_its_reason_and_cannot_be_picked(
    visitor: Visitor, merchant: MerchantCaller, payment: Json
) -> None:
    page = visitor.opens()
    assert re.search(r'data-testid="bank-mock-bank-offline" disabled>', page)
    assert "It is down for maintenance; please choose another bank." in page
    visitor.page = visitor.posts("/provider", expect=422, provider="Mock Bank Offline").text
    assert visitor.reads("bank-error") == "You cannot pay by that bank now. Please choose another one."
    assert visitor.posts("/provider", expect=422).status_code == 422
    assert state(merchant, payment) == "awaiting_provider"


def test_a_bank_that_pays_in_another_currency_cannot_be_picked_by_hand(visitor: Visitor) -> None:
    visitor.page = visitor.posts("/provider", expect=422, provider="Mock Bank EU").text
    assert "Please choose another one" in visitor.page


@pytest.fixture
def many_banks(simulation: Simulation) -> FlaskClient:
    names = ["Ash", "Birch", "Cedar", "Mock Bank", "Elm Direct", "Fir", "Elm"]
    banks = [Provider(id=name.lower(), name=name, brand=name, currencies=tuple(Currency)) for name in names]
    return create_app(replace(simulation, providers=Providers(banks)), PUBLIC_URL).test_client()


def test_of_many_banks_one_can_be_searched_without_a_script(many_banks: FlaskClient) -> None:
    payment = MerchantCaller(many_banks).requests_payment()
    visitor = Visitor(many_banks, payment["id"])
    assert len(re.findall('data-testid="bank-[a-z-]+"', visitor.opens())) == 7
    assert re.findall('data-testid="bank-(elm[^"]*)"', visitor.opens("?search=elm")) == ["elm-direct", "elm"]
    assert re.findall('data-testid="bank-(elm[^"]*)"', visitor.opens("?search=DIRECT+elm")) == ["elm-direct"]
    visitor.opens("?search=oak%22")
    assert visitor.reads("no-bank") == "No bank of that name."
    assert 'value="oak&#34;"' in visitor.page
    visitor.opens()
    refused = visitor.posts("/provider", expect=422, provider="oak").text
    assert f'method="get" action="{visitor.path}"' in refused


def test_few_banks_need_no_search(visitor: Visitor) -> None:
    assert 'type="search"' not in visitor.opens("?search=nothing")
    assert visitor.sees("bank-mock-bank")


def test_the_code_for_a_phone_is_of_the_sessions_own_url(visitor: Visitor) -> None:
    assert 'data-testid="qr"' in visitor.opens()
    assert "data:image/svg+xml" in visitor.page


# Who pays, by which bank


def test_a_payer_picks_a_bank_and_goes_there(visitor: Visitor, merchant: MerchantCaller, payment: Json) -> None:
    assert visitor.chooses("6b1f5d0a-52a5-4b0e-9d2e-0c1f6f0f6a01") == f"{visitor.path}/continue"
    assert state(merchant, payment) == "awaiting_payment_consent"
    visitor.opens("/continue")
    assert 'Continue to Mock Bank · <span class="whole">£4.00</span>' in visitor.page
    assert visitor.reads("payer").startswith("Jane Doe")
    assert visitor.posts("/continue").headers["Location"] == f"/bank/{payment['id']}"


def test_going_back_to_pick_another_bank_is_possible(visitor: Visitor, tester: Tester, payment: Json) -> None:
    visitor.chooses()
    visitor.chooses("Mock Bank Direct")
    visitor.opens("/continue")
    assert visitor.reads("chosen-bank") == "Mock Bank Direct"
    assert visitor.link("another-bank") == visitor.path
    assert tester.ask("GET", f"/__admin/payment_sessions/{payment['id']}")["provider"] == "Mock Bank Direct"


def test_nobody_continues_before_a_bank_is_picked(visitor: Visitor) -> None:
    assert visitor.is_sent("/continue") == visitor.path
    visitor.opens()
    assert visitor.posts("/continue").headers["Location"] == visitor.path


def test_who_pays_is_asked_when_the_merchant_did_not_say(client: FlaskClient, merchant: MerchantCaller) -> None:
    payment = merchant.requests_payment()
    visitor = Visitor(client, payment["id"])
    visitor.chooses()
    visitor.opens("/continue")
    assert visitor.sees("payer-name")
    assert not visitor.sees("continue")
    assert (
        visitor.posts("/continue", name=" Jane Doe ", email="jane@doe.com ").headers["Location"].endswith("/continue")
    )
    assert merchant.reads_payment(payment["id"])["payer"] == JANE
    visitor.opens("/continue")
    assert visitor.sees("continue")


def test_nothing_is_asked_that_is_known(visitor: Visitor) -> None:
    visitor.chooses()
    visitor.opens("/continue")
    assert not visitor.sees("payer-form")


@pytest.mark.parametrize(
    ("name", "email", "wrong"),
    [
        ("", "", ["name", "email"]),
        ("   ", "jane@doe.com", ["name"]),
        ("J" * 257, "jane@doe.com", ["name"]),
        ("Jane", "jane", ["email"]),
        ("Jane", "jane@doe", ["email"]),
        ("Jane", "<script>@x.y z", ["email"]),
    ],
)
def test_what_is_wrong_with_a_payer_stands_beside_the_field(
    client: FlaskClient, merchant: MerchantCaller, name: str, email: str, wrong: list[str]
) -> None:
    payment = merchant.requests_payment()
    visitor = Visitor(client, payment["id"])
    visitor.chooses()
    visitor.opens("/continue")
    page = visitor.posts("/continue", expect=422, name=name, email=email).text
    assert re.findall('data-testid="payer-(name|email)-error"', page) == wrong
    assert page.count('aria-invalid="true"') == len(wrong)
    assert page.count(" autofocus>") == 1
    assert "<title>Error: " in page
    assert "<script>@" not in page
    assert merchant.reads_payment(payment["id"])["payer"] is None


def test_of_two_tabs_the_first_says_who_pays(client: FlaskClient, merchant: MerchantCaller) -> None:
    payment = merchant.requests_payment()
    visitor = Visitor(client, payment["id"])
    visitor.chooses()
    visitor.opens("/continue")
    visitor.posts("/continue", **JANE)
    again = visitor.posts("/continue", name="Joe", email="joe@doe.com")
    assert again.headers["Location"] == f"{visitor.path}/continue"
    assert merchant.reads_payment(payment["id"])["payer"] == JANE


# Turning away


def test_who_cancels_goes_to_the_error_url_and_the_session_stays_open(
    visitor: Visitor, merchant: MerchantCaller, tester: Tester, payment: Json
) -> None:
    told = f"payment_result=awaiting_provider&payment_id={payment['id']}"
    assert visitor.cancels() == f"http://shop.example/no?banked-checkout-result=user-cancelled&{told}"
    assert state(merchant, payment) == "awaiting_provider"
    (event,) = tester.ask("GET", "/__admin/merchants/pk_test_simulator/events?kind=payment_session.cancelled")["events"]
    assert event["data"] == {"by": "payer"}
    assert visitor.chooses() == f"{visitor.path}/continue"


def test_who_cancels_twice_goes_back_twice_but_the_log_tells_it_once(visitor: Visitor, tester: Tester) -> None:
    assert visitor.cancels() == visitor.cancels()
    events = tester.ask("GET", "/__admin/merchants/pk_test_simulator/events?kind=payment_session.cancelled")["events"]
    assert len(events) == 1


def test_without_an_error_url_who_cancels_stays_on_a_page_that_leads_back(
    client: FlaskClient, merchant: MerchantCaller
) -> None:
    visitor = Visitor(client, merchant.requests_payment(payer=JANE)["id"])
    visitor.opens()
    assert visitor.reads("cancel") == "Cancel"
    visitor.posts("/cancel")
    visitor.opens("/result")
    assert visitor.sees("cancelled")
    assert visitor.link("pay-after-all") == visitor.path
    assert visitor.sees("return") is False


def test_a_payer_who_turns_away_at_the_bank_cancelled_too(visitor: Visitor, tester: Tester, payment: Json) -> None:
    tester.ask("POST", f"/__admin/payment_sessions/{payment['id']}/pay", json={"scenario": "user_cancels"})
    assert "banked-checkout-result=user-cancelled&payment_result=awaiting_payment_consent" in visitor.is_sent("/result")


# Forms of what was, and pages that are not


@pytest.mark.parametrize(
    ("scenario", "then"),
    [("approve", "success"), ("insufficient_funds", "failure"), ("stuck_pending", "pending"), ("bank_timeout", None)],
)
def test_a_form_of_what_was_leads_to_what_is(
    visitor: Visitor, tester: Tester, payment: Json, scenario: str, then: str | None
) -> None:
    visitor.opens()
    tester.ask("POST", f"/__admin/payment_sessions/{payment['id']}/pay", json={"scenario": scenario})
    before = tester.ask("GET", f"/__admin/payment_sessions/{payment['id']}")
    for form in ("/provider", "/continue", "/cancel"):
        assert visitor.posts(form, provider="Mock Bank Direct").headers["Location"] == visitor.path
    assert tester.ask("GET", f"/__admin/payment_sessions/{payment['id']}") == before
    if then is None:
        assert visitor.is_sent() == f"{visitor.path}/result"
    else:
        visitor.opens()
        assert visitor.sees(then)


def test_a_double_click_picks_the_bank_once_more_and_harms_nobody(
    visitor: Visitor, merchant: MerchantCaller, payment: Json
) -> None:
    visitor.opens()
    first, second = (visitor.posts("/provider", provider="Mock Bank") for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert state(merchant, payment) == "awaiting_payment_consent"


@pytest.mark.parametrize("page", ["", "/continue", "/result", "/progress"])
def test_what_is_deleted_or_never_was_is_not_found(
    client: FlaskClient, merchant: MerchantCaller, visitor: Visitor, payment: Json, page: str
) -> None:
    merchant.ask("DELETE", f"/v2/payment_sessions/{payment['id']}", expect=204)
    for path in (visitor.path, "/checkout/nothing"):
        response = client.get(path + page)
        assert response.status_code == 404
        assert "This link leads nowhere." in response.text


def test_a_form_of_a_deleted_session_is_not_found(visitor: Visitor, merchant: MerchantCaller, payment: Json) -> None:
    visitor.opens()
    merchant.ask("DELETE", f"/v2/payment_sessions/{payment['id']}", expect=204)
    for form in ("/provider", "/continue", "/cancel"):
        visitor.posts(form, expect=404)


def test_a_form_without_its_token_changes_nothing(
    client: FlaskClient, visitor: Visitor, merchant: MerchantCaller, payment: Json
) -> None:
    visitor.opens()
    for form in ("/provider", "/continue", "/cancel"):
        assert client.post(visitor.path + form, data={"provider": "Mock Bank"}).status_code == 403
    assert state(merchant, payment) == "awaiting_provider"


def test_the_wrong_method_is_a_page_too(client: FlaskClient, visitor: Visitor) -> None:
    response = client.get(f"{visitor.path}/provider")
    assert (response.status_code, response.mimetype) == (405, "text/html")


# Refunds


def test_a_refund_is_asked_for_in_its_own_words(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> None:
    session = refund_session(merchant, tester)
    visitor = Visitor(client, session["id"])
    assert "<title>Refund £1.50 to Jane Doe</title>" in visitor.opens()
    assert "Choose the bank to refund from" in visitor.page
    assert not visitor.sees("line-items")
    visitor.chooses()
    visitor.opens("/continue")
    assert not visitor.sees("payer-form")
    tester.pays(session)
    visitor.opens("/result")
    assert "<h1>£1.50 refunded</h1>" in visitor.page
    visitor.opens()
    assert "<h1>This is already refunded</h1>" in visitor.page


# The log and the policy


def test_the_log_has_each_visit_and_what_it_changed(visitor: Visitor, tester: Tester) -> None:
    visitor.chooses()
    events = tester.ask("GET", "/__admin/merchants/pk_test_simulator/events")["events"]
    change = next(event for event in events if event["kind"] == "payment_session.changed")
    cause = next(event for event in events if event["number"] == change["because"])
    assert (cause["kind"], cause["data"]["path"]) == ("page", f"{visitor.path}/provider")
    assert visits(tester) == [visitor.path, f"{visitor.path}/provider"]


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://shop.example:8443/ok?a=b", "https://shop.example:8443"),
        ("http://user:secret@shop.example/ok", "http://shop.example"),
        ("http://bücher.example/", "http://xn--bcher-kva.example"),
        ("http://[::1]:8000/ok", "http:"),
        ("http://a;sandbox/ok", "http:"),
        (f"http://{'ü' * 70}.example/", "http:"),
    ],
)
def test_forms_may_lead_to_the_merchants_urls_and_nowhere_else(
    client: FlaskClient, merchant: MerchantCaller, url: str, source: str
) -> None:
    payment = merchant.requests_payment(payer=JANE, error_url=url)
    policy = client.get(f"/checkout/{payment['id']}").headers["Content-Security-Policy"]
    assert f"form-action 'self' {source};" in policy


def test_only_the_merchants_own_pages_may_show_the_checkout_in_a_frame(
    client: FlaskClient, visitor: Visitor, tester: Tester
) -> None:
    world = "/__admin/merchants/pk_test_simulator"
    assert "frame-ancestors 'none'" in client.get(visitor.path).headers["Content-Security-Policy"]
    tester.ask("PUT", world, json={"frame_origin": "https://shop.example"})
    for page in ("", "/result", "/continue"):
        policy = client.get(visitor.path + page).headers["Content-Security-Policy"]
        assert "frame-ancestors https://shop.example;" in policy
    assert "frame-ancestors 'none'" in client.get("/checkout/nothing").headers["Content-Security-Policy"]
    tester.ask("PUT", world, json={"frame_origin": None})
    assert "frame-ancestors 'none'" in client.get(visitor.path).headers["Content-Security-Policy"]
