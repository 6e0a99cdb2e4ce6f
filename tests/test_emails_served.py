"""E-mails of the real command, sent by SMTP: to a mail server, and to one that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.actors import payment_request
from tests.mail import Inbox, free_port, mail_server
from tests.processes import running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.actors import Json

PATIENCE = 5
WORLD = "/__admin/merchants/pk_test_simulator"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def address(inbox: Inbox) -> Iterator[str]:
    with mail_server(inbox) as port:
        yield f"127.0.0.1:{port}"


def ask(method: str, url: str, *, expect: int = 200, **body: Any) -> Json:
    """What the simulator answers."""
    auth = ("pk_test_simulator", "sk_test_simulator") if "/v2/" in url else None
    answer = requests.request(method, url, json=body or None, auth=auth, timeout=2 * PATIENCE)
    assert answer.status_code == expect, answer.text
    return answer.json()


def refunded(url: str) -> Json:
    """A refund of £1.50 for Jane, who has to say where it should go."""
    request = payment_request(payer={"name": "Jane Doe", "email": "jane@doe.com"})
    payment = ask("POST", f"{url}/v2/payment_sessions", expect=201, **request)
    ask("POST", f"{url}/__admin/payment_sessions/{payment['id']}/pay")
    return ask("POST", f"{url}/v2/refunds", expect=201, payment_session_id=payment["id"], amount=150)


def test_a_mail_server_gets_the_link_and_the_log_tells(address: str, inbox: Inbox) -> None:
    with running_simulator("--smtp", address) as url:
        refund = refunded(url)
        told = ask("GET", f"{url}{WORLD}/wait?kind=email.delivered&after=0&timeout={PATIENCE}")["event"]
        [email] = ask("GET", f"{url}{WORLD}/emails")["emails"]
        letter = ask("GET", f"{url}/__admin/emails/{email['id']}")
    assert told["data"] == {"email": email["id"], "to": "jane@doe.com"}
    message = inbox.messages.get(timeout=PATIENCE)
    assert message["Subject"] == email["subject"]
    text, html = (part.get_content().replace("\r\n", "\n") for part in message.iter_parts())
    assert (text, html) == (letter["text"], letter["html"])
    assert refund["url"] == email["link"]
    assert refund["url"] in text


def test_without_the_mail_server_nothing_is_lost_and_the_log_says_why() -> None:
    with running_simulator("--smtp", f"127.0.0.1:{free_port()}") as url:
        refund = refunded(url)
        told = ask("GET", f"{url}{WORLD}/wait?kind=email.failed&after=0&timeout={PATIENCE}")["event"]
        [email] = ask("GET", f"{url}{WORLD}/emails")["emails"]
        [sent] = ask("GET", f"{url}{WORLD}/events?kind=email.sent")["events"]
    assert "refused" in told["data"]["why"]
    assert (told["because"], told["subject"]) == (sent["number"], email["refund_id"])
    assert email["link"] == refund["url"]
