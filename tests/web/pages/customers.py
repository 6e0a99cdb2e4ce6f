"""A browser without a screen, at the bank or the form for a refund's details: it keeps cookies and fills in forms."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

_HIDDEN = re.compile('<input type="hidden" name="([a-z_]+)" value="([^"]*)">')
_TESTID = 'data-testid="{}"[^>]*>(.*?)</'


class Customer:
    """Somebody with a browser at the pages below one path."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self.client = client
        self.path = path
        self.page = ""

    def opens(self, page: str = "", expect: int = 200) -> str:
        response = self.client.get(self.path + page)
        assert response.status_code == expect, (response.status_code, response.headers.get("Location"), response.text)
        self.page = response.text
        return self.page

    def is_sent(self, page: str = "") -> str:
        """Where a page leads at once."""
        return location(self.client.get(self.path + page))

    def posts(self, form: str = "", expect: int = 303, **fields: str) -> TestResponse:
        """Post a form of the page that is open, with its hidden fields unless they are given."""
        response = self.client.post(self.path + form, data={**dict(_HIDDEN.findall(self.page)), **fields})
        assert response.status_code == expect, (response.status_code, response.text)
        if response.status_code == 422:
            self.page = response.text
        return response

    def reads(self, testid: str) -> str:
        """What stands at the `data-testid`, without markup."""
        found = re.search(_TESTID.format(testid), self.page, re.DOTALL)
        assert found, f"{testid} is not on {self.page}"
        return " ".join(html.unescape(re.sub("<[^>]*>", "", found[1])).split())

    def sees(self, testid: str) -> bool:
        return f'data-testid="{testid}"' in self.page

    def typed(self, testid: str) -> str:
        """What stands in a field."""
        found = re.search(f'<input[^>]*value="([^"]*)"[^>]*data-testid="{testid}"', self.page)
        assert found, f"{testid} is not on {self.page}"
        return html.unescape(found[1])


def location(response: TestResponse) -> str:
    assert response.status_code == 303, (response.status_code, response.text)
    where: str = response.headers["Location"]
    return where
