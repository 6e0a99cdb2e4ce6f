"""Sending e-mails by SMTP: to a real mail server, a dead one, one that hangs."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from threading import enumerate as threads
from typing import TYPE_CHECKING, Any

import pytest

from simulator.adapters.smtp import SmtpPost
from simulator.domain.emails import Email, EmailKind, Letter, Posting
from simulator.domain.events import Cause
from simulator.domain.merchants import SANDBOX_ACCOUNT
from simulator.domain.money import Currency
from simulator.domain.payments import LineItem, Payer, Payment, PaymentRequest
from tests.mail import Inbox, free_port, mail_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent
NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
KEY = "pk_test_shop"
PATIENCE = 5
"""Seconds that something may take before the test fails."""

REQUEST = PaymentRequest(
    reference="Illuminate", line_items=(LineItem("Candles", 100, Currency.GBP, 4),), payee=SANDBOX_ACCOUNT
)
RECEIPT = Email(
    id="e-mail",
    kind=EmailKind.RECEIPT,
    created_at=NOON,
    to=Payer("Jane Doe", "jane@doe.com"),
    merchant_name="Søren & Ada",
    merchant_email="payments@merchant.example",
    payment=Payment(id="payment", request=REQUEST, created_at=NOON),
)
POSTING = Posting(KEY, RECEIPT, Cause(0, 1))
LETTER = Letter("£4.00 paid", "You paid £4.00.\n", "<p>You paid £4.00.</p>\n")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[int]:
    """The port of a mail server."""
    with mail_server(inbox) as port:
        yield port


def posting(id_: str = RECEIPT.id, **fields: Any) -> Posting:
    """An e-mail that is to be sent."""
    return replace(POSTING, email=replace(RECEIPT, id=id_, **fields))


Fates = Queue[tuple[str, str]]


@contextmanager
def post(
    port: int, *, is_due: Callable[[Posting], bool] = lambda _: True, **options: Any
) -> Iterator[tuple[SmtpPost, Fates]]:
    """A post at work, and what it tells: of which e-mail, and why it failed."""
    fates: Fates = Queue()
    smtp = SmtpPost("127.0.0.1", port, **options)
    smtp.start(lambda _: LETTER, is_due, lambda posting, failure: fates.put((posting.email.id, failure)))
    yield smtp, fates
    smtp.stop()


def test_an_email_arrives_with_text_and_html(inbox: Inbox, server: int) -> None:
    with post(server) as (smtp, fates):
        smtp.take(POSTING)
        assert fates.get(timeout=PATIENCE) == ("e-mail", "")
    message = inbox.messages.get(timeout=PATIENCE)
    assert message["Subject"] == "£4.00 paid"
    assert message["From"].addresses[0].display_name == "Søren & Ada"
    assert message["From"].addresses[0].addr_spec == "payments@merchant.example"
    assert message["To"].addresses[0].addr_spec == "jane@doe.com"
    assert message["Date"].datetime == NOON
    text, html = message.iter_parts()
    assert (text.get_content_type(), text.get_content().replace("\r", "")) == ("text/plain", LETTER.text)
    assert (html.get_content_type(), html.get_content().replace("\r", "")) == ("text/html", LETTER.html)


def test_emails_arrive_in_their_order(inbox: Inbox, server: int) -> None:
    with post(server) as (smtp, fates):
        for number in range(5):
            smtp.take(posting(f"e-mail-{number}"))
        assert [fates.get(timeout=PATIENCE)[0] for _ in range(5)] == [f"e-mail-{number}" for number in range(5)]
    ids = [str(inbox.messages.get(timeout=PATIENCE)["Message-ID"]) for _ in range(5)]
    assert ids == [f"<e-mail-{number}@simulator.invalid>" for number in range(5)]


@pytest.mark.parametrize("name", ["Jane\r\nBcc: everybody@doe.com", 'Jane "the\x00" Doe, <jane@evil.example>', "王 🕯"])
def test_no_name_makes_a_header_of_its_own(inbox: Inbox, server: int, name: str) -> None:
    with post(server) as (smtp, fates):
        smtp.take(posting(to=Payer(name, "jane@doe.com"), merchant_name=name))
        assert fates.get(timeout=PATIENCE)[1] == ""
    message = inbox.messages.get(timeout=PATIENCE)
    assert [address.addr_spec for address in message["To"].addresses] == ["jane@doe.com"]
    assert message["Bcc"] is None
    assert len(message.keys()) == len(set(message.keys()))


@pytest.mark.parametrize("address", ["jane doe@doe.com", "jane@doe.com\nBcc: x@y.example", "<script>@doe.com>"])
def test_an_address_that_is_none_is_told_and_stops_nobody(inbox: Inbox, server: int, address: str) -> None:
    with post(server) as (smtp, fates):
        smtp.take(posting("broken", to=Payer("Jane Doe", address)))
        smtp.take(POSTING)
        assert fates.get(timeout=PATIENCE)[1].startswith(f"127.0.0.1:{server}: ")
        assert fates.get(timeout=PATIENCE) == ("e-mail", "")
    assert inbox.messages.get(timeout=PATIENCE)["To"].addresses[0].addr_spec == "jane@doe.com"
    assert inbox.messages.empty()


def test_what_is_no_longer_due_is_left_out_in_silence(inbox: Inbox, server: int) -> None:
    with post(server, is_due=lambda posting: posting.email.id != "outdated") as (smtp, fates):
        smtp.take(posting("outdated"))
        smtp.take(POSTING)
        assert fates.get(timeout=PATIENCE) == ("e-mail", "")
    assert inbox.messages.get(timeout=PATIENCE)["Message-ID"] == "<e-mail@simulator.invalid>"
    assert inbox.messages.empty()


def test_a_dead_server_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with post(free_port()) as (smtp, fates):
        smtp.take(POSTING)
        assert "refused" in fates.get(timeout=PATIENCE)[1]
    assert "e-mail e-mail failed" in caplog.text


def test_a_server_that_takes_an_email_and_hangs_up_has_it() -> None:
    def behave(connection: socket.socket) -> None:
        with connection, connection.makefile("rw", newline="\r\n") as line:
            for answer in ("220 hello", "250 you", "250 from", "250 to", "354 go on"):
                line.write(f"{answer}\n")
                line.flush()
                line.readline()
            while line.readline() != ".\r\n":
                pass
            line.write("250 taken\n")
            line.flush()
            line.readline()  # QUIT, to which it says nothing

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        Thread(target=lambda: behave(listener.accept()[0]), daemon=True).start()
        with post(listener.getsockname()[1]) as (smtp, fates):
            smtp.take(POSTING)
            assert fates.get(timeout=PATIENCE) == ("e-mail", "")


def test_a_server_that_hangs_holds_up_nobody_but_the_post() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        post(silent.getsockname()[1], patience=0.2, room=2) as (smtp, fates),
    ):
        smtp.take(posting("under way"))
        with closing(silent.accept()[0]):
            for id_ in ("waiting", "also waiting", "one too many"):
                smtp.take(posting(id_))
            assert fates.get(timeout=PATIENCE) == ("one too many", "Too many e-mails are waiting to be sent.")
            for expected in ("under way", "waiting", "also waiting"):
                id_, failure = fates.get(timeout=PATIENCE)
                assert (id_, failure.rpartition(" ")[2]) == (expected, "out")


def test_there_is_no_thread_before_there_is_an_email() -> None:
    before = set(threads())
    with post(free_port()):
        assert set(threads()) <= before


def test_a_failure_to_tell_stops_nobody(inbox: Inbox, server: int, caplog: pytest.LogCaptureFixture) -> None:
    def tell(posting: Posting, _: str) -> None:
        if posting.email.id == "untold":
            raise RuntimeError("the log is full")

    smtp = SmtpPost("127.0.0.1", server)
    smtp.start(lambda _: LETTER, lambda _: True, tell)
    smtp.take(posting("untold"))
    smtp.take(POSTING)
    ids = [str(inbox.messages.get(timeout=PATIENCE)["Message-ID"]) for _ in range(2)]
    smtp.stop()
    assert ids == ["<untold@simulator.invalid>", "<e-mail@simulator.invalid>"]
    assert "what became of e-mail untold cannot be told" in caplog.text


def test_it_greets_by_a_name_that_need_not_be_looked_up(inbox: Inbox, server: int) -> None:
    with post(server) as (smtp, fates):
        smtp.take(POSTING)
        assert fates.get(timeout=PATIENCE) == ("e-mail", "")
    assert inbox.greeting == "localhost"


def test_after_its_end_the_post_sends_nothing_more(inbox: Inbox, server: int) -> None:
    writing, go_on = Event(), Event()

    def write(_: Email) -> Letter:
        writing.set()
        assert go_on.wait(PATIENCE)
        return LETTER

    fates: Fates = Queue()
    smtp = SmtpPost("127.0.0.1", server)
    smtp.start(write, lambda _: True, lambda posting, failure: fates.put((posting.email.id, failure)))
    for number in range(3):
        smtp.take(posting(f"e-mail-{number}"))
    assert writing.wait(PATIENCE)
    smtp.stop()
    smtp.take(posting("late"))
    go_on.set()
    assert fates.get(timeout=PATIENCE) == ("e-mail-0", "")
    assert inbox.messages.get(timeout=PATIENCE)
    with pytest.raises(Empty):
        fates.get(timeout=0.1)
    assert inbox.messages.empty()


def test_a_server_that_hangs_does_not_hold_up_the_end_of_the_process() -> None:
    program = """
from simulator.adapters.smtp import SmtpPost
from tests.adapters.test_smtp import LETTER, POSTING
import sys
smtp = SmtpPost("127.0.0.1", int(sys.argv[1]), patience=600)
smtp.start(lambda _: LETTER, lambda _: True, lambda *_: None)
smtp.take(POSTING)
print("taken", flush=True)
sys.stdin.readline()
smtp.stop()
"""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as silent,
        subprocess.Popen(
            [sys.executable, "-c", program, str(silent.getsockname()[1])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        with closing(silent.accept()[0]):
            try:
                process.communicate("\n", timeout=2 * PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == 0
