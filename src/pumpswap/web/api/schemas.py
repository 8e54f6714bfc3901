"""JSON schemas of the views, from their fields: what ``plain`` writes."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from pumpswap.app.views.plain import is_exact

__all__ = ["answer_of", "schema_of"]

_EXACT = {"type": "string", "pattern": "^-?[0-9]+$"}
_SIMPLE: Mapping[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    float: {"type": ["number", "null"]},
    Fraction: {"type": ["number", "null"]},
    Decimal: {"type": "string"},
    Path: {"type": "string"},
    type(None): {"type": "null"},
    object: {},
    Any: {},
}
_FAILURE = {
    "type": "object",
    "required": ["schema", "version", "code", "exit_code", "what", "hint"],
    "properties": {
        "schema": {"const": "pumpswap.error"},
        "version": {"type": "integer"},
        "code": {"type": "string"},
        "exit_code": {"type": "integer"},
        "what": {"type": "string"},
        "hint": {"type": "string"},
    },
}
_REFUSALS = {
    400: "A value that has no meaning.",
    401: "No token, or a wrong one.",
    403: "Not from here, or without its word.",
    404: "There is nothing like that.",
    409: "No engine runs that could do it, or it did not; or there are two runs that could be meant.",
    422: "A value that is not what it should be.",
    429: "Too many wrong tokens.",
    503: "The database cannot be read now.",
}


def answer_of(name: str, view: type) -> dict[int | str, dict[str, Any]]:
    """The answers of a route, for its description."""
    shown = schema_of(view)
    head = {"schema": {"const": f"pumpswap.{name}"}, "version": {"const": 1}}
    document = shown | {
        "properties": head | shown["properties"],
        "required": ["schema", "version", *shown["required"]],
    }
    found: dict[int | str, dict[str, Any]] = {200: _content("As it is now.", document)}
    return found | {status: _content(text, _FAILURE) for status, text in _REFUSALS.items()}


def _content(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": dict(schema)}}}


@cache
def schema_of(view: type) -> dict[str, Any]:
    """Of a frozen dataclass, a struct or a named tuple. Raises TypeError for a field that no JSON can say."""
    return _record(view, {})


def _record(kind: Any, bound: Mapping[Any, Any]) -> dict[str, Any]:
    fields = _fields(kind)
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name in fields}
    properties = {name: _schema(hint, name, bound) for name, hint in hints.items()}
    return {"type": "object", "required": list(properties), "properties": properties}


def _fields(kind: Any) -> Sequence[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")]
    if issubclass(kind, msgspec.Struct):
        return list(kind.__struct_fields__)
    if issubclass(kind, tuple):
        return list(kind._fields)
    raise TypeError(f"{kind.__name__} is no view")


def _schema(hint: Any, name: str, bound: Mapping[Any, Any]) -> dict[str, Any]:
    if isinstance(hint, TypeVar):
        return _schema(bound[hint], name, bound)
    if hint is int:
        return dict(_EXACT) if is_exact(name) else {"type": "integer"}
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_schema(one, name, bound) for one in arguments]}
    if origin is None:
        if isinstance(hint, type) and issubclass(hint, Enum):
            return {"type": "string", "enum": [one.value for one in hint]}
        return _record(hint, bound)
    if issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _schema(arguments[1], name, bound)}
    if issubclass(origin, tuple):
        return _tuple(arguments, name, bound)
    if issubclass(origin, Sequence):
        return {"type": "array", "items": _schema(arguments[0], name, bound)}
    return _record(origin, dict(zip(origin.__parameters__, arguments, strict=True)))


def _tuple(arguments: tuple[Any, ...], name: str, bound: Mapping[Any, Any]) -> dict[str, Any]:
    if arguments[-1:] == (Ellipsis,):
        return {"type": "array", "items": _schema(arguments[0], name, bound)}
    kinds = [_schema(one, name, bound) for one in dict.fromkeys(arguments)]
    items = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    return {"type": "array", "items": items, "minItems": len(arguments), "maxItems": len(arguments)}
