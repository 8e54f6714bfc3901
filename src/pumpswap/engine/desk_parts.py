"""DeskParts: what a desk works with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pumpswap.amm import FeeSchedule
from pumpswap.engine.keeper import Keeper
from pumpswap.execution.exit_manager import ExitManager
from pumpswap.execution.venue import Venue
from pumpswap.market.book import PoolBook
from pumpswap.model import Decision, ScreenReport, Verdict
from pumpswap.risk.tracker import RiskTracker
from pumpswap.settings import Settings

__all__ = ["DeskParts", "MoreChecks", "Screens"]

Screens = Callable[[str], ScreenReport | None]
MoreChecks = Callable[[Decision], Sequence[Verdict]]


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What a desk works with. ``screens`` tells the newest report on a mint; ``checks`` are asked beside the gate about
    a buy that it would accept (the wallet's own limits); ``mode`` is that of ``RunSettings``.
    """

    book: PoolBook
    venue: Venue
    keeper: Keeper
    risk: RiskTracker
    exits: ExitManager
    schedule_for: Callable[[int], FeeSchedule]
    settings: Settings
    screens: Screens | None = None
    checks: MoreChecks | None = None
    mode: str = "paper"
