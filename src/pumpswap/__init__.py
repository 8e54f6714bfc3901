"""Exact PumpSwap AMM maths and signal-driven trading on Solana, on paper by default.

Everything named in ``__all__`` is public and loads on first use, so ``import pumpswap`` costs nothing::

    from pumpswap import PoolState, buy_exact_quote, current_schedule

Wider doors: ``pumpswap.amm`` (the protocol, pure), ``pumpswap.errors`` (the whole tree), ``pumpswap.cli`` (the click
group ``pumpswap``, which attaches to another click group).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pumpswap.amm import (
        BuyQuote,
        FeeConfig,
        FeeSchedule,
        GlobalConfig,
        Pool,
        PoolState,
        Quote,
        SellQuote,
        buy_exact_base,
        buy_exact_quote,
        current_schedule,
        decode_event,
        schedule_at,
        sell_exact_base,
        sell_exact_quote,
        swap_instruction,
        swap_sequence,
    )
    from pumpswap.errors import ProtocolDrift, PumpSwapError, TradeRefused
    from pumpswap.market.q50_loader import Q50SignalLoader
    from pumpswap.sdk.executor import PumpSwapTradingExecutor
    from pumpswap.sdk.host_classes import (
        KellyPositionSizer,
        LiquidityValidator,
        PositionManager,
        PumpSwapExecutor,
        PumpSwapRiskManager,
        Q50PumpSwapAutomatedStrategy,
        Q50PumpSwapSignalAnalyzer,
        RiskManager,
        TradingPerformanceMonitor,
        TradingRiskManager,
    )
    from pumpswap.signals import NewPoolsSignalAnalyzer, PumpSwapSignalAnalyzer, RegimeDetector
    from pumpswap.units import (
        LAMPORTS_PER_SOL,
        BaseUnits,
        Bps,
        Lamports,
        QuoteUnits,
        format_units,
        from_units,
        to_units,
    )

__version__ = "0.1.0"

__all__ = [
    "LAMPORTS_PER_SOL",
    "BaseUnits",
    "Bps",
    "BuyQuote",
    "FeeConfig",
    "FeeSchedule",
    "GlobalConfig",
    "KellyPositionSizer",
    "Lamports",
    "LiquidityValidator",
    "NewPoolsSignalAnalyzer",
    "Pool",
    "PoolState",
    "PositionManager",
    "ProtocolDrift",
    "PumpSwapError",
    "PumpSwapExecutor",
    "PumpSwapRiskManager",
    "PumpSwapSignalAnalyzer",
    "PumpSwapTradingExecutor",
    "Q50PumpSwapAutomatedStrategy",
    "Q50PumpSwapSignalAnalyzer",
    "Q50SignalLoader",
    "Quote",
    "QuoteUnits",
    "RegimeDetector",
    "RiskManager",
    "SellQuote",
    "TradeRefused",
    "TradingPerformanceMonitor",
    "TradingRiskManager",
    "__version__",
    "buy_exact_base",
    "buy_exact_quote",
    "current_schedule",
    "decode_event",
    "format_units",
    "from_units",
    "schedule_at",
    "sell_exact_base",
    "sell_exact_quote",
    "swap_instruction",
    "swap_sequence",
    "to_units",
]

_ELSEWHERE = {
    **dict.fromkeys(("NewPoolsSignalAnalyzer", "PumpSwapSignalAnalyzer", "RegimeDetector"), "pumpswap.signals"),
    "PumpSwapTradingExecutor": "pumpswap.sdk.executor",
    **dict.fromkeys(
        (
            "KellyPositionSizer",
            "LiquidityValidator",
            "PositionManager",
            "PumpSwapExecutor",
            "PumpSwapRiskManager",
            "Q50PumpSwapAutomatedStrategy",
            "Q50PumpSwapSignalAnalyzer",
            "RiskManager",
            "TradingPerformanceMonitor",
            "TradingRiskManager",
        ),
        "pumpswap.sdk.host_classes",
    ),
    "Q50SignalLoader": "pumpswap.market.q50_loader",
    **dict.fromkeys(("ProtocolDrift", "PumpSwapError", "TradeRefused"), "pumpswap.errors"),
    **dict.fromkeys(
        (
            "LAMPORTS_PER_SOL",
            "BaseUnits",
            "Bps",
            "Lamports",
            "QuoteUnits",
            "format_units",
            "from_units",
            "to_units",
        ),
        "pumpswap.units",
    ),
}
_HOME = {name: _ELSEWHERE.get(name, "pumpswap.amm") for name in __all__ if name != "__version__"}

# Hidden from type checkers: with it, a misspelt name would be an ``object`` instead of an error.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module 'pumpswap' has no attribute {name!r}", name=name, obj=None)
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
