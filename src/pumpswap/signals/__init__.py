"""Market data to signals. Pure: no clock, no files, no network."""

from pumpswap.signals.analyzer import NewPoolsSignalAnalyzer, SignalResult
from pumpswap.signals.base_score import BaseScoreSignaller

__all__ = ["BaseScoreSignaller", "NewPoolsSignalAnalyzer", "SignalResult"]
