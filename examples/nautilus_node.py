"""The Q50 strategy in a node of NautilusTrader: `python examples/nautilus_node.py POOL [paper|live]`, Ctrl-C to stop.

Needs `pumpswap[nautilus]`, and a `pumpswap.yaml` with an endpoint and `q50.path` in this folder. `paper` fills on the
exact curve of the real pool with play money; `live` spends money, within the limits of wallet and settings.
"""

from __future__ import annotations

import argparse
from typing import Literal

from nautilus_trader.live.node import TradingNode

from pumpswap.nautilus import (
    PUMPSWAP,
    PumpSwapExecClientConfig,
    PumpSwapInstrumentProviderConfig,
    PumpSwapLiveDataClientFactory,
    PumpSwapLiveExecClientFactory,
    Q50PumpSwapStrategy,
    Q50PumpSwapStrategyConfig,
    instrument_id,
    node_config,
)
from pumpswap.settings import load_settings


def make_node(pool: str, mode: Literal["paper", "live"]) -> TradingNode:
    """A node that trades one pool by the frame. Nothing is opened before it runs."""
    provider = PumpSwapInstrumentProviderConfig(pools=frozenset({pool}))
    client = PumpSwapExecClientConfig(mode=mode, instrument_provider=provider)
    node = TradingNode(node_config(load_settings(), client))
    node.trader.add_strategy(Q50PumpSwapStrategy(Q50PumpSwapStrategyConfig(instrument_ids=(instrument_id(pool),))))
    node.add_data_client_factory(PUMPSWAP, PumpSwapLiveDataClientFactory)
    node.add_exec_client_factory(PUMPSWAP, PumpSwapLiveExecClientFactory)
    node.build()
    return node


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="The Q50 strategy in a node of NautilusTrader, on one pool.")
    asked.add_argument("pool", help="address of the pool")
    asked.add_argument("mode", nargs="?", choices=("paper", "live"), default="paper")
    given = asked.parse_args()
    node = make_node(given.pool, given.mode)
    try:
        node.run()
    finally:
        node.dispose()
