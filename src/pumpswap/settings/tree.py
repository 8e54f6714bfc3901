"""Settings: the whole tree."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field

from pumpswap.settings.backtest import BacktestSettings, TuneSettings
from pumpswap.settings.chain import (
    BooksSettings,
    ChainSettings,
    DatabaseSettings,
    SendingSettings,
    WalletSettings,
)
from pumpswap.settings.insight import (
    AlertRules,
    AlertSettings,
    DashboardSettings,
    LogSettings,
    MetricsSettings,
    ReportSettings,
    TelegramSettings,
)
from pumpswap.settings.market import CollectSettings, FollowSettings, LakeSettings, ScreenSettings
from pumpswap.settings.nautilus import NautilusSettings
from pumpswap.settings.section import Section
from pumpswap.settings.signals import FeasibilitySettings, Q50Settings, RegimeSettings, SignalSettings
from pumpswap.settings.trading import ExitRules, PaperVenueSettings, RiskLimits, RunSettings

__all__ = ["BACKTESTS_FILE", "DATABASE_FILE", "Settings"]

DATABASE_FILE = "pumpswap.sqlite"
BACKTESTS_FILE = "backtests.sqlite"


class Settings(Section):
    """Everything that can be set. ``load_settings`` reads the file and the environment; this class reads neither."""

    # where the database, the reports and the recordings live; default: the platform's folder for user data
    data_dir: Path = Field(default_factory=lambda: user_data_path("pumpswap", appauthor=False))
    signals: SignalSettings = SignalSettings()
    feasibility: FeasibilitySettings = FeasibilitySettings()
    q50: Q50Settings = Q50Settings()
    regimes: RegimeSettings = RegimeSettings()
    collect: CollectSettings = CollectSettings()
    lake: LakeSettings = LakeSettings()
    screen: ScreenSettings = ScreenSettings()
    follow: FollowSettings = FollowSettings()
    risk: RiskLimits = RiskLimits()
    exits: ExitRules = ExitRules()
    paper: PaperVenueSettings = PaperVenueSettings()
    run: RunSettings = RunSettings()
    nautilus: NautilusSettings = NautilusSettings()
    backtest: BacktestSettings = BacktestSettings()
    tune: TuneSettings = TuneSettings()
    chain: ChainSettings = ChainSettings()
    sending: SendingSettings = SendingSettings()
    wallet: WalletSettings = WalletSettings()
    database: DatabaseSettings = DatabaseSettings()
    books: BooksSettings = BooksSettings()
    alerts: AlertSettings = AlertSettings()
    alert_rules: AlertRules = AlertRules()
    telegram: TelegramSettings = TelegramSettings()
    reports: ReportSettings = ReportSettings()
    dashboard: DashboardSettings = DashboardSettings()
    metrics: MetricsSettings = MetricsSettings()
    logs: LogSettings = LogSettings()

    @property
    def lake_folder(self) -> Path:
        """Where the history of the market is kept."""
        return self.lake.folder or self.data_dir / "lake"

    @property
    def backtests_file(self) -> Path:
        """Where back-tests are kept: not beside the books of real runs, whose engine has the file for itself."""
        return self.backtest.database or self.data_dir / BACKTESTS_FILE

    def to_store(self) -> dict[str, object]:
        """What is stored beside a run: everything but what may carry a password."""
        secret = {
            "chain": {"endpoints"},
            "sending": {"jito_url"},
            "database": {"url"},
            "run": {"collector"},
            "alerts": {"channels"},
            "telegram": {"token", "chats", "pin", "api_url"},
            "dashboard": {"token"},
        }
        return self.model_dump(mode="json", exclude=secret)

    @property
    def database_target(self) -> str | Path:
        """What ``open_database`` is given."""
        url = self.database.url
        return self.data_dir / DATABASE_FILE if url is None else url.get_secret_value()
