"""Tables on narrow terminals: a figure is printed whole or not at all."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pumpswap.cli import pumpswap
from pumpswap.cli.books_view import books_table
from pumpswap.cli.stacked import fitting
from tests.cli.books_of import with_demo

WIDTHS = (40, 60, 80, 120)
_FIGURE = re.compile(r"(?<!\w)[+−]?\d[\d,.:-]*(?![\w…])")
COMMANDS = (
    ("positions", "list", "--all"),
    ("list-positions", "--all"),
    ("ledger", "show"),
    ("quote", "--buy-sol", "1"),
    ("runs", "list"),
    ("performance-report",),
    ("report",),
    ("positions", "show", "UMBRELLA"),
)


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    return with_demo(tmp_path_factory.mktemp("narrow"), "sqlite")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_figure_of_a_narrow_terminal_is_cut(where: tuple[str, ...], command: tuple[str, ...]) -> None:
    whole = set(_FIGURE.findall(_shown(where, command, 300)))
    for width in WIDTHS:
        shown = _shown(where, command, width)
        assert set(_FIGURE.findall(shown)) - whole == set(), width
        assert not re.search(r"\d…", shown), width


def _shown(where: tuple[str, ...], command: tuple[str, ...], width: int) -> str:
    runner = CliRunner(env={"COLUMNS": str(width), "NO_COLOR": "1"})
    result = runner.invoke(pumpswap, [*command, *where], prog_name="pumpswap")
    assert result.exit_code == 0, result.output
    # Addresses are longer than the narrowest terminal, and no figures.
    return re.sub(r"\w{15,}(\n\w+|…)?", "", result.stdout)


def _table(*rows: tuple[str, ...]) -> Table:
    table = books_table()
    table.add_column("coin", no_wrap=True, overflow="ellipsis")
    for name in ("tokens", "cost", ""):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(Text(row[0]), *row[1:])
    return table


def _lines(table: Table, width: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(fitting(table, console))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_names_give_way_before_figures_do() -> None:
    table = _table(("A NAME AS LONG AS STRANGERS LIKE", "1,506,343", "1.0000", "+3.2 %"))
    assert _lines(table, 46)[-1] == "A NAME AS LONG AS …  1,506,343  1.0000  +3.2 %"


def test_rows_that_do_not_fit_are_told_below_each_other() -> None:
    table = _table(("A", "1,506,343", "1.0000", "+3.2 %"), ("B", "", "2.5", ""))
    assert _lines(table, 20) == [
        "coin",
        "A",
        "  tokens  1,506,343",
        "  cost    1.0000",
        "          +3.2 %",
        "B",
        "  cost    2.5",
    ]
