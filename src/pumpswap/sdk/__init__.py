"""PumpSwap on a real chain: read pools, simulate, and trade through the gate and the books."""

from pumpswap.execution.protection import SandwichPolicy
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.preview import Preview
from pumpswap.sdk.results import PoolData, TradeResult
from pumpswap.sdk.sdk import PumpSwapSDK
from pumpswap.sdk.sync import SyncPumpSwapSDK
from pumpswap.sdk.trader import Traded, Trader

__all__ = [
    "ChainConnection",
    "PoolData",
    "Preview",
    "PumpSwapSDK",
    "SandwichPolicy",
    "SyncPumpSwapSDK",
    "TradeResult",
    "Traded",
    "Trader",
]
