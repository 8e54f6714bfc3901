"""What is shown and told: alerts, reports, the dashboard, metrics, logs."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator, model_validator

from pumpswap.settings.section import BpsValue, Seconds, Section, Sol, TimeOfDay

__all__ = [
    "AlertRules",
    "AlertSettings",
    "ChannelSettings",
    "DashboardSettings",
    "Level",
    "LogSettings",
    "MetricsSettings",
    "ReportSettings",
    "TelegramSettings",
]

Level = Literal["info", "warning", "error", "critical"]


class AlertRules(Section):
    """From when on something is worth an alert. 0 disables a rule."""

    large_move_bps: BpsValue = 2_000  # a position's executable value, or a pool's price, within `large_move_seconds`
    large_move_seconds: int = Field(300, ge=1)  # over so long
    milestone_bps: int = Field(5_000, ge=0, le=1_000_000)  # equity has risen by another such step above what was put in
    drawdown_bps: BpsValue = 1_000  # equity has fallen so far from its highest, and by each further such step
    daily_loss_bps: BpsValue = 500  # the day has lost so much of the equity at its start, and by each further such step
    refused_burst: int = Field(50, ge=0)  # so many refusals by one policy within `refused_burst_seconds`
    refused_burst_seconds: int = Field(300, ge=1)  # over so long
    unknown_seconds: Seconds = 60  # an outcome that is unknown for longer
    stale_seconds: Seconds = 60  # a feed that has said nothing for longer
    wallet_low_sol: Sol = Decimal("0.1")  # free SOL below this
    daily_summary_at: TimeOfDay | None = "00:05"  # in `alerts.timezone`; null: no summary


class ChannelSettings(Section):
    """Where alerts go. `url` is one of apprise's: `tgram://…`, `discord://…`, `slack://…`, `mailto://…`, `json://…`."""

    name: str = Field(min_length=1, max_length=40, pattern="^[a-z0-9][a-z0-9-]*$")  # small letters, digits, hyphens
    url: SecretStr  # with whatever secret it needs
    least: Level = "info"  # what is less is not sent there
    topics: tuple[str, ...] = ()  # only these; empty: all
    obeys_quiet_hours: bool = True  # critical alerts come through all the same


class TelegramSettings(Section):
    """Remote commands. Looking needs an allowed chat; acting needs `allow_actions`, an allowed chat and the PIN."""

    token: SecretStr | None = None  # of the bot; without it nobody listens
    chats: tuple[int, ...] = ()  # ids that may ask; empty: nobody
    allow_actions: bool = False  # pause, resume, exits-only, close, close-all, approve, decline
    pin: SecretStr | None = None  # four digits or more; actions ask for it
    api_url: str = "https://api.telegram.org"  # for a server of your own


class AlertSettings(Section):
    """What is told to whom, and how often."""

    channels: tuple[ChannelSettings, ...] = ()  # where alerts go
    file: Path | None = None  # every alert as a line of JSON, beside the database
    timezone: str = "UTC"  # of quiet hours and the daily summary
    # from then on nothing but what is critical is sent, and the rest as one message afterwards; null: no quiet hours
    quiet_from: TimeOfDay | None = None
    quiet_until: TimeOfDay | None = None  # when they are over: another time than `quiet_from`
    # the same thing about the same subject is told once in so long; what came meanwhile is counted
    repeat_seconds: Seconds = 900
    burst: int = Field(10, ge=1)  # so many messages of one topic to one channel at once, within `burst_seconds`
    burst_seconds: int = Field(300, ge=1)  # what is more than `burst` in so long waits for a digest
    digest_seconds: int = Field(60, ge=1)  # how long a digest gathers
    retry_seconds: int = Field(5, ge=1)  # first pause after a service has failed; it doubles up to an hour
    give_up_hours: int = Field(24, ge=1)  # then a message is given up; its alerts stay in the database

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone: write it like Europe/Berlin, or UTC") from None
        return name

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [channel.name for channel in self.channels]
        if len(set(names)) < len(names):
            raise ValueError("two channels have the same name")
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise ValueError("quiet_from and quiet_until belong together")
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise ValueError(
                f"quiet_from and quiet_until are both {self.quiet_from}, and it would be quiet for ever: leave both "
                "out for no quiet hours"
            )
        return self


class ReportSettings(Section):
    """Reports that are written while the engine runs, below `data_dir`/reports."""

    daily: bool = True  # one for each day that is over
    weekly: bool = True  # one for each week that is over
    write_at: TimeOfDay = "00:10"  # in `alerts.timezone`; the weekly one on Monday
    keep: int = Field(400, ge=1)  # so many files of each kind; older ones are removed
    # for dollars beside SOL; null: from the collector's rows, where there are some of the last day
    sol_usd: Decimal | None = Field(None, gt=0)


class DashboardSettings(Section):
    """The pages of `pumpswap dashboard`."""

    host: str = "127.0.0.1"  # anything but loopback needs a token
    port: int = Field(8765, ge=1, le=65_535)  # where it listens
    token: SecretStr | None = None  # at least 16 characters
    # names under which it may be asked for, beside the address itself and localhost
    allowed_hosts: tuple[str, ...] = ()
    refresh_ms: int = Field(1_000, ge=100)  # between two looks at the database, for all viewers together

    @field_validator("token")
    @classmethod
    def _is_long(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < 16:
            raise ValueError("is too short to keep anybody out: 16 characters at least")
        return token


class MetricsSettings(Section):
    """The Prometheus endpoint of a running engine."""

    port: int | None = Field(None, ge=1, le=65_535)  # where it listens; null: there is none
    host: str = "127.0.0.1"  # on which address


class LogSettings(Section):
    """The log of a running engine and of the dashboard."""

    level: Literal["debug", "info", "warning", "error"] = "info"  # what is less is left out
    format: Literal["console", "json"] = "console"  # for people, or an object for each line
    file: Path | None = None  # beside stderr; rotated
    max_bytes: int = Field(10_000_000, ge=10_000)  # of the file, then a new one begins
    keep: int = Field(5, ge=0)  # old files that are kept
