"""A payer's browser without a screen: it keeps cookies, fills in forms, and follows no redirect unasked."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.actors import Tester

_TOKEN = re.compile('name="form_token" value="([0-9a-f]+)"')
_TESTID = 'data-testid="{}"[^>]*>(.*?)</'


class Visitor:
    """Somebody at the checkout of one payment session."""

    def __init__(self, client: FlaskClient, id_: str) -> None:
        self.client = client
        self.path = f"/checkout/{id_}"
        self.page = ""

    def opens(self, page: str = "", expect: int = 200) -> str:
        response = self.client.get(self.path + page)
        assert response.status_code == expect, (response.status_code, response.headers.get("Location"), response.text)
        self.page = response.text
        return self.page

    def is_sent(self, page: str = "") -> str:
        """Where a page leads at once."""
        return location(self.client.get(self.path + page))

    def posts(self, form: str, expect: int = 303, **fields: str) -> TestResponse:
        token = _TOKEN.search(self.page or self.opens())
        assert token, self.page
        response = self.client.post(self.path + form, data={"form_token": token[1], **fields})
        assert response.status_code == expect, (response.status_code, response.text)
        return response

    def chooses(self, bank: str = "Mock Bank") -> str:
        self.opens()
        return location(self.posts("/provider", provider=bank))

    def cancels(self) -> str:
        """Where turning away leads, in the end."""
        self.opens()
        location(self.posts("/cancel"))
        return self.is_sent("/result")

    def reads(self, testid: str) -> str:
        """What stands at the `data-testid`, without markup."""
        found = re.search(_TESTID.format(testid), self.page, re.DOTALL)
        assert found, f"{testid} is not on {self.page}"
        return " ".join(html.unescape(re.sub("<[^>]*>", "", found[1])).split())

    def sees(self, testid: str) -> bool:
        return f'data-testid="{testid}"' in self.page

    def link(self, testid: str) -> str:
        found = re.search(f'href="([^"]*)"[^>]*data-testid="{testid}"', self.page)
        assert found, f"{testid} is not on {self.page}"
        return html.unescape(found[1])


def location(response: TestResponse) -> str:
    assert response.status_code == 303, (response.status_code, response.text)
    where: str = response.headers["Location"]
    return where


def visits(tester: Tester, key: str = "pk_test_simulator") -> list[str]:
    """The pages that the event log says were visited."""
    return [
        event["data"]["path"] for event in tester.ask("GET", f"/__admin/merchants/{key}/events?kind=page")["events"]
    ]
