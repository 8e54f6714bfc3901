"""Options of the commands about back-tests that do not fit together are refused, not passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import run


@pytest.mark.parametrize("command", [("backtest", "run"), ("backtest", "lookahead")])
def test_a_length_is_of_simulated_markets_alone(tmp_path: Path, command: tuple[str, str]) -> None:
    result = run(*command, str(tmp_path), "--strategy", "momentum", "--length", "2h", "--data-dir", str(tmp_path / "d"))
    assert result.exit_code == 2
    assert "--length is of simulated markets" in result.stderr and "--from and --until" in result.stderr
