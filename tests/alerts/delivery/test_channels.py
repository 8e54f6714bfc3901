"""Services: messages arrive in the formats of four of them, and failures are told without any secret."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram

from pumpswap.alerts.delivery.channels import AppriseChannel, open_channels
from pumpswap.alerts.delivery.message import Message, message_of_alert
from pumpswap.errors import ConfigError
from pumpswap.settings import ChannelSettings
from tests.alerts.delivery.samples import CRITICAL, INFO, alert, settings_of
from tests.alerts.delivery.service import Service, served

TELEGRAM = "123456789:ABCdefABCdefABCdefABCdefABCdefABCdef"
SLACK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
# What a stranger may call a coin: tags, mentions of everybody, links, escapes, marks that turn the writing.
NASTY = "<script>alert(1)</script> @everyone <!channel> [win](http://evil.example) \x1b[31m\u202egnp.exe || ``` *x_"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Where apprise believes those of Telegram, Slack and Discord to be."""
    with served() as one:
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://{one.address}/bot")
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{one.address}/slack")
        monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://{one.address}/discord")
        yield one


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a program logs that wants to know everything. (pytest's own fixture listens to silenced loggers as well.)"""
    text, root = io.StringIO(), logging.getLogger()
    monkeypatch.setattr(root, "handlers", [logging.StreamHandler(text)])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    return text


def channel(url: str) -> AppriseChannel:
    return AppriseChannel(ChannelSettings(name="phone", url=url))


def message(text: str = "order o1 may still land") -> Message:
    return message_of_alert(alert(7, CRITICAL, "unknown outcome", "WIF", text))


def test_a_webhook_gets_title_text_and_kind(service: Service) -> None:
    assert channel(f"json://{service.address}/hook").send(message(), 5) == ""
    ((path, body),) = service.taken
    assert path == "/hook"
    assert (body["title"], body["type"]) == ("[critical] unknown outcome", "failure")
    assert body["message"] == "WIF: order o1 may still land\nalert 7, 2026-09-21 14:13:20 UTC"


def test_telegram_gets_html_in_which_nothing_is_a_tag(service: Service) -> None:
    assert channel(f"tgram://{TELEGRAM}/4711").send(message(NASTY), 5) == ""
    ((path, body),) = service.taken
    assert path == f"/bot{TELEGRAM}/sendMessage"
    assert (body["chat_id"], body["parse_mode"]) == (4711, "HTML")
    assert body["text"].startswith(
        "<b>[critical] unknown outcome</b>\r\nWIF: ‹script›alert(1)‹／script› ＠everyone ‹!channel›"
    )
    assert body["text"].count("<") == 2  # of the title


def test_slack_gets_text_that_calls_nobody(service: Service) -> None:
    service.answer = b"ok"
    assert channel(f"slack://{SLACK}/alerts").send(message(NASTY), 5) == ""
    ((path, body),) = service.taken
    assert path == f"/slack/{SLACK}"
    (attachment,) = body["attachments"]
    assert attachment["title"] == "[critical] unknown outcome"
    assert "<" not in attachment["text"] and "@" not in attachment["text"] and "://" not in attachment["text"]


def test_discord_gets_content_that_calls_nobody_and_fits(service: Service) -> None:
    assert channel(f"discord://{DISCORD}").send(message(NASTY * 40), 5) == ""
    ((path, body),) = service.taken
    assert path == f"/discord/{DISCORD}"
    content = body["content"]
    assert content.startswith("[critical] unknown outcome\r\nWIF: ") and len(content) <= 2_000
    for sign in ("@", "<", "](", "://", "\x1b", "\u202e", "||", "```"):
        assert sign not in content


def test_no_picture_of_a_stranger_is_fetched(service: Service) -> None:
    service.answer = b"ok"
    channel(f"slack://{SLACK}/alerts").send(message(), 5)
    channel(f"discord://{DISCORD}").send(message(), 5)
    assert "github" not in str(service.taken) and "http" not in str(service.taken)


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        (f"tgram://{TELEGRAM}/4711", [TELEGRAM.partition(":")[2], "123456789", "4711"]),
        (f"slack://{SLACK}/alerts", SLACK.split("/")),
        (f"discord://{DISCORD}", DISCORD.split("/")),
        ("json://user:S3CR3T@127.0.0.1:PORT/hook/T0K3N?token=QU3RY", ["S3CR3T", "T0K3N", "QU3RY"]),
    ],
    ids=["telegram", "slack", "discord", "webhook"],
)
def test_why_a_service_refused_is_told_without_secrets(
    url: str, secrets: list[str], service: Service, logged: io.StringIO
) -> None:
    service.status = 401
    service.answer = f"no such bot {TELEGRAM} S3CR3T".encode()
    one = channel(url.replace("PORT", str(service.port)))
    reason = one.send(message(), 5)
    assert "401" in reason
    for secret in secrets:
        assert secret not in reason and secret not in logged.getvalue() and secret not in repr(one)


def test_a_service_that_is_not_there_is_a_reason() -> None:
    reason = channel("json://127.0.0.1:9/T0K3N-IN-PATH").send(message(), 5)
    assert "onnection" in reason and "T0K3N" not in reason


@pytest.mark.parametrize("url", ["", "nonsense", "nowhere://S3CR3T", "tgram://S3CR3T", "json://"])
def test_a_url_that_cannot_be_used_is_named_by_its_channel_only(url: str) -> None:
    with pytest.raises(ConfigError, match="the URL of the channel phone") as caught:
        channel(url)
    assert "S3CR3T" not in caught.value.what + caught.value.hint


def test_a_topic_that_there_is_not_is_named() -> None:
    with pytest.raises(ConfigError, match="the channel phone takes the topic 'entires'"):
        open_channels(settings_of(channel={"topics": ("entry", "entires")}))
    with pytest.raises(ConfigError, match="takes a topic, which"):
        open_channels(settings_of(channel={"topics": ("x" * 64,)}))
    (one,) = open_channels(settings_of(channel={"topics": ("entry", "feed stale")}))
    assert one.name == "phone"


def test_an_address_is_shortened_and_a_signature_is_not() -> None:
    address, signature = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU", "5" * 88
    told = message_of_alert(alert(1, INFO, "exit", address, f"sold to {address} by {signature}"))
    assert told.body == f"sold to 7xKX…gAsU by {signature}\nalert 1, 7xKX…gAsU, 2026-09-21 14:13:20 UTC"
