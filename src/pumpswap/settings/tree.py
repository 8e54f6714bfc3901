"""Settings: the whole tree, and how it is loaded. Nobody else reads the file or the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

from pumpswap.errors import ConfigError
from pumpswap.settings.chain import (
    BooksSettings,
    ChainSettings,
    DatabaseSettings,
    SendingSettings,
    WalletSettings,
)
from pumpswap.settings.market import CollectSettings, FollowSettings, LakeSettings, ScreenSettings
from pumpswap.settings.signals import FeasibilitySettings, Q50Settings, RegimeSettings, SignalSettings
from pumpswap.settings.trading import ExitRules, PaperVenueSettings, RiskLimits, RunSettings

__all__ = ["DATABASE_FILE", "Settings", "load_settings"]

DATABASE_FILE = "pumpswap.sqlite"


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="PUMPSWAP_",
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

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
    chain: ChainSettings = ChainSettings()
    sending: SendingSettings = SendingSettings()
    wallet: WalletSettings = WalletSettings()
    database: DatabaseSettings = DatabaseSettings()
    books: BooksSettings = BooksSettings()

    @property
    def lake_folder(self) -> Path:
        """Where the history of the market is kept."""
        return self.lake.folder or self.data_dir / "lake"

    @property
    def database_target(self) -> str | Path:
        """What ``open_database`` is given."""
        url = self.database.url
        return self.data_dir / DATABASE_FILE if url is None else url.get_secret_value()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments above environment above file."""
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls)


def load_settings(path: Path | None = None, **overrides: Any) -> Settings:
    """Settings of a YAML file, or of ``pumpswap.yaml`` in the working folder when there is one, else defaults.

    Raises ConfigError naming the file, the key and what is wrong with it.
    """
    file = path or Path("pumpswap.yaml")
    if path is not None and not file.is_file():
        raise ConfigError(f"{file} does not exist", hint="pass --config with the path of a pumpswap.yaml")
    named = str(file) if file.is_file() else "the settings"
    bound = type("FileSettings", (Settings,), {"model_config": {**Settings.model_config, "yaml_file": file}})
    try:
        loaded: Settings = bound(**overrides)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigError(f"{named}: {where}: {first['msg']}", hint="see docs/settings.md for all keys") from None
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as broken:
        text = " ".join(str(broken).split())
        raise ConfigError(f"{named} is no readable YAML: {text}", hint="check the indentation and quotes") from None
    except (TypeError, ValueError) as wrong:
        raise ConfigError(f"{named}: {wrong}", hint="the file must be a mapping of sections") from None
    return loaded
