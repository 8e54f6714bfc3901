"""Every key of the settings: its path, its type, its default, and what the class says about it."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from pumpswap.settings.nearest import nearest
from pumpswap.settings.section import Section
from pumpswap.settings.tree import Settings

__all__ = ["Key", "all_keys", "comments_of", "find_key", "meant", "section_of"]


@dataclass(frozen=True, slots=True)
class Key:
    """One setting of the section ``owner``. ``default`` is None where it is made at run time."""

    path: tuple[str, ...]
    annotation: Any
    default: Any
    is_secret: bool
    owner: type[Section]

    @property
    def name(self) -> str:
        """``risk.max_position_sol``."""
        return ".".join(self.path)

    @property
    def help(self) -> str:
        """What it is, in one line: the comment of the class."""
        return comments_of(self.owner).get(self.path[-1], "")

    @property
    def is_list(self) -> bool:
        """Whether its value is a list or a mapping."""
        return any(kind in (tuple, list, dict) for kind in _kinds(self.annotation))

    @property
    def takes_text(self) -> bool:
        """Whether a text is a value of it, so that digits in it are no number."""
        return any(kind in (str, Path, SecretStr, Literal) for kind in _kinds(self.annotation))

    @property
    def takes_none(self) -> bool:
        """Whether ``null`` is a value of it."""
        return type(None) in _kinds(self.annotation)


@cache
def all_keys() -> Mapping[str, Key]:
    """Every key by its dotted name, in the order of the tree."""
    return {key.name: key for key in _keys_of(Settings, ())}


def find_key(name: str) -> Key | None:
    """The key of this dotted name."""
    return all_keys().get(name)


def section_of(name: str) -> type[Section] | None:
    """The class of a section, None for what is none."""
    field = Settings.model_fields.get(name)
    kind = None if field is None else field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def meant(path: tuple[str, ...]) -> str | None:
    """What somebody who wrote an unknown path probably meant: in the same section, else anywhere in the tree."""
    section, name = path[0], path[-1]
    names = list(all_keys())
    if len(path) == 1:
        elsewhere = [key for key in names if key.rpartition(".")[2] == name]
        return elsewhere[0] if elsewhere else nearest(section, Settings.model_fields)
    right = section if section_of(section) else nearest(section, Settings.model_fields)
    of_section = section_of(right or "")
    here = None if of_section is None else nearest(name, of_section.model_fields)
    same_name = [key for key in names if key.rpartition(".")[2] == name]
    if same_name:
        return same_name[0]
    if right == section:
        return here
    return f"{right}.{here}" if here else right


def _keys_of(model: type[Section], path: tuple[str, ...]) -> list[Key]:
    found: list[Key] = []
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            found += _keys_of(annotation, (*path, name))
            continue
        default = None if field.default is PydanticUndefined else field.default
        is_secret = SecretStr in _kinds(annotation)
        found.append(Key((*path, name), annotation, default, is_secret, model))
    return found


def _kinds(annotation: Any) -> list[Any]:
    """The plain types of an annotation, options of a union apart."""
    if get_origin(annotation) in (Union, types.UnionType):
        return [kind for option in get_args(annotation) for kind in _kinds(option)]
    if hasattr(annotation, "__metadata__"):  # Annotated
        return _kinds(get_args(annotation)[0])
    return [get_origin(annotation) or annotation]


@cache
def comments_of(model: type[Section]) -> Mapping[str, str]:
    """Field → the comment on its line, else that on the line above: written once, where the key is defined.
    One that ends in a full stop is the heading of a group, and says nothing about the first field of it.

    Empty where Python has no source to read, as in an installation of byte code alone.
    """
    found: dict[str, str] = {}
    above = ""
    try:
        source = inspect.getsource(model)
    except OSError:
        return found
    for line in source.splitlines():
        field = re.match(r"    (\w+): [^#]*?(?:  # (.*))?$", line)
        alone = re.match(r"    # (.*)$", line)
        if field and field[1] in model.model_fields:
            found[field[1]] = field[2] or above
        above = alone[1] if alone and not alone[1].endswith(".") else ""
    return found
