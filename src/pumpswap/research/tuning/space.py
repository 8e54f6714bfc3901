"""Space: which settings are searched, and what they may be.

    exits.take_profit_bps=2000..20000:log/8, risk.max_position_sol=0.1|0.2, strategy.window_seconds=30|60|120

A choice lists values with ``|``. A range has two bounds; ``:log`` spreads it by ratios, ``/8`` is its number of grid
points (a grid needs it, random and optuna do not). ``strategy.`` are the arguments of the strategy itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from math import exp, log
from random import Random
from typing import Any

import msgspec
from pydantic import ValidationError

from pumpswap.errors import ConfigError, UsageError
from pumpswap.research.tuning.trials import Params
from pumpswap.settings import Settings

__all__ = [
    "NULL",
    "SEARCHED_SECTIONS",
    "STRATEGY",
    "Dimension",
    "Space",
    "parse_space",
    "settings_with",
    "strategy_arguments",
]

STRATEGY, NULL = "strategy", "null"  # sections of params that are no settings: see ``null_trials`` for the second
# What a person decides. Not ``paper``: latency, failures and fees are what the network does to us; a search would
# choose the network that suits it.
SEARCHED_SECTIONS = ("risk", "exits", "signals", "feasibility", "q50", "regimes", "follow")
MOST_GRID = 1_000_000
_LONGEST = 63  # characters: what is longer may be a secret that was pasted by mistake

_KEY = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_RANGE = re.compile(r"(?P<low>-?[0-9.]+?)\.\.(?P<high>-?[0-9.]+?)(?P<log>:log)?(?:/(?P<points>[0-9]+))?")
_HINT = "KEY=LOW..HIGH, KEY=LOW..HIGH:log/POINTS or KEY=A|B|C, with commas or lines between them"


class Dimension(msgspec.Struct, frozen=True):
    """One searched setting: ``choices``, or a range from ``low`` to ``high`` (then there are no choices)."""

    key: str
    choices: tuple[str, ...] = ()
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    is_log: bool = False
    points: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether a range is of whole numbers: both of its bounds are written so."""
        return self.low.as_tuple().exponent == 0 == self.high.as_tuple().exponent

    def value_at(self, share: float) -> str:
        """The value of a range at 0 to 1 of it."""
        low, high = float(self.low), float(self.high)
        found = exp(log(low) + (log(high) - log(low)) * share) if self.is_log else low + (high - low) * share
        return self.text_of(found)

    def text_of(self, value: float) -> str:
        """A number of a range as the settings take it: whole, or with one digit more than the bounds are written."""
        if self.is_whole:
            return str(min(max(round(value), int(self.low)), int(self.high)))
        places = 1 + max(-int(bound.as_tuple().exponent) for bound in (self.low, self.high))
        rounded = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
        return f"{min(max(rounded, self.low), self.high):f}"

    def grid(self) -> tuple[str, ...]:
        """All choices, or the points of the range. Raises UsageError for a range without a number of points."""
        if self.choices:
            return self.choices
        if not self.points:
            raise UsageError(
                f"a grid needs to know how many points {self.key} has",
                hint=f"write {self.key}={self.low}..{self.high}{':log' * self.is_log}/5, or use --method optuna",
            )
        if self.points == 1:
            return (self.text_of(float(self.low)),)
        found = (self.value_at(place / (self.points - 1)) for place in range(self.points))
        return tuple(dict.fromkeys(found))

    def draw(self, chance: Random) -> str:
        """A value at random."""
        return chance.choice(self.choices) if self.choices else self.value_at(chance.random())


class Space(msgspec.Struct, frozen=True):
    """All searched settings. ``text`` is how it is stored and hashed."""

    dimensions: tuple[Dimension, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """In the order in which they were given."""
        return tuple(one.key for one in self.dimensions)

    @property
    def text(self) -> str:
        """The space as ``parse_space`` reads it."""
        return ", ".join(f"{one.key}={_values_text(one)}" for one in self.dimensions)

    def size(self) -> int:
        """Points of the grid."""
        size = 1
        for one in self.dimensions:
            size *= len(one.grid())
        return size

    def grid(self) -> list[Params]:
        """Every combination, the last setting changing fastest. Raises UsageError for more than a million."""
        size = self.size()
        if size > MOST_GRID:
            raise UsageError(f"a grid of {size} sets", hint=f"at most {MOST_GRID}; or --method random with --trials")
        found: list[Params] = [()]
        for one in self.dimensions:
            found = [(*before, (one.key, value)) for before in found for value in one.grid()]
        return found

    def draw(self, chance: Random) -> Params:
        """One set at random."""
        return tuple((one.key, one.draw(chance)) for one in self.dimensions)

    def check(self, settings: Settings) -> None:
        """Raises ConfigError where a bound or a choice alone is none that the settings take. Combinations are checked
        when they are tried; arguments of the strategy are for whoever can make it.
        """
        for key, values in self.values():
            if not key.startswith(f"{STRATEGY}."):
                for value in values:
                    _check_alone(settings, key, value)

    def values(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Of each setting its choices, or both bounds of its range."""
        for one in self.dimensions:
            yield one.key, one.choices or (one.text_of(float(one.low)), one.text_of(float(one.high)))


def parse_space(text: str) -> Space:
    """Reads a space; lines may be empty or begin with ``#``. Raises UsageError that names what is wrong."""
    lines = (line.split("#", 1)[0] for line in text.splitlines())
    parts = [part.strip() for line in lines for part in line.split(",") if part.strip()]
    if any(len(word) > _LONGEST for part in parts for word in re.split(r"[=|\s]", part)):
        raise UsageError(
            f"something in the space is longer than {_LONGEST} characters",
            hint="no setting has such a value; was it a private key? It is not shown, and nothing was stored",
        )
    if not parts:
        raise UsageError("the space is empty", hint=_HINT)
    dimensions = [_dimension(part) for part in parts]
    twice = {one.key for one in dimensions if [other.key for other in dimensions].count(one.key) > 1}
    if twice:
        raise UsageError(f"{min(twice)} is there twice", hint="each setting once")
    return Space(tuple(dimensions))


def settings_with(settings: Settings, params: Params) -> Settings:
    """The settings with these values. Raises ConfigError for what they do not take, naming the key."""
    changed: dict[str, dict[str, Any]] = {}
    for key, value in params:
        section, _, name = key.partition(".")
        if section in (STRATEGY, NULL):
            continue
        part = getattr(settings, section)
        if name not in type(part).model_fields:
            raise ConfigError(f"there is no setting {key}", hint="docs/settings.md lists all of them")
        changed.setdefault(section, {})[name] = value
    sections: dict[str, Any] = {}
    for section, values in changed.items():
        part = getattr(settings, section)
        given = {name: getattr(part, name) for name in part.model_fields_set} | values
        try:
            # As text: a number of the settings is read from text exactly, as from an environment variable.
            sections[section] = type(part).model_validate(given)
        except ValidationError as error:
            told = error.errors()[0]
            name = ".".join([section, *map(str, told["loc"])])
            shown = ", ".join(f"{key}={value}" for key, value in params)
            raise ConfigError(f"{name}: {told['msg']} (in {shown})", hint="narrow the space") from error
    return settings.model_copy(update=sections)


def strategy_arguments(params: Params) -> Mapping[str, str]:
    """The arguments of the strategy itself, by name, as text."""
    return {key.partition(".")[2]: value for key, value in params if key.startswith(f"{STRATEGY}.")}


def _dimension(part: str) -> Dimension:
    key, equals, values = (piece.strip() for piece in part.partition("="))
    if not equals or not values or not _KEY.fullmatch(key):
        raise UsageError(f"{part!r} is no searched setting", hint=_HINT)
    section = key.partition(".")[0]
    if section not in (*SEARCHED_SECTIONS, STRATEGY):
        allowed = ", ".join((*SEARCHED_SECTIONS, STRATEGY))
        raise UsageError(f"{key} cannot be searched", hint=f"only sections that are a choice of yours: {allowed}")
    if ".." not in values:
        choices = tuple(one.strip() for one in values.split("|"))
        if not all(choices) or len(set(choices)) < len(choices):
            raise UsageError(f"{part!r} has an empty choice, or one twice", hint=_HINT)
        return Dimension(key, choices)
    match = _RANGE.fullmatch(values)
    if match is None:
        raise UsageError(f"{values!r} of {key} is no range", hint=_HINT)
    try:
        low, high = Decimal(match["low"]), Decimal(match["high"])
    except InvalidOperation as error:
        raise UsageError(f"{values!r} of {key} is no range of numbers", hint=_HINT) from error
    if low >= high or (match["log"] and low <= 0):
        raise UsageError(f"{values!r} of {key}: the first bound is not below the second, or a log of 0", hint=_HINT)
    points = int(match["points"] or 0)
    if match["points"] is not None and not 1 <= points <= MOST_GRID:
        raise UsageError(f"{points} points of {key}", hint="1 or more")
    return Dimension(key, (), low, high, match["log"] is not None, points)


def _values_text(one: Dimension) -> str:
    if one.choices:
        return "|".join(one.choices)
    return f"{one.low}..{one.high}{':log' if one.is_log else ''}{f'/{one.points}' if one.points else ''}"


def _check_alone(settings: Settings, key: str, value: str) -> None:
    section, _, name = key.partition(".")
    part = type(getattr(settings, section))
    if name not in part.model_fields:
        raise ConfigError(f"there is no setting {key}", hint="docs/settings.md lists all of them")
    try:
        part.model_validate({name: value})
    except ValidationError as error:
        told = next((one for one in error.errors() if one["loc"] == (name,)), None)
        if told is not None:  # that it does not fit the defaults of other settings says nothing yet
            raise ConfigError(f"{key}={value}: {told['msg']}", hint="narrow the space") from error
