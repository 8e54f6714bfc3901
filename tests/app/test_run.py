"""`run` over played markets: what it goes on with, what it begins anew, what it counts."""

from __future__ import annotations

import asyncio
import csv
import json
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pumpswap.app import run as run_module
from pumpswap.app.companion import Companions
from pumpswap.app.run import RunResult, run_paper
from pumpswap.app.run_order import RunOrder
from pumpswap.app.run_parts import TradingSide
from pumpswap.clock import SystemClock
from pumpswap.engine.engine import Engine
from pumpswap.engine.supervisor import Ending
from pumpswap.errors import BadInput, ConfigError, StorageError, UsageError
from pumpswap.model import AlertLevel, MarketUpdate
from pumpswap.settings import Settings
from pumpswap.storage.database import Database, open_database
from tests.app.watching import RunWatcher, until
from tests.support.market import graduate
from tests.support.material import material, requires_material
from tests.support.postgres import fresh_database
from tests.support.snapshot_rows import CollectorFile

SIMULATED = RunOrder("simulated:3", is_fast=True, seconds=600)


@dataclass
class Counting(RunWatcher):
    """Stops after so many updates; remembers their times."""

    most: int = 10**9
    times: list[int] = field(default_factory=list)

    def on_update(self, update: MarketUpdate) -> None:
        self.times.append(update.at_ns)
        if len(self.times) == self.most:
            self.stop()


def ran(folder: Path, order: RunOrder, counting: Counting | None = None, **sections: Any) -> RunResult:
    watching = counting or Counting()
    settings = Settings(data_dir=folder, **sections)
    return asyncio.run(run_paper(settings, order, watching.options(), watching.begun.append))


def test_a_stopped_run_goes_on_where_its_market_stood(tmp_path: Path) -> None:
    whole = Counting()
    ran(tmp_path / "whole", SIMULATED, whole)
    first, second = Counting(300), Counting()
    stopped = ran(tmp_path / "parts", SIMULATED, first)
    assert (stopped.ending, stopped.is_finished) == (Ending.STOPPED, False)
    ended = ran(tmp_path / "parts", SIMULATED, second)
    assert (ended.ending, ended.is_finished) == (Ending.MARKET_IS_OVER, True)
    assert second.begun[0].run_id == first.begun[0].run_id == 1
    assert not second.begun[0].is_new
    # Nothing is repeated and nothing is left out; what we bought has changed the rest of the market a little.
    assert first.times == whole.times[: len(first.times)]
    assert second.times[0] > first.times[-1]
    assert abs(len(first.times) + len(second.times) - len(whole.times)) < len(whole.times) // 10
    with open_database(tmp_path / "parts" / "pumpswap.sqlite") as database:
        run = database.run(1)
        summary = run.header().summary
        assert summary is not None
        assert summary["accepted"] == ended.tally.accepted
        assert len([position for position in run.positions() if position.is_open]) == ended.open_positions


def test_at_its_end_it_hears_what_has_landed_then_tells_what_is_left_and_sends_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    made = run_module._trading

    def trading(*parts: Any) -> TradingSide:
        database: Database = parts[1]
        side = made(*parts)

        async def let_go(engine: Engine) -> None:
            assert steps == []
            steps.append("let go")

        async def end() -> None:
            steps.append(f"sent {database.alerts.newest(1)[0].text}")

        def companions(engine: Engine) -> Companions:
            def stop() -> None:
                steps.append("told")
                engine.desk.alert(AlertLevel.WARNING, "stop", "held", "it leaves something")

            return Companions(on_stops=(stop,), on_ends=(end,))

        return replace(side, let_go=let_go, companions=companions)

    monkeypatch.setattr(run_module, "_trading", trading)
    ran(tmp_path, SIMULATED, Counting(50))
    assert steps == ["let go", "told", "sent it leaves something"]


@pytest.mark.parametrize("ends", [True, False])
def test_what_lands_last_waits_for_a_lock_of_somebody_and_one_that_does_not_end_is_told_directly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    steps: list[str] = []
    made = run_module._trading
    refusals = iter([True, True, False] if ends else [])

    def trading(*parts: Any) -> TradingSide:
        async def let_go(engine: Engine) -> None:
            if next(refusals, not ends):
                raise StorageError("the database is locked")
            steps.append("let go")

        async def tell(text: str) -> None:
            steps.append(text)

        def companions(_: Engine) -> Companions:
            return Companions(on_stops=(lambda: steps.append("told"),), on_untold=(tell,))

        return replace(made(*parts), let_go=let_go, companions=companions)

    monkeypatch.setattr(run_module, "_trading", trading)
    run = {"shutdown_seconds": 60 if ends else 1, "control_ms": 50}
    with nullcontext() if ends else pytest.raises(StorageError, match="locked"):
        ran(tmp_path, SIMULATED, Counting(50), run=run)
    untold = "the engine has stopped, and what landed last could not be stored: the database is locked"
    assert steps == (["let go", "told"] if ends else [untold])


def test_the_file_for_alerts_has_all_of_them_when_it_has_ended(tmp_path: Path) -> None:
    ran(tmp_path, SIMULATED, alerts={"file": "alerts.jsonl"})
    told = [json.loads(line)["text"] for line in (tmp_path / "alerts.jsonl").read_text().splitlines()]
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        assert told == [alert.text for alert in database.alerts.all()]
    assert told


@pytest.mark.parametrize(
    "other",
    [
        RunOrder("simulated:4", is_fast=True, seconds=600),
        RunOrder("simulated:3", is_fast=True, seconds=300),
        RunOrder("simulated:3", is_fast=True, seconds=600, is_new=True),
    ],
)
def test_another_market_has_books_of_its_own(tmp_path: Path, other: RunOrder) -> None:
    ran(tmp_path, SIMULATED, Counting(50))
    counting = Counting(50)
    ran(tmp_path, other, counting)
    assert (counting.begun[0].run_id, counting.begun[0].is_new) == (2, True)
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        assert [header.finished_ns is None for header in database.runs()] == [False, True]


def test_books_on_a_server_go_on_too_and_have_one_process(tmp_path: Path) -> None:
    database: Any = {"url": fresh_database()}
    first, second = Counting(200), Counting()
    refused: list[str] = []

    async def go() -> None:
        settings = Settings(data_dir=tmp_path / "one", database=database)
        work = asyncio.ensure_future(run_paper(settings, SIMULATED, first.options(), first.begun.append))
        while not first.begun:
            await asyncio.sleep(0)
        # Another machine has other folders, and the same server.
        elsewhere = Settings(data_dir=tmp_path / "other", database=database)
        with pytest.raises(StorageError) as error:
            await run_paper(elsewhere, SIMULATED, Counting().options(), refused.append)  # type: ignore[arg-type]
        refused.append(error.value.what)
        await work

    asyncio.run(go())
    assert len(refused) == 1
    ended = ran(tmp_path / "other", SIMULATED, second, database=database)
    assert (second.begun[0].run_id, second.begun[0].is_new, ended.is_finished) == (first.begun[0].run_id, False, True)
    assert second.times[0] > first.times[-1]


@requires_material("real")
def test_a_recording_is_played_to_its_end_and_taken_up_in_the_middle(tmp_path: Path) -> None:
    folder = material("real")
    assert folder is not None
    tape = tmp_path / "tape.csv"
    with (folder / "host_export" / "trades_one_pool.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    with tape.open("w", newline="") as file:
        csv.writer(file).writerows(rows[:400])
    order = RunOrder(str(tape), is_fast=True)
    whole, first, second = Counting(), Counting(100), Counting()
    ran(tmp_path / "whole", order, whole)
    ran(tmp_path / "parts", order, first)
    ended = ran(tmp_path / "parts", order, second)
    assert first.times + second.times == whole.times
    assert (ended.is_finished, ended.begun.kind) == (True, "recorded")


def test_rows_alone_are_enough_to_analyse_and_not_to_trade(tmp_path: Path) -> None:
    file = CollectorFile.made(tmp_path / "rows.sqlite")
    rows: dict[str, Any] = {
        "collector": str(file.path),
        "snapshot_poll_seconds": 1,
        "control_ms": 50,
        "heartbeat_seconds": 1,
    }
    with pytest.raises(ConfigError, match="no endpoint") as error:
        ran(tmp_path, RunOrder(), run=rows)
    assert "no rows" not in error.value.what
    counting = Counting(1)

    async def go() -> RunResult:
        settings = Settings(data_dir=tmp_path, run={**rows, "mode": "analysis"})  # type: ignore[arg-type]
        work = asyncio.ensure_future(run_paper(settings, RunOrder(), counting.options(), counting.begun.append))
        await until(lambda: counting.hears("snapshots"))
        file.add_state(graduate(), SystemClock().now_ns())
        return await work

    result = asyncio.run(asyncio.wait_for(go(), 120))  # more than it waits for the rows
    assert (result.tally.accepted, result.tally.refused) == (0, 1)
    assert {"mode", "pool state"} & set(result.tally.refused_by)
    assert "no endpoint" in " ".join(counting.begun[0].notes).lower()


def test_a_recording_without_a_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("a,b\n")
    with pytest.raises(BadInput):
        ran(tmp_path, RunOrder(str(tmp_path / "empty.csv"), is_fast=True))


def test_live_modes_and_a_chain_that_should_hurry_are_refused(tmp_path: Path) -> None:
    mode: Any = {"mode": "auto"}
    with pytest.raises(ConfigError, match="auto"):
        ran(tmp_path, SIMULATED, run=mode)
    with pytest.raises(UsageError, match="faster"):
        ran(tmp_path, RunOrder(is_fast=True))


@pytest.mark.parametrize(
    ("market", "kind", "seed"),
    [
        ("", "paper", None),
        ("simulated", "simulated", 8),
        ("simulated:12", "simulated", 12),
        ("tape.csv", "recorded", None),
    ],
)
def test_an_order_knows_its_kind_and_seed(market: str, kind: str, seed: int | None) -> None:
    order = RunOrder(market)
    assert (order.kind, order.seed) == (kind, seed)
    assert order.is_of(order.identity(5))
    assert not order.is_of(None)


@pytest.mark.parametrize("seed", ["", "x", "-1", "1" * 19, "¹"])
def test_a_seed_is_a_number(seed: str) -> None:
    with pytest.raises(UsageError):
        RunOrder(f"simulated:{seed}").kind  # noqa: B018
