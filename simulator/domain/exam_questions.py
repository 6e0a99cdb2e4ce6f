"""The questions of the receiver exam, in the order in which they are asked: what may exhaust a receiver comes last."""

from __future__ import annotations

import json

from simulator.domain.exam import PROMPTLY, Question
from simulator.domain.faults import SignatureTwist
from simulator.domain.grades import Expectation
from simulator.domain.messages import Twist

HUGE = 10 * 1024 * 1024
"""Bytes in a body that no receiver needs to take."""

BURST = 20
"""How many events come at once."""

PAUSE = 2.0
"""Seconds that a slow connection stands still in the middle of a body."""

_BOUGHT = "bought"
_ONE_DAY = 86_400
_VERIFY = (
    "Verify before all else: HMAC-SHA256 of “<timestamp>.<raw body>” with the signature key, compared in whole and in "
    "constant time with the digits after the full stop; refuse what differs with 401."
)
_STATE = "Let an event move a payment forward only: never out of sent or failed, whatever comes later or again."


def respelt(body: bytes) -> bytes:
    """The same JSON as nobody would write it again: lines of one space's indent, escaped letters and slashes."""
    return json.dumps(json.loads(body), indent=1).replace("/", "\\/").encode()


def raised(body: bytes) -> bytes:
    """A payment of ten times as much, or more."""
    return body.replace(b'"amount":', b'"amount":9', 1)


def halved(body: bytes) -> bytes:
    """The first half, which is no JSON."""
    return body[: len(body) // 2]


def padded(body: bytes) -> bytes:
    """A session of HUGE bytes."""
    head = body[:-1] + b',"padding":"'
    return head + b"x" * (HUGE - len(head) - 2) + b'"}'


def shortened(signature: str) -> str:
    """The time and the first 8 of 64 digits."""
    seconds, digest = signature.split(".")
    return f"{seconds}.{digest[:8]}"


def half_right(signature: str) -> str:
    """The time, the first 32 digits, and 32 others."""
    seconds, digest = signature.split(".")
    other = "".join("f" if digit == "0" else "0" for digit in digest[32:])
    return f"{seconds}.{digest[:32]}{other}"


def shapeless(_signature: str) -> str:
    """Neither a time nor a digest."""
    return "banked"


QUESTIONS = (
    Question(
        name="correct_event",
        title="A correct event",
        sent="payment_sent of a made-up payment, with £, é and / in its texts",
        expected=Expectation.MUST_ACCEPT,
        advice=(
            "Answer 2xx: check that the receiver has this signature key and takes it as text, that it verifies the raw "
            "bytes of the body, not JSON that was parsed and written again, and that a payment it does not know (this "
            "one is made up) is no error."
        ),
        payment=_BOUGHT,
    ),
    Question(
        name="state_after_sent",
        title="State after payment_sent",
        sent="the probe is asked",
        expected=Expectation.SHOULD_BE_SENT,
        advice="Keep what an accepted event says, or let the probe tell it.",
        payment=_BOUGHT,
    ),
    Question(
        name="repetition",
        title="The same event again",
        sent="payment_sent of the same payment, as if the first answer had been lost",
        expected=Expectation.MUST_ACCEPT,
        advice="Answer 2xx to an event that is known already, and do nothing: Banked delivers at least once.",
        payment=_BOUGHT,
    ),
    Question(
        name="state_after_repetition",
        title="State after the repetition",
        sent="the probe is asked",
        expected=Expectation.SHOULD_STAY_SENT,
        advice=_STATE,
        payment=_BOUGHT,
    ),
    Question(
        name="late_pending",
        title="pending after sent",
        sent="payment_pending of the same payment, out of order",
        expected=Expectation.MUST_ACCEPT,
        advice="Answer 2xx to an event that comes too late, and leave the payment as it is: events come in any order.",
        payment=_BOUGHT,
        event="payment_pending",
    ),
    Question(
        name="state_after_late_pending",
        title="State after the late pending",
        sent="the probe is asked",
        expected=Expectation.SHOULD_STAY_SENT,
        advice=_STATE,
        payment=_BOUGHT,
    ),
    Question(
        name="other_spelling",
        title="JSON written otherwise",
        sent="a correct event with line ends, spaces and escapes in its JSON, rightly signed",
        expected=Expectation.MUST_ACCEPT,
        advice=(
            "Sign and compare the raw bytes of the body as they came; JSON that was parsed and written again has other "
            "spaces and escapes, and so another signature."
        ),
        twist=Twist(change=respelt),
    ),
    Question(
        name="wrong_signature",
        title="Wrong signature",
        sent="an event whose digest is 64 zeros",
        expected=Expectation.MUST_REFUSE,
        advice=_VERIFY,
        twist=Twist(signature=SignatureTwist.WRONG),
    ),
    Question(
        name="other_key",
        title="Another's signature",
        sent="an event signed with another key",
        expected=Expectation.MUST_REFUSE,
        advice=_VERIFY,
        twist=Twist(signature=SignatureTwist.OTHER_KEY),
    ),
    Question(
        name="missing_signature",
        title="No signature",
        sent="an event without the header banked-signature",
        expected=Expectation.MUST_REFUSE,
        advice="Refuse a message without the header banked-signature with 401: anybody can send one.",
        twist=Twist(signature=SignatureTwist.MISSING),
    ),
    Question(
        name="malformed_signature",
        title="Malformed signature",
        sent="an event whose signature is one word without a full stop",
        expected=Expectation.MUST_REFUSE,
        advice="Refuse a header that is not “<timestamp>.<64 hex digits>” with 401, before taking it apart.",
        signature=shapeless,
    ),
    Question(
        name="cut_signature",
        title="Cut signature",
        sent="an event with the first 8 digits of its digest",
        expected=Expectation.MUST_REFUSE,
        advice="Compare the whole digest, in constant time, not how it begins: 8 digits can be guessed.",
        signature=shortened,
    ),
    Question(
        name="half_right_signature",
        title="Half a signature",
        sent="an event whose digest is right in its first 32 digits only",
        expected=Expectation.MUST_REFUSE,
        advice="Compare the whole digest, in constant time, not only how it begins.",
        signature=half_right,
    ),
    Question(
        name="tampered_body",
        title="Tampered body",
        sent="an event whose amount was changed after it was signed",
        expected=Expectation.MUST_REFUSE,
        advice=_VERIFY,
        twist=Twist(tamper=raised),
    ),
    Question(
        name="broken_body",
        title="Broken body",
        sent="an event of which the second half is missing",
        expected=Expectation.MUST_REFUSE,
        advice="Verify the signature over the raw body first, and parse the body only then.",
        twist=Twist(tamper=halved),
    ),
    Question(
        name="stale_timestamp",
        title="Stale timestamp",
        sent="an event that was rightly signed a day ago",
        expected=Expectation.SHOULD_REFUSE,
        advice="Refuse a timestamp that is more than some minutes old: the message may have been kept to be replayed.",
        twist=Twist(shift=-_ONE_DAY),
    ),
    Question(
        name="wrong_content_type",
        title="Wrong content type",
        sent="a correct event as text/plain",
        expected=Expectation.SHOULD_REFUSE,
        advice="Refuse all but application/json with 415: Banked sends nothing else.",
        twist=Twist(content_type="text/plain"),
    ),
    Question(
        name="slow_connection",
        title="Slow connection",
        sent=f"a correct event that stops for {PAUSE:g} s in the middle of its body",
        expected=Expectation.MUST_ACCEPT,
        advice="Wait for the whole body, as many bytes as Content-Length says, and give it some seconds to come.",
        twist=Twist(pause=PAUSE),
    ),
    Question(
        name="huge_body",
        title="10 MB body",
        sent="a rightly signed event of 10 MB",
        expected=Expectation.SHOULD_ANSWER,
        advice="Answer 413 to a body that is too large, and read or drain it before hanging up, so that 413 arrives.",
        twist=Twist(change=padded),
    ),
    Question(
        name="after_huge_body",
        title="A correct event after that",
        sent="payment_sent of another made-up payment",
        expected=Expectation.MUST_ACCEPT,
        advice="A large body must not bring the receiver down: cap what it reads, and go on.",
    ),
    Question(
        name="burst",
        title=f"{BURST} events at once",
        sent=f"{BURST} correct events of different payments, side by side",
        expected=Expectation.MUST_ACCEPT,
        advice="Serve connections side by side, with a queue for the work: put the event in it and answer at once.",
        copies=BURST,
    ),
    Question(
        name="in_time",
        title="All answers in time",
        sent="nothing more",
        expected=Expectation.MUST_BE_IN_TIME,
        advice=PROMPTLY,
    ),
)
