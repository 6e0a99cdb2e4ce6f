"""Coming back from the bank by HTTP: waiting, going back to the shop, and pages that tell how it ended (facts 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.domain.messages import Reply
from simulator.service.timers import TimerService
from tests.web.pages.payers import Visitor, visits

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from simulator.service.simulation import Simulation
    from tests.actors import Json, MerchantCaller, Receivers, Tester

WORLD = "/__admin/merchants/pk_test_simulator"
URLS = {"success_url": "http://shop.example/ok?id=__PAYMENT_ID__#top", "error_url": "http://shop.example/no"}


def pays(tester: Tester, payment: Json, scenario: str = "approve") -> None:
    tester.ask("POST", f"/__admin/payment_sessions/{payment['id']}/pay", json={"scenario": scenario})


def ends(client: FlaskClient, merchant: MerchantCaller, tester: Tester, scenario: str, **fields: object) -> Visitor:
    """Somebody whose bank played a scenario."""
    payment = merchant.requests_payment(**fields)
    pays(tester, payment, scenario)
    return Visitor(client, payment["id"])


# Back to the shop


@pytest.mark.parametrize(
    ("scenario", "back"),
    [
        (
            "approve",
            "http://shop.example/ok?id={}&banked-checkout-result=success&payment_result=sent&payment_id={}#top",
        ),
        (
            "stuck_pending",
            "http://shop.example/ok?id={}&banked-checkout-result=pending&payment_result=pending&payment_id={}#top",
        ),
        (
            "insufficient_funds",
            "http://shop.example/no?banked-checkout-result=failure&payment_result=failed&payment_id={1}",
        ),
        ("reject", "http://shop.example/no?banked-checkout-result=failure&payment_result=failed&payment_id={1}"),
        ("late_success", "http://shop.example/no?banked-checkout-result=failure&payment_result=failed&payment_id={1}"),
    ],
)
def test_after_the_bank_the_payer_goes_back_to_the_shop(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester, scenario: str, back: str
) -> None:
    visitor = ends(client, merchant, tester, scenario, **URLS)
    id_ = visitor.path.rpartition("/")[2]
    assert visitor.is_sent("/result") == (back.format(id_, id_) if "{1}" not in back else back.replace("{1}", id_))


@pytest.mark.parametrize(
    ("parameters", "back"),
    [("status", "http://shop.example/no?banked-checkout-status=failure"), ("none", "http://shop.example/no")],
)
def test_the_merchant_chooses_the_parameters(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester, parameters: str, back: str
) -> None:
    tester.ask("PUT", WORLD, json={"redirect_parameters": parameters})
    assert ends(client, merchant, tester, "account_closed", **URLS).is_sent("/result") == back


def test_a_refund_goes_back_with_the_id_of_its_own_session(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    payment = merchant.requests_payment()
    pays(tester, payment)
    refund = merchant.refunds(payment, pence=150, **URLS)
    tester.provides_details(refund)
    session = merchant.reads_payment(merchant.reads_refund(refund)["refund_payment_session_id"])
    pays(tester, session)
    back = Visitor(client, session["id"]).is_sent("/result")
    assert back.startswith(f"http://shop.example/ok?id={session['id']}&banked-checkout-result=success")
    assert session["id"] != payment["id"]


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("http://bücher.example/käse?ü=ß", "http://xn--bcher-kva.example/k%C3%A4se?%C3%BC=%C3%9F&banked-checkout-"),
        ("http://[::1]:8000/ok", "http://[::1]:8000/ok?banked-checkout-"),
        ('http://shop.example/"<>', "http://shop.example/%22%3C%3E?banked-checkout-"),
        ("http://shop.example/?next=%2Fa%26b", "http://shop.example/?next=%2Fa%26b&banked-checkout-"),
        ("http://user:pw@shop.example:81/", "http://user:pw@shop.example:81/?banked-checkout-"),
    ],
)
def test_no_url_of_a_shop_is_broken_on_the_way(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester, url: str, location: str
) -> None:
    assert ends(client, merchant, tester, "approve", success_url=url).is_sent("/result").startswith(location)


def test_who_comes_back_is_not_sent_away_again(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> None:
    visitor = ends(client, merchant, tester, "approve", **URLS)
    back = visitor.is_sent("/result")
    for _ in range(2):
        visitor.opens("/result")
        assert visitor.sees("success")
        assert visitor.link("return") == back


def test_another_browser_is_sent_back_as_well(
    app: Flask, client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    visitor = ends(client, merchant, tester, "approve", **URLS)
    elsewhere = Visitor(app.test_client(), visitor.path.rpartition("/")[2])
    assert visitor.is_sent("/result") == elsewhere.is_sent("/result")


def test_a_browser_remembers_only_so_many_shops(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> None:
    visitors = [ends(client, merchant, tester, "approve", **URLS) for _ in range(9)]
    for visitor in visitors:
        visitor.is_sent("/result")
    visitors[-1].opens("/result")
    visitors[0].is_sent("/result")


def test_the_shop_may_be_reached_twice_or_never(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("PUT", WORLD, json={"return_behaviour": "twice"})
    twice = ends(client, merchant, tester, "approve", **URLS)
    assert twice.is_sent("/result") == twice.is_sent()
    twice.opens()
    twice.opens("/result")
    tester.ask("PUT", WORLD, json={"return_behaviour": "never"})
    never = ends(client, merchant, tester, "approve", **URLS)
    never.opens("/result")
    assert never.sees("success")


@pytest.mark.parametrize("by", ["merchant", "scenario"])
@pytest.mark.parametrize("behaviour", ["before_webhook", "after_webhook", "without_webhook", "twice", "never"])
def test_the_way_back_and_the_webhook_come_in_the_order_that_was_asked_for(  # noqa: PLR0913, PLR0917  all take part
    client: FlaskClient,
    merchant: MerchantCaller,
    tester: Tester,
    simulation: Simulation,
    receivers: Receivers,
    by: str,
    behaviour: str,
) -> None:
    merchant.wants_webhook()
    tester.ask("PUT", f"{WORLD}/clock", json={"mode": "frozen"})
    if by == "merchant":
        tester.ask("PUT", WORLD, json={"return_behaviour": behaviour})
    name = behaviour.removesuffix("_webhook")
    scenario = "approve" if by == "merchant" else f"return_{behaviour}"
    visitor = ends(client, merchant, tester, scenario, **URLS)
    deliver = TimerService(simulation, merchant.key).fire_due

    def arrives() -> bool:
        return client.get(f"{visitor.path}/result").status_code == 303

    match name:
        case "after":
            assert client.get(f"{visitor.path}/progress").json == {"under_way": True}
            assert not arrives()
            receivers.reply = Reply(status=500)
            deliver()
            assert client.get(f"{visitor.path}/progress").json == {"under_way": False}
            assert (len(receivers.messages), arrives()) == (1, True)
        case "before":
            deliver()
            assert (len(receivers.messages), arrives()) == (0, True)
            tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "10s"})
            assert len(receivers.messages) == 1
        case "without":
            tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "30d"})
            assert (len(receivers.messages), arrives()) == (0, True)
            [lost] = tester.ask("GET", f"{WORLD}/deliveries")["deliveries"]
            assert lost["outcome"] == "dropped"
        case _:
            deliver()
            assert [arrives(), arrives(), arrives()] == ([True, True, False] if name == "twice" else [False] * 3)
            assert len(receivers.messages) == 1


def test_without_having_authorised_there_is_no_result(client: FlaskClient, merchant: MerchantCaller) -> None:
    visitor = Visitor(client, merchant.requests_payment(**URLS)["id"])
    assert visitor.is_sent("/result") == visitor.path
    visitor.chooses()
    assert visitor.is_sent("/result") == visitor.path


# Waiting for the bank


def test_while_the_bank_is_at_it_the_payer_waits_or_goes_back_without(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    tester.ask("PUT", f"{WORLD}/clock", json={"mode": "frozen"})
    visitor = ends(client, merchant, tester, "approve_slowly", **URLS)
    id_ = visitor.path.rpartition("/")[2]
    assert visitor.is_sent() == f"{visitor.path}/result"
    visitor.opens("/result")
    assert visitor.sees("waiting")
    told = f"banked-checkout-result=pending&payment_result=awaiting_payment_consent&payment_id={id_}"
    assert visitor.link("without-waiting") == f"http://shop.example/ok?id={id_}&{told}#top"
    assert f'<meta http-equiv="refresh" content="2;url={visitor.path}/result?again=1">' in visitor.page
    assert client.get(f"{visitor.path}/progress").json == {"under_way": True}
    tester.ask("POST", f"{WORLD}/clock/advance", json={"by": "7s"})
    assert client.get(f"{visitor.path}/progress").json == {"under_way": False}
    assert "banked-checkout-result=success" in visitor.is_sent("/result?again=1")


def test_looking_again_is_no_visit(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> None:
    tester.ask("PUT", f"{WORLD}/clock", json={"mode": "frozen"})
    visitor = ends(client, merchant, tester, "approve_slowly", **URLS)
    visitor.opens("/result")
    visitor.opens("/result?again=1")
    client.get(f"{visitor.path}/progress")
    assert visits(tester) == [f"{visitor.path}/result"]


def test_without_a_success_url_nobody_leaves_without_waiting(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    visitor = ends(client, merchant, tester, "bank_timeout")
    visitor.opens("/result")
    assert visitor.sees("waiting")
    assert not visitor.sees("without-waiting")


# Staying here


def test_a_success_tells_amount_reference_and_when(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester
) -> None:
    visitor = ends(client, merchant, tester, "approve")
    page = visitor.opens("/result")
    assert "<h1>£4.00 paid</h1>" in page
    assert (visitor.reads("amount"), visitor.reads("reference")) == ("£4.00", "Illuminate")
    assert '<time datetime="2026-11-23T12:00:00.000000Z" title="2026-11-23T12:00:00.000000Z">23 Nov 2026, 12:00' in page
    assert not visitor.sees("return")


@pytest.mark.parametrize(
    ("scenario", "because"),
    [
        ("insufficient_funds", "There is not enough money in the account."),
        ("account_closed", "The account is closed."),
        ("reject", "It was declined at the bank."),
        ("bank_error", "The bank could not complete it."),
    ],
)
def test_a_failure_tells_what_happened_and_what_to_do(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester, scenario: str, because: str
) -> None:
    visitor = ends(client, merchant, tester, scenario)
    visitor.opens("/result")
    assert visitor.sees("failure")
    assert visitor.reads("because") == because
    assert "No money was taken. Please start again from the shop" in visitor.page


@pytest.mark.parametrize("action", ["reject", "fail"])
def test_a_failure_without_a_reason_is_told_too(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester, action: str
) -> None:
    payment = merchant.requests_payment()
    tester.acts(payment["id"], "choose_provider")
    tester.acts(payment["id"], action)
    visitor = Visitor(client, payment["id"])
    visitor.opens()
    told = {"reject": "It was declined at the bank.", "fail": "The bank could not complete it."}
    assert visitor.reads("because") == told[action]


@pytest.mark.parametrize(
    ("scenario", "heading"),
    [
        ("approve", "This is already paid"),
        ("stuck_pending", "Your payment is on its way"),
        ("insufficient_funds", "The payment did not go through"),
    ],
)
def test_who_opens_a_finished_session_reads_so_and_is_not_sent_away(
    client: FlaskClient, merchant: MerchantCaller, tester: Tester, scenario: str, heading: str
) -> None:
    visitor = ends(client, merchant, tester, scenario, **URLS)
    assert f"<h1>{heading}</h1>" in visitor.opens()
    assert "payment_id=" in visitor.link("return")


def test_an_expired_link_is_gone(client: FlaskClient, merchant: MerchantCaller, tester: Tester) -> None:
    payment = merchant.requests_payment()
    tester.acts(payment["id"], "expire")
    visitor = Visitor(client, payment["id"])
    visitor.opens(expect=410)
    assert visitor.sees("expired")
    visitor.opens("/result", expect=410)
