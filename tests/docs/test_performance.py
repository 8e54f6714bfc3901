"""The figures in the documentation are those of the committed evidence."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.backtest.page import BEGIN, END
from benchmarks.books.page import PAGE, render
from benchmarks.signals.page import render as render_signals
from benchmarks.trading.page import SECTIONS
from tests.support.evidence import EVIDENCE

Section = tuple[str, str, str, Callable[[dict[str, Any]], str]]


def test_the_tables_of_the_books_are_those_of_the_evidence() -> None:
    evidence = EVIDENCE / "bench-books.json"
    if not evidence.exists():
        pytest.skip("the benchmark of the books has not been run: make bench ARGS=books")
    assert render(json.loads(evidence.read_text(encoding="utf-8"))) in PAGE.read_text(encoding="utf-8")


def test_the_tables_of_signals_and_market_data_are_those_of_the_evidence() -> None:
    evidence = EVIDENCE / "bench-signals.json"
    if not evidence.exists():
        pytest.skip("the benchmark of signals and market data has not been run: make bench ARGS=signals")
    assert render_signals(json.loads(evidence.read_text(encoding="utf-8"))) in PAGE.read_text(encoding="utf-8")


def test_the_tables_of_back_tests_are_those_of_the_evidence() -> None:
    page, evidence = PAGE.read_text(encoding="utf-8"), EVIDENCE / "bench-backtest.json"
    assert page.count(BEGIN) == page.count(END) == 1
    if not evidence.exists():
        pytest.skip("the benchmark of back-tests has not been run: make bench ARGS=backtest")
    assert f"{BEGIN}\n{render_signals(json.loads(evidence.read_text(encoding='utf-8')))}{END}" in page


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section[2])
def test_the_figures_of_trading_are_those_of_the_evidence(section: Section) -> None:
    begin, end, name, rendered = section
    evidence = EVIDENCE / f"{name}.json"
    if not evidence.exists():
        pytest.skip("the benchmark of trading has not been run: make bench ARGS=trading")
    expected = rendered(json.loads(evidence.read_text(encoding="utf-8")))
    assert f"{begin}\n{expected}{end}" in PAGE.read_text(encoding="utf-8")
