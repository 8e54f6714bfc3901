"""The tree of settings as it grows, layer by layer, and what is wrong with it in our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pumpswap.errors import ConfigError
from pumpswap.settings.environment import Given
from pumpswap.settings.keys import all_keys, meant, section_of
from pumpswap.settings.nearest import nearest, shown
from pumpswap.settings.plan_keys import PLAN_SECTIONS
from pumpswap.settings.tree import Settings

__all__ = ["OPTION", "Layers", "refusal"]

OPTION = "option"
# What the validator says in the words of its own types.
_WORDS = {
    **dict.fromkeys(
        ("decimal_parsing", "decimal_type", "float_parsing", "float_type"), "is no number, for example 0.5"
    ),
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "is no whole number, for example 5"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "is neither true nor false"),
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), "is no list: write [a, b]"),
    **dict.fromkeys(("string_type", "path_type"), "is no text"),
    "missing": "is missing",
}


@dataclass(slots=True)
class Layers:
    """``origins`` says by dotted key where a value comes from."""

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
        """Lay what variables say over what is there; what is wrong with them becomes a problem."""
        for one in given:
            if one.problem:
                self.problems.append(one.problem)
                continue
            value: Any = one.value
            for name in reversed(one.path[1:]):
                value = {name: value}
            self.put({one.path[0]: value}, one.origin)

    def put_profile(self, profiles: object, chosen: str) -> None:
        """Lay the chosen profile over what is there."""
        body = profiles[chosen] if isinstance(profiles, Mapping) else None
        if not isinstance(body, Mapping):
            self.problems.append(f"profiles.{shown(chosen)}: is no mapping of sections")
            return
        self.put(body, f"profile {chosen}")

    def chosen_profile(self, wanted: Sequence[str | None], profiles: object) -> str | None:
        """The first of ``wanted`` that is named at all; one that is not there is a problem."""
        known = profiles if isinstance(profiles, Mapping) else {}
        if profiles is not None and not isinstance(profiles, Mapping):
            self.problems.append("profiles: is no mapping of names to sections")
        chosen = next((name for name in wanted if name), None)
        if chosen is None or chosen in known:
            return chosen
        close = nearest(chosen, map(str, known))
        other = f"; did you mean {close}?" if close else f"; there is {', '.join(known) or 'none'}"
        self.problems.append(f"profile {shown(chosen)}: no such profile{other}")
        return None

    def settings(self, name: str) -> Settings:
        """What the layers make. Raises ConfigError with everything that is wrong, after ``name``."""
        problems = list(self.problems)
        try:
            settings = Settings.model_validate(self.tree)
        except ValidationError as wrong:
            problems += [_problem(one, self.origins, name) for one in wrong.errors()]
        except (TypeError, ValueError) as wrong:
            problems.append(str(wrong))
        else:
            if not problems:
                return settings
        raise refusal(name, problems)

    def drop(self, path: Sequence[str]) -> bool:
        """Take a key out, or a whole section. Whether there was one."""
        section = self.tree.get(path[0])
        if len(path) > 1 and isinstance(section, dict) and path[1] in section:
            del section[path[1]]
            return True
        return self.tree.pop(path[0], self) is not self

    def _forget(self, name: str) -> None:
        for key in [key for key in self.origins if key == name or key.startswith(f"{name}.")]:
            del self.origins[key]


def refusal(name: str, problems: Sequence[str]) -> ConfigError:
    """The error that tells all problems of ``name``."""
    text = problems[0] if len(problems) == 1 else "; ".join(f"({n}) {one}" for n, one in enumerate(problems, 1))
    count = "" if len(problems) == 1 else f" {len(problems)} problems:"
    hint = "`pumpswap config schema` has all keys"
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
    message = _WORDS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should be", "must be").replace("greater than or equal to", "at least")
    message = message.replace("less than or equal to", "at most").replace("greater than", "above")
    return f"{source}{where}: {message[:1].lower() + message[1:]}"


def _suggestion(path: tuple[str, ...]) -> str:
    if len(path) == 1 and path[0] in PLAN_SECTIONS:
        return "; it is the plan's section: `pumpswap config import` translates it"
    if len(path) > 2:
        return "; `pumpswap config schema` says what belongs there"
    likely = meant(path)
    return f"; did you mean {likely}?" if likely else ""


def _first_key(path: tuple[str, ...]) -> str:
    return next((name for name in all_keys() if name.startswith(f"{path[0]}.")), "a key: value")
