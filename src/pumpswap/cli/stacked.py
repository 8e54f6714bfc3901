"""Tables that a terminal is too narrow for, row by row below each other: no figure is ever cut or folded."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

__all__ = ["fitting"]

# Names, which strangers choose, may be cut to so many characters, and the cut is shown ("…").
_NAME_WIDTH = 16
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ENDLESS = 10_000


def fitting(table: Table, console: Console) -> RenderableType:
    """The table itself where every figure has room; else its rows below each other, each figure behind its heading."""
    room = console.width - _between(table)
    sizes = [_sizes(table, column, console) for column in table.columns]
    widths = [whole for _, whole in sizes]
    if sum(widths) <= room:
        return table
    if sum(least for least, _ in sizes) > room:
        return _stacked(table) if table.show_header else _listed(table)
    # rich would shorten all columns alike, figures too: here only text and names give way.
    while sum(widths) > room:
        spare = [width - least for width, (least, _) in zip(widths, sizes, strict=True)]
        widths[spare.index(max(spare))] -= 1
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    return table


def _stacked(table: Table) -> RenderableType:
    headings = [_plain(column.header) for column in table.columns]
    parts: list[RenderableType] = [] if table.title is None else [table.title]
    if headings[0]:
        parts.append(Text(headings[0], style="bold"))
    rows = [*zip(*(column.cells for column in table.columns), strict=True)]
    if table.show_footer:
        rows.append(tuple(column.footer for column in table.columns))
    return Group(*parts, *(_row(headings, row) for row in rows))


def _listed(table: Table) -> RenderableType:
    """Without headings: what a row is about, and behind it all the rest of the row."""
    body = Table.grid(padding=(0, 2, 0, 0))
    rows = [*zip(*(column.cells for column in table.columns), strict=True)]
    for row in rows:
        rest = Text(" ").join([_text(cell) for cell in row[1:] if _plain(cell).strip()])
        body.add_row(_text(row[0]), rest)
    return Group(*([] if table.title is None else [table.title]), body)


def _row(headings: Sequence[str], row: Sequence[RenderableType]) -> RenderableType:
    """``1.25`` behind ``cost``; a column without a heading goes on with what stands left of it."""
    pairs: list[tuple[str, Text]] = []
    for heading, cell in zip(headings[1:], row[1:], strict=True):
        text = _text(cell)
        if not text.plain:
            continue
        if heading or not pairs:
            pairs.append((heading, text))
        else:
            pairs[-1][1].append("  ").append_text(text)
    body = Table.grid(padding=(0, 2, 0, 0))
    body.add_column(no_wrap=True, min_width=max(map(len, headings[1:]), default=0))
    body.add_column(overflow="fold")
    for heading, text in pairs:
        body.add_row(heading, text)
    return Group(_text(row[0]), Padding(body, (0, 0, 0, 2)))


def _between(table: Table) -> int:
    """What stands between the cells and around them."""
    _, right, _, left = table.padding
    count = len(table.columns)
    left = 0 if table.collapse_padding else left
    padding = (left + right) * count - (0 if table.pad_edge else left + right)
    lines = count - 1 if table.box is not None else 0
    return padding + lines + (2 if table.box is not None and table.show_edge else 0)


def _sizes(table: Table, column: Column, console: Console) -> tuple[int, int]:
    """(the narrowest width in which nothing is cut but a name, the width that it would like)."""
    texts: list[RenderableType] = [*column.cells]
    texts += [column.header] if table.show_header else []
    texts += [column.footer] if table.show_footer else []
    measured = [Measurement.get(console, console.options.update_width(_ENDLESS), text) for text in texts]
    whole = max((size.maximum for size in measured), default=0)
    if column.width is not None:
        return column.width, column.width
    is_name = (
        column is table.columns[1 if _plain(table.columns[0].header) == "#" else 0]
        and column.no_wrap
        and column.overflow == "ellipsis"
        and column.justify == "left"
    )
    if is_name and not any(_DATE.match(_plain(text)) for text in texts):
        return min(whole, _NAME_WIDTH), whole
    if column.no_wrap or column.justify == "right":
        return whole, whole
    if column.overflow == "fold" and column.min_width is not None:  # its words are no figures, and may be folded
        return min(whole, column.min_width), max(whole, column.min_width)
    return max((size.minimum for size in measured), default=0), whole


def _text(cell: RenderableType) -> Text:
    """One line without the spaces that align it in its column."""
    text = cell.copy() if isinstance(cell, Text) else Text(_plain(cell))
    text.rstrip()
    return text if text.plain.lstrip() == text.plain else text[len(text.plain) - len(text.plain.lstrip()) :]


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)
