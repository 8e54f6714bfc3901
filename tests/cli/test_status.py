"""`pumpswap status`, and `pumpswap why` without a name: is an engine at work, and why is nothing bought?"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.cli.running import parsed, refusal, run
from tests.cli.test_run import FAST, begun, wait_for


def test_without_books_nothing_runs(tmp_path: Path) -> None:
    assert "no books yet" in refusal(6, "--data-dir", str(tmp_path), "status")["what"]
    refusal(6, "--data-dir", str(tmp_path), "why")


def test_what_a_run_has_left_is_shown_with_the_rules_that_refused_and_the_nearest(tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path))
    end = json.loads(run("--json", *folder, *FAST, "--duration", "10m").stdout.splitlines()[-1])
    result = run("--json", *folder, "status")
    assert result.exit_code == 6
    told = parsed(result.stdout)
    assert told["schema"] == "pumpswap.status"
    assert (told["is_running"], told["able"], told["trading"]["state"]) == (False, False, "active")
    lately = told["last_hour"]
    assert (lately["accepted"], lately["refused"]) == (end["accepted"], end["refused"])
    assert lately["refused_by_policy"] == end["refused_by_policy"]
    assert (told["open_positions"], told["equity_lamports"]) == (end["open_positions"], end["equity_lamports"])
    nearest = lately["nearest"]
    assert nearest["score"] > 0
    assert not {"one position", "cool-down"} & {one["policy"] for one in nearest["refusals"]}
    shown = run(*folder, "status")
    assert shown.exit_code == 6
    assert "none: run 1 is over since" in shown.stdout
    assert f"{end['refused']} refused: " in shown.stdout
    assert run(*folder, "why").stdout == shown.stdout


def test_a_running_engine_is_shown_with_its_process_and_parts(tmp_path: Path) -> None:
    running = begun(tmp_path, "run", "--market", "simulated:3", "--mode", "analysis")
    try:
        wait_for(running, "heartbeat")
        result = run("--json", "--data-dir", str(tmp_path), "status")
        assert result.exit_code == 0
        told = parsed(result.stdout)
        assert (told["is_running"], told["able"]) == (True, False)
        assert (told["engine"]["process"], told["engine"]["mode"]) == (running.pid, "analysis")
        assert "simulation" in told["engine"]["parts"]
        assert [one["policy"] for one in told["obstacles"]] == ["mode"]
        run("pause", "--data-dir", str(tmp_path))
        shown = run("status", "--data-dir", str(tmp_path))
        assert shown.exit_code == 0
        assert "exits-only" in shown.stdout
        assert "pumpswap resume" in shown.stderr
        assert f"process {running.pid}, mode analysis" in shown.stdout
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=120)
