"""The checkout in a real browser: by mouse and keyboard, with scripts and without, on a phone and a desk."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from simulator.bootstrap import build_simulation
from simulator.config import Settings
from simulator.domain.money import Currency
from simulator.domain.providers import Provider, Providers
from simulator.web.app import create_app
from tests.browser.conftest import DESKTOP, PHONE, Shop, violations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

JANE = {"name": "Jane Doe", "email": "jane@doe.com"}
CANDLES = {"name": "Candles", "amount": 100, "currency": "GBP", "quantity": 4}
PAYEE = {"name": "Gerald Wiley", "account_number": "12345678", "sort_code": "010203"}


class _ShopPages(BaseHTTPRequestHandler):
    """The shop's own pages: what it is asked for, and a page with the checkout in a frame."""

    arrivals: list[str]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        framed = parse_qs(url.query).get("frame", [""])[0]
        if url.path.startswith("/arrived"):
            self.arrivals.append(self.path)
        body = f'<iframe src="{framed}" width="390" height="800"></iframe>' if framed else "<h1>The shop</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<!doctype html><title>Shop</title><link rel=icon href=data:,>{body}".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        pass


@pytest.fixture
def site() -> Iterator[tuple[str, list[str]]]:
    """The address of the shop's pages, and the paths at which payers arrived."""
    arrivals: list[str] = []
    handler = type("_Pages", (_ShopPages,), {"arrivals": arrivals})
    with _serving(HTTPServer(("127.0.0.1", 0), handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}", arrivals


@contextmanager
def _serving(server: HTTPServer) -> Iterator[HTTPServer]:
    thread = Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asks(shop: Shop, **fields: object) -> str:
    """The id of a payment of four candles."""
    body = {"reference": "Illuminate", "line_items": [CANDLES], "payee": PAYEE, "payer": JANE, **fields}
    return str(shop.call("POST", "/v2/payment_sessions", expect=201, **body)["id"])


def pays(shop: Shop, id_: str, scenario: str = "approve") -> None:
    shop.call("POST", f"/__admin/payment_sessions/{id_}/pay", scenario=scenario)


def urls(site: str) -> dict[str, str]:
    return {"success_url": f"{site}/arrived/ok?id=__PAYMENT_ID__", "error_url": f"{site}/arrived/no"}


@contextmanager
def somebody(browser: Browser, **context: object) -> Iterator[Page]:
    """A page of a clean browser of another kind."""
    fresh = browser.new_context(**{"viewport": PHONE, **context})
    yield fresh.new_page()
    fresh.close()


# The path


def test_a_payer_walks_to_the_bank_with_the_keyboard_alone(visitor: Page, shop: Shop) -> None:
    id_ = asks(shop, payer=None)
    visitor.goto(f"{shop.url}/checkout/{id_}")
    assert visitor.title().endswith(" £4.00")
    visitor.keyboard.press("Tab")
    expect(visitor.get_by_test_id("bank-mock-bank")).to_be_focused()
    visitor.keyboard.press("Tab")
    visitor.keyboard.press("Enter")
    expect(visitor).to_have_url(f"{shop.url}/checkout/{id_}/continue")
    visitor.keyboard.press("Tab")
    visitor.keyboard.type("Jane Doe")
    visitor.keyboard.press("Tab")
    visitor.keyboard.type("jane")
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_test_id("payer-email-error")).to_be_visible()
    expect(visitor.get_by_test_id("payer-email")).to_be_focused()
    visitor.keyboard.press("End")
    visitor.keyboard.type("@doe.com")
    visitor.keyboard.press("Enter")
    button = visitor.get_by_test_id("continue")
    expect(button).to_have_text("Continue to Mock Bank Direct · £4.00")
    visitor.keyboard.press("Tab")
    expect(button).to_be_focused()
    visitor.keyboard.press("Enter")
    visitor.wait_for_url(f"{shop.url}/bank/{id_}")


def test_the_back_button_leads_to_another_bank(visitor: Page, shop: Shop) -> None:
    id_ = asks(shop)
    visitor.goto(f"{shop.url}/checkout/{id_}")
    visitor.get_by_test_id("bank-mock-bank").click()
    expect(visitor.get_by_test_id("chosen-bank")).to_have_text("Mock Bank")
    visitor.go_back()
    visitor.get_by_test_id("bank-mock-bank-business").click()
    expect(visitor.get_by_test_id("chosen-bank")).to_have_text("Mock Bank Business")
    visitor.get_by_test_id("another-bank").click()
    expect(visitor.get_by_test_id("bank-mock-bank-offline")).to_be_disabled()


def test_two_tabs_end_at_one_payment(visitor: Page, shop: Shop) -> None:
    id_ = asks(shop)
    other = visitor.context.new_page()
    for page in (visitor, other):
        page.goto(f"{shop.url}/checkout/{id_}")
    visitor.get_by_test_id("bank-mock-bank").click()
    pays(shop, id_)
    other.get_by_test_id("bank-mock-bank-direct").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("This is already paid")
    visitor.get_by_test_id("continue").click()
    expect(visitor.get_by_test_id("success")).to_be_visible()
    visitor.reload()
    expect(visitor.get_by_test_id("success")).to_be_visible()


def test_cancelling_leads_to_the_shop_under_the_policy(visitor: Page, shop: Shop, site: tuple[str, list[str]]) -> None:
    id_ = asks(shop, **urls(site[0]))
    visitor.goto(f"{shop.url}/checkout/{id_}")
    visitor.get_by_test_id("cancel").click()
    expect(visitor.get_by_role("heading")).to_have_text("The shop")
    told = f"banked-checkout-result=user-cancelled&payment_result=awaiting_provider&payment_id={id_}"
    assert site[1] == [f"/arrived/no?{told}"]


# Waiting


@pytest.mark.parametrize("scripts", [True, False])
def test_the_waiting_page_goes_on_by_itself(
    browser: Browser,
    shop: Shop,
    site: tuple[str, list[str]],
    scripts: bool,  # noqa: FBT001  a column of the table
) -> None:
    shop.call("PUT", f"/__admin/merchants/{shop.key}", progression="manual")
    id_ = asks(shop, **urls(site[0]))
    pays(shop, id_)
    with somebody(browser, java_script_enabled=scripts) as page:
        page.goto(f"{shop.url}/checkout/{id_}")
        expect(page.get_by_test_id("waiting")).to_be_visible()
        expect(page.get_by_test_id("without-waiting")).to_be_visible()
        shop.call("POST", f"/__admin/payment_sessions/{id_}/next")
        expect(page.get_by_role("heading")).to_have_text("The shop", timeout=8000)
    assert site[1] == [f"/arrived/ok?id={id_}&banked-checkout-result=success&payment_result=sent&payment_id={id_}"]


def test_who_comes_back_from_the_shop_is_not_trapped(visitor: Page, shop: Shop, site: tuple[str, list[str]]) -> None:
    id_ = asks(shop, **urls(site[0]))
    pays(shop, id_)
    visitor.goto(f"{shop.url}/checkout/{id_}/result")
    visitor.goto(f"{shop.url}/checkout/{id_}/result")
    expect(visitor.get_by_test_id("success")).to_be_visible()
    visitor.get_by_test_id("return").click()
    expect(visitor.get_by_role("heading")).to_have_text("The shop")
    assert len(site[1]) == 2


# Without scripts, and many banks


def test_without_scripts_a_payer_gets_as_far(browser: Browser, shop: Shop) -> None:
    id_ = asks(shop, payer=None)
    with somebody(browser, java_script_enabled=False) as page:
        page.goto(f"{shop.url}/checkout/{id_}")
        page.get_by_test_id("bank-mock-bank").click()
        page.get_by_test_id("payer-name").fill("Jane Doe")
        page.get_by_test_id("payer-email").fill("jane@doe.com")
        page.get_by_test_id("payer-continue").click()
        page.get_by_test_id("continue").click()
        page.wait_for_url(f"{shop.url}/bank/{id_}")


@pytest.fixture(scope="module")
def crowded() -> Iterator[str]:
    """The address of a simulator with many banks."""
    names = ["Ash", "Birch", "Cedar", "Elm", "Elm Direct", "Fir", "Mock Bank"]
    banks = Providers([Provider(id=name.lower(), name=name, brand=name, currencies=tuple(Currency)) for name in names])
    simulation = replace(build_simulation(Settings()), providers=banks)
    server = make_server("127.0.0.1", 0, create_app(simulation, ""), threaded=True)
    with _serving(server):
        yield f"http://127.0.0.1:{server.port}"
    simulation.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_of_many_banks_one_is_found_while_typing(visitor: Page, crowded: str, scheme: str) -> None:
    id_ = asks(Shop(crowded, "many"))
    visitor.emulate_media(color_scheme=scheme)
    visitor.goto(f"{crowded}/checkout/{id_}")
    rows = visitor.locator("button.bank:visible")
    expect(rows).to_have_count(7)
    expect(visitor.get_by_test_id("search-button")).to_be_hidden()
    visitor.get_by_label("Find your bank").fill("ELM")
    expect(rows).to_have_count(2)
    visitor.get_by_test_id("search").fill("oak")
    expect(visitor.get_by_test_id("no-bank")).to_have_text("No bank of that name.")
    visitor.keyboard.press("Enter")
    assert visitor.url == f"{crowded}/checkout/{id_}"
    assert violations(visitor) == []


def test_of_many_banks_one_is_found_without_a_script(browser: Browser, crowded: str) -> None:
    id_ = asks(Shop(crowded, "many"))
    with somebody(browser, java_script_enabled=False) as page:
        page.goto(f"{crowded}/checkout/{id_}")
        page.get_by_test_id("search").fill("elm direct")
        page.get_by_test_id("search-button").click()
        expect(page.locator("button.bank")).to_have_text(["Elm Direct"])


# Frames


def test_the_shop_may_show_the_checkout_in_a_frame_and_the_bank_takes_the_whole_window(
    browser: Browser, shop: Shop, site: tuple[str, list[str]]
) -> None:
    shop.call("PUT", f"/__admin/merchants/{shop.key}", frame_origin=site[0])
    id_ = asks(shop)
    with somebody(browser) as page:
        page.goto(f"{site[0]}/?frame={shop.url}/checkout/{id_}")
        frame = page.frame_locator("iframe")
        frame.get_by_test_id("bank-mock-bank").click()
        frame.get_by_test_id("continue").click()
        page.wait_for_url(f"{shop.url}/bank/{id_}")


def test_nobody_else_may(browser: Browser, shop: Shop, site: tuple[str, list[str]]) -> None:
    id_ = asks(shop)
    with somebody(browser) as page:
        page.goto(f"{site[0]}/?frame={shop.url}/checkout/{id_}")
        page.wait_for_timeout(300)
        assert page.frames[1].get_by_test_id("ask").count() == 0


# How it looks


def each_page(shop: Shop) -> dict[str, str]:
    """One path for each page that there is."""
    far = urls("http://shop.example")
    ids = {name: asks(shop, **far) for name in ("banks", "chosen", "success", "waiting")}
    ids |= {name: asks(shop) for name in ("paid", "pending", "failure", "expired", "cancelled")}
    unknown = asks(shop, payer=None)
    for id_ in (ids["chosen"], unknown):
        shop.call("POST", f"/__admin/payment_sessions/{id_}/actions/choose_provider")
    played = {"success": "approve", "waiting": "bank_timeout", "paid": "approve", "pending": "stuck_pending"}
    for name, scenario in {**played, "failure": "reject", "cancelled": "user_cancels"}.items():
        pays(shop, ids[name], scenario)
    shop.call("POST", f"/__admin/payment_sessions/{ids['expired']}/actions/expire")
    body = {"payment_session_id": ids["paid"], "amount": 150, "payee": {**PAYEE, "name": "Jane Doe"}}
    refund = shop.call("POST", "/v2/refunds", expect=201, **body)["refund_payment_session_id"]
    pages = {name: f"/checkout/{id_}{'' if name in ('banks', 'success') else '/result'}" for name, id_ in ids.items()}
    more = {"chosen": f"/checkout/{ids['chosen']}/continue", "details": f"/checkout/{unknown}/continue"}
    return {**pages, **more, "refund": f"/checkout/{refund}"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_every_page(visitor: Page, shop: Shop, scheme: str) -> None:
    visitor.emulate_media(color_scheme=scheme)
    for name, path in each_page(shop).items():
        visitor.goto(shop.url + path)
        assert (name, violations(visitor)) == (name, [])
        if name == "details":
            visitor.get_by_test_id("payer-continue").click()
            expect(visitor.get_by_test_id("payer-name-error")).to_be_visible()
            assert (name, violations(visitor)) == (name, [])


@pytest.mark.parametrize("width", [320, 640, 1280])  # 640: a desk at 200 %
def test_no_page_is_wider_than_the_screen(browser: Browser, shop: Shop, width: int) -> None:
    with somebody(browser, viewport={"width": width, "height": 640}) as page:
        for name, path in each_page(shop).items():
            page.goto(shop.url + path)
            assert (name, page.evaluate("document.documentElement.scrollWidth")) == (name, width)


def test_what_is_touched_is_large_enough(visitor: Page, shop: Shop) -> None:
    for name, path in each_page(shop).items():
        visitor.goto(shop.url + path)
        for control in visitor.locator("a, button, input:not([type=hidden])").all():
            box = control.bounding_box()
            assert box is not None
            assert box["height"] >= 44, (name, control.get_attribute("data-testid"))


def test_the_code_for_a_phone_is_shown_where_there_is_room(browser: Browser, shop: Shop) -> None:
    id_ = asks(shop)
    with somebody(browser) as page:
        page.goto(f"{shop.url}/checkout/{id_}")
        expect(page.get_by_test_id("qr")).to_be_hidden()
        page.set_viewport_size(DESKTOP)
        expect(page.get_by_test_id("qr")).to_be_visible()
        assert page.get_by_test_id("qr").evaluate("image => image.naturalWidth") > 0
        assert violations(page) == []
