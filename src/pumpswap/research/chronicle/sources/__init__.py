"""Where chronicles come from: ``open_chronicle`` finds the right source for a target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pumpswap.errors import UsageError
from pumpswap.research.chronicle.chronicle import BaseChronicle

__all__ = ["open_chronicle"]

_SIMULATED = "simulated"


def open_chronicle(
    target: str | Path,
    *,
    pools: Sequence[str] = (),
    since_ns: int | None = None,
    until_ns: int | None = None,
    minutes: int = 30,
) -> BaseChronicle:
    """``simulated[:SEED]`` (of ``minutes``), ``vectors:FILE``, a lake, a host export or its database, a tape, or a
    recorded stream. ``pools`` names those that are wanted, all when it is empty; times are from ``since_ns`` until
    before ``until_ns``.

    Raises NotFound where there is nothing, BadInput for what is no recording, UsageError for an unknown name.
    """
    text = str(target)
    if text == _SIMULATED or text.startswith(f"{_SIMULATED}:"):
        return _simulated(text, minutes)
    raise UsageError(f"{text} is no source", hint="simulated[:SEED]")


def _simulated(text: str, minutes: int) -> BaseChronicle:
    from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle, SimulatedPlan

    seed = text.partition(":")[2] or "1"
    if not seed.isdecimal():
        raise UsageError(f"{text}: {seed!r} is no seed", hint="a whole number, for example simulated:7")
    if minutes < 1:
        raise UsageError(f"a market of {minutes} minutes", hint="at least one")
    return SimulatedChronicle(SimulatedPlan(seed=int(seed), minutes=minutes))
