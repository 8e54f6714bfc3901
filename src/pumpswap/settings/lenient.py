"""Settings for a command that must work when they are wrong: an emergency stop has nobody to correct a file first.

What is wrong is left out and told. Only where the books are must be certain: an order to stop that goes to other books
would be worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pumpswap.errors import ConfigError
from pumpswap.settings.environment import our_variables
from pumpswap.settings.host_file import our_parts
from pumpswap.settings.layers import OPTION, Layers
from pumpswap.settings.loading import DEFAULT_FILE, put_document, read_settings, variables_of
from pumpswap.settings.nearest import nearest, shown_path
from pumpswap.settings.tree import Settings
from pumpswap.settings.yaml_file import parse_yaml

__all__ = ["LenientSettings", "read_leniently"]

_PLACE = ("data_dir", "database")  # where the books are
_TOP_LEVEL = re.compile(r"^(?=[^\s#\]}])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LenientSettings:
    """``problems``: what was wrong and is left out; empty when the settings are in order. ``ignored``: as in
    ``LoadedSettings``.
    """

    settings: Settings
    problems: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(slots=True)
class _Text:
    """What can be read of a file. ``is_certain``: nothing that could say where the books are is missing."""

    document: dict[str, Any] = field(default_factory=dict)
    is_certain: bool = True


def read_leniently(
    path: Path | None = None,
    *,
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
    **overrides: Any,
) -> LenientSettings:
    """As ``read_settings``; what is wrong is left out, unless it could say where the books are.

    Raises ConfigError then: the hint says how to name the books for this one call. An override of ``data_dir``, or the
    variable of ``database.url``, names them.
    """
    variables = variables_of(environment)
    try:
        loaded = read_settings(path, profile=profile, environment=variables, **overrides)
    except ConfigError as wrong:
        if path is not None and not path.is_file():
            raise  # a slip in this very call
        settings, is_certain = _what_is_right(path or Path(DEFAULT_FILE), profile, variables, overrides)
        if not is_certain:
            hint = "name the books for this call: --data-dir DIR, or PUMPSWAP_DATABASE__URL; then correct the settings"
            raise ConfigError(wrong.what, hint=hint, problems=wrong.problems) from None
        return LenientSettings(settings, wrong.problems)
    return LenientSettings(loaded.settings, ignored=loaded.ignored)


def _what_is_right(
    file: Path, profile: str | None, variables: Mapping[str, str], overrides: Mapping[str, Any]
) -> tuple[Settings, bool]:
    """The settings without what is wrong, and whether it is certain where the books are."""
    text, layers, given = _readable(file), Layers(), our_variables(variables)
    document = our_parts(text.document).document
    chosen = put_document(layers, document, shown_path(file), profile, variables)
    layers.put_given(given)
    layers.put(overrides, OPTION)
    settings, is_whole = _without_what_is_wrong(layers)
    if profile is not None and chosen is None:
        return settings, False  # as above
    if "data_dir" in overrides or any(one.path == ("database", "url") and not one.problem for one in given):
        return settings, True
    is_whole = is_whole and not any(one.problem and _may_be_place(one.path[0]) for one in given)
    lacks_profile = chosen is None and bool(variables.get("PUMPSWAP_PROFILE") or document.get("profile"))
    if lacks_profile and any(name in str(document.get("profiles")) for name in _PLACE):
        return settings, False  # the one that was meant may say it
    return settings, is_whole and text.is_certain


def _readable(file: Path) -> _Text:
    """The sections of a file that are readable YAML, each by itself where the whole is not."""
    try:
        text = file.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return _Text()
    except OSError:
        return _Text(is_certain=False)
    try:
        return _Text(parse_yaml(text, "the file"))
    except ConfigError:
        found = _Text()
    for block in _TOP_LEVEL.split(text):
        names_place = any(name in block for name in _PLACE)
        try:
            body = parse_yaml(block, "the section")
        except ConfigError:
            found.is_certain = found.is_certain and not names_place
            continue
        found.is_certain = found.is_certain and not (names_place and set(body) & set(found.document))
        found.document |= body
    return found


def _without_what_is_wrong(layers: Layers) -> tuple[Settings, bool]:
    """The settings of what is right, and whether nothing is missing that may say where the books are."""
    is_whole = True
    while True:
        try:
            return Settings.model_validate(layers.tree), is_whole
        except ValidationError as wrong:
            places = [[str(part) for part in error["loc"][:2]] for error in wrong.errors()]
        is_whole = is_whole and not any(_may_be_place(place[0]) for place in places)
        dropped = [layers.drop(place) for place in places]
        if not any(dropped):
            raise ConfigError("these settings cannot be used", hint="pumpswap config validate says why")


def _may_be_place(name: str) -> bool:
    return nearest(name, _PLACE) is not None
