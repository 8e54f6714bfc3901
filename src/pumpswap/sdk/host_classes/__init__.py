"""The classes that a host's code knows by name, thin over the rooms that do the work."""

from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.sdk.executor import PumpSwapTradingExecutor
from pumpswap.sdk.host_classes.account_risk import PositionRisk, RiskManager, TradingRiskManager
from pumpswap.sdk.host_classes.automated import Q50PumpSwapAutomatedStrategy, Q50PumpSwapSignalAnalyzer
from pumpswap.sdk.host_classes.liquidity import LiquidityCheck, LiquidityValidator
from pumpswap.sdk.host_classes.performance import TradingPerformanceMonitor
from pumpswap.sdk.host_classes.poc_executor import PumpSwapExecutor
from pumpswap.sdk.host_classes.position_manager import PositionManager
from pumpswap.sdk.host_classes.risk_manager import PumpSwapRiskManager
from pumpswap.sdk.host_classes.sizer import KellyPositionSizer, PositionSizing
from pumpswap.sdk.host_classes.validation import TradeValidation
from pumpswap.signals import NewPoolsSignalAnalyzer, PumpSwapSignalAnalyzer, RegimeDetector

__all__ = [
    "KellyPositionSizer",
    "LiquidityCheck",
    "LiquidityValidator",
    "NewPoolsSignalAnalyzer",
    "PositionManager",
    "PositionRisk",
    "PositionSizing",
    "PumpSwapExecutor",
    "PumpSwapRiskManager",
    "PumpSwapSignalAnalyzer",
    "PumpSwapTradingExecutor",
    "Q50PumpSwapAutomatedStrategy",
    "Q50PumpSwapSignalAnalyzer",
    "Q50SignalLoader",
    "RegimeDetector",
    "RiskManager",
    "TradeValidation",
    "TradingPerformanceMonitor",
    "TradingRiskManager",
]
