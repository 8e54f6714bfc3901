"""Configuration objects in Nautilus' shape. What stands in ``pumpswap.yaml`` is not repeated here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec.structs import force_setattr
from nautilus_trader.backtest.config import SimulationModuleConfig
from nautilus_trader.common.config import InstrumentProviderConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.live.config import (
    LiveDataClientConfig,
    LiveDataEngineConfig,
    LiveExecClientConfig,
    LiveRiskEngineConfig,
    TradingNodeConfig,
)
from nautilus_trader.model.identifiers import InstrumentId, TraderId
from nautilus_trader.trading.config import ImportableStrategyConfig, StrategyConfig

from pumpswap.errors import ConfigError
from pumpswap.nautilus.compat import live_exec_engine_config
from pumpswap.nautilus.constants import PUMPSWAP
from pumpswap.settings import Settings

# The bases are msgspec's, whose options a type checker without NautilusTrader does not know: hence the ignores.

__all__ = [
    "CurveModuleConfig",
    "Mode",
    "PumpSwapDataClientConfig",
    "PumpSwapExecClientConfig",
    "PumpSwapInstrumentProviderConfig",
    "Q50PumpSwapStrategyConfig",
    "node_config",
]

Mode = Literal["paper", "live"]

# Our gate is the one that counts; Nautilus' must not be the narrower of the two.
_SUBMITS = "1000/00:00:01"


class PumpSwapInstrumentProviderConfig(InstrumentProviderConfig, frozen=True, forbid_unknown_fields=True):  # type: ignore[call-arg]
    """Which pools are instruments. Held pools are in any case.

    ``load_all`` loads all that is named here, and the pools of ``q50.instruments`` in the settings; ``load_ids`` by
    instrument id. Of a mint it is the coin's canonical pool, with ``discover`` every pool that others have made of it.
    """

    load_all: bool = True
    mints: frozenset[str] = frozenset()
    pools: frozenset[str] = frozenset()
    discover: bool = False

    def __hash__(self) -> int:
        return hash((self.load_all, self.load_ids, self.mints, self.pools, self.discover))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PumpSwapInstrumentProviderConfig) and hash(self) == hash(other)


class PumpSwapDataClientConfig(LiveDataClientConfig, frozen=True, forbid_unknown_fields=True):  # type: ignore[call-arg]
    """``settings_path`` is a settings file, None for the usual one; ``mode`` and ``key`` as of the execution client."""

    instrument_provider: PumpSwapInstrumentProviderConfig = PumpSwapInstrumentProviderConfig()
    settings_path: str | None = None
    mode: Mode = "paper"
    key: str | None = None


class PumpSwapExecClientConfig(LiveExecClientConfig, frozen=True, forbid_unknown_fields=True):  # type: ignore[call-arg]
    """``mode``: ``paper`` fills on the curve without sending, ``live`` spends money. ``key`` names a keystore of the
    wallet folder; its password never stands here.
    """

    instrument_provider: PumpSwapInstrumentProviderConfig = PumpSwapInstrumentProviderConfig()
    settings_path: str | None = None
    mode: Mode = "paper"
    key: str | None = None


class Q50PumpSwapStrategyConfig(StrategyConfig, frozen=True, forbid_unknown_fields=True):  # type: ignore[call-arg]
    """``instrument_ids`` are what it may trade; in a back-test none stands for every instrument of this venue.
    Positions and orders of the same instruments come back to it after a restart unless ``external_order_claims`` says
    otherwise, so ``strategy_id`` and ``order_id_tag`` must stay.

    Frame, mapping, warm-up, sizes and limits stand in ``pumpswap.yaml``, or in the file of ``settings_path``. ``mode``:
    ``trade`` by Nautilus' execution client of this venue; ``analysis`` orders nothing; ``executor`` hands the wishes to
    ``PumpSwapTradingExecutor``, on paper, in a node that has no such client. ``subscribe_trades`` also hears the trades
    of others and the custom data; it decides by quotes. ``frame_seconds``: how often a node looks whether the frame's
    file has changed; ``statistics_seconds``: how often it stores its counts with the run.

    Raises ConfigError for an interval below one second.
    """

    strategy_id: str | None = "Q50"
    order_id_tag: str | None = "001"
    instrument_ids: tuple[InstrumentId, ...] = ()
    settings_path: str | None = None
    mode: Literal["trade", "analysis", "executor"] = "trade"
    subscribe_trades: bool = False
    frame_seconds: int = 30
    statistics_seconds: int = 60

    def __post_init__(self) -> None:
        for name in ("frame_seconds", "statistics_seconds"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}", hint="a whole number of seconds, 1 or more")
        if self.external_order_claims is None:
            force_setattr(self, "external_order_claims", list(self.instrument_ids))


class CurveModuleConfig(SimulationModuleConfig, frozen=True, forbid_unknown_fields=True):  # type: ignore[call-arg]
    """``source`` is what the market is replayed from: a host export, a tape, a database, a lake."""

    source: str
    settings_path: str | None = None


def node_config(
    settings: Settings,
    client: PumpSwapExecClientConfig | None = None,
    *,
    strategies: Sequence[ImportableStrategyConfig] = (),
    logging: LoggingConfig | None = None,
    **engine: Any,
) -> TradingNodeConfig:
    """A node that trades PumpSwap by ``client`` (paper by default) and no other venue; ``engine`` goes to
    ``LiveExecEngineConfig``.

    Nautilus' limits are wider than ours, its reconciliation is on, and it waits long enough for our books to resolve
    what was on the way.
    """
    trading = client if client is not None else PumpSwapExecClientConfig()
    data = PumpSwapDataClientConfig(
        instrument_provider=trading.instrument_provider,
        settings_path=trading.settings_path,
        mode=trading.mode,
        key=trading.key,
    )
    nautilus = settings.nautilus
    patience = float(nautilus.start_seconds)
    return TradingNodeConfig(
        trader_id=TraderId(nautilus.trader_id),
        logging=logging,
        exec_engine=live_exec_engine_config(open_check_interval_secs=float(nautilus.open_check_seconds), **engine),
        # Else an error in anybody's handler ends the process on the spot, and nobody looks after what is held.
        data_engine=LiveDataEngineConfig(graceful_shutdown_on_exception=True),
        risk_engine=LiveRiskEngineConfig(
            max_order_submit_rate=_SUBMITS, max_order_modify_rate=_SUBMITS, graceful_shutdown_on_exception=True
        ),
        strategies=list(strategies),
        data_clients={PUMPSWAP: data},
        exec_clients={PUMPSWAP: trading},
        timeout_connection=patience,
        timeout_reconciliation=patience,
        timeout_disconnection=patience,
    )
