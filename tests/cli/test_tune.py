"""`pumpswap tune` and `backtest lookahead`: what people see first, and what scripts rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import answer, run

SPACE = "strategy.window_seconds=20|40, strategy.burst_bps=100|200"
SEARCH = [
    "tune", "run", "simulated:7", "--length", "8m", "--strategy", "momentum", "--param", "min_buyers=2",
    "--space", SPACE, "--objective", "net", "--jobs", "1", "--null-draws", "2", "--network-draws", "2",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "120")


def test_what_is_out_of_sample_comes_first_and_the_best_last() -> None:
    told = run(*SEARCH)
    assert told.exit_code == 0, told.output
    out = told.stdout
    places = [out.index(text) for text in ("Out of sample:", "no evidence", "its training chose", "median SOL", "Best")]
    assert places == sorted(places)
    assert "below 30 no figure means anything" in out
    assert "the best of 4 trials looks good by being the best" in told.stderr
    assert run("tune", "report", "1").stdout == out
    listed = answer("tune", "list")
    assert [(one["search"], one["finished"], one["verdict"]) for one in listed["searches"]] == [
        ("1", True, "no evidence")
    ]
    stored = answer("tune", "report", "1")
    assert (stored["schema"], stored["version"], stored["trials"]) == ("pumpswap.tune_report", 1, 4)
    assert stored["test_lamports"] == stored["evidence"]["out_of_sample"]["net_lamports"]
    assert stored["folds"][0]["params"] is None or set(stored["folds"][0]["params"]) == {
        "strategy.window_seconds", "strategy.burst_bps",
    }  # fmt: skip
    assert stored["space"] == SPACE


def test_a_peeking_strategy_ends_with_one(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from pumpswap.engine.strategy import Strategy\n"
        "from pumpswap.model import Side, Signal\n"
        "class Ahead(Strategy):\n"
        "    name = 'ahead'\n"
        "    def on_swap(self, swap, desk):\n"
        "        yield desk.buy(Signal(swap.pool, desk.now_ns + 1, Side.LONG, 90.0, 1.0, 'ahead'))\n"
    )
    found = run("backtest", "lookahead", "simulated:7", "--length", "2m", "--strategy", "mine.py:Ahead", "--cuts", "1")
    assert found.exit_code == 1
    assert "mine.py:Ahead LOOKS AHEAD" in found.stdout
    assert "[stamp]" in found.stdout
    clean = run("backtest", "lookahead", "simulated:7", "--length", "2m", "--strategy", "momentum", "--cuts", "1")
    assert clean.exit_code == 0


def test_a_random_strategy_shows_no_significance(tmp_path: Path) -> None:
    """Eight random strategies, the best of them chosen: the report leaves nothing of it."""
    (tmp_path / "luck.py").write_text(
        "from pumpswap.engine.strategies.random_entries import RandomEntries\n"
        "from pumpswap.engine.trial import TRIAL_START_NS\n"
        "class Luck(RandomEntries):\n"
        "    name = 'luck'\n"
        "    def __init__(self, seed):\n"
        "        until_ns, held = TRIAL_START_NS + 8 * 60 * 10**9, (10, 20)\n"
        "        times = {'since_ns': TRIAL_START_NS, 'until_ns': until_ns, 'held_seconds': held}\n"
        "        super().__init__(seed=seed, entries=40, **times)\n"
    )
    told = answer(
        *("tune", "run", "simulated:3", "--length", "8m", "--strategy", "luck.py:Luck", "--jobs", "1"),
        *(
            "--space",
            "strategy.seed=1|2|3|4|5|6|7|8",
            "--objective",
            "net",
            "--null-draws",
            "9",
            "--network-draws",
            "0",
        ),
        *("--set", "risk.cooldown_seconds=0", "--set", "backtest.period_seconds=10"),
    )
    assert (told["schema"], told["version"], told["trials"]) == ("pumpswap.tune_run", 1, 8)
    assert told["engine_because"]
    stored = answer("tune", "report", told["search"])
    for name in ("folds", "equity", "evidence", "best", "values", "final"):
        assert stored[name] == told[name]
    assert told["evidence"]["verdict"] == "no evidence"
    assert told["evidence"]["deflated"]["probability"] < 0.95
    assert told["evidence"]["null"]["p_value"] > 0.05
    assert int(told["best"][0]["rounds"]) > 10
