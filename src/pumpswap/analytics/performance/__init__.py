"""Performance of one run over one time: ``measure`` turns plain rows into every figure, each with its definition in
docs/metric-definitions.md.
"""

from pumpswap.analytics.performance.estimate import CONFIDENCE, Estimate
from pumpswap.analytics.performance.given import OUTSIDE, PerformanceInput, Sale
from pumpswap.analytics.performance.measure import measure
from pumpswap.analytics.performance.result import (
    Activity,
    CurvePoint,
    Day,
    DrawdownFigures,
    Money,
    Performance,
    PositionGain,
    Returns,
    RoundFigures,
    Slice,
)

__all__ = [
    "CONFIDENCE",
    "OUTSIDE",
    "Activity",
    "CurvePoint",
    "Day",
    "DrawdownFigures",
    "Estimate",
    "Money",
    "Performance",
    "PerformanceInput",
    "PositionGain",
    "Returns",
    "RoundFigures",
    "Sale",
    "Slice",
    "measure",
]
