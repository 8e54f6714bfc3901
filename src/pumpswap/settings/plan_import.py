"""The plan's own keys, translated into ours. Every key is accounted for; two that contradict each other are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from typing import Any

from pumpswap.settings.nearest import nearest, shown
from pumpswap.settings.plan_keys import ENVIRONMENT, PLAN_ROWS, PLAN_SECTIONS
from pumpswap.settings.plan_rows import Fate, PlanRow

__all__ = ["PlanImport", "Translated", "import_plan"]

_PREFIX = ENVIRONMENT.removesuffix("*")


@dataclass(frozen=True, slots=True)
class Translated:
    """What became of one key of the plan."""

    plan: str
    value: Any
    fate: Fate
    keys: tuple[str, ...] = ()
    ours: Any = None
    note: str = ""

    @property
    def line(self) -> str:
        """For people."""
        if self.fate is Fate.TAKEN:
            return f"{self.plan} → {', '.join(self.keys)}"
        return f"{self.plan}: {self.fate.value}{': ' if self.note else ''}{self.note}"


@dataclass(slots=True)
class PlanImport:
    """``document`` is in our keys, profiles included; ``rows`` account for every key that was read."""

    document: dict[str, Any] = field(default_factory=dict)
    rows: list[Translated] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Said:
    """Who has set a key of ours."""

    plan: str
    value: Any
    yields: bool


def import_plan(document: Mapping[str, Any]) -> PlanImport:
    """Translate the plan's sections of a document; its other sections are not looked at."""
    result = PlanImport()
    said: dict[tuple[str, str], _Said] = {}
    for section in PLAN_SECTIONS:
        body = document.get(section)
        if body is None:
            continue
        if not isinstance(body, Mapping):
            result.problems.append(f"{section}: is a section: write its keys below it")
            continue
        for plan, value in _leaves(body, section):
            _translate(plan, value, result, said)
    for (profile, key), one in said.items():
        _put(result.document, profile, key, one.value)
    return result


def _leaves(body: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        here = f"{path}.{name}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, here)
        else:
            yield here, value


def _general(plan: str) -> tuple[str, str]:
    """The row's name of a key, and the profile that it belongs to."""
    if not plan.startswith(_PREFIX):
        return plan, ""
    environment, _, rest = plan.removeprefix(_PREFIX).partition(".")
    return f"{ENVIRONMENT}.{rest}", "devnet" if environment == "testnet" else environment


def _translate(plan: str, value: Any, result: PlanImport, said: dict[tuple[str, str], _Said]) -> None:
    general, profile = _general(plan)
    row = PLAN_ROWS.get(general)
    if row is None:
        likely = nearest(general, PLAN_ROWS)
        result.problems.append(f"{shown(plan)}: no such key of the plan{f'; did you mean {likely}?' if likely else ''}")
        return
    if not row.keys:
        fate = Fate.DECIDED if row.decision else Fate.NOT_NEEDED
        note = f"{row.decision}: {row.why}" if row.decision else row.why
        result.rows.append(Translated(plan, value, fate, note=note))
        return
    if value is None or value == "":
        result.rows.append(Translated(plan, value, Fate.EMPTY, row.keys))
        return
    if row.decision and row.plan_default is not None and _same(value, row.plan_default):
        result.rows.append(Translated(plan, value, Fate.DECIDED, row.keys, note=f"{row.decision}: {row.why}"))
        return
    assert row.convert is not None
    try:
        ours = row.convert(value)
    except ValueError as wrong:
        result.problems.append(f"{plan}: {wrong}")
        return
    if ours is None:
        result.rows.append(Translated(plan, value, Fate.NOT_NEEDED, row.keys, note=row.why or "this is the default"))
        return
    _say(plan, value, ours, (row, profile), result, said)


def _say(
    plan: str,
    value: Any,
    ours: Any,
    place: tuple[PlanRow, str],
    result: PlanImport,
    said: dict[tuple[str, str], _Said],
) -> None:
    row, profile = place
    for key in row.keys:
        earlier = said.get((profile, key))
        if earlier is None or _same(earlier.value, ours):
            said.setdefault((profile, key), _Said(plan, ours, row.yields))
        elif row.yields and not earlier.yields:
            note = f"{earlier.plan} says {earlier.value}"
            result.rows.append(Translated(plan, value, Fate.NOT_NEEDED, row.keys, note=note))
            return
        else:
            result.problems.append(
                f"{plan} and {earlier.plan} contradict each other about {key}: {ours} and {earlier.value}; "
                "keep one of them"
            )
            return
    for key, constant in row.implies:
        said.setdefault((profile, key), _Said(plan, constant, True))
    keys = (*row.keys, *(key for key, _ in row.implies))
    named = tuple(f"profiles.{profile}.{key}" if profile else key for key in keys)
    result.rows.append(Translated(plan, value, Fate.TAKEN, named, ours, row.how))


def _put(document: dict[str, Any], profile: str, key: str, value: Any) -> None:
    target = document
    if profile:
        target = document.setdefault("profiles", {}).setdefault(profile, {})
    *sections, name = key.split(".")
    for section in sections:
        target = target.setdefault(section, {})
    target[name] = value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except DecimalException:
        return bool(one == other)
