"""The base score against the enhanced one: ranks, agreement, and which of the two predicted better after costs."""

from pumpswap.analytics.comparison.comparison import Comparison, ComparisonRules, compare
from pumpswap.analytics.comparison.observation import Observation
from pumpswap.analytics.comparison.outcomes import OutcomeRules, OutcomeTracker, RoundTrip
from pumpswap.analytics.comparison.returns import Sampling
from pumpswap.analytics.comparison.verdict import Verdict, VerdictKind

__all__ = [
    "Comparison",
    "ComparisonRules",
    "Observation",
    "OutcomeRules",
    "OutcomeTracker",
    "RoundTrip",
    "Sampling",
    "Verdict",
    "VerdictKind",
    "compare",
]
