"""The settings: which values they may have, and how a bad one is refused."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from simulator.cli import main
from simulator.config import InvalidSetting, MerchantSetting, Settings, parse_public_url, url_host

NO_MERCHANT = "A merchant is KEY:SECRET, in printable characters and without a colon in the key."

# --merchant


@pytest.mark.parametrize(
    ("text", "key", "secret"),
    [
        ("pk_test_a:sk_test_a", "pk_test_a", "sk_test_a"),
        ("a:b:c", "a", "b:c"),
        ("a::", "a", ":"),
        ("ü: b ", "ü", " b "),
    ],
)
def test_a_merchant_is_key_colon_secret(text: str, key: str, secret: str) -> None:
    assert MerchantSetting.parse(text) == MerchantSetting(key, secret)


@pytest.mark.parametrize("text", ["", ":", "a", "a:", ":b", "a\n:b", "a:b\n", "a\x00:b", "\ud800:b"])
def test_a_merchant_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidSetting, match=re.escape(NO_MERCHANT)):
        MerchantSetting.parse(text)


@pytest.mark.parametrize("text", ["pk_live_a:b", "a:sk_live_b", "bk_live_a:sk_live_a"])
def test_a_live_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        MerchantSetting.parse(text)
    assert str(refused.value) == "It looks like a live key; the simulator should never see one."


def test_a_key_with_a_colon_cannot_be_sent() -> None:
    with pytest.raises(InvalidSetting, match=re.escape(NO_MERCHANT)):
        MerchantSetting.checked("a:b", "c")


def test_a_refusal_does_not_repeat_the_secret() -> None:
    with pytest.raises(InvalidSetting) as refused:
        MerchantSetting.checked("", "topsecret")
    assert "topsecret" not in str(refused.value)


# --public-url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:2265", "http://127.0.0.1:2265"),
        ("", ""),
        ("https://pay.example/", "https://pay.example"),
        ("https://pay.example/banked//", "https://pay.example/banked"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("HTTP://A", "HTTP://A"),
        ("http://bücher.example", "http://bücher.example"),
    ],
)
def test_a_public_url_loses_the_slash_at_its_end(text: str, url: str) -> None:
    assert parse_public_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        *(
            "pay.example",
            "http://a@b",
            "http://a:b@c",
            "http://a:0",
            "http://a:70000",
            "//pay.example",
            "/pay",
            "ftp://pay.example",
            "javascript:alert(1)",
            "http://",
            "http:///x",
        ),
        *(
            "http://:80",
            "http://a?b",
            "http://a#b",
            "http://[::1",
            "http://a b",
            "http://a\n",
            "http://a/\x00",
            "\ud800",
        ),
    ],
)
def test_what_is_no_public_url_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        parse_public_url(text)
    assert str(refused.value) == f"{text!r} is not an http or https URL without user, query and fragment."


# --host


@pytest.mark.parametrize(
    ("host", "in_url"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104  only named
        ("", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("::1", "[::1]"),
        ("192.168.0.7", "192.168.0.7"),
        ("pay.example", "pay.example"),
    ],
)
def test_a_url_names_the_machine_so_that_every_client_accepts_it(host: str, in_url: str) -> None:
    assert url_host(host) == in_url


def test_the_defaults_are_those_of_the_readme() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.public_url) == ("127.0.0.1", 2265, "")
    assert (settings.fixtures, settings.merchants, settings.strict_keys) == (None, (), False)
    assert settings.log_level == "info"


@pytest.mark.parametrize("flag", ["--seed", "--admin-token"])
def test_an_empty_text_is_refused_by_name(flag: str) -> None:
    refusal = CliRunner().invoke(main, [flag, ""])
    assert refusal.exit_code == 2
    assert f"Invalid value for '{flag}'" in refusal.output
    assert "It must not be empty." in refusal.output


@pytest.mark.parametrize("text", ["", "mail", "mail:", ":25", "mail:smtp", "mail:0", "mail:65536", "my mail:25"])
def test_what_is_no_mail_server_is_refused_by_name(text: str) -> None:
    refusal = CliRunner().invoke(main, ["--smtp", text])
    assert refusal.exit_code == 2
    assert "Invalid value for '--smtp'" in refusal.output


def test_the_help_has_all_flags_and_how_to_use_them() -> None:
    help_ = CliRunner().invoke(main, ["--help"]).output
    for flag in ("--port", "--seed", "--fixtures", "--smtp", "--webhook"):
        assert f"  {flag}" in help_
    assert "banked-simulator --port 0 --seed demo --fixtures fixtures/demo.json" in help_


@pytest.mark.parametrize("text", ["", "hooks", "ftp://127.0.0.1/", "http://"])
def test_a_webhook_is_a_web_url(text: str) -> None:
    refusal = CliRunner().invoke(main, ["--webhook", text])
    assert refusal.exit_code == 2
    assert "Invalid value for '--webhook'" in refusal.output


def test_no_more_than_five_webhooks_are_told_of_one_event() -> None:
    refusal = CliRunner().invoke(main, [word for number in range(6) for word in ("--webhook", f"http://x/{number}")])
    assert refusal.exit_code == 2
    assert "--webhook can be given 5 times" in refusal.output
