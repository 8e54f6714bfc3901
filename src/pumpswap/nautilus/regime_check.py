"""RegimeCheck: the regime of a row, told a second time by RegimeDetector: an entry needs both to say the same."""

from __future__ import annotations

from typing import Any

from pumpswap.model import Q50Series, Signal
from pumpswap.settings import Settings
from pumpswap.signals.regimes import RegimeDetector

__all__ = ["RegimeCheck"]


class RegimeCheck:
    """One detector per series; that of the market is ``market``, which is the strategy's own. A detector has heard all
    rows of its series up to the last one that was asked for, in order; a new frame begins it anew.
    """

    def __init__(self, market: RegimeDetector, settings: Settings) -> None:
        self._settings = settings
        self._market = market
        self._detectors: dict[str | None, RegimeDetector] = {}
        self._heard: dict[str | None, tuple[Q50Series, int]] = {}

    def info(self, series: Q50Series, row_ns: int) -> dict[str, Any]:
        """What the detector says of the row with this stamp: ``RegimeDetector.classify_regime``."""
        detector = self._detector(series)
        place = series.newest(row_ns)
        known = self._heard.get(series.instrument)
        if place is None:
            return detector.classify_regime({})
        if known is None or known[0] is not series or known[1] > place:
            detector.reset_history()
            known = series, max(place - detector.rules.history_size, 0) - 1
        vol_risks, times = series.column("vol_risk"), series.times_ns
        between = range(known[1] + 1, place)
        detector.load_historical_data({"vol_risk": vol_risks[one], "at_ns": times[one]} for one in between)
        self._heard[series.instrument] = series, place
        row = series.row(place)
        told = {"vol_risk": row.vol_risk, "vol_raw": row.vol_raw, "q50": row.q50, "at_ns": row.at_ns}
        return detector.classify_regime(told)

    def objection(self, series: Q50Series, row_ns: int, signal: Signal) -> str:
        """Why a signal may not be entered on; empty when detector and signal agree."""
        info = self.info(series, row_ns)
        if info["vol_regime"] == (signal.regime or None):
            return ""
        return f"the regime detector says {info['vol_regime'] or info['reason']}, the signal {signal.regime or 'none'}"

    def _detector(self, series: Q50Series) -> RegimeDetector:
        found = self._detectors.get(series.instrument)
        if found is None:
            # The first series that is asked for is nearly always the market's; its detector is the one people see.
            found = self._market if not self._detectors else RegimeDetector(self._settings)
            self._detectors[series.instrument] = found
        return found
