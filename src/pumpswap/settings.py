"""The one tree of settings: ``pumpswap.yaml``, environment above it, defaults below. Nobody else reads either.

Names carry their units. Every value is checked when it is read; an unknown key is an error, not a typo that is ignored.
Environment variables are the path in capitals: ``PUMPSWAP_RISK__MAX_POSITION_SOL=0.5``.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, YamlConfigSettingsSource

from pumpswap.errors import ConfigError
from pumpswap.units import to_units

__all__ = [
    "DATABASE_FILE",
    "BooksSettings",
    "ChainSettings",
    "CollectSettings",
    "DatabaseSettings",
    "EndpointSettings",
    "ExitRules",
    "FeasibilitySettings",
    "FollowSettings",
    "FollowedWallet",
    "LakeSettings",
    "PaperVenueSettings",
    "Q50Settings",
    "RegimeSettings",
    "RiskLimits",
    "ScreenSettings",
    "SendingSettings",
    "Settings",
    "SignalSettings",
    "WalletSettings",
    "load_settings",
]

DATABASE_FILE = "pumpswap.sqlite"

Share = Annotated[Decimal, Field(gt=0, le=1)]
Sol = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=9)]
BpsValue = Annotated[int, Field(ge=0, le=10_000)]
Seconds = Annotated[int, Field(ge=0)]
Weight = Annotated[Decimal, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def lamports(self, name: str) -> int:
        """A SOL setting in lamports."""
        return to_units(getattr(self, name), 9)


class SignalSettings(_Section):
    """When a signal is a reason to trade."""

    score: Literal["base", "enhanced"] = "base"  # which score makes the signal
    min_score: float = Field(75.0, ge=0, le=100)  # the host's watchlist threshold
    history_hours: int = Field(24, ge=1, le=168)  # how much history of a pool its score may use


class FeasibilitySettings(_Section):
    """How the enhanced score weighs what can be traded. Limits of the analysis; a trade has those of ``risk``."""

    intended_sol: Sol = Field(Decimal("1"), gt=0)  # the trade whose impact counts, where the caller names none
    max_impact_bps: BpsValue = 1_000  # average price before fees against spot
    max_slippage_bps: BpsValue = 500  # average price after all fees against spot
    ladder_sol: tuple[Sol, ...] = (Decimal("0.1"), Decimal("0.5"), Decimal("1"), Decimal("5"), Decimal("10"))
    min_liquidity_sol: Sol = Decimal("10")  # depth below which nothing counts as tradeable
    liquidity_multiple: int = Field(10, ge=1)  # and the pool holds at least this many times the intended size
    require_screen: bool = False  # whether a token that nobody screened counts as not buyable
    reference_depth_sol: Decimal = Field(Decimal(100), gt=0)  # a pool this deep has the full liquidity factor
    reference_buy_sol: Decimal = Field(Decimal(10), gt=0)  # and one that takes this much the full size part
    liquidity_weight: Weight = Decimal("0.3")
    feasibility_weight: Weight = Decimal("0.2")  # what the two leave of 1 is the weight of the base score
    boost_factor: Decimal = Field(Decimal("1.2"), ge=1, le=2)
    boost_above: Weight = Decimal("0.7")  # feasibility above which the boost applies

    @model_validator(mode="after")
    def _weights_leave_room(self) -> Self:
        if self.liquidity_weight + self.feasibility_weight > 1:
            raise ValueError("liquidity_weight and feasibility_weight together are more than 1")
        return self


class Q50Settings(_Section):
    """Where the frame of the quantile model is, and what of it counts."""

    path: Path | None = None  # a pickle, Parquet or CSV
    tolerance_seconds: Seconds | None = None  # how old a row may be; default: the spacing of the frame
    instrument: str | None = None  # of a frame with several; a frame with one needs no name
    threshold_percentile: Weight = Decimal("0.8")  # of past |q50|: what is below is no reason to enter
    require_high_quality: bool = False  # the published frames have it false in every row
    min_expected_value: Weight = Decimal("0.0005")  # what a row must promise in its own direction, as in the frame
    warm_up: int = Field(100, ge=1)  # rows during which there is no regime and no entry
    history_size: int = Field(10_000, ge=100)  # past rows on which the threshold is calibrated
    visible_after_seconds: Seconds = 0  # a row counts so long after its stamp: what its making takes
    side_code: Literal["frame", "plan"] = "frame"  # 1 long, 0 short, -1 hold; plan: 1 long, 0 hold, -1 short
    complete_by_rules: bool = False  # compute what the file lacks from q10, q50, q90 and the volatility
    market_wide: bool = True  # a pool without an instrument of its own gets the chosen one's direction
    instruments: dict[str, str] = {}  # which instrument speaks for a coin or a pool, by mint or pool address


class RegimeSettings(_Section):
    """How turbulence is told apart, on past values of vol_risk only, and what it changes."""

    low_percentile: Weight = Decimal("0.3")
    high_percentile: Weight = Decimal("0.7")
    extreme_percentile: Weight = Decimal("0.9")
    low_multiplier: Decimal = Field(Decimal("1.1"), ge=0, le=10)
    medium_multiplier: Decimal = Field(Decimal("1"), ge=0, le=10)
    high_multiplier: Decimal = Field(Decimal("0.85"), ge=0, le=10)
    extreme_multiplier: Decimal = Field(Decimal("0.6"), ge=0, le=10)
    history_size: int = Field(10_000, ge=100)

    @model_validator(mode="after")
    def _percentiles_rise(self) -> Self:
        if not self.low_percentile < self.high_percentile < self.extreme_percentile:
            raise ValueError("the percentiles must rise: low_percentile, high_percentile, extreme_percentile")
        return self


class CollectSettings(_Section):
    """What is collected from market-data services, and how politely."""

    network: str = "solana"
    dexes: tuple[str, ...] = ("pumpswap",)  # empty: all
    interval_seconds: int = Field(60, ge=1)  # between two looks at the new pools
    pages: int = Field(3, ge=1, le=10)  # of new pools per look, 20 each
    follow_seconds: int = Field(3_600, ge=1)  # between two later looks at a known pool
    follow_hours: int = Field(24, ge=1)  # how long a pool is looked at; one on the watchlist as long as it is there
    timeframes: tuple[str, ...] = ("1m",)  # candles of pools that score well or are watched; empty: none
    min_trade_usd: Decimal = Field(Decimal(100), ge=0)  # the host keeps no smaller trades either
    watch: bool = True  # a pool that reaches signals.min_score goes on the watchlist, as in the host
    gecko_url: str = "https://api.geckoterminal.com/api/v2"
    dexscreener_url: str = "https://api.dexscreener.com"
    requests_per_minute: int = Field(30, ge=1, le=100_000)  # what the free service allows
    max_retries: int = Field(5, ge=0, le=100)
    timeout_seconds: int = Field(20, ge=1, le=600)


class LakeSettings(_Section):
    """Where the history of the market is kept."""

    folder: Path | None = None  # default: lake in the data folder


class ScreenSettings(_Section):
    """What a token must show before it counts as safe. What is not known is not safe."""

    min_age_seconds: Seconds = 300
    max_top_holder: Share = Decimal("0.1")  # one holder, of the supply, pool and burned tokens apart
    max_top_ten: Share = Decimal("0.4")
    max_transfer_fee_bps: BpsValue = 0
    min_lp_burned: Weight = Decimal("0.9")  # of a canonical pool all is burned when it is made
    excluded_holders: tuple[str, ...] = ()  # owners that are no holders: lockers, pools of other exchanges
    recent_swaps: int = Field(60, ge=0, le=1_000)  # the latest trades that are looked at, one question each
    min_swaps: int = Field(10, ge=1, le=1_000)  # fewer say nothing about fake volume or whether one can sell
    max_wallet_share: Share = Decimal("0.5")  # of the volume, by one wallet
    max_round_trip_share: Share = Decimal("0.5")  # of the volume, bought and sold again by the same wallets
    max_same_size_share: Share = Decimal("0.6")  # of the trades, of one and the same amount
    max_creator_sales: Share = Decimal("0.3")  # of what was sold, by the coin's creators
    max_liquidity_drop: Share = Decimal("0.5")  # withdrawn, or sold out of, within the trades that are looked at
    max_failed_sell_share: Share = Decimal("0.5")  # of the attempts to sell, price limits apart
    report_seconds: Seconds = 300  # how long a report counts before the token is looked at again


class FollowedWallet(_Section):
    """A wallet whose trades count. ``weight`` scales how far its record moves the score from neutral."""

    address: str = Field(pattern="^[1-9A-HJ-NP-Za-km-z]{32,44}$")
    weight: Decimal = Field(Decimal("1"), gt=0, le=2)


class FollowSettings(_Section):
    """Whose trades are signals, and how much their record counts."""

    wallets: tuple[FollowedWallet, ...] = ()
    neutral_score: float = Field(50.0, ge=0, le=100)  # of a wallet without a record
    shrink_rounds: int = Field(10, ge=1, le=1_000)  # a record of so many closed rounds counts half
    min_rounds: int = Field(3, ge=0, le=1_000)  # fewer closed rounds: no entry
    min_quote_sol: Sol = Decimal("0.05")  # smaller trades are no signal
    max_lateness_bps: int = Field(1_000, ge=1, le=100_000)  # the price since: so far above its buy nothing is left
    quick_sell_seconds: Seconds = 30  # a round that short lures followers
    max_bait_share: Share = Decimal("0.5")  # of its rounds that short, or of its buys that small: no entry

    @model_validator(mode="after")
    def _wallets_are_named_once(self) -> Self:
        names = [wallet.address for wallet in self.wallets]
        if len(set(names)) < len(names):
            raise ValueError("a wallet is named twice")
        return self


class RiskLimits(_Section):
    """What one trade and all of them may do. Sizes are fractions of the SOL balance; absolute caps are in SOL."""

    base_position_fraction: Share = Decimal("0.1")
    max_position_fraction: Share = Decimal("0.5")
    max_position_sol: Sol = Decimal("1")
    min_position_sol: Sol = Decimal("0.01")
    max_exposure_fraction: Share = Decimal("0.8")  # cost of all open positions, of equity
    max_open_positions: int = Field(20, ge=1, le=10_000)
    min_liquidity_sol: Sol = Decimal("10")  # real quote reserve of the pool
    liquidity_multiple: int = Field(10, ge=1)  # the pool holds at least this many times the trade
    max_pool_share_bps: BpsValue = 200  # the trade is at most this share of the real quote reserve
    max_impact_bps: BpsValue = 150  # average price before fees against spot
    max_round_trip_loss_bps: BpsValue = 600  # bought and sold again at once, all fees in
    slippage_bps: BpsValue = 300  # what the order accepts between quote and execution
    native_reserve_sol: Sol = Decimal("0.05")  # never spent on trades: fees, rent, exits
    max_state_age_seconds: Seconds = 60  # older pool states are not traded on
    cooldown_seconds: Seconds = 600  # after a closed round in a pool
    allow_permissionless_pools: bool = False  # anyone can make one with fake liquidity


class ExitRules(_Section):
    """When an open position is sold. Measured on the executable value, all fees in, against the cost."""

    take_profit_bps: int = Field(10_000, ge=0, le=10_000_000)  # 100 % above cost; 0 disables
    stop_loss_bps: BpsValue = 2_000  # 20 % below cost; 0 disables
    max_hold_seconds: Seconds = 86_400  # 0 disables
    slippage_bps: BpsValue = 1_000  # leaving matters more than the price


class PaperVenueSettings(_Section):
    """The paper venue's imitation of the network. Prices need no setting: fills are exact."""

    start_sol: Sol = Decimal("50")
    latency_ms: int = Field(1_200, ge=0, le=600_000)  # decision to execution
    compute_unit_limit: int = Field(300_000, ge=1, le=1_400_000)
    compute_unit_price_micro_lamports: int = Field(100_000, ge=0)
    tip_lamports: int = Field(0, ge=0)


class EndpointSettings(_Section):
    """One RPC endpoint. URLs often carry an access token, so they are secret: messages name the host only."""

    url: SecretStr
    ws_url: SecretStr | None = None  # derived when absent: wss for https, port + 1 for a port that is not 443 or 80
    requests_per_second: float = Field(10, gt=0, le=100_000)
    timeout_ms: int = Field(5_000, ge=100, le=120_000)


class ChainSettings(_Section):
    """Which chain, and through which endpoints; the first is preferred, the others take over when it fails."""

    network: Literal["mainnet", "devnet", "localnet"] | None = None  # explicit: nothing is guessed from a URL
    allow_mainnet: bool = False  # mainnet's own switch, in addition to the network
    endpoints: tuple[EndpointSettings, ...] = ()
    max_slot_lag: int = Field(25, ge=1)  # a node this many slots behind the best one is not read from
    stale_after_slots: int = Field(50, ge=1)  # a stream this far behind the chain stops entries
    schedule_refresh_seconds: int = Field(300, ge=1)  # GlobalConfig and FeeConfig are read again


class SendingSettings(_Section):
    """How a transaction is priced, sent and followed."""

    priority_percentile: int = Field(75, ge=0, le=100)  # of recent fees on this pool's writable accounts
    priority_floor_micro_lamports: int = Field(10_000, ge=0)
    priority_cap_micro_lamports: int = Field(2_000_000, ge=0)
    priority_step_bps: int = Field(15_000, ge=10_000)  # each new attempt pays at least this much of the one before
    compute_margin_bps: BpsValue = 2_000  # above what the simulation used: bump searches vary
    max_attempts: int = Field(3, ge=1, le=20)  # each only after the proven expiry of the one before
    rebroadcast_ms: int = Field(1_000, ge=50)
    poll_ms: int = Field(400, ge=20)
    lanes: tuple[Literal["rpc", "jito"], ...] = ("rpc",)
    jito_url: SecretStr | None = None
    tip_lamports: int = Field(0, ge=0)
    dont_front: bool = False  # adds the read-only jitodontfront account
    generation: Literal["auto", "1", "2"] = "auto"  # which swap instructions; auto probes the program once
    quorum: int = Field(2, ge=1)  # endpoints that must agree on what became of a transaction, if there are so many


class DatabaseSettings(_Section):
    """Where the books are. A URL may carry a password, so it is secret: messages leave it out."""

    url: SecretStr | None = None  # postgresql://… or sqlite:///…; default: <data_dir>/pumpswap.sqlite


class BooksSettings(_Section):
    """How the books are kept in step with the chain."""

    reconcile_seconds: Seconds = 300  # books and wallet are compared on every start, and then this often; 0: never


class WalletSettings(_Section):
    """Where the key is, never the key. Limits live in the keystore, under its seal."""

    keystore: Path | None = None  # default: <data_dir>/wallets/default.json
    public_key: str | None = None  # compared with the key that was unlocked


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
