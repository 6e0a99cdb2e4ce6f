"""A real Chromium at a running server: `visitor` is a person with a phone, a clean browser each time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from playwright.sync_api import sync_playwright

from tests.processes import running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for these tests; Playwright keeps an event loop running in their thread until it is closed."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "The browser tests need Chromium: install Debian's package chromium, or set CHROMIUM to its path."
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def server() -> Iterator[str]:
    """The address of a server that all browser tests share, each with a merchant of its own."""
    with running_simulator("--seed", "browser") as url:
        yield url


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Page]:
    """A page of a clean browser on a phone; what its console complains about fails the test."""
    yield from _visit(browser.new_context(viewport=PHONE))


def _visit(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    yield page
    context.close()
    # Chromium reports answers of 400 and more as errors of their own; the tests look at the status themselves.
    assert [each for each in complaints if "the server responded with a status of" not in each] == []


class Shop:
    """A merchant's backend, by HTTP as everybody's; its key is its own."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.key = f"pk_test_{name}"
        self._session = requests.Session()
        self._session.auth = (self.key, f"sk_test_{name}")

    def call(self, method: str, path: str, *, expect: int = 200, **body: object) -> dict[str, object]:
        answer = self._session.request(method, self.url + path, json=body or None, timeout=10)
        assert answer.status_code == expect, answer.text
        return answer.json() if answer.content else {}


@pytest.fixture
def shop(server: str, request: pytest.FixtureRequest) -> Shop:
    """A shop that no other test knows."""
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    return Shop(server, name[-64:])


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page by WCAG 2.2 AA, in a line each."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(
        """async rules => (await axe.run({runOnly: rules})).violations
            .map(each => `${each.id}: ${each.nodes.map(node => node.html).join(' | ')}`)""",
        RULES,
    )
    lines: list[str] = found
    return lines
