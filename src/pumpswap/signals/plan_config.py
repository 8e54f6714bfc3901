"""The plan's own keys for the enhanced score, for callers who pass its configuration to the analyser."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Any

from pydantic import ValidationError

from pumpswap.errors import ConfigError
from pumpswap.settings import FeasibilitySettings
from pumpswap.settings.plan_keys import PLAN_ROWS

__all__ = ["feasibility_of_plan"]

_SECTION = "feasibility."
_KEYS = {
    (plan.partition(".")[0], plan.partition(".")[2]): key.removeprefix(_SECTION)
    for plan, row in PLAN_ROWS.items()
    if plan.startswith(("pumpswap.", "signal_analysis."))
    for key in row.keys
    if key.startswith(_SECTION)
}


def feasibility_of_plan(config: Mapping[str, object] | None) -> FeasibilitySettings:
    """Settings by the plan's sections ``signal_analysis`` and ``pumpswap``; defaults for what they leave out. Other
    sections and keys belong to somebody else. Raises ConfigError naming a key that cannot be used.
    """
    chosen: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for (section, key), name in _KEYS.items():
        found = (config or {}).get(section)
        value = found.get(key) if isinstance(found, Mapping) else None
        if value is None:
            continue
        origins[name] = f"{section}.{key}"
        number = _number(value, origins[name])
        chosen[name] = number * 100 if name.endswith("_bps") else number
    try:
        return FeasibilitySettings(**chosen)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        where = origins.get(name, ", ".join(origins.values()))
        raise ConfigError(
            f"{where}: {first['msg']}", hint="`pumpswap config schema` has the keys of the section feasibility"
        ) from None


def _number(value: object, where: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except DecimalException:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ConfigError(f"{where} is {value!r}, which is no number", hint="write it in plain digits")
    return number
