"""Settings of what a host's code hands to a class of its own: nothing, our settings, or its mapping."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pumpswap.errors import ConfigError
from pumpswap.settings import Settings, load_settings
from pumpswap.settings.host_file import is_host_file, our_parts
from pumpswap.settings.nearest import nearest, shown
from pumpswap.settings.plan_import import import_plan
from pumpswap.settings.plan_keys import ENVIRONMENT, HOST_SECTIONS, PLAN_ROWS, PLAN_SECTIONS
from pumpswap.settings.plan_rows import Fate
from pumpswap.settings.section import Section

__all__ = ["HostConfig", "settings_of_config"]

_log = logging.getLogger(__name__)

HostConfig = Settings | Mapping[str, Any] | None

_OURS = frozenset(Settings.model_fields)
# The proof of concept hands its sections around without its own name in front. Two of the names are ours as well.
_POC = ("q50", "trading", "security", "regime_detection", "wallet", "solana", "monitoring", "nautilus")
_POC_ONLY = {
    "q50": {"features_path", "signal_tolerance_minutes", "required_columns", "backup_features_path"},
    "wallet": {"payer_public_key", "private_key_path", "private_key_env_var", "min_balance_sol"},
}


def settings_of_config(config: HostConfig = None) -> Settings:
    """The settings that count: ``pumpswap.yaml`` and the environment for None; our own as they are; else a mapping with
    the plan's sections, with ours, or with both, laid over ``pumpswap.yaml``: ours win over the plan's.

    Sections of somebody else are left alone, unless their names look like a slip of ours. Keys of the plan that nothing
    follows from are logged. Raises ConfigError for a key of the plan's sections that nobody knows, with the nearest
    right one, for a key that stands outside of its section, and for values that cannot be used.
    """
    if isinstance(config, Settings):
        return config
    if config is None:
        return load_settings()
    if not isinstance(config, Mapping):
        raise ConfigError(
            f"a configuration is a mapping or Settings, not a {type(config).__name__}", hint="pass a dict, or nothing"
        )
    if is_host_file(config):
        parts = our_parts(config)
        document, problems = dict(parts.document), list(parts.problems)
        _tell(line for line in parts.notes if " → " not in line)
    else:
        document, problems = _mapping_of_code(config)
    problems += _misplaced(config)
    if problems:
        raise ConfigError(
            "; ".join(problems), hint="the documentation's page Configuration lists every key of the plan"
        )
    return load_settings(None, **_with_profile(document))


def _mapping_of_code(config: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a mapping says in our keys, and what is wrong with it."""
    flat = {name: config[name] for name in _POC if _is_of_poc(name, config.get(name))}
    plan = {name: config[name] for name in PLAN_SECTIONS if name in config}
    if flat:
        poc = plan.get("nautilus_poc")
        plan["nautilus_poc"] = {**(poc if isinstance(poc, Mapping) else {}), **flat}
    translated = import_plan(plan)
    document, problems = dict(translated.document), list(translated.problems)
    _tell(row.line for row in translated.rows if row.fate in (Fate.DECIDED, Fate.NOT_NEEDED))
    for name, value in config.items():
        if name in plan or name in flat:
            continue
        if name in _OURS:
            document[name] = _over(value, document.get(name))
        elif close := nearest(str(name), [*_OURS, *PLAN_SECTIONS]):
            problems.append(f"{shown(str(name))}: no such section; did you mean {close}?")
    return document, problems


# ---------------------------------------------------------------------------------------------- outside of a section


def _misplaced(config: Mapping[str, Any]) -> list[str]:
    """Keys that stand beside the sections: a limit that is written there would hold for nothing."""
    homes = _homes()
    problems = []
    for name, value in config.items():
        key = str(name)
        if key in _SECTIONS:
            continue
        if key in _CONTAINERS:
            problems.append(f"{shown(key)}: put it below {_CONTAINERS[key]}:")
        elif isinstance(value, Mapping):
            continue  # a section, of somebody else
        elif key in homes:
            problems.append(f"{shown(key)}: put it below {' or '.join(f'{home}:' for home in homes[key])}")
        elif close := nearest(key, homes):
            problems.append(f"{shown(key)}: no such key; did you mean {homes[close][0]}.{close}?")
    return problems


_SECTIONS = frozenset({*_OURS, *PLAN_SECTIONS, *HOST_SECTIONS, *_POC, "profiles", "profile"})
_CONTAINERS = {
    "environment": "nautilus_poc",
    "environments": "nautilus_poc",
    "risk_management": "nautilus_trader",
    "strategy_config": "nautilus_trader",
}


def _homes() -> dict[str, list[str]]:
    """Where each key belongs: the plan's sections first."""
    found: dict[str, list[str]] = {}
    for plan in PLAN_ROWS:
        home, _, name = plan.rpartition(".")
        if not plan.startswith(ENVIRONMENT):
            found.setdefault(name, []).append(home)
    for home, name in _our_keys():
        found.setdefault(name, []).append(home)
    return found


def _our_keys() -> Iterator[tuple[str, str]]:
    for home, field in Settings.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section):
                yield from ((home, name) for name in kind.model_fields)


def _tell(lines: Iterable[str]) -> None:
    """One line in the log for all keys of the plan that change nothing here, with the reason of each."""
    told = list(lines)
    if told:
        _log.warning("config-keys-without-effect: %s", "; ".join(told), extra={"keys": told})


def _is_of_poc(name: str, section: object) -> bool:
    if not isinstance(section, Mapping):
        return False
    return name not in _OURS or bool(set(section) & _POC_ONLY.get(name, set()))


def _over(above: Any, below: Any) -> Any:
    if isinstance(above, Section):
        above = above.model_dump(exclude_unset=True)
    if isinstance(above, Mapping) and isinstance(below, Mapping):
        return {**below, **above}
    return above


def _with_profile(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the profile that it chooses laid over it."""
    profiles, chosen = document.pop("profiles", None) or {}, document.pop("profile", None)
    if chosen is None:
        return document
    if chosen not in profiles:
        known = ", ".join(map(str, profiles)) or "none"
        raise ConfigError(f"there is no profile {shown(str(chosen))}", hint=f"there is {known}")
    return {**document, **{name: _over(value, document.get(name)) for name, value in profiles[chosen].items()}}
