"""PumpSwap as a venue of NautilusTrader: data, execution, back-test and the Q50 strategy, over the engine of pumpswap.

Everything named in ``__all__`` loads on first use::

    from pumpswap.nautilus import PumpSwapLiveDataClientFactory, PumpSwapLiveExecClientFactory, node_config

Without NautilusTrader every name raises ConfigError that says how to install it. Importing anything from here
re-registers Nautilus' currency ``SOL`` with the 9 decimals that it has (Nautilus ships it with 8).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pumpswap.nautilus.backtest.comparison import compare_with_ours
    from pumpswap.nautilus.backtest.curve import open_curve
    from pumpswap.nautilus.backtest.feed import recorded_market
    from pumpswap.nautilus.backtest.venue import (
        CurveBacktest,
        add_market,
        add_pumpswap_venue,
        backtest_config,
        check_finished,
        install_client,
        run_on_chronicle,
        run_on_curve,
    )
    from pumpswap.nautilus.config import (
        CurveModuleConfig,
        PumpSwapDataClientConfig,
        PumpSwapExecClientConfig,
        PumpSwapInstrumentProviderConfig,
        Q50PumpSwapStrategyConfig,
        node_config,
    )
    from pumpswap.nautilus.constants import PUMPSWAP, PUMPSWAP_CLIENT_ID, PUMPSWAP_VENUE, SOL
    from pumpswap.nautilus.data import PumpSwapDataClient
    from pumpswap.nautilus.data_types import PumpSwapPoolState, PumpSwapSwap, data_type_of
    from pumpswap.nautilus.execution import PumpSwapExecutionClient
    from pumpswap.nautilus.factories import PumpSwapLiveDataClientFactory, PumpSwapLiveExecClientFactory
    from pumpswap.nautilus.instruments import instrument_id, instrument_of
    from pumpswap.nautilus.loaders.catalog import read_back, register_catalog, write_catalog
    from pumpswap.nautilus.loaders.recording import RecordedMarket, load_market, load_recording
    from pumpswap.nautilus.orders import order_params
    from pumpswap.nautilus.providers import PumpSwapInstrumentProvider
    from pumpswap.nautilus.session import PumpSwapSession
    from pumpswap.nautilus.strategy import Q50PumpSwapStrategy
    from pumpswap.nautilus.ticks import Tape

_HOME = {
    "CurveBacktest": "backtest.venue",
    "CurveModuleConfig": "config",
    "PUMPSWAP": "constants",
    "PUMPSWAP_CLIENT_ID": "constants",
    "PUMPSWAP_VENUE": "constants",
    "PumpSwapDataClient": "data",
    "PumpSwapDataClientConfig": "config",
    "PumpSwapExecClientConfig": "config",
    "PumpSwapExecutionClient": "execution",
    "PumpSwapInstrumentProvider": "providers",
    "PumpSwapInstrumentProviderConfig": "config",
    "PumpSwapLiveDataClientFactory": "factories",
    "PumpSwapLiveExecClientFactory": "factories",
    "PumpSwapPoolState": "data_types",
    "PumpSwapSession": "session",
    "PumpSwapSwap": "data_types",
    "Q50PumpSwapStrategy": "strategy",
    "Q50PumpSwapStrategyConfig": "config",
    "RecordedMarket": "loaders.recording",
    "SOL": "constants",
    "Tape": "ticks",
    "add_market": "backtest.venue",
    "add_pumpswap_venue": "backtest.venue",
    "backtest_config": "backtest.venue",
    "check_finished": "backtest.venue",
    "compare_with_ours": "backtest.comparison",
    "data_type_of": "data_types",
    "install_client": "backtest.venue",
    "instrument_id": "instruments",
    "instrument_of": "instruments",
    "load_market": "loaders.recording",
    "load_recording": "loaders.recording",
    "node_config": "config",
    "open_curve": "backtest.curve",
    "order_params": "orders",
    "read_back": "loaders.catalog",
    "recorded_market": "backtest.feed",
    "register_catalog": "loaders.catalog",
    "run_on_chronicle": "backtest.venue",
    "run_on_curve": "backtest.venue",
    "write_catalog": "loaders.catalog",
}

__all__ = [
    "CurveBacktest",
    "CurveModuleConfig",
    "PUMPSWAP",
    "PUMPSWAP_CLIENT_ID",
    "PUMPSWAP_VENUE",
    "PumpSwapDataClient",
    "PumpSwapDataClientConfig",
    "PumpSwapExecClientConfig",
    "PumpSwapExecutionClient",
    "PumpSwapInstrumentProvider",
    "PumpSwapInstrumentProviderConfig",
    "PumpSwapLiveDataClientFactory",
    "PumpSwapLiveExecClientFactory",
    "PumpSwapPoolState",
    "PumpSwapSession",
    "PumpSwapSwap",
    "Q50PumpSwapStrategy",
    "Q50PumpSwapStrategyConfig",
    "RecordedMarket",
    "SOL",
    "Tape",
    "add_market",
    "add_pumpswap_venue",
    "backtest_config",
    "check_finished",
    "compare_with_ours",
    "data_type_of",
    "install_client",
    "instrument_id",
    "instrument_of",
    "load_market",
    "load_recording",
    "node_config",
    "open_curve",
    "order_params",
    "read_back",
    "recorded_market",
    "register_catalog",
    "run_on_chronicle",
    "run_on_curve",
    "write_catalog",
]

# Hidden from type checkers: with it, a misspelt name would be an ``object`` instead of an error.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module 'pumpswap.nautilus' has no attribute {name!r}", name=name, obj=None)
        try:
            value = getattr(import_module(f"pumpswap.nautilus.{_HOME[name]}"), name)
        except ImportError as missing:
            if (missing.name or "").partition(".")[0] != "nautilus_trader":
                raise
            from pumpswap.errors import ConfigError

            is_here = missing.name != "nautilus_trader"
            raise ConfigError(
                f"this NautilusTrader is not supported: {missing}" if is_here else "NautilusTrader is not installed",
                hint="pip install 'pumpswap[nautilus]', in an environment of its own",
            ) from missing
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
