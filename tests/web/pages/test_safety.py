"""Every page, also the one for what is not there, allows nothing foreign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask.testing import FlaskClient


@pytest.mark.parametrize("path", ["/checkout/nothing/at/all", "/bank/nothing/at/all", "/refunds/nothing/at/all"])
def test_what_is_not_there_is_a_page_under_a_strict_policy(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "There is no such page." in response.text
    assert "<script" not in response.text
    assert " style=" not in response.text
    policy = response.headers["Content-Security-Policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"):
        assert rule in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_what_the_pages_are_made_of_is_served_and_kept(client: FlaskClient) -> None:
    for path in ("pages.css", "mark.svg", "vendor/pico-2.1.1.min.css", "signs/done.svg"):
        with client.get(f"/assets/{path}") as response:
            assert response.status_code == 200, path
            assert response.cache_control.max_age
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/assets/../app.py").status_code == 404
    assert client.get("/assets/%2e%2e/app.py").status_code == 404
