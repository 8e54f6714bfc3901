"""One file for the host and for us: our parts of it, and the parts that its rules refuse.

The host refuses top-level sections that it does not know: ``pumpswap config host-copy`` writes it a copy without ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumpswap.errors import ConfigError
from pumpswap.settings.nearest import shown_path
from pumpswap.settings.plan_import import import_plan
from pumpswap.settings.plan_keys import HOST_SECTIONS, PLAN_SECTIONS
from pumpswap.settings.plan_rows import Fate
from pumpswap.settings.tree import Settings
from pumpswap.settings.yaml_file import parse_yaml, read_text

__all__ = [
    "HostParts",
    "foreign_sections",
    "is_host_file",
    "lay_under",
    "our_parts",
    "plan_and_ours",
    "refuse_host_file",
]

# ``database`` is a section of both: at the top of the host's file it is the host's, ours is below ``pumpswap``.
_ONLY_HOST = frozenset(HOST_SECTIONS) - set(Settings.model_fields)
_OURS_ON_TOP = (frozenset(Settings.model_fields) | {"profiles", "profile"}) - set(HOST_SECTIONS)


@dataclass(frozen=True, slots=True)
class HostParts:
    """What is ours in a file, in our keys; ``notes``: what became of keys of the plan; ``problems``: what cannot be."""

    document: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def is_host_file(document: Mapping[str, Any]) -> bool:
    """Whether this is the host's ``config.yaml``: it has a section that only the host has."""
    return any(name in _ONLY_HOST for name in document)


def refuse_host_file(file: Path) -> None:
    """Raises ConfigError for a file of the host's: its program needs it, and nobody else has a copy.

    One that is no readable YAML is the host's when a line begins with a section that only the host has.
    """
    text = read_text(file)
    try:
        is_theirs = is_host_file(parse_yaml(text, "the file"))
    except ConfigError:
        is_theirs = any(line.partition(":")[0].strip(" \"'") in _ONLY_HOST for line in text.splitlines())
    if is_theirs:
        hint = "nothing was written; this program never changes it, also not with --force"
        raise ConfigError(f"{shown_path(file)} is the host's configuration", hint=hint)


def foreign_sections(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Top-level names of a host's file that the host's own rules refuse, in the order of the file."""
    return tuple(name for name in document if name not in HOST_SECTIONS)


def our_parts(document: Mapping[str, Any]) -> HostParts:
    """Our sections of the host's file, with the plan's keys translated; a file of ours is returned as it is."""
    if not is_host_file(document):
        return HostParts(document)
    plan, ours = plan_and_ours(document)
    problems: list[str] = []
    for name, value in document.items():
        if name in PLAN_SECTIONS or name in HOST_SECTIONS:
            continue
        if name not in _OURS_ON_TOP:
            # Let the validator name it, with the nearest right one.
            ours[name] = value
            continue
        clash = isinstance(ours.get(name), Mapping) and isinstance(value, Mapping) and set(ours[name]) & set(value)
        problems += [f"{name}.{key}: is there twice, below pumpswap and at the top" for key in sorted(clash or ())]
        _merge(ours, {name: value})
    translated = import_plan(plan)
    lay_under(ours, translated.document)
    notes = tuple(row.line for row in translated.rows if row.fate is not Fate.EMPTY)
    return HostParts(ours, notes, (*problems, *translated.problems))


def plan_and_ours(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan's sections of a file, and our own sections that stand below ``pumpswap`` in it."""
    plan: dict[str, Any] = {name: document[name] for name in PLAN_SECTIONS if name in document}
    body = plan.get("pumpswap")
    if not isinstance(body, Mapping):
        return plan, {}
    nested = {name: value for name, value in body.items() if name in Settings.model_fields or name in _PROFILES}
    plan["pumpswap"] = {name: value for name, value in body.items() if name not in nested}
    return plan, nested


_PROFILES = ("profiles", "profile")


def _merge(target: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, Mapping) and isinstance(target.get(name), Mapping):
            target[name] = {**target[name], **value}
        else:
            target[name] = value


def lay_under(target: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Lay ``values`` below what is there: our own keys win over those of the plan."""
    for name, value in values.items():
        here = target.get(name)
        if isinstance(value, Mapping) and isinstance(here, Mapping):
            merged = dict(here)
            lay_under(merged, value)
            target[name] = merged
        elif name not in target:
            target[name] = value
