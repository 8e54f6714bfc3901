"""The tables of docs/settings.md: each key with its default as YAML has it, and what the class says about it.

``python -m pumpswap.settings.page docs/settings.md`` prints the page with the tables of this version.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from pumpswap.settings.keys import Key, all_keys
from pumpswap.settings.yaml_edit import rendered

__all__ = ["settings_table", "with_tables"]

_HEAD = ("| key | default | meaning |", "|---|---|---|")
_SECTION = re.compile(r"^## (\w+)$", re.MULTILINE)
_TABLE = re.compile(r"^\| key \| default \| meaning \|\n(?:\|.*\n)*", re.MULTILINE)


def settings_table(section: str) -> str:
    """One section, a row for each key in the order of its class. Empty for what is none."""
    rows = [_row(key) for key in all_keys().values() if key.path[:-1] == (section,)]
    return "".join(f"{line}\n" for line in (*_HEAD, *rows)) if rows else ""


def with_tables(page: str) -> str:
    """``page`` with the table of every section of it made anew; its prose stays."""
    parts = _SECTION.split(page)
    for at in range(1, len(parts), 2):
        table = settings_table(parts[at])
        if table:
            parts[at + 1] = _TABLE.sub(lambda _old, new=table: new, parts[at + 1], count=1)
        parts[at] = f"## {parts[at]}"
    return "".join(parts)


def _row(key: Key) -> str:
    meaning = key.help.replace("|", r"\|")
    return f"| `{key.path[-1]}` | `{_written(key.default)}` | {meaning} |"


def _written(value: Any) -> str:
    """A default as somebody would write it into the file."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_written(one)}" for name, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return rendered(str(value) if isinstance(value, Decimal | Path) else value)


if __name__ == "__main__":
    sys.stdout.write(with_tables(Path(sys.argv[1]).read_text(encoding="utf-8")))
