"""How settings are loaded: defaults, file, profile, environment, options of the command; the later wins.

Nobody else reads the file or the environment. All that is wrong is told at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pumpswap.errors import ConfigError
from pumpswap.settings.environment import Given, borrowed_variables, our_variables
from pumpswap.settings.host_file import HostParts, our_parts
from pumpswap.settings.keys import all_keys, meant, section_of
from pumpswap.settings.nearest import nearest, shown, shown_path
from pumpswap.settings.plan_keys import PLAN_SECTIONS
from pumpswap.settings.tree import Settings
from pumpswap.settings.yaml_file import read_yaml

__all__ = ["DEFAULT_FILE", "LoadedSettings", "check_document", "load_settings", "read_settings"]

DEFAULT_FILE = "pumpswap.yaml"
OPTION = "option"


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings, and where each value that is not a default comes from: a file, a variable's name, ``option``.

    ``origins`` is by dotted key. ``notes`` say what a foreign file's keys became.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None
    profile: str | None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Layers:
    """The tree as it grows, layer by layer."""

    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def put(self, values: Mapping[str, Any], origin: str) -> None:
        """Lay ``values`` over what is there: sections are merged, values replaced."""
        for name, value in values.items():
            if section_of(name) is None or not isinstance(value, Mapping):
                if value is None and section_of(name) is not None:
                    continue  # a section whose keys are all commented out
                self._forget(name)
                self.tree[name] = value
                self.origins[name] = origin
                continue
            section = self.tree.setdefault(name, {})
            if not isinstance(section, dict):
                section = self.tree[name] = {}
            for key, one in value.items():
                section[key] = one
                self.origins[f"{name}.{key}"] = origin

    def put_given(self, given: Sequence[Given]) -> None:
        for one in given:
            if one.problem:
                self.problems.append(one.problem)
                continue
            value: Any = one.value
            for name in reversed(one.path[1:]):
                value = {name: value}
            self.put({one.path[0]: value}, one.origin)

    def _forget(self, name: str) -> None:
        for key in [key for key in self.origins if key == name or key.startswith(f"{name}.")]:
            del self.origins[key]


def load_settings(path: Path | None = None, *, profile: str | None = None, **overrides: Any) -> Settings:
    """Settings of a YAML file, or of ``pumpswap.yaml`` in the working folder when there is one, else defaults.

    ``overrides`` are sections, or parts of them; they win over everything. Raises ConfigError naming the file or the
    variable, every key that is wrong, and the nearest right one.
    """
    return read_settings(path, profile=profile, **overrides).settings


def read_settings(
    path: Path | None = None,
    *,
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
    **overrides: Any,
) -> LoadedSettings:
    """As ``load_settings``, with where each value comes from. ``environment``: instead of the process's own."""
    variables = os.environ if environment is None else environment
    file = path or Path(DEFAULT_FILE)
    if path is not None and not file.is_file():
        raise ConfigError(
            f"{shown_path(file)} does not exist", hint="`pumpswap init` writes a pumpswap.yaml; --config names one"
        )
    there = file.is_file()
    parts = our_parts(read_yaml(file)) if there else HostParts({})
    layers = _Layers()
    layers.problems += parts.problems
    layers.put_given(borrowed_variables(variables, below_file=True))
    document = dict(parts.document)
    profiles, usual = document.pop("profiles", None), document.pop("profile", None)
    layers.put(document, str(file))
    chosen = _chosen_profile(profile, variables, usual, profiles, layers)
    if chosen is not None:
        layers.put(_profile(profiles, chosen, str(file) if there else None, layers), f"profile {chosen}")
    layers.put_given(borrowed_variables(variables, below_file=False))
    layers.put_given(our_variables(variables))
    layers.put(overrides, OPTION)
    settings = _validated(layers, shown_path(file) if there else "the settings")
    return LoadedSettings(settings, layers.origins, file if there else None, chosen, parts.notes)


def check_document(document: Mapping[str, Any], name: str) -> Settings:
    """The settings that a document alone makes. Raises ConfigError with all that is wrong with it and its profiles."""
    parts = our_parts(document)
    body = dict(parts.document)
    profiles, usual = body.pop("profiles", None), body.pop("profile", None)
    names = [str(one) for one in profiles] if isinstance(profiles, Mapping) else []
    found: Settings | None = None
    problems: list[str] = []
    for chosen in [None, *names]:
        layers = _Layers()
        if chosen is None:
            layers.problems += parts.problems
            _chosen_profile(None, {}, usual, profiles, layers)
        layers.put(body, name)
        if chosen is not None:
            layers.put(_profile(profiles, chosen, name, layers), f"profile {chosen}")
        try:
            settings = _validated(layers, name)
        except ConfigError as wrong:
            problems += [each for each in wrong.problems if each not in problems]
        else:
            found = settings if found is None else found
    if problems or found is None:
        raise _refusal(name, problems)
    return found


def _chosen_profile(
    named: str | None, variables: Mapping[str, str], usual: object, profiles: object, layers: _Layers
) -> str | None:
    """Which profile counts: the option's, PUMPSWAP_PROFILE, NAUTILUS_ENVIRONMENT, the file's own choice."""
    chosen = named or variables.get("PUMPSWAP_PROFILE") or None
    borrowed = variables.get("NAUTILUS_ENVIRONMENT", "").strip().lower()
    borrowed = "devnet" if borrowed == "testnet" else borrowed  # PumpSwap is on mainnet and devnet only
    known = profiles if isinstance(profiles, Mapping) else {}
    if profiles is not None and not isinstance(profiles, Mapping):
        layers.problems.append("profiles: is no mapping of names to sections")
    if chosen is None and borrowed:
        if borrowed in known:
            return borrowed
        layers.put({"chain": {"network": borrowed}}, "NAUTILUS_ENVIRONMENT")
    if chosen is None and usual is not None:
        chosen = str(usual)
    if chosen is not None and chosen not in known:
        close = nearest(chosen, map(str, known))
        other = f"; did you mean {close}?" if close else f"; there is {', '.join(known) or 'none'}"
        layers.problems.append(f"profile {shown(chosen)}: no such profile{other}")
        return None
    return chosen


def _profile(profiles: object, chosen: str, file: str | None, layers: _Layers) -> Mapping[str, Any]:
    body = profiles[chosen] if isinstance(profiles, Mapping) else None
    if not isinstance(body, Mapping):
        layers.problems.append(f"profiles.{shown(chosen)}: is no mapping of sections")
        return {}
    return body


def _validated(layers: _Layers, name: str) -> Settings:
    problems = list(layers.problems)
    try:
        settings = Settings.model_validate(layers.tree)
    except ValidationError as wrong:
        problems += [_problem(one, layers.origins, name) for one in wrong.errors()]
    except (TypeError, ValueError) as wrong:
        problems.append(str(wrong))
    else:
        if not problems:
            return settings
    raise _refusal(name, problems)


def _refusal(name: str, problems: list[str]) -> ConfigError:
    text = problems[0] if len(problems) == 1 else "; ".join(f"({n}) {one}" for n, one in enumerate(problems, 1))
    count = "" if len(problems) == 1 else f" {len(problems)} problems:"
    hint = "`pumpswap config schema` and docs/settings.md have all keys"
    return ConfigError(f"{name}:{count} {text}", hint=hint, problems=tuple(problems))


def _problem(error: Any, origins: Mapping[str, str], file: str) -> str:
    """One error of the validator in our words, after the variable or the option that caused it."""
    path = tuple(str(part) for part in error["loc"])
    where = ".".join(map(shown, path)) or "the file"
    key = ".".join(path[:2])
    origin = origins.get(key) or origins.get(path[0] if path else "", file)
    source = "" if origin == file else f"{origin}: "
    if error["type"] == "extra_forbidden":
        return f"{source}{where}: no such key{_suggestion(path)}"
    if error["type"] in ("model_type", "model_attributes_type"):
        return f"{source}{where}: is a section: write its keys below it, for example {_first_key(path)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{source}{where}: {message[:1].lower() + message[1:]}"


def _suggestion(path: tuple[str, ...]) -> str:
    if len(path) == 1 and path[0] in PLAN_SECTIONS:
        return "; it is the plan's section: `pumpswap config import` translates it"
    if len(path) > 2:
        return "; see docs/settings.md for what belongs there"
    likely = meant(path)
    return f"; did you mean {likely}?" if likely else ""


def _first_key(path: tuple[str, ...]) -> str:
    return next((name for name in all_keys() if name.startswith(f"{path[0]}.")), "a key: value")
