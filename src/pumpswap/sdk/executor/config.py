"""Settings of what a host's code hands to a class of its own: nothing, our settings, or its mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pumpswap.errors import ConfigError
from pumpswap.settings import Settings, load_settings
from pumpswap.settings.host_file import is_host_file, our_parts
from pumpswap.settings.nearest import nearest, shown
from pumpswap.settings.plan_import import import_plan
from pumpswap.settings.plan_keys import PLAN_SECTIONS
from pumpswap.settings.section import Section

__all__ = ["HostConfig", "settings_of_config"]

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

    Sections of somebody else are left alone, unless their names look like a slip of ours. Raises ConfigError for a key
    of the plan's sections that nobody knows, with the nearest right one, and for values that cannot be used.
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
    else:
        document, problems = _mapping_of_code(config)
    if problems:
        raise ConfigError("; ".join(problems), hint="docs/configuration.md lists every key of the plan")
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
    for name, value in config.items():
        if name in plan or name in flat:
            continue
        if name in _OURS:
            document[name] = _over(value, document.get(name))
        elif close := nearest(str(name), [*_OURS, *PLAN_SECTIONS]):
            problems.append(f"{shown(str(name))}: no such section; did you mean {close}?")
    return document, problems


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
