"""The one tree of settings: ``pumpswap.yaml``, environment above it, defaults below. Nobody else reads either.

Names carry their units. Every value is checked when it is read; an unknown key is an error, not a typo that is ignored.
Environment variables are the path in capitals: ``PUMPSWAP_RISK__MAX_POSITION_SOL=0.5``.
"""

from __future__ import annotations

from pumpswap.settings.backtest import BacktestSettings, LandingPlace, TuneSettings
from pumpswap.settings.chain import (
    BooksSettings,
    ChainSettings,
    DatabaseSettings,
    EndpointSettings,
    SendingSettings,
    WalletSettings,
)
from pumpswap.settings.insight import (
    AlertRules,
    AlertSettings,
    ChannelSettings,
    DashboardSettings,
    LogSettings,
    MetricsSettings,
    ReportSettings,
    TelegramSettings,
)
from pumpswap.settings.loading import LoadedSettings, load_settings, read_settings
from pumpswap.settings.market import CollectSettings, FollowedWallet, FollowSettings, LakeSettings, ScreenSettings
from pumpswap.settings.signals import FeasibilitySettings, Q50Settings, RegimeSettings, SignalSettings
from pumpswap.settings.trading import ExitRules, LadderRung, PaperVenueSettings, RiskLimits, RunSettings
from pumpswap.settings.tree import BACKTESTS_FILE, DATABASE_FILE, Settings

__all__ = [
    "AlertRules",
    "AlertSettings",
    "BACKTESTS_FILE",
    "BacktestSettings",
    "BooksSettings",
    "ChainSettings",
    "ChannelSettings",
    "CollectSettings",
    "DATABASE_FILE",
    "DashboardSettings",
    "DatabaseSettings",
    "EndpointSettings",
    "ExitRules",
    "FeasibilitySettings",
    "FollowSettings",
    "FollowedWallet",
    "LadderRung",
    "LakeSettings",
    "LandingPlace",
    "LoadedSettings",
    "LogSettings",
    "MetricsSettings",
    "PaperVenueSettings",
    "Q50Settings",
    "RegimeSettings",
    "ReportSettings",
    "RiskLimits",
    "RunSettings",
    "ScreenSettings",
    "SendingSettings",
    "Settings",
    "SignalSettings",
    "TelegramSettings",
    "TuneSettings",
    "WalletSettings",
    "load_settings",
    "read_settings",
]
