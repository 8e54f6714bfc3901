"""Channels: the services that alerts are sent to, by way of apprise, without letting out the secrets of their URLs."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote

from pumpswap.alerts.delivery.message import Message
from pumpswap.alerts.topics import TOPICS
from pumpswap.chain.redact import bare_urls
from pumpswap.errors import ConfigError
from pumpswap.model import AlertLevel
from pumpswap.settings import AlertSettings, ChannelSettings

if TYPE_CHECKING:
    import apprise

__all__ = ["AppriseChannel", "Channel", "open_channels"]

_LONGEST_REASON, _LONGEST_TOPIC, _SHORTEST_SECRET = 300, 40, 4
_TYPES = {AlertLevel.INFO: "info", AlertLevel.WARNING: "warning"}  # else: failure


class Channel(Protocol):
    """Where messages go. Called from threads, one at a time."""

    @property
    def name(self) -> str:
        """As the settings call it."""
        ...

    def send(self, message: Message, seconds: float) -> str:
        """Send it, and wait so long for the service. Returns why it failed, without any secret; empty: it was taken."""
        ...


class AppriseChannel:
    """One URL of apprise's."""

    def __init__(self, settings: ChannelSettings) -> None:
        """Raises ConfigError when apprise is not installed, or cannot use the URL."""
        self.name = settings.name
        url = settings.url.get_secret_value().strip()
        self._secrets = _secrets_of(url)
        self._service = _service(self.name, url)

    def __repr__(self) -> str:
        return f"<AppriseChannel {self.name}>"

    def send(self, message: Message, seconds: float) -> str:
        try:
            told = self._service.notify(
                title=message.title,
                body=message.body,
                body_format="text",
                notify_type=_TYPES.get(message.level, "failure"),
                timeout=seconds,
                log_level=logging.WARNING,
            )
        except Exception as error:  # code of a hundred services: whatever breaks in one must not hold up the others
            return self._clean(f"{type(error).__name__}: {error}")
        if told:
            return ""
        return self._clean("; ".join(entry.message for entry in told.logs())) or "the service did not take it"

    def _clean(self, reason: str) -> str:
        line = " ".join(bare_urls(reason).split())
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"


def open_channels(settings: AlertSettings) -> Sequence[AppriseChannel]:
    """All of the settings. Raises ConfigError naming the first that cannot be used, or that waits for what there is
    not: a word written wrongly would keep everything from it.
    """
    for channel in settings.channels:
        unknown = next((topic for topic in channel.topics if topic not in TOPICS), None)
        if unknown is not None:
            shown = f"the topic {unknown!r}" if len(unknown) <= _LONGEST_TOPIC else "a topic"
            raise ConfigError(
                f"the channel {channel.name} takes {shown}, which there is not",
                hint="`pumpswap alerts topics` lists the topics",
            )
    return [AppriseChannel(channel) for channel in settings.channels]


def _service(name: str, url: str) -> apprise.Apprise:
    try:
        import apprise
    except ImportError:
        raise ConfigError(
            f"the channel {name} needs apprise, which is not installed", hint="pip install 'pumpswap[alerts]'"
        ) from None
    _silence()
    # Without pictures: a service would fetch them from a stranger's server.
    asset = apprise.AppriseAsset(
        app_id="pumpswap", app_desc="pumpswap", app_url="", image_url_mask="", image_url_logo=""
    )
    service = apprise.Apprise(asset=asset)
    if not service.add(url) or len(service) != 1:
        raise ConfigError(
            f"the URL of the channel {name} is none that apprise can use",
            hint="its form for each service is on https://appriseit.com/services; then try it: `pumpswap alerts test`",
        )
    return service


def _silence() -> None:
    """What these libraries log has URLs in it, with their secrets. A failure is told by its cleaned reason."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:  # else Python prints warnings to stderr
        logger.addHandler(logging.NullHandler())
    requests = logging.getLogger("urllib3.connectionpool")
    if _NOTHING not in requests.filters:
        requests.addFilter(_NOTHING)


class _Nothing(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


_NOTHING = _Nothing()


def _secrets_of(url: str) -> Sequence[str]:
    """Every piece of a URL but its scheme and the names in its query: services take tokens in any place, also where
    a host should be. Longest first, so that a secret that contains another one goes as a whole.
    """
    rest = url.partition("://")[2] or url
    place, _, query = rest.partition("?")
    pieces = [*re.split(r"[/:@#,;]", place), *(pair.partition("=")[2] for pair in re.split("[&;]", query))]
    every = {*pieces, *(unquote(piece) for piece in pieces)}
    return sorted((piece for piece in every if len(piece) >= _SHORTEST_SECRET), key=len, reverse=True)
