"""``pumpswap run`` as its users meet it: a played market, what is missing, a process that is stopped or killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from pumpswap.cli.run import run as run_command
from pumpswap.settings.trading import RunMode, SignalSource, StrategyName
from pumpswap.storage.database import open_database
from tests.cli.running import answer, environment, process, refusal, run

FAST = ("run", "--market", "simulated:3", "--fast")


def lines_of(text: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in text.splitlines()]
    assert {(one["schema"], one["version"]) for one in found} == {("pumpswap.run", 1)}
    return found


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pumpswap", "--json", "--data-dir", str(folder), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), bufsize=1
    )


def wait_for(running: subprocess.Popen[str], event: str, times: int = 1) -> list[dict[str, Any]]:
    """The lines up to the ``times``-th of this event."""
    found: list[dict[str, Any]] = []
    assert running.stdout is not None
    for line in running.stdout:
        found.append(json.loads(line))
        if sum(one["event"] == event for one in found) == times:
            return found
    raise AssertionError(f"ended before {event}: {running.stderr.read() if running.stderr else ''}")


@pytest.mark.parametrize(
    ("option", "names"),
    [
        ("mode", get_args(RunMode)),
        ("signals", (*get_args(SignalSource), "none")),
        ("strategy", get_args(StrategyName)),
    ],
)
def test_the_choices_are_those_of_the_settings(option: str, names: tuple[str, ...]) -> None:
    (choice,) = [param.type for param in run_command.params if param.name == option]
    assert isinstance(choice, click.Choice)
    assert tuple(choice.choices) == names


def check_books(folder: Path) -> None:
    """Ledger, positions and sums agree; otherwise the exit code says so."""
    answer("ledger", "check", "--run", "1", "--data-dir", str(folder))


def test_a_simulated_market_is_traded_to_its_end_one_line_an_event(tmp_path: Path) -> None:
    result = run("--json", "--data-dir", str(tmp_path), *FAST, "--duration", "8m")
    assert result.exit_code == 0, result.output
    lines = lines_of(result.stdout)
    counts = {event: sum(one["event"] == event for one in lines) for event in ("accepted", "order", "fill", "refused")}
    assert counts["accepted"] >= counts["order"] >= counts["fill"] > 0
    assert counts["refused"] > 0
    assert lines[0]["event"] == "begin"
    end = lines[-1]
    assert (end["event"], end["ended"], end["is_finished"]) == ("end", "the market is over", True)
    assert end["outcomes"]["filled"] == counts["fill"]
    check_books(tmp_path)


def test_people_see_what_happened_and_where_to_look(tmp_path: Path) -> None:
    result = run("--data-dir", str(tmp_path), *FAST, "--duration", "5m")
    assert result.exit_code == 0
    assert "Run 1 has ended: the market is over." in result.stdout
    assert "Run 1 listens to simulated market, seed 3." in result.stderr
    assert "pumpswap why POOL --run 1" in result.stderr


def test_the_same_seed_gives_the_same_books(tmp_path: Path) -> None:
    ends = [
        lines_of(run("--json", "--data-dir", str(tmp_path / name), *FAST, "--duration", "8m").stdout)[-1]
        for name in ("one", "other")
    ]
    for end in ends:
        del end["database"]
    assert ends[0] == ends[1]


def test_without_an_endpoint_and_rows_it_says_what_is_missing(tmp_path: Path) -> None:
    error = refusal(4, "--data-dir", str(tmp_path), "run")
    assert "no endpoint" in error["what"]
    assert "no rows of a collector" in error["what"]
    assert "pumpswap init" in error["hint"]
    assert "--market simulated" in error["hint"]
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        assert list(database.runs()) == []  # nothing has begun


def test_a_new_run_that_cannot_begin_does_not_end_the_one_that_goes_on(tmp_path: Path) -> None:
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        database.start_run("paper", 1)
    refusal(4, "--data-dir", str(tmp_path), "run", "--new")
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        assert [(header.run_id, header.finished_ns) for header in database.runs()] == [(1, None)]


def test_money_needs_its_own_word(tmp_path: Path) -> None:
    assert "--live" in refusal(4, "--data-dir", str(tmp_path), "run", "--mode", "auto")["what"]
    assert "--mode approve" in refusal(4, "--data-dir", str(tmp_path), "run", "--live")["what"]
    played = refusal(2, "--data-dir", str(tmp_path), "run", "--live", "--mode", "auto", "--market", "simulated")
    assert "played market" in played["what"]


def test_what_cannot_be_played_is_named(tmp_path: Path) -> None:
    refusal(3, "--data-dir", str(tmp_path), "run", "--market", str(tmp_path / "nothing.csv"))
    refusal(2, "--data-dir", str(tmp_path), "run", "--market", "simulated:abc")
    refusal(2, "--data-dir", str(tmp_path), "run", "--fast")


def test_a_run_of_no_length_is_refused_and_so_are_no_signals_beside_others(tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path))
    assert "no span of time" in refusal(2, *folder, *FAST, "--duration", "0s")["what"]
    assert "others beside it" in refusal(2, *folder, *FAST, "--signals", "none", "--signals", "q50")["what"]
    assert "run.signals names none" in refusal(4, *folder, *FAST, "--signals", "none")["what"]
    momentum = run("--json", *folder, *FAST, "--duration", "2m", "--signals", "none", "--strategy", "momentum")
    assert momentum.exit_code == 0


def test_a_frame_that_is_not_there_leaves_no_run_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUMPSWAP_Q50__PATH", str(tmp_path / "gone.csv"))
    error = refusal(4, "--data-dir", str(tmp_path), *FAST, "--signals", "q50")
    assert "gone.csv does not exist" in error["what"]
    assert not (tmp_path / "pumpswap.sqlite").exists()


def test_analysis_orders_nothing(tmp_path: Path) -> None:
    result = run("--json", "--data-dir", str(tmp_path), *FAST, "--duration", "8m", "--mode", "analysis")
    end = lines_of(result.stdout)[-1]
    assert (end["accepted"], end["outcomes"]) == (0, {})
    assert end["refused_by_policy"]["mode"] == end["refused"] > 0


def test_a_killed_process_leaves_books_that_the_next_one_goes_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUMPSWAP_RUN__CONTROL_MS", "10")  # so much may be lost
    whole = (*FAST, "--duration", "15m")
    running = begun(tmp_path, *whole)
    wait_for(running, "fill", 3)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        (header,) = database.runs()
        assert (header.kind, header.finished_ns) == ("simulated", None)
    check_books(tmp_path)
    done = process("--json", "--data-dir", str(tmp_path), *whole)
    assert done.returncode == 0, done.stderr
    lines = lines_of(done.stdout)
    begin, end = lines[0], lines[-1]
    assert (begin["run_id"], begin["is_new"]) == ("1", False)
    assert (end["run_id"], end["is_finished"], end["orders_on_the_way"]) == ("1", True, 0)
    check_books(tmp_path)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        stored = database.run(1)
        assert list(stored.orders(unresolved=True)) == []
        positions = [position for position in stored.positions() if position.is_open]
        assert len(positions) == end["open_positions"]


def test_a_term_signal_ends_it_in_order_and_the_next_run_goes_on(tmp_path: Path) -> None:
    running = begun(tmp_path, "run", "--market", "simulated:3")
    wait_for(running, "heartbeat")
    other = process("--json", "--data-dir", str(tmp_path), "run", "--market", "simulated:3")
    assert other.returncode == 1
    error = json.loads(other.stdout)
    assert f"another process (pid {running.pid}) is running" in error["what"]
    assert f"kill {running.pid}" in error["hint"]
    running.send_signal(signal.SIGTERM)
    out, error = running.communicate(timeout=120)
    assert (running.returncode, error) == (0, "")
    end = lines_of(out)[-1]
    assert (end["event"], end["ended"], end["is_finished"]) == ("end", "stopped", False)
    again = begun(tmp_path, "run", "--market", "simulated:3")
    begin = wait_for(again, "begin")[0]
    assert (begin["run_id"], begin["is_new"]) == ("1", False)
    wait_for(again, "heartbeat")
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=120)
    assert again.returncode == 130
