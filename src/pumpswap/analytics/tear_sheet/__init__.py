"""The tear sheet: what an account has earned in a time, as figures and as one self-contained page."""

from pumpswap.analytics.tear_sheet.calibration import ScoreBand, ScoredRound, score_bands
from pumpswap.analytics.tear_sheet.execution import Execution, execution_of
from pumpswap.analytics.tear_sheet.figures import day_json, position_json, sheet_json, slice_json
from pumpswap.analytics.tear_sheet.prices import PricePath, biggest_pools
from pumpswap.analytics.tear_sheet.q50 import Q50Figures, q50_figures
from pumpswap.analytics.tear_sheet.sheet import Account, HeldMark, SolUsd, TearSheet, Time

__all__ = [
    "Account",
    "Execution",
    "HeldMark",
    "PricePath",
    "Q50Figures",
    "ScoreBand",
    "ScoredRound",
    "SolUsd",
    "TearSheet",
    "Time",
    "biggest_pools",
    "day_json",
    "execution_of",
    "position_json",
    "q50_figures",
    "score_bands",
    "sheet_json",
    "slice_json",
]
