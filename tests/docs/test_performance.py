"""The figures of the books in the documentation are those of the committed evidence."""

from __future__ import annotations

import json

import pytest

from benchmarks.books.page import PAGE, render
from tests.support.evidence import EVIDENCE


def test_the_tables_of_the_books_are_those_of_the_evidence() -> None:
    evidence = EVIDENCE / "bench-books.json"
    if not evidence.exists():
        pytest.skip("the benchmark of the books has not been run: make bench ARGS=books")
    assert render(json.loads(evidence.read_text(encoding="utf-8"))) in PAGE.read_text(encoding="utf-8")
