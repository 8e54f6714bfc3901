"""Curves by their source: module and models of a BacktestNode are made from configurations, and must share one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumpswap.market.tape import open_recording
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.backtest.feed import recorded_market
from pumpswap.settings import load_settings

__all__ = ["Shared", "forget_shared", "shared_of"]


@dataclass(slots=True)
class Shared:
    """A curve, and what was made around it: the ``CurveModule``, and the ``Executions`` of fill and fee model."""

    curve: Curve
    module: Any = None
    executions: Any = None


_SHARED: dict[tuple[str, str], Shared] = {}


def shared_of(source: str, settings_path: str | None = None) -> Shared:
    """What belongs to a recording, made when it is first asked for. Nothing of it is stored.

    Raises what ``open_recording`` and ``load_settings`` raise.
    """
    key = (source, settings_path or "")
    if key not in _SHARED:
        settings = load_settings(path=Path(settings_path)) if settings_path else load_settings()
        recording = open_recording(source)
        _SHARED[key] = Shared(Curve(recorded_market(recording.updates(), settings, location=recording.location)))
    return _SHARED[key]


def forget_shared(source: str, settings_path: str | None = None) -> None:
    """Whoever asks next gets a new curve: for a second run in one process."""
    _SHARED.pop((source, settings_path or ""), None)
