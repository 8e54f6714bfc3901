"""What `pumpswap run` shows while it goes on: lines that are data, a screen that is quiet, why nothing is bought."""

from __future__ import annotations

import contextlib
import io
import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from pumpswap.cli.live_view import decision_line, would_buy_lamports
from pumpswap.cli.run_quiet import QuietSpell
from pumpswap.cli.run_view import RunLines, RunScreen, alert_line, proposal_line
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import (
    Alert,
    AlertLevel,
    Decision,
    Heartbeat,
    Intent,
    Proposal,
    ProposalStatus,
    Side,
    Signal,
    SizingStep,
    TradeSide,
    Verdict,
)
from tests.cli.running import answer, process, run
from tests.cli.test_run import FAST, begun, lines_of, wait_for
from tests.support.market import START_NS

POOL, MINT = "Pool" * 8, "Mint" * 8
NAMES = {POOL: "CAT / SOL"}


def at(seconds: int) -> int:
    return START_NS + seconds * NS_PER_SECOND


def refused(*policies: str, score: float = 80.0, name: str = "CAT / SOL") -> Decision:
    found = Signal(POOL, START_NS, Side.LONG, score, 1.0, "test", mint=MINT, name=name)
    intent = Intent(TradeSide.BUY, POOL, MINT, START_NS, f"test {score}", found)
    verdicts = tuple(Verdict(policy, False, f"{policy} says no") for policy in policies)
    steps = (SizingStep("base fraction", 2 * 10**9, ""), SizingStep("maximum size", 10**9, ""))
    return Decision("d000001", intent, False, verdicts, steps, 0, 0)


# ---------------------------------------------------------------------------------------------- alerts


def test_an_alert_calls_a_pool_by_its_coin_and_says_it_once() -> None:
    told = Alert(at(1), AlertLevel.WARNING, "exit failed", POOL, "it is tried again")
    assert alert_line(told).plain == f"warning   exit failed {POOL}: it is tried again"
    assert alert_line(told, NAMES).plain == "warning   exit failed CAT: it is tried again"
    named = replace(told, text="CAT: it is tried again")
    assert alert_line(named, NAMES).plain == "warning   exit failed: CAT: it is tried again"


def test_a_trade_that_has_a_line_has_no_second_one(capsys: pytest.CaptureFixture[str]) -> None:
    view = RunLines(Console(width=200, no_color=True), QuietSpell())
    for topic in ("entry", "exit", "stop-loss"):
        view.on_alert(Alert(at(1), AlertLevel.INFO, topic, POOL, "text"))
    (line,) = capsys.readouterr().out.splitlines()
    assert "stop-loss" in line


# ---------------------------------------------------------------------------------------------- lines are data


def test_in_a_pipe_events_are_data_and_stay_with_quiet(tmp_path: Path) -> None:
    loud = process("--data-dir", str(tmp_path), *FAST, "--duration", "8m")
    assert " bought for " in loud.stdout
    assert " bought for " not in loud.stderr
    assert "Run 1 listens to" in loud.stderr
    assert "Run 1 has ended" in loud.stdout
    quiet = process("-q", "--data-dir", str(tmp_path), *FAST, "--duration", "8m")
    assert quiet.stderr == ""
    assert quiet.stdout.count(" bought for ") == loud.stdout.count(" bought for ") > 0
    events = loud.stdout.partition("Run 1 has ended")[0].splitlines()
    assert all(line[8:10] == "  " for line in events)  # each has its time: none is folded


def test_a_reader_that_goes_away_ends_it_in_order() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    ended: list[bool] = []
    view = RunLines(Console(file=io.StringIO()))
    view.closed = lambda: ended.append(True)
    with contextlib.redirect_stdout(Gone()):
        for second in range(2):
            view.on_alert(Alert(at(second), AlertLevel.INFO, "topic", "", "text"))
    assert ended == [True]


def test_the_list_of_runs_tells_who_runs_and_what_goes_on(tmp_path: Path) -> None:
    folder = ("--data-dir", str(tmp_path))
    running = begun(tmp_path, "run", "--market", "simulated:3")
    try:
        wait_for(running, "heartbeat")
        listed = run(*folder, "runs", "list").stdout
        assert f"running (pid {running.pid})" in listed
        (known,) = answer(*folder, "runs", "list")["runs"]
        assert (known["is_running"], known["process"]) == (True, running.pid)
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=120)
    assert "stopped, goes on at the next start" in run(*folder, "runs", "list").stdout
    assert answer(*folder, "runs", "list")["runs"][0]["is_running"] is False


def test_a_market_at_the_pace_of_real_time_says_what_to_expect(tmp_path: Path) -> None:
    running = begun(tmp_path, "run", "--market", "simulated:3")
    notes = wait_for(running, "begin")[0]["notes"]
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=120)
    assert any("over after 30 min" in note and "--fast" in note for note in notes)


# ---------------------------------------------------------------------------------------------- analysis


def test_analysis_tells_what_it_would_buy() -> None:
    held_back = refused("mode")
    assert would_buy_lamports(held_back) == 10**9
    assert decision_line(held_back, NAMES).plain == "CAT       would buy 1 SOL  test 80.0"
    both = refused("mode", "screen")
    assert would_buy_lamports(both) is None
    assert decision_line(both, NAMES).plain == "CAT       refused  screen: screen says no"


def test_analysis_tells_scripts_too(tmp_path: Path) -> None:
    result = run("--json", "--data-dir", str(tmp_path), *FAST, "--duration", "8m", "--mode", "analysis")
    told = [one for one in lines_of(result.stdout) if one["event"] == "refused"]
    would = [one for one in told if one["would_buy_lamports"] is not None]
    assert would
    assert all(int(one["would_buy_lamports"]) > 0 and one["score"] > 0 for one in would)
    assert all([policy["policy"] for policy in one["refusals"]] == ["mode"] for one in would)


# ---------------------------------------------------------------------------------------------- while nothing is bought


def test_once_a_minute_it_says_why_nothing_is_bought_and_the_same_only_now_and_then() -> None:
    quiet = QuietSpell()

    def minute(number: int) -> str | None:
        quiet.on_decision(refused("screen", score=91.0))
        quiet.on_repeat(refused("signal", "screen", score=40.0), "d000001", 1)
        quiet.on_decision(refused("one position", score=99.0))
        line = quiet.line(at(60 * number))
        return None if line is None else line.plain

    assert quiet.line(at(0)) is None
    first = minute(1)
    assert first is not None
    assert "3 buys refused by screen 2, " in first
    assert first.endswith("nearest CAT / SOL with score 91.0, refused by screen")
    assert minute(2) is None
    assert [number for number in range(3, 32) if minute(number)] == [16, 31]


def test_nothing_to_wish_is_told_too() -> None:
    quiet = QuietSpell()
    assert quiet.line(at(0)) is None
    line = quiet.line(at(60))
    assert line is not None
    assert "nothing was a reason" in line.plain


def test_a_proposal_is_told_with_its_time_and_why_it_waits_no_longer() -> None:
    waiting = Proposal("d000001", POOL, MINT, "CAT / SOL", 10**9, at(0), at(119))
    told = proposal_line(waiting, "CAT")
    assert told is not None
    assert told.plain == "CAT       waits for you, 119 s  pumpswap approve d000001"
    gone = proposal_line(replace(waiting, status=ProposalStatus.DECLINED, origin="panic by ann"), "CAT")
    assert gone is not None
    assert gone.plain == "CAT       waits no longer  proposal d000001 declined: panic by ann"
    assert proposal_line(replace(waiting, status=ProposalStatus.ORDERED), "CAT") is None


# ---------------------------------------------------------------------------------------------- the screen


def screen(width: int) -> tuple[RunScreen, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, color_system=None, highlight=False)
    return RunScreen(console), file


def beat(second: int) -> Heartbeat:
    return Heartbeat(at(second), at(0), 1, "paper")


def test_without_news_the_screen_is_drawn_only_now_and_then() -> None:
    view, file = screen(100)
    with view:
        view.on_beat(beat(0))
        size = len(file.getvalue())
        for second in range(2, 10, 2):
            view.on_beat(beat(second))
        assert len(file.getvalue()) == size
        view.on_beat(beat(10))
        assert len(file.getvalue()) > size


def test_a_narrow_screen_folds_reasons_between_words() -> None:
    view, file = screen(60)
    reason = "screen: unsafe: ten owners hold nearly all of the supply of this coin, pool and burned tokens apart"
    view.note(at(0), decision_line(refused(reason), NAMES))
    with view:
        view.draw(at(1))
    shown = " ".join(file.getvalue().replace("│", " ").split())
    assert "pool and burned tokens apart" in shown
    assert "…" not in shown


def test_json_lines_are_objects(tmp_path: Path) -> None:
    result = run("--json", "--data-dir", str(tmp_path), *FAST, "--duration", "2m")
    assert all(json.loads(line)["schema"] == "pumpswap.run" for line in result.stdout.splitlines())
