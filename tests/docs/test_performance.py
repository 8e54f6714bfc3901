"""The figures in the documentation are those of the committed evidence."""

from __future__ import annotations

import json

import pytest

from benchmarks.books.page import PAGE, render
from benchmarks.signals.page import render as render_signals
from tests.support.evidence import EVIDENCE


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
