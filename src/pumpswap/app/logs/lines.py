"""How a line of the log looks: for people, with nothing in it that steers a terminal, or as one object of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["console_line", "json_line"]

_FIRST = ("at", "level", "event", "logger")


def json_line(_logger: object, _name: str, event: Mapping[str, Any]) -> str:
    """One object, the same names first in every line."""
    named = {name: event[name] for name in _FIRST if name in event}
    return json.dumps({**named, **{name: value for name, value in event.items() if name not in named}}, default=str)


def console_line(_logger: object, _name: str, event: Mapping[str, Any]) -> str:
    """``2026-11-26 13:45:38.123 warning  feed-failed  feed=pools  (pumpswap.engine.tending)``; a traceback follows on
    lines of its own.
    """
    at, level, logger = str(event.get("at", "")), str(event.get("level", "")), str(event.get("logger", ""))
    stamp = at[:23].replace("T", " ")
    rest = {name: value for name, value in event.items() if name not in (*_FIRST, "exception")}
    told = [f"{stamp} {level:<8} {_shown(event.get('event', ''))}"]
    told += [f"{_shown(name)}={_value(value)}" for name, value in rest.items()]
    told.append(f"({_shown(logger)})")
    line = "  ".join(told)
    trace = str(event.get("exception", ""))
    return "\n".join([line, *(f"    {_shown(each)}" for each in trace.splitlines())])


def _value(value: object) -> str:
    text = _shown(value if isinstance(value, str) else json.dumps(value, default=str))
    return json.dumps(text, ensure_ascii=False) if " " in text or text == "" else text


def _shown(value: object) -> str:
    """On one line: characters that steer a terminal, or turn the direction of writing, are shown and not sent."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
