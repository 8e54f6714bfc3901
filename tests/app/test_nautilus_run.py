"""Settings of a run in which another system decides, and what it needs before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpswap.app.nautilus_run import OutsideRun, chosen_settings
from pumpswap.errors import ConfigError

CHAIN = "chain:\n  network: localnet\n  endpoints:\n    - url: http://127.0.0.1:9\n"


def file_of(folder: Path, text: str) -> Path:
    file = folder / "pumpswap.yaml"
    file.write_text(f"data_dir: {folder}\n{text}", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("asked", "mode", "runs"),
    [("auto", "paper", "paper"), ("approve", "paper", "paper"), ("analysis", "paper", "analysis"),
     ("auto", "live", "auto"), ("paper", "live", "paper")],
)  # fmt: skip
def test_play_money_takes_a_file_for_live_trading_as_it_stands(
    tmp_path: Path, asked: str, mode: str, runs: str
) -> None:
    file = file_of(tmp_path, f"{CHAIN}run:\n  mode: {asked}\n  signals: [analyser, q50]\n")
    settings = chosen_settings(file, "paper" if mode == "paper" else "live").settings
    assert (settings.run.mode, settings.run.signals) == (runs, ())


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    settings = chosen_settings(file_of(tmp_path, ""), "paper").settings
    with pytest.raises(ConfigError, match="no endpoint"):
        OutsideRun.of(settings, "paper")
    settings = chosen_settings(file_of(tmp_path, f"{CHAIN}run:\n  mode: paper\n"), "live").settings
    with pytest.raises(ConfigError, match="orders nothing live") as refused:
        OutsideRun.of(settings, "live")
    assert any("no wallet" in problem for problem in refused.value.problems)


def test_on_paper_nothing_is_unlocked(tmp_path: Path) -> None:
    run = OutsideRun.of(chosen_settings(file_of(tmp_path, CHAIN), "paper").settings, "paper")
    assert run.signer is None
    run.watch.add("pool", trades=False)
    assert run.watch.pools == ("pool",)
