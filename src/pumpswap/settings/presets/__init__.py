"""Settings files to begin with, as data: ``careful``, ``standard``, ``research``."""

from __future__ import annotations

from importlib.resources import files

from pumpswap.errors import UsageError

__all__ = ["PRESETS", "preset_text"]

PRESETS = {
    "careful": "small trades in deep pools, tight exits, every token screened",
    "standard": "the defaults, with the keys that people change most",
    "research": "many small paper trades, to learn from; not for real money",
}


def preset_text(name: str) -> str:
    """The file of a preset. Raises UsageError for a name that is none."""
    if name not in PRESETS:
        raise UsageError("there is no such preset", hint=f"one of {', '.join(PRESETS)}")
    return files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
