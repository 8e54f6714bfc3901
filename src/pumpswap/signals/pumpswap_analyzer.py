"""PumpSwapSignalAnalyzer: the host's analysis, and beside it the one that knows what a trade would really cost."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pumpswap.errors import PumpSwapError, TradeRefused
from pumpswap.model import Side
from pumpswap.settings import FeasibilitySettings
from pumpswap.signals.analyzer import NewPoolsSignalAnalyzer, SignalResult, failed_result, is_row
from pumpswap.signals.enhanced_result import EnhancedResult
from pumpswap.signals.enhanced_score import enhanced_score
from pumpswap.signals.feasibility import Assessor
from pumpswap.signals.plan_config import feasibility_of_plan
from pumpswap.signals.pool_facts import PoolFacts, PoolFactsSource

__all__ = ["BaseAnalyzer", "PumpSwapSignalAnalyzer"]

_log = logging.getLogger(__name__)

_FIELDS = (
    "signal_score", "volume_trend", "liquidity_trend", "momentum_indicator", "activity_score", "volatility_score",
)  # fmt: skip


class BaseAnalyzer(Protocol):
    """What makes a base score: the host's own class, or a model of yours. The result has SignalResult's fields."""

    def analyze_pool_signals(
        self, current: Mapping[str, object], history: Sequence[Mapping[str, object]] | None = None, /
    ) -> Any:
        """A result with the fields of SignalResult; its ``signal_score`` is 0 to 100."""
        ...


class PumpSwapSignalAnalyzer(NewPoolsSignalAnalyzer):
    """Scores pools as the host does, and enhances the score by what the pool takes (see docs/signals.md).

    ``config`` is the host's, with its thresholds; the plan's sections ``signal_analysis`` and ``pumpswap`` count where
    no ``settings`` are given. ``source`` tells the facts of a pool; without one nothing is available and every result
    is the base one. ``base`` replaces the host's formula. ``enhance`` is the pure core; everything else only finds its
    arguments.
    """

    def __init__(
        self,
        config: Mapping[str, object] | None = None,
        *,
        source: PoolFactsSource | None = None,
        settings: FeasibilitySettings | None = None,
        base: BaseAnalyzer | None = None,
    ) -> None:
        super().__init__(config)
        self.source = source
        self.settings = settings or feasibility_of_plan(config)
        self._base = base
        self._assessor = Assessor(self.settings)

    @property
    def has_own_base(self) -> bool:
        """Whether another analyser than the host's formula makes the base score."""
        return self._base is not None

    def analyze_pool_signals(
        self, current_data: Mapping[str, object], historical_data: Sequence[Mapping[str, object]] | None = None
    ) -> SignalResult:
        """The base result: the host's own, or that of ``base``."""
        if self._base is None:
            return super().analyze_pool_signals(current_data, historical_data)
        found = self._base.analyze_pool_signals(current_data, historical_data)
        return SignalResult(**{name: getattr(found, name) for name in _FIELDS}, signals=dict(found.signals))

    def enhance(
        self,
        base: SignalResult,
        facts: PoolFacts | None,
        *,
        intended_lamports: int | None = None,
        unavailable: str = "",
    ) -> EnhancedResult:
        """Both scores. Without ``facts``, or for a pool that cannot be assessed, the base score stays as it is and the
        result says why (``unavailable`` when the caller knows it).

        A size that the caller names must fit the limits for the pool to be tradeable; the default one is a yardstick.
        Raises UsageError for a size of nothing, and for a base score outside 0 to 100.
        """
        if facts is None:
            return self._unavailable(base, unavailable or "no PumpSwap data were given")
        try:
            found = self._assessor.assess(facts, intended_lamports)
        except TradeRefused as refused:
            return self._unavailable(base, refused.what)
        score = enhanced_score(base.signal_score, found.score.depth, found.score.total, self._assessor.rules)
        return EnhancedResult(
            base=base,
            enhanced_score=float(score.total),
            side=_side(base),
            buy_from=self.auto_watchlist_threshold,
            facts=facts,
            feasibility=found,
            boost=float(score.boost),
            size_is_named=intended_lamports is not None,
        )

    async def analyze_pool_for_pumpswap(self, pool_data: Mapping[str, object]) -> dict[str, Any]:
        """What PumpSwap adds for a host's row, under the host's keys. Never raises for data that are missing."""
        return (await self._enhanced(pool_data, None)).pumpswap_dict()

    async def analyze_pool_enhanced(
        self, pool_data: Mapping[str, object], history: Sequence[Mapping[str, object]] | None = None
    ) -> dict[str, Any]:
        """The merged analysis of a host's row: base values, PumpSwap keys, both scores, action and priority.

        PumpSwap data that are missing or fail leave the base score unchanged, with the reason in ``pumpswap_error``.
        """
        return (await self._enhanced(pool_data, history)).as_dict()

    async def _enhanced(
        self, pool_data: Mapping[str, object], history: Sequence[Mapping[str, object]] | None
    ) -> EnhancedResult:
        base = self._scored(pool_data, history)
        if not is_row(pool_data):
            return self.enhance(base, None, unavailable=f"pool data are a dictionary, not a {type(pool_data).__name__}")
        if self.source is None:
            return self.enhance(base, None, unavailable="no source of PumpSwap data is configured")
        try:
            return self.enhance(base, await self.source.pool_facts(pool_data))
        except PumpSwapError as failed:
            return self.enhance(base, None, unavailable=failed.what)
        except Exception as bug:
            # A check that breaks has not passed: no trade, a reason that is stored, and the traceback for us.
            _log.exception("pool-facts-failed", extra={"pool": str(pool_data.get("pool_id") or pool_data.get("id"))})
            return self.enhance(base, None, unavailable=f"an error in the analysis: {type(bug).__name__}: {bug}")

    def _scored(self, pool_data: Mapping[str, object], history: Sequence[Mapping[str, object]] | None) -> SignalResult:
        """The base result; the host's error result where a model of the user's breaks: analysis goes on, no trade."""
        try:
            return self.analyze_pool_signals(pool_data, history)
        except Exception:
            _log.exception("base-analysis-failed")
            return failed_result()

    def _unavailable(self, base: SignalResult, why: str) -> EnhancedResult:
        return EnhancedResult(base, base.signal_score, _side(base), self.auto_watchlist_threshold, unavailable=why)


def _side(base: SignalResult) -> Side:
    """The score has no direction of its own; a falling price turns it, as in BaseScoreSignaller."""
    return Side.SHORT if base.signals.get("momentum_direction") == "bearish" else Side.LONG
