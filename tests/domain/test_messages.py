"""Messages: what a receiver is sent, sound or twisted."""

from __future__ import annotations

from simulator.domain.faults import SignatureTwist
from simulator.domain.messages import Envelope, Twist
from simulator.domain.signatures import SIGNATURE_HEADER, signed_at

BODY = b'{"a":1}'
ENVELOPE = Envelope(url="http://shop.example/hooks", key="secret", sender="simulator/1", delivery_id="d1")


def signature(twist: Twist) -> str | None:
    return dict(ENVELOPE.message(BODY, 100, twist).headers).get(SIGNATURE_HEADER)


def test_a_sound_message_is_the_body_and_its_signature() -> None:
    message = ENVELOPE.message(BODY, 100)
    headers = dict(message.headers)
    assert message.body == BODY
    assert signed_at("secret", headers.pop(SIGNATURE_HEADER), BODY) == 100
    assert headers == {"Content-Type": "application/json", "User-Agent": "simulator/1", "Simulator-Delivery": "d1"}


def test_a_signature_can_be_wrong_in_four_ways() -> None:
    wrong = signature(Twist(signature=SignatureTwist.WRONG))
    other = signature(Twist(signature=SignatureTwist.OTHER_KEY))
    upper = signature(Twist(signature=SignatureTwist.UPPER_CASE))
    assert signature(Twist(signature=SignatureTwist.MISSING)) is None
    assert wrong
    assert other
    assert upper
    assert signed_at("secret", wrong, BODY) is signed_at("secret", other, BODY) is signed_at("secret", upper, BODY)
    assert signed_at("secret", upper.lower(), BODY) == 100
    assert wrong.startswith("100.")
    assert other.startswith("100.")


def test_a_shifted_message_says_another_time_and_is_signed_with_it() -> None:
    stale = signature(Twist(shift=-60))
    assert stale is not None
    assert signed_at("secret", stale, BODY) == 40


def test_a_changed_body_is_signed_and_a_tampered_one_is_not() -> None:
    changed = ENVELOPE.message(BODY, 100, Twist(change=lambda body: body + b" "))
    tampered = ENVELOPE.message(BODY, 100, Twist(tamper=lambda body: body + b" "))
    assert changed.body == tampered.body == b'{"a":1} '
    assert signed_at("secret", dict(changed.headers)[SIGNATURE_HEADER], changed.body) == 100
    assert signed_at("secret", dict(tampered.headers)[SIGNATURE_HEADER], tampered.body) is None
    assert signed_at("secret", dict(tampered.headers)[SIGNATURE_HEADER], BODY) == 100
