"""The built-in receiver: keeps everything, and says what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.inbox import INBOX_BODY_LIMIT
from simulator.domain.signatures import sign

if TYPE_CHECKING:
    from tests.actors import Json, MerchantCaller, Tester

KEY = "pk_test_simulator"
INBOX = f"/inbox/{KEY}"
HERE = f"http://127.0.0.1:2265{INBOX}"
BODY = b'{"id":"p1","webhook_event":"payment_sent"}'


def messages(tester: Tester) -> list[Json]:
    found: list[Json] = tester.ask("GET", f"/__admin/merchants/{KEY}/inbox")["messages"]
    return found


def receives(tester: Tester, body: bytes = BODY, key: str = "secret", expect: int = 200) -> Json:
    headers = {"banked-signature": sign(key, 100, body), "Simulator-Delivery": "d1"}
    return tester.ask("POST", INBOX, data=body, headers=headers, expect=expect)


def test_a_sound_message_is_verified_and_kept(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook(url=HERE)
    told = receives(tester)
    assert (told["verified"], told["why"]) == (True, None)
    [message] = messages(tester)
    assert (message["id"], message["verified"], message["body"]) == (told["id"], True, BODY.decode())
    assert (message["event"], message["subject"], message["delivery_id"]) == ("payment_sent", "p1", "d1")
    assert ["Banked-Signature", sign("secret", 100, BODY)] in message["headers"]


def test_an_unsigned_message_and_one_with_another_key_are_refused_and_kept(
    merchant: MerchantCaller, tester: Tester
) -> None:
    merchant.wants_webhook(url=HERE)
    receives(tester, key="other", expect=400)
    tester.ask("POST", INBOX, data=BODY, expect=400)
    unsigned, other = messages(tester)
    assert (unsigned["verified"], unsigned["why"]) == (False, "There is no banked-signature header.")
    assert "not the signature of this body" in other["why"]


def test_the_key_of_any_webhook_to_the_inbox_will_do(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook(url=HERE)
    merchant.wants_webhook("payment_failed", url=HERE, key="another")
    for key in ("secret", "another"):
        receives(tester, key=key)


def test_without_a_webhook_to_the_inbox_no_key_is_known(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook()
    assert "No webhook" in receives(tester, expect=400)["why"]


def test_what_is_no_json_and_too_long_is_kept_as_far_as_it_goes(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook(url=HERE)
    receives(tester, b"\xff" + b"x" * INBOX_BODY_LIMIT)
    [message] = messages(tester)
    assert (message["event"], message["subject"], len(message["body"])) == (None, None, INBOX_BODY_LIMIT)
    receives(tester, b"[1]")
    receives(tester, b'{"id":1,"webhook_event":{}}')
    assert [(each["event"], each["subject"]) for each in messages(tester)] == [(None, None)] * 3


def test_the_newest_message_is_the_first_and_can_be_waited_for(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook(url=HERE)
    receives(tester)
    receives(tester, b'{"webhook_event":"payment_failed"}')
    assert [message["event"] for message in messages(tester)] == ["payment_failed", "payment_sent"]
    query = {"kind": "inbox.received", "event": "payment_failed", "timeout": "0"}
    event = tester.ask("GET", f"/__admin/merchants/{KEY}/wait", query_string=query)["event"]
    assert event["data"]["verified"] is True
    assert len(tester.ask("GET", f"/__admin/merchants/{KEY}/inbox", query_string={"limit": "1"})["messages"]) == 1


def test_nobody_s_inbox_is_not_found(tester: Tester) -> None:
    tester.ask("POST", "/inbox/pk_live_x", data=b"{}", expect=404)


def test_a_reset_empties_the_inbox(merchant: MerchantCaller, tester: Tester) -> None:
    merchant.wants_webhook(url=HERE)
    receives(tester)
    tester.ask("POST", f"/__admin/merchants/{KEY}/reset")
    assert messages(tester) == []
