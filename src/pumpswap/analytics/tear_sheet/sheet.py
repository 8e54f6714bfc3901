"""TearSheet: everything that a report of an account says, of one run and one time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pumpswap.analytics.performance.result import Performance
from pumpswap.analytics.refusals import RefusedFigures
from pumpswap.analytics.tear_sheet.calibration import ScoreBand
from pumpswap.analytics.tear_sheet.execution import Execution
from pumpswap.analytics.tear_sheet.prices import PricePath
from pumpswap.analytics.tear_sheet.q50 import Q50Figures
from pumpswap.clock import NS_PER_SECOND
from pumpswap.units import LAMPORTS_PER_SOL

__all__ = ["Account", "HeldMark", "SolUsd", "TearSheet", "Time"]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose books. ``kind`` is the run's (``live``, ``paper``, ``simulated``, …), ``network`` None on no chain."""

    run_id: int
    kind: str
    network: str | None
    wallet: str | None

    @property
    def is_money(self) -> bool:
        """Whether any of it is real."""
        return self.kind == "live" and self.network == "mainnet"


@dataclass(frozen=True, slots=True)
class Time:
    """From ``since_ns`` on, up to ``until_ns``, which is not part of it. ``name`` is for people: ``the week from
    2026-11-23``; ``period`` is ``day``, ``week``, ``month`` or ``all``; ``zone`` is that of its days. ``is_over``:
    nothing will be added to it. ``of`` is its name in files: ``2026-11-25``, ``2026-W48``, ``2026-11``, ``all``.
    """

    since_ns: int
    until_ns: int
    period: str
    name: str
    zone: str
    is_over: bool
    of: str


@dataclass(frozen=True, slots=True)
class SolUsd:
    """Dollars for one SOL, None where nobody has told; ``source`` says who has, or why nobody."""

    usd: Decimal | None
    source: str

    def of(self, lamports: int | float | None) -> Decimal | None:
        """What an amount is in dollars, to the cent."""
        if self.usd is None or lamports is None:
            return None
        return (self.usd * Decimal(round(lamports)) / LAMPORTS_PER_SOL).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True)
class HeldMark:
    """How old the price behind an open position's value is, or why it has none."""

    age_ns: int | None
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class TearSheet:
    """``marks`` are those of the open rounds, by (pool, number); a mark older than ``stale_after_seconds`` is shown as
    old. ``prices`` are those of the pools that have moved the most, ``bands`` the scores with which rounds were opened,
    ``refused`` what refused buys of that time would have earned, ``q50`` what became of the signals of a Q50 frame.
    """

    account: Account
    time: Time
    performance: Performance
    execution: Execution
    bands: Sequence[ScoreBand]
    prices: Sequence[PricePath]
    marks: dict[tuple[str, int], HeldMark]
    sol: SolUsd
    refused: Sequence[RefusedFigures] = ()
    stale_after_seconds: int = 60
    q50: Q50Figures | None = None

    def is_stale(self, pool: str, number: int) -> bool:
        """Whether the value of an open round is not a price of about that time."""
        mark = self.marks.get((pool, number))
        return mark is None or mark.age_ns is None or mark.age_ns > self.stale_after_seconds * NS_PER_SECOND
