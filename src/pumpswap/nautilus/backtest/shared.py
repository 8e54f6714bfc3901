"""Curves by their source: module and models of a BacktestNode are made from configurations, and must share one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pumpswap.errors import UsageError
from pumpswap.market.tape import open_recording
from pumpswap.nautilus.backtest.curve import Curve
from pumpswap.nautilus.backtest.feed import recorded_market
from pumpswap.settings import load_settings

__all__ = ["Role", "Shared", "claim", "forget_shared", "shared_of"]

Role = Literal["module", "fill model", "fee model"]


@dataclass(slots=True)
class Shared:
    """A curve, and what was made around it: the ``CurveModule``, and the ``Executions`` of fill and fee model."""

    curve: Curve
    roles: set[Role] = field(default_factory=set)
    module: Any = None
    executions: Any = None


_SHARED: dict[tuple[str, str], list[Shared]] = {}


def claim(source: str, settings_path: str | None, role: Role) -> Shared:
    """A curve of a recording for a part that is being made: the first one that has no such part yet. So each run of a
    node that tries the same recording several times has its own. Nothing of it is stored.

    Raises what ``open_recording`` and ``load_settings`` raise.
    """
    made = _SHARED.setdefault((source, settings_path or ""), [])
    found = next((one for one in made if role not in one.roles), None)
    if found is None:
        settings = load_settings(path=Path(settings_path)) if settings_path else load_settings()
        recording = open_recording(source)
        found = Shared(Curve(recorded_market(recording.updates(), settings, location=recording.location)))
        made.append(found)
    found.roles.add(role)
    return found


def shared_of(source: str, settings_path: str | None = None, *, msgbus: Any = None) -> Shared:
    """The newest curve of a recording, or the one whose module is on this message bus. Raises UsageError for none."""
    made = _SHARED.get((source, settings_path or ""), [])
    fitting = [one for one in made if msgbus is None or (one.module is not None and one.module.msgbus is msgbus)]
    if not fitting:
        raise UsageError(
            f"no CurveModule of {source} was made for this engine",
            hint="name pumpswap.nautilus.backtest.module:CurveModule in the venue's modules, and call node.build()",
        )
    return fitting[-1]


def forget_shared(source: str, settings_path: str | None = None) -> None:
    """Let go of what was made of a recording, when its runs are over."""
    _SHARED.pop((source, settings_path or ""), None)
