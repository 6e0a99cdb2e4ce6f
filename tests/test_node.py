"""Bodies and signatures as Node sees them: many receivers verify what they have parsed and written again."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.domain.accounts import Account
from simulator.domain.money import LARGEST_AMOUNT, Currency
from simulator.domain.payments import LineItem, Payer, Payment, PaymentRequest
from simulator.domain.signatures import sign
from simulator.domain.states import PaymentState
from simulator.domain.webhooks import PAYMENT_EVENTS, REDACTED_EVENTS, TypeKeys
from simulator.web.payloads import payload
from tests.actors import NOON, PUBLIC_URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.actors import Json

PROGRAM = """
const crypto = require("crypto");
require("readline").createInterface({ input: process.stdin }).on("line", line => {
  const { body, key, signature } = JSON.parse(line);
  const [seconds, digest] = signature.split(".");
  const own = crypto.createHmac("sha256", key).update(`${seconds}.${body}`).digest("hex");
  console.log(JSON.stringify({ again: JSON.stringify(JSON.parse(body)), verified: own === digest }));
});
"""

texts = st.text(max_size=30)
amounts = st.integers(1, LARGEST_AMOUNT)
currencies, descriptions = st.sampled_from(Currency), st.none() | texts
one_item = st.builds(LineItem, texts, amounts, currencies, st.just(1), descriptions).map(lambda item: (item,))
items = st.builds(LineItem, texts, st.integers(1, 10**9), currencies, st.integers(1, 1000), descriptions)
requests = st.builds(
    PaymentRequest,
    reference=texts,
    line_items=one_item | st.lists(items, min_size=1, max_size=3).map(tuple),
    payee=st.builds(partial(Account, account_number="12345678", sort_code="010203"), name=texts),
    payer=st.none() | st.builds(Payer, texts, texts),
    success_url=st.none() | texts,
    error_url=st.none() | texts,
    email_receipt=st.booleans(),
    number_of_payments=st.none() | amounts,
)
payments = st.builds(
    Payment,
    id=st.just("1ae1ce03-dfa9-4593-b487-65c656991cb5"),
    request=requests,
    created_at=st.just(NOON),
    state=st.sampled_from(PaymentState),
    sent_at=st.none() | st.just(NOON),
)


@pytest.fixture(scope="module")
def node() -> Iterator[Callable[..., Json]]:
    """Asks a Node that is running."""
    path = shutil.which("node") or shutil.which("nodejs")
    assert path, "These tests need Node: install Debian's package nodejs."
    with subprocess.Popen([path, "-e", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(**question: Any) -> Json:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@given(payments, st.sampled_from([*PAYMENT_EVENTS, *REDACTED_EVENTS]), st.text(min_size=1), st.integers(0, 2**40))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_body_is_what_node_writes_again_and_its_signature_what_node_computes(
    node: Callable[..., Json], payment: Payment, event: str, key: str, seconds: int
) -> None:
    body = payload(payment, (), event, TypeKeys.BOTH, PUBLIC_URL)
    answer = node(body=body, key=key, signature=sign(key, seconds, body.encode()))
    assert answer == {"again": body, "verified": True}
