"""docs/pnl.md: every figure of its example is what the package books."""

from __future__ import annotations

import re

from pumpswap.model import NETWORK_COSTS, EntryKind
from pumpswap.portfolio.lots import LotEnd
from pumpswap.portfolio.movements import movements
from tests.portfolio.worked_example import Example
from tests.support.material import ROOT

PAGE = (ROOT / "docs" / "pnl.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[str]:
    """The rows of the table that begins with this heading."""
    table = PAGE[PAGE.index(heading) :].split("\n\n")[0]
    return table.splitlines()[2:]


def test_the_tables_of_the_page_are_what_the_package_books() -> None:
    example = Example()
    assert rows("| after |") == example.table()
    assert rows("| how it left |") == example.lot_table()


def test_both_views_have_realised_the_same_and_the_last_line_adds_up() -> None:
    example = Example()
    portfolio = example.portfolio
    _, cash, _, cost, realised = example.states[-1]
    assert sum(lot.gain_lamports or 0 for lot in example.lots()) == realised
    assert sum(lot.cost_lamports for lot in example.lots() if lot.kind is LotEnd.HELD) == cost
    failed = -sum(
        entry.units
        for movement in movements(portfolio.ledger.entries)
        if movement.traded is None
        for entry in movement.entries
        if entry.kind in NETWORK_COSTS
    )
    put_in = sum(entry.units for entry in portfolio.ledger.entries if entry.kind is EntryKind.DEPOSIT)
    line = f"{cash:,} + {portfolio.rent_lamports} + {cost:,} = {put_in:,} + {realised:,} − {failed:,} + 0 + {cost:,}"
    assert line in PAGE
    assert cash + portfolio.rent_lamports + cost == put_in + realised - failed + cost


def test_the_figures_in_the_text_are_those_of_the_example() -> None:
    example = Example()
    by_step = {name.split()[0]: figures for name, *figures in example.states}
    steps = dict(re.findall(r"^(\d+)\. (.*)$", PAGE, re.MULTILINE))
    costs = {step: by_step[step][2] for step in by_step}
    assert f"{costs['2']:,}" in steps["2"]
    assert f"{costs['3'] - costs['2']:,}" in steps["3"]
    assert f"{costs['3'] - costs['4']:,}, so {by_step['4'][3]:,} are realised" in steps["4"]
    assert f"{costs['6'] - costs['7']:,} is lost" in steps["7"]
    assert f"{costs['7'] - costs['8']:,} and realises {by_step['8'][3] - by_step['7'][3]:,}" in steps["8"]
    first, *_ = example.lots()
    assert f"gained {by_step['4'][3]:,} by average cost and {first.gain_lamports:,} by lots" in PAGE
