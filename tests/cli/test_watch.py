"""`watch`: lines, objects and a screen over the books of a run."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from pumpswap.app.watching import Watcher
from pumpswap.cli.watch_view import WatchLines, WatchScreen
from pumpswap.clock import SystemClock
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.app.played import played
from tests.app.test_watching import MARKET
from tests.cli.running import refusal, run


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run that was stopped has left: it holds something."""
    folder = tmp_path_factory.mktemp("books")
    played(folder, MARKET, 700)
    return folder


def screen(folder: Path, width: int, height: int = 40) -> str:
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None, markup=False, emoji=False)
    view = WatchScreen(console)
    with open_database(folder / "pumpswap.sqlite") as database:
        look = Watcher(database, Settings(data_dir=folder), SystemClock()).look()
    for news in look.news:
        view._take(news, dict(look.names))
    console.print(view.screen(look))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_screen_fits_its_terminal_and_shows_what_is_held(books: Path, width: int) -> None:
    shown = screen(books, width)
    assert max(map(len, shown.splitlines())) <= width
    assert len(shown.splitlines()) <= 40
    with open_database(books / "pumpswap.sqlite") as database:
        held = list(database.run(1).open_positions())
    assert held
    assert f"{len(held)} open position" in shown
    for position in held:
        assert position.name.removesuffix(" / SOL")[:10] in shown
    for title in ("orders", "decisions", "alerts"):
        assert f"─ {title} ─" in shown
    assert "Run 1, simulated" in shown
    assert "none runs" in shown


def test_a_small_terminal_keeps_what_matters_on_top(books: Path) -> None:
    assert screen(books, 80, 24).startswith("Run 1, simulated")


def test_in_a_pipe_everything_new_is_one_line(books: Path) -> None:
    result = run("--data-dir", str(books), "watch", "--for", "1s")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].endswith("Run 1, simulated")
    assert lines[1].endswith("engine   none runs")
    assert any("bought for" in line for line in lines)
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_a_state_is_told_when_it_changes_and_news_once(books: Path) -> None:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    view = WatchLines(console)
    assert isinstance(console.file, io.StringIO)
    with open_database(books / "pumpswap.sqlite") as database:
        watcher = Watcher(database, Settings(data_dir=books), SystemClock())
        view.show(watcher.look())
        first = console.file.getvalue()
        view.show(watcher.look())
    assert first.count("trading  active") == 1
    assert console.file.getvalue() == first


def test_scripts_get_objects(books: Path) -> None:
    result = run("--data-dir", str(books), "watch", "--for", "1s", "--json")
    assert result.exit_code == 0, result.output
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert {(one["schema"], one["version"]) for one in objects} == {("pumpswap.watch", 1)}
    looks = [one for one in objects if one["event"] == "look"]
    assert looks
    with open_database(books / "pumpswap.sqlite") as database:
        point = database.run(1).equity.latest()
        assert point is not None
        assert looks[0]["equity_lamports"] == str(point.equity_lamports)
        held = list(database.run(1).open_positions())
    assert looks[0]["open_positions"] == len(held)
    assert looks[0]["trading"]["state"] == "active"
    assert {one["event"] for one in objects} >= {"fill", "refused", "alert"}
    assert [one["event"] for one in objects][-1] == "look"


def test_without_books_it_says_what_to_do(tmp_path: Path) -> None:
    assert "pumpswap run" in refusal(6, "--data-dir", str(tmp_path), "watch")["hint"]


def test_a_number_that_no_run_has(books: Path) -> None:
    assert refusal(3, "--data-dir", str(books), "watch", "--run", "99")["code"] == "not_found"
