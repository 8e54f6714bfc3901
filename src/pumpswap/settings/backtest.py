"""How strategies are tried out on recorded markets, and how their settings are searched."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from pumpswap.settings.section import Seconds, Section

__all__ = ["BacktestSettings", "LandingPlace", "TuneSettings"]

LandingPlace = Literal["first", "last", "drawn"]


class BacktestSettings(Section):
    """Back-tests: where they are kept, and what they assume. See `pumpswap backtest`."""

    database: Path | None = None  # a SQLite file of their own; default: backtests.sqlite in the data folder
    # the place of our orders in the slot in which they land: before all others, after all, or drawn by the seed
    landing: LandingPlace = "last"
    period_seconds: int = Field(300, ge=1)  # between two measurements of equity, for drawdown and Sharpe ratio
    verify: bool = True  # every recorded step is computed again and compared with what was recorded


class TuneSettings(Section):
    """Searches for good settings. See `pumpswap tune`."""

    jobs: int = Field(0, ge=0, le=4_096)  # processes; 0: one for each processor
    chunk: int = Field(64, ge=1, le=100_000)  # trials that are handed to a process at once
    # rounds so close to a tested time are not learnt from; null: 1 % of the history, at most `exits.max_hold_seconds`
    embargo_seconds: Seconds | None = None
