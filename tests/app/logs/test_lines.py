"""One line stays one line, and steers no terminal."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pumpswap.app.logs.lines import console_line, json_line

EVENT = {
    "event": "filled", "level": "info", "logger": "pumpswap.run", "at": "2026-11-26T13:45:38.123+00:00",
    "order": "o000001", "text": "two words", "lamports": 5,
}  # fmt: skip


def test_a_line_for_people() -> None:
    assert console_line(None, "", EVENT) == (
        '2026-11-26 13:45:38.123 info     filled  order=o000001  text="two words"  lamports=5  (pumpswap.run)'
    )


def test_a_line_for_machines() -> None:
    found = json.loads(json_line(None, "", EVENT))
    assert found == EVENT
    assert list(found)[:4] == ["at", "level", "event", "logger"]


def test_a_traceback_follows_indented() -> None:
    lines = console_line(None, "", {**EVENT, "exception": "Traceback\n  at \x1b[31m"}).splitlines()
    assert lines[1:] == ["    Traceback", "      at \\x1b[31m"]


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_a_stranger_wrote_stays_on_its_line_and_is_printable(event: str, value: str) -> None:
    line = console_line(None, "", {"event": event, "name": value, "level": "info", "logger": "x", "at": ""})
    assert line.isprintable()
    assert len(json_line(None, "", {"event": event, "name": value}).splitlines()) == 1
