"""The commands to a running engine while the settings are wrong: a stop waits for nobody to correct a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.model import TradingState
from tests.cli.running import answer, refusal, run
from tests.cli.test_control import engine_at_work, state_of


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("risk: {max_position_soll: 1}\n", {}),
        ("risk: {max_position_sol: 1\n", {}),
        ("", {"BUY_SLIPPAGE": "15"}),
        ("", {"PUMPSWAP_RISK__SLIPPAGE_BPS": "many"}),
    ],
)
def test_a_stop_needs_no_settings_that_are_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, variable: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    Path("pumpswap.yaml").write_text(f"data_dir: books\n{text}")
    Path("books").mkdir()
    with engine_at_work(tmp_path / "books") as life:
        for verb, state in (("pause", TradingState.EXITS_ONLY), ("halt", TradingState.HALTED)):
            told = answer(verb)
            assert told["command"]["status"] == "done"
            assert told["warnings"]
            if "BUY_SLIPPAGE" not in variable:
                assert told["warnings"][-1].endswith(f"its books: {Path('books/pumpswap.sqlite')}")
            assert state_of(life) is state
        assert "Warning: " in run("exits-only").stderr
        assert answer("approve")["warnings"]
        assert answer("panic", "--yes")["command"]["status"] == "done"


def test_a_stop_does_not_go_to_books_that_may_be_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pumpswap.yaml").write_text("datadir: books\n")
    Path("books").mkdir()
    with engine_at_work(tmp_path / "books") as life:
        error = refusal(4, "halt")
        assert "did you mean data_dir?" in error["what"]
        assert "--data-dir DIR" in error["hint"]
        assert answer("halt", "--data-dir", "books")["command"]["status"] == "done"
        assert state_of(life) is TradingState.HALTED
