"""Market data to signals. Pure: no clock, no files, no network."""

from pumpswap.signals.analyzer import NewPoolsSignalAnalyzer, SignalResult
from pumpswap.signals.base_score import BaseScoreSignaller
from pumpswap.signals.combined import CombinedSignaller
from pumpswap.signals.enhanced_result import EnhancedResult
from pumpswap.signals.enhanced_signaller import EnhancedScoreSignaller
from pumpswap.signals.feasibility import Feasibility
from pumpswap.signals.pool_facts import PoolFacts, PoolFactsSource, PoolKind
from pumpswap.signals.pumpswap_analyzer import PumpSwapSignalAnalyzer
from pumpswap.signals.q50_signal import Q50Decision, Q50Signaller
from pumpswap.signals.regimes import Regime, RegimeDetector

__all__ = [
    "BaseScoreSignaller",
    "CombinedSignaller",
    "EnhancedResult",
    "EnhancedScoreSignaller",
    "Feasibility",
    "NewPoolsSignalAnalyzer",
    "PoolFacts",
    "PoolFactsSource",
    "PoolKind",
    "PumpSwapSignalAnalyzer",
    "Q50Decision",
    "Q50Signaller",
    "Regime",
    "RegimeDetector",
    "SignalResult",
]
