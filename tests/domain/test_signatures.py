"""Signatures: the vectors of facts 4.6, and what is none."""

from __future__ import annotations

import pytest

from simulator.domain.signatures import sign, signed_at

NODE_KEY = "f063a7029d6b959d8cc11e23148a302929da113a6b0671238ab9d1bcfb63645a"
NODE_BODY = '{"amount_formatted":"£4.00","url":"https://checkout.banked.com/x?v3"}'

VECTORS = [
    ("secret", '{"a":1}', "1572540334.a4f3746de24753ae5acda1eb7a58a5d642f5c6bdc95646d64538ccb7b46c4b96"),
    (NODE_KEY, NODE_BODY, "1572540334.75cf3e70cde85d204ce66be46ecca3d7ebd6d48965fb53ba41f1d4dc9dd1e015"),
]


@pytest.mark.parametrize(("key", "body", "header"), VECTORS)
def test_a_body_is_signed_as_banked_signs(key: str, body: str, header: str) -> None:
    assert sign(key, 1572540334, body.encode()) == header


@pytest.mark.parametrize(("key", "body", "header"), VECTORS)
def test_who_has_the_key_knows_when_it_was_signed(key: str, body: str, header: str) -> None:
    assert signed_at(key, header, body.encode()) == 1572540334


@pytest.mark.parametrize(
    "signature",
    ["", "1572540334", "1572540334.", "x.y", VECTORS[0][2].upper(), VECTORS[0][2] + " ", "t=" + VECTORS[0][2]],
)
def test_what_is_no_signature_is_refused(signature: str) -> None:
    assert signed_at("secret", signature, b'{"a":1}') is None


def test_a_changed_body_another_time_and_another_key_are_refused() -> None:
    signature = VECTORS[0][2]
    assert signed_at("secret", signature, b'{"a":2}') is None
    assert signed_at("secret", signature.replace("1572540334", "1572540335"), b'{"a":1}') is None
    assert signed_at("secrets", signature, b'{"a":1}') is None
