"""How settings are loaded: defaults, other programs' variables, file, profile, our variables, options; the later wins.

Nobody else reads the file or the environment. All that is wrong is told at once.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pumpswap.errors import ConfigError
from pumpswap.settings.environment import (
    Given,
    borrowed_variables,
    is_borrowed,
    our_variables,
    profile_of_others,
)
from pumpswap.settings.host_file import HostParts, our_parts
from pumpswap.settings.layers import OPTION, Layers, refusal
from pumpswap.settings.nearest import shown_path
from pumpswap.settings.tree import Settings
from pumpswap.settings.yaml_file import read_yaml

__all__ = [
    "DEFAULT_FILE",
    "LoadedSettings",
    "check_document",
    "load_settings",
    "put_document",
    "read_settings",
    "variables_of",
]

DEFAULT_FILE = "pumpswap.yaml"

_log = logging.getLogger(__name__)
_Build = Callable[[Sequence[Given]], tuple[Layers, str | None]]


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and where each value that is not a default comes from: a file, a variable's name, ``option``.

    ``origins`` is by dotted key. ``notes`` say what a foreign file's keys became. ``ignored`` are variables of other
    programs that do not fit, each with the reason.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None
    profile: str | None
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def borrowed(self) -> Mapping[str, tuple[str, ...]]:
        """Variables of other programs that are in force, with the keys that they set."""
        found: dict[str, tuple[str, ...]] = {}
        for key, origin in self.origins.items():
            if is_borrowed(origin):
                found[origin] = (*found.get(origin, ()), key)
        return found


def load_settings(path: Path | None = None, *, profile: str | None = None, **overrides: Any) -> Settings:
    """Settings of a YAML file, or of ``pumpswap.yaml`` in the working folder when there is one, else defaults.

    ``overrides`` are sections, or parts of them; they win over everything. Variables of other programs that do not fit
    are ignored, with a warning in the log. Raises ConfigError naming the file or the variable, every key that is wrong,
    and the nearest right one.
    """
    loaded = read_settings(path, profile=profile, **overrides)
    for text in loaded.ignored:
        _log.warning("%s", text)
    return loaded.settings


def read_settings(
    path: Path | None = None,
    *,
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
    **overrides: Any,
) -> LoadedSettings:
    """As ``load_settings``, with where each value comes from. ``environment``: instead of the process's own."""
    variables = variables_of(environment)
    file = path or Path(DEFAULT_FILE)
    if path is not None and not file.is_file():
        raise ConfigError(
            f"{shown_path(file)} does not exist", hint="`pumpswap init` writes a pumpswap.yaml; --config names one"
        )
    there = file.is_file()
    parts = our_parts(read_yaml(file)) if there else HostParts({})

    def build(borrowed: Sequence[Given]) -> tuple[Layers, str | None]:
        layers = Layers(problems=list(parts.problems))
        layers.put_given(borrowed)
        chosen = put_document(layers, parts.document, str(file), profile, variables)
        layers.put_given(our_variables(variables))
        layers.put(overrides, OPTION)
        return layers, chosen

    name = shown_path(file) if there else "the settings"
    borrowed, ignored = _fitting(build, borrowed_variables(variables, parts.document.get("profiles")), name)
    layers, chosen = build(borrowed)
    settings = layers.settings(name)
    return LoadedSettings(settings, layers.origins, file if there else None, chosen, parts.notes, ignored)


def variables_of(environment: Mapping[str, str] | None) -> Mapping[str, str]:
    """The variables that count: those that are handed over, else the process's own."""
    return os.environ if environment is None else environment


def put_document(
    layers: Layers, document: Mapping[str, Any], file: str, profile: str | None, variables: Mapping[str, str]
) -> str | None:
    """Lay a file over what is there, and the profile that counts: the option's, PUMPSWAP_PROFILE's, the file's own
    choice, NAUTILUS_ENVIRONMENT's. Its name.
    """
    body = dict(document)
    profiles, usual = body.pop("profiles", None), body.pop("profile", None)
    layers.put(body, file)
    own = None if usual is None else str(usual)
    wanted = (profile, variables.get("PUMPSWAP_PROFILE"), own, profile_of_others(variables, profiles))
    chosen = layers.chosen_profile(wanted, profiles)
    if chosen is not None:
        layers.put_profile(profiles, chosen)
    return chosen


def check_document(document: Mapping[str, Any], name: str) -> Settings:
    """The settings that a document alone makes. Raises ConfigError with all that is wrong with it and its profiles."""
    parts = our_parts(document)
    body = dict(parts.document)
    profiles, usual = body.pop("profiles", None), body.pop("profile", None)
    names = [str(one) for one in profiles] if isinstance(profiles, Mapping) else []
    found: Settings | None = None
    problems: list[str] = []
    for chosen in [None, *names]:
        layers = Layers()
        if chosen is None:
            layers.problems += parts.problems
            layers.chosen_profile((None if usual is None else str(usual),), profiles)
        layers.put(body, name)
        if chosen is not None:
            layers.put_profile(profiles, chosen)
        try:
            settings = layers.settings(name)
        except ConfigError as wrong:
            problems += [each for each in wrong.problems if each not in problems]
        else:
            found = settings if found is None else found
    if problems or found is None:
        raise refusal(name, problems)
    return found


def _fitting(build: _Build, borrowed: Sequence[Given], name: str) -> tuple[Sequence[Given], tuple[str, ...]]:
    """Of the variables of other programs those that fit to everything else, and why the others are ignored.

    They are for somebody else, and may be there by chance: none of them may keep a command from working.
    """
    ignored = [_ignored(one.origin, one.problem) for one in borrowed if one.problem]
    usable = [one for one in borrowed if not one.problem]
    if not usable or _problems(build, usable, name) is None:
        return usable, tuple(ignored)
    if _problems(build, [], name) is not None:
        return [], tuple(ignored)  # it is not theirs that has to be corrected
    kept: list[Given] = []
    for origin in dict.fromkeys(one.origin for one in usable):
        more = [*kept, *(one for one in usable if one.origin == origin)]
        problems = _problems(build, more, name)
        if problems is None:
            kept = more
        else:
            ignored.append(_ignored(origin, problems[0]))
    return kept, tuple(ignored)


def _ignored(origin: str, problem: str) -> str:
    return f"the variable {origin} of another program is ignored: {problem.removeprefix(f'{origin}: ')}"


def _problems(build: _Build, borrowed: Sequence[Given], name: str) -> tuple[str, ...] | None:
    try:
        build(borrowed)[0].settings(name)
    except ConfigError as wrong:
        return wrong.problems
    return None
