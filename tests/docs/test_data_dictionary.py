"""The data dictionary says what the tables are: every column has a meaning, and the page is the one they make."""

from __future__ import annotations

import pytest

from pumpswap.storage.dictionary import data_dictionary
from pumpswap.storage.dictionary.book_meanings import PLAN, VIEWS
from pumpswap.storage.dictionary.render import MEANINGS, TABLES
from tests.support.material import ROOT

PAGE = ROOT / "docs" / "data-dictionary.md"


def test_the_page_is_what_the_tables_say() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == data_dictionary(), (
        "write it anew: python -m pumpswap.storage.dictionary > docs/data-dictionary.md"
    )


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_and_every_column_has_a_meaning(name: str) -> None:
    columns = [column.name for column in TABLES[name].columns]
    assert sorted(MEANINGS[name].columns) == sorted(columns)
    assert all(MEANINGS[name].columns[column].strip() for column in columns)
    assert MEANINGS[name].table.endswith(".")


def test_no_meaning_is_left_of_a_table_that_is_gone() -> None:
    assert MEANINGS.keys() == TABLES.keys()


@pytest.mark.parametrize("name", sorted(PLAN))
def test_the_columns_of_the_plan_are_there(name: str) -> None:
    columns = {column.name for column in TABLES[name].columns}
    assert columns >= PLAN[name] >= VIEWS.get(name, frozenset())


def test_a_line_of_the_page_tells_types_on_both_databases_and_what_a_column_is_for() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    balances, trades = lines.index("## pumpswap_balances"), lines.index("## pumpswap_trades")
    units = next(line for line in lines[balances:] if line.startswith("| `units`"))
    assert "| VARCHAR | NUMERIC(78, 0) | never |" in units
    amount = next(line for line in lines[trades:] if line.startswith("| `sol_amount`"))
    assert "| NUMERIC(38, 18) | NUMERIC(38, 18) | may be | plan, view |" in amount
    assert "- Unique index `ix_pumpswap_positions_open`: `run_id`, `pair_address`, where `closed_ns IS NULL`" in lines
