"""Changing YAML text in one place: comments, order and layout of everything else stay byte for byte.

The places come from the parser itself, and the result is read again: what does not come out as it was meant is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from pumpswap.errors import ConfigError
from pumpswap.settings.keys import Key
from pumpswap.settings.yaml_file import parse_yaml

__all__ = ["rendered", "with_value", "without_sections"]

_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_EXACT_DIGITS = 15
_HINT = "change it by hand: pumpswap config edit"


def rendered(value: Any) -> str:
    """A value as it stands on one line. Numbers that are texts stay as they were written: 0.000000001 is no 1e-09."""
    if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value):
        return value
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1_000_000, allow_unicode=True, sort_keys=False)
    return text.strip().removesuffix("...").strip()


def with_value(text: str, key: Key, value: Any) -> str:
    """``text`` with the key set. A line that has it commented out is used; a section that is missing is added last.

    Raises ConfigError where the text is laid out in a way in which that cannot be done safely.
    """
    name = "the file"
    before = parse_yaml(text, name)
    written = _literal(key, value)
    after = _placed(text, key.path, written)
    meant = _with(before, key.path, yaml.safe_load(written))
    try:
        done = parse_yaml(after, name)
    except ConfigError:
        done = {}
    if done != meant:
        raise ConfigError(f"{key.name} cannot be set in this file without touching other parts of it", hint=_HINT)
    return after


def without_sections(text: str, sections: Iterable[str]) -> str:
    """``text`` without some of its top-level sections and the comments inside them. Raises ConfigError as above."""
    gone = set(sections)
    before = parse_yaml(text, "the file")
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode) or not gone:
        return text
    if node.flow_style:
        raise ConfigError(
            "the file is one mapping in braces, which cannot be cut", hint="write each section as a block"
        )
    lines = text.splitlines(keepends=True)
    keep = [True] * len(lines)
    starts = [(key.start_mark.line, str(key.value)) for key, _ in node.value]
    ends = [*(line for line, _ in starts[1:]), len(lines)]
    for (start, name), end in zip(starts, ends, strict=True):
        if name in gone:
            last = _last_line_of_section(lines, start, end)
            keep[start : last + 1] = [False] * (last + 1 - start)
    after = "".join(line for line, kept in zip(lines, keep, strict=True) if kept)
    if parse_yaml(after, "the copy") != {name: value for name, value in before.items() if name not in gone}:
        raise ConfigError(
            "the file's sections share parts (anchors), so none can be cut out", hint="write them in full"
        )
    return after


def _last_line_of_section(lines: list[str], start: int, end: int) -> int:
    """Comments that stand at the margin before the next section belong to that one."""
    last = end - 1
    while last > start and (not lines[last].strip() or lines[last].startswith("#")):
        last -= 1
    return last


def _literal(key: Key, value: Any) -> str:
    if isinstance(value, str) and not key.is_list:
        if _PLAIN_NUMBER.fullmatch(value) and not key.takes_text:
            # YAML's numbers with a point are binary: more digits than these are kept as text.
            return value if "." not in value or len(value) <= _EXACT_DIGITS else f"'{value}'"
        if value.lower() in ("true", "false") and not key.takes_text:
            return value.lower()
    if isinstance(value, str):
        return rendered(value) if not _PLAIN_NUMBER.fullmatch(value) else f"'{value}'"
    return rendered(value)


def _with(document: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    changed = dict(document)
    if len(path) == 1:
        changed[path[0]] = value
    else:
        inner = document.get(path[0])
        changed[path[0]] = _with(inner if isinstance(inner, Mapping) else {}, path[1:], value)
    return changed


def _placed(text: str, path: tuple[str, ...], written: str) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None:
        return _appended(text, path, written)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise ConfigError("the file is one mapping in braces", hint=_HINT)
    section = _entry(root, path[0])
    if len(path) == 1:
        return _replaced(text, section, written) if section else _top_level(text, root, path[0], written)
    if section is None:
        return _appended(text, path, written)
    key_node, body = section
    if isinstance(body, yaml.MappingNode):
        existing = _entry(body, path[1])
        if existing is not None:
            return _replaced(text, existing, written)
        if body.flow_style:
            return _into_braces(text, body, path[1], written)
        return _new_line(text, root, section, path[1], written)
    if isinstance(body, yaml.ScalarNode) and body.tag.endswith(":null"):
        return _new_line(text, root, (key_node, body), path[1], written)
    raise ConfigError(f"{path[0]} is no section in this file", hint=_HINT)


def _entry(node: yaml.MappingNode, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next(((key, value) for key, value in node.value if key.value == name), None)


def _end_of(node: yaml.Node) -> int:
    """Where a value's own text ends; a block's end mark is where the next thing begins."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end_of(last[1] if isinstance(last, tuple) else last)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        raise ConfigError("the value is a block of text", hint=_HINT)
    return int(node.end_mark.index)


def _replaced(text: str, entry: tuple[yaml.Node, yaml.Node], written: str) -> str:
    key, value = entry
    colon = text.index(":", key.end_mark.index) + 1
    return f"{text[:colon]} {written}{text[max(colon, _end_of(value)) :]}"


def _into_braces(text: str, body: yaml.MappingNode, name: str, written: str) -> str:
    comma = ", " if body.value else ""
    close = _end_of(body.value[-1][1]) if body.value else body.end_mark.index - 1
    return f"{text[:close]}{comma}{name}: {written}{text[close:]}"


def _new_line(text: str, root: yaml.MappingNode, section: tuple[yaml.Node, yaml.Node], name: str, written: str) -> str:
    """A line of its own in a section: where the key stands commented out, else behind the section's last value."""
    key, body = section
    lines = text.splitlines(keepends=True)
    start = key.start_mark.line
    after = [other.start_mark.line for other, _ in root.value if other.start_mark.line > start]
    end = _last_line_of_section(lines, start, after[0] if after else len(lines)) + 1
    indent = body.start_mark.column if isinstance(body, yaml.MappingNode) else key.start_mark.column + 2
    for place in range(start + 1, end):
        commented = re.match(rf"\s*#\s?{re.escape(name)}:(?:[^#\n]*)(#.*)?$", lines[place])
        if commented:
            lines[place] = f"{' ' * indent}{name}: {written}{'  ' + commented[1] if commented[1] else ''}\n"
            return "".join(lines)
    line = text.count("\n", 0, _end_of(body)) if isinstance(body, yaml.MappingNode) else start
    if not lines[line].endswith("\n"):
        lines[line] += "\n"
    lines.insert(line + 1, f"{' ' * indent}{name}: {written}\n")
    return "".join(lines)


def _top_level(text: str, root: yaml.MappingNode, name: str, written: str) -> str:
    """A key outside the sections stands before the first of them."""
    place = root.value[0][0].start_mark.index
    return f"{text[:place]}{name}: {written}\n{text[place:]}"


def _appended(text: str, path: tuple[str, ...], written: str) -> str:
    gap = "" if not text or text.endswith("\n") else "\n"
    if len(path) == 1:
        return f"{text}{gap}{path[0]}: {written}\n"
    blank = "\n" if text.strip() else ""
    return f"{text}{gap}{blank}{path[0]}:\n  {path[1]}: {written}\n"
