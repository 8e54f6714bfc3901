"""The data dictionary: tables of docs/lake.md, made from the columns themselves.

``python -m pumpswap.market.lake.dictionary`` prints them; with the path of the page it puts them between its marks.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pumpswap.errors import BadInput, PumpSwapError
from pumpswap.market.lake.columns import KINDS, Kind

__all__ = ["BEGIN", "END", "dictionary", "main", "updated"]

BEGIN = "<!-- data dictionary: begin -->"
END = "<!-- data dictionary: end -->"

# What other readers of Parquet call them.
_TYPES = {
    "text": "text",
    "u64": "unsigned 64-bit integer",
    "i64": "signed 64-bit integer",
    "u32": "unsigned 32-bit integer",
    "bool": "true or false",
    "bytes": "bytes",
}


def dictionary() -> str:
    """One table per kind, in Markdown."""
    return "\n\n".join(map(_section, KINDS.values()))


def updated(page: str) -> str:
    """A page with the tables of today between its marks. Raises BadInput when it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise BadInput("the page has no marks of the data dictionary", hint=f"it needs a line {BEGIN} and a line {END}")
    return f"{before}{BEGIN}\n\n{dictionary()}\n\n{END}{after}"


def main(arguments: Sequence[str]) -> int:
    """Print the tables, or update the page that is named."""
    if not arguments:
        sys.stdout.write(dictionary() + "\n")
        return 0
    path = Path(arguments[0])
    try:
        path.write_text(updated(path.read_text(encoding="utf-8")), encoding="utf-8")
    except (PumpSwapError, OSError) as failed:
        sys.stderr.write(f"{path}: {failed}\n")
        return 1
    return 0


def _section(kind: Kind) -> str:
    wins = "the newest wins" if kind.newest_wins else "the first one stays"
    about = (
        f"A row is {kind.what}. Its name: {_listed(kind.key)}; of two rows of one name {wins}. "
        f"Day of the file: `{kind.time}`. Order within a file: {_listed(kind.order)}."
    )
    head = [
        f"### {kind.name}",
        "",
        about,
        "",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    rows = [
        f"| `{one.name}` | {_TYPES[one.type]}{', or null' if one.may_be_null else ''} | {one.meaning} |"
        for one in kind.columns
    ]
    return "\n".join(head + rows)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
