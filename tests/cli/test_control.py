"""The commands to a running engine, from another terminal: what they print, and their exit codes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.model import Heartbeat, TradeSide, TradingState
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.cli.running import answer, refusal, run
from tests.support.market import START_NS as MARKET_NS
from tests.support.market import graduate, seen, settings
from tests.support.paper_life import PaperLife, paper_life


@contextmanager
def engine_at_work(folder: Path, mode: str = "paper", chosen: Settings | None = None) -> Iterator[PaperLife]:
    """An engine in a thread of its own: it holds a coin, or proposes to buy it, and listens to commands."""
    ready, over = threading.Event(), threading.Event()
    start_ns = SystemClock().now_ns() // NS_PER_SECOND * NS_PER_SECOND  # an engine trades on what was seen just now
    lives: list[PaperLife] = []
    broken: list[BaseException] = []

    def work() -> None:
        try:
            with paper_life(folder / "pumpswap.sqlite", chosen, now_ns=start_ns, mode=mode) as life:
                seconds = (start_ns - MARKET_NS) / NS_PER_SECOND  # the times of the market's helpers, moved to now
                life.step(seen(graduate(), seconds, scored=True))
                if mode != "approve":
                    life.step(seen(graduate(), seconds + 2))
                lives.append(life)
                clock = SystemClock()
                while not over.is_set():
                    life.run.states.beat(Heartbeat(clock.now_ns(), start_ns, 4711, mode))
                    with life.run.batch():
                        life.engine.tick(clock.now_ns())
                    life.poll()
                    ready.set()
                    over.wait(0.02)
        except BaseException as error:
            broken.append(error)
            ready.set()
            raise

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(30)
        assert not broken
        yield lives[0]
    finally:
        over.set()
        thread.join(30)
    assert not broken


def state_of(life: PaperLife) -> TradingState:
    return life.engine.risk.state.trading


def test_the_state_is_changed_and_everybody_is_told(tmp_path: Path) -> None:
    with engine_at_work(tmp_path) as life:
        result = run("pause", "--data-dir", str(tmp_path))
        assert (result.exit_code, result.stdout) == (
            0,
            "Run 1, paper: paused: no entries until you resume; exits go on\n",
        )
        assert state_of(life) is TradingState.EXITS_ONLY
        halted = answer("halt", "--data-dir", str(tmp_path))
        assert (halted["is_running"], halted["trading_state"], halted["command"]["status"]) == (True, "halted", "done")
        assert "@" in halted["command"]["origin"]
        failed = run("pause", "--data-dir", str(tmp_path))
        assert failed.exit_code == 7
        assert "trading is halted" in failed.stdout
        assert run("exits-only", "--data-dir", str(tmp_path)).exit_code == 0
        assert "all locks are lifted" in run("resume", "--data-dir", str(tmp_path)).stdout
        assert state_of(life) is TradingState.ACTIVE


def test_panic_shows_its_plan_asks_and_sells(tmp_path: Path) -> None:
    with engine_at_work(tmp_path) as life:
        refused = run("panic", "--data-dir", str(tmp_path), input="n\n")
        assert refused.exit_code == 130  # as after Ctrl-C
        assert "1 position, about" in refused.stdout
        assert "TEST" in refused.stdout
        assert state_of(life) is TradingState.ACTIVE
        asked = run("panic", "--data-dir", str(tmp_path), "--json")
        assert asked.exit_code == 2
        document = answer("panic", "--yes", "--data-dir", str(tmp_path))
        assert [each["name"] for each in document["plan"]] == ["TEST"]
        assert document["plan"][0]["value_lamports"] is not None
        assert "selling 1 position" in document["command"]["answer"]
        assert any(order.side is TradeSide.SELL for order in life.run.orders())


def test_panic_without_a_terminal_says_so_and_with_nothing_held_asks_nothing(tmp_path: Path) -> None:
    with engine_at_work(tmp_path) as life:
        silent = run("panic", "--data-dir", str(tmp_path), input="")
        assert silent.exit_code == 2
        assert "no terminal to ask" in silent.stderr
        assert "--yes" in silent.stderr
        assert state_of(life) is TradingState.ACTIVE
    with engine_at_work(tmp_path / "other", mode="approve") as life:
        done = run("panic", "--data-dir", str(tmp_path / "other"), input="")
        assert done.exit_code == 0, done.output
        assert "selling 0 positions" in done.stdout
        assert "1 proposal that waited for you is gone" in " ".join(done.stdout.split())
        assert state_of(life) is TradingState.EXITS_ONLY


def test_stop_ends_the_engine_in_order_and_is_exit_code_6_without_one(tmp_path: Path) -> None:
    assert refusal(6, "stop", "--data-dir", str(tmp_path))["hint"] == "start one: pumpswap run"
    with engine_at_work(tmp_path) as life:
        document = answer("stop", "--data-dir", str(tmp_path))
        assert (document["command"]["verb"], document["command"]["status"]) == ("stop", "done")
        assert document["command"]["answer"].startswith("stopping: no entries any more")
        assert life.stopped == 1
        assert len(life.engine.portfolio.positions.open_positions()) == 1
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        kept = database.open_paper()
        assert kept is not None
        kept.states.beat(Heartbeat(1, 1, 4711, "paper"))  # long ago
    error = refusal(6, "stop", "--data-dir", str(tmp_path))
    assert "so nobody can be stopped" in error["what"]
    assert "no engine trades" in error["hint"]


def test_a_run_that_is_over_is_called_that(tmp_path: Path) -> None:
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        database.start_run("paper", 1).finish(2, {})
    assert "run 1 is over" in refusal(6, "--data-dir", str(tmp_path), "pause")["what"]


def test_closing_what_a_running_engine_holds_asks_the_engine(tmp_path: Path) -> None:
    coin = str(graduate().pool.base_mint)
    with engine_at_work(tmp_path) as life:
        asked = run("positions", "close", coin, "--data-dir", str(tmp_path), input="n\n")
        assert asked.exit_code == 130
        assert "Sell in run 1, paper" in asked.stdout
        assert life.run.commands.all() == ()
        document = answer("positions", "close", coin, "--yes", "--data-dir", str(tmp_path))
        assert document["command"]["answer"] == "selling TEST"
        assert any(order.side is TradeSide.SELL for order in life.run.orders())


def test_without_an_engine_panic_is_exit_code_6_and_the_state_commands_wait_for_the_next_start(tmp_path: Path) -> None:
    error = refusal(6, "panic", "--data-dir", str(tmp_path))
    assert "pumpswap run" in error["hint"]
    with paper_life(tmp_path / "pumpswap.sqlite"):
        pass
    for arguments in (("panic",), ("panic", "--yes"), ("approve", "d000001"), ("decline", "d000001")):
        error = refusal(6, *arguments, "--data-dir", str(tmp_path))
        assert error["hint"]
    result = run("halt", "--data-dir", str(tmp_path))
    assert result.exit_code == 0
    assert "the next start honours it" in result.stdout
    with paper_life(tmp_path / "pumpswap.sqlite") as life:
        assert state_of(life) is TradingState.HALTED
    document = answer("resume", "--data-dir", str(tmp_path))
    assert (document["is_running"], document["trading_state"]) == (False, "active")


def patient() -> Settings:
    """Settings under which nothing grows too old while a test runs."""
    ages = {"max_signal_age_seconds": 3_000, "max_state_age_seconds": 3_000}
    return settings(run={"approve_seconds": 3_000}, risk=ages)


def test_what_waits_is_listed_and_answered(tmp_path: Path) -> None:
    chosen = patient()
    with engine_at_work(tmp_path, "approve", chosen) as life:
        listed = run("approve", "--data-dir", str(tmp_path))
        assert listed.exit_code == 0, listed.output
        (line,) = [line for line in listed.stdout.splitlines() if line.startswith("d000001  ")]
        assert "TEST" in line and "1.0000" in line and "90.0" in line
        assert f"d000001 is pool {graduate().address}" in listed.stdout
        (waiting,) = answer("approve", "--data-dir", str(tmp_path))["proposals"]
        assert (waiting["decision_id"], waiting["quote_lamports"], waiting["status"]) == (
            "d000001",
            str(10**9),
            "waiting",
        )
        assert waiting["seconds_left"] > 0 and waiting["price_impact"]
        refusal(3, "approve", "d000077", "--data-dir", str(tmp_path))
        done = run("approve", "d000001", "d000001", "--data-dir", str(tmp_path))
        assert done.exit_code == 0, done.output
        assert "d000001 TEST: ordered" in done.stdout
        assert [order.decision_id for order in life.run.orders()] == ["d000002"]
        assert "Nothing waits" in run("approve", "--data-dir", str(tmp_path)).stdout


def test_an_approval_that_the_gate_refuses_now_is_exit_code_7_and_says_why(tmp_path: Path) -> None:
    chosen = patient()
    with engine_at_work(tmp_path, "approve", chosen):
        assert run("pause", "--data-dir", str(tmp_path)).exit_code == 0
        refused = run("approve", "d000001", "--data-dir", str(tmp_path))
        assert refused.exit_code == 7
        assert "refused by the gate" in refused.stdout
        assert "trading state: " in refused.stdout


def test_a_declined_proposal_is_dropped(tmp_path: Path) -> None:
    with engine_at_work(tmp_path, "approve") as life:
        declined = run("decline", "d000001", "--data-dir", str(tmp_path))
        assert (declined.exit_code, declined.stdout) == (0, "d000001 TEST: declined\n")
        assert list(life.run.orders()) == []


@pytest.mark.parametrize("name", ["pause", "resume", "exits-only", "halt", "panic", "approve"])
def test_a_run_that_is_not_there_is_not_found(tmp_path: Path, name: str) -> None:
    with paper_life(tmp_path / "pumpswap.sqlite"):
        pass
    refusal(3, name, "--run", "99", "--data-dir", str(tmp_path))
