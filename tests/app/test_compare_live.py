"""Live against paper, over the same practice chain at the same time: what `report compare RUN --paper` is for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pumpswap.app.books import Books, chosen_books
from pumpswap.app.drift import compared_runs, paper_beside
from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.model import AttemptState
from pumpswap.sdk.host_classes.performance import metrics_of_run
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from tests.app import test_run_chain as on_paper
from tests.app.test_run_live import Place, Watcher, place
from tests.app.watching import until
from tests.cli.running import answer
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


def books_of(database: Database, run_id: int) -> Books:
    books = chosen_books(database, run_id)
    assert books is not None
    return books


async def both_traded(here: Place) -> Settings:
    """One signal, bought and sold by a wallet and on paper."""
    rules = {"max_hold_seconds": 1}
    settings = await here.ready(exits=rules)
    live, paper = Watcher(2), on_paper.Watcher(2)
    beside = asyncio.ensure_future(on_paper.ran(on_paper.settings_of(here.chain, here.file, exits=rules), paper))
    work = await here.trading(settings, live)
    await until(lambda: paper.is_able)
    here.tell(0)
    await asyncio.gather(work, beside)
    return settings


def test_a_live_run_is_compared_with_the_paper_run_of_its_time_by_what_was_seen_of_each(tmp_path: Path) -> None:
    async def go() -> tuple[int, Path]:
        async with place(tmp_path) as here:
            settings = await both_traded(here)
            with here.books() as database:
                run = here.live_run(database)
                paper = paper_beside(database, run.run_id)
                assert paper.header.kind == "paper"
                drift = compared_runs((books_of(database, run.run_id), paper), settings, SystemClock()).drift
                assert sum(drift.parts.values()) == drift.difference_lamports
                assert (len(drift.pairs), len(drift.only_first), len(drift.only_second)) == (1, 0, 0)
                assert drift.first.execution is not None and drift.second.execution is not None
                took = []
                for order in run.orders():
                    (landed,) = (
                        one for one in run.attempts.of_order(order.order_id) if one.state is AttemptState.LANDED
                    )
                    assert landed.resolved_ns is not None
                    took.append((landed.resolved_ns - order.created_ns) / NS_PER_SECOND)
                assert sorted(drift.first.execution.landings) == sorted(took)
                assert min(took) > 0
                assert metrics_of_run(run)["average_latency_ms"] == pytest.approx(1_000 * sum(took) / len(took))
                fills = [fill.at_ns - fill.ordered_ns for fill in paper.run.listings.fills.between(0, 2**62)]
                assert sorted(drift.second.execution.landings) == sorted(ns / NS_PER_SECOND for ns in fills)
                return run.run_id, settings.data_dir

    run_id, folder = asyncio.run(go())
    found = answer("report", "compare", str(run_id), "--paper", "--data-dir", str(folder))
    assert (found["first"]["kind"], found["second"]["kind"]) == ("live", "paper")
    assert found["first"]["execution"]["landing_seconds"]["lowest"] > 0
