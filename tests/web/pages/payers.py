"""A payer's browser without a screen, at the checkout."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from tests.web.pages.customers import Customer, location

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.actors import Tester


class Visitor(Customer):
    """Somebody at the checkout of one payment session."""

    def __init__(self, client: FlaskClient, id_: str) -> None:
        super().__init__(client, f"/checkout/{id_}")

    def posts(self, form: str = "", expect: int = 303, **fields: str) -> TestResponse:
        """Post a form of the page that is open, or of the first."""
        if not self.page:
            self.opens()
        return super().posts(form, expect, **fields)

    def chooses(self, bank: str = "Mock Bank") -> str:
        self.opens()
        return location(self.posts("/provider", provider=bank))

    def cancels(self) -> str:
        """Where turning away leads, in the end."""
        self.opens()
        location(self.posts("/cancel"))
        return self.is_sent("/result")

    def link(self, testid: str) -> str:
        found = re.search(f'href="([^"]*)"[^>]*data-testid="{testid}"', self.page)
        assert found, f"{testid} is not on {self.page}"
        return html.unescape(found[1])


def visits(tester: Tester, key: str = "pk_test_simulator") -> list[str]:
    """The pages that the event log says were visited."""
    return [
        event["data"]["path"] for event in tester.ask("GET", f"/__admin/merchants/{key}/events?kind=page")["events"]
    ]
