"""What is served equals what the run has done: counted by an observer of its own, and what the books say."""

from __future__ import annotations

import shutil
import socket
import urllib.request
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pumpswap.app.companion import Companions, RunPlace
from pumpswap.app.metering.maker import metering
from pumpswap.app.metering.meters import Meters
from pumpswap.app.metering.stored import StoredFigures
from pumpswap.app.run_order import RunOrder
from pumpswap.engine.feed import FeedTools
from pumpswap.execution.monitor import put_in
from pumpswap.model import (
    SOL,
    Alert,
    AlertLevel,
    BreakerState,
    Decision,
    EntryKind,
    EquityPoint,
    Heartbeat,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    RiskState,
    TradingState,
)
from pumpswap.storage.database import open_database
from tests.app.test_run import Counting, ran
from tests.engine.supervised import states, world
from tests.support.virtual_time import run_virtually

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def figures(text: str) -> Figures:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def one(found: Figures, name: str, **labels: str) -> float:
    return found[f"pumpswap_{name}", tuple(sorted(labels.items()))]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class Scraping(Counting):
    """Counts what is told, and asks the endpoint in the moment in which the run is stopped."""

    port: int = 0
    counted: Counter[tuple[str, ...]] = field(default_factory=Counter)
    equity: EquityPoint | None = None
    counted_then: Counter[tuple[str, ...]] = field(default_factory=Counter)
    equity_then: EquityPoint | None = None
    found: Figures = field(default_factory=dict)

    def on_update(self, update: MarketUpdate) -> None:
        self.counted["updates",] += 1
        self.counted["swaps",] += update.swap is not None
        super().on_update(update)

    def on_decision(self, decision: Decision) -> None:
        self.counted["decisions", decision.intent.side.value, "accepted" if decision else "refused"] += 1
        for verdict in decision.refusals:
            self.counted["refusals", verdict.policy] += 1

    def on_order(self, order: Order) -> None:
        self.counted["orders", order.side.value] += 1

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self.counted["outcomes", order.side.value, type(outcome).__name__.lower()] += 1

    def on_equity(self, point: EquityPoint) -> None:
        self.equity = point

    def on_alert(self, alert: Alert) -> None:
        if alert.topic == "stop":
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
                self.found = figures(answer.read().decode())
            self.counted_then, self.equity_then = Counter(self.counted), self.equity


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Scraping]:
    """What a run has left, and what was seen of it."""
    folder, seen = tmp_path_factory.mktemp("scraped"), Scraping(most=3_000, port=free_port())
    ran(folder, RunOrder("simulated:3", is_fast=True, seconds=3_600), seen, metrics={"port": seen.port})
    return folder, seen


def test_a_run_is_counted_to_the_last_outcome(scraped: tuple[Path, Scraping]) -> None:
    _, seen = scraped
    found, counted, equity = seen.found, seen.counted_then, seen.equity_then
    assert sum(counted[key] for key in counted if key[0] == "outcomes") > 3
    names = {
        "decisions": ("side", "result"),
        "outcomes": ("side", "result"),
        "orders": ("side",),
        "refusals": ("policy",),
    }
    for (kind, *labels), count in counted.items():
        assert one(found, f"{kind}_total", **dict(zip(names.get(kind, ()), labels, strict=True))) == count
    assert equity is not None
    assert one(found, "equity_lamports") == equity.equity_lamports
    assert one(found, "cash_lamports") == equity.cash_lamports
    assert [one(found, "trading_state", state=each.value) for each in TradingState] == [0, 1, 0]  # it is being stopped
    assert "pumpswap_run_info" in {name for name, _ in found}
    assert one(found, "order_seconds_count", side="buy") == sum(
        counted["outcomes", "buy", result] for result in ("filled", "rejected", "denied")
    )


def test_profit_and_costs_are_those_of_the_books(scraped: tuple[Path, Scraping], tmp_path: Path) -> None:
    shutil.copytree(scraped[0], tmp_path, dirs_exist_ok=True)

    async def main() -> None:
        with open_database(tmp_path / "pumpswap.sqlite") as database:
            made = world(database, [states()])
            run = database.run(1)
            meters = Meters(
                RunPlace(
                    made.engine.parts.settings, database, run, made.engine, made.supervisor.parts.wall, lambda _: None
                )
            )
            point = run.equity.latest()
            assert point is not None
            meters.on_equity(point)
            await once(StoredFigures(database, run, meters, FeedTools(sleep=enough, in_thread=here)))
            found = served(meters)
            totals = run.books.totals()
            spent = {kind: -units for (asset, kind), units in totals.items() if asset == SOL}
            for kind in (EntryKind.LP_FEE, EntryKind.PROTOCOL_FEE, EntryKind.NETWORK_FEE, EntryKind.PRIORITY_FEE):
                assert one(found, "costs_lamports", kind=kind.value) == spent.get(kind, 0)
            assert spent[EntryKind.LP_FEE] > 0
            assert one(found, "put_in_lamports") == put_in(totals)
            assert one(found, "pnl_lamports") == point.equity_lamports - put_in(totals)
            assert one(found, "pnl_lamports") == one(found, "realised_lamports") + one(found, "unrealised_lamports")
            assert one(found, "deliveries", status="waiting") == 0

    run_virtually(main())


class _Enough(Exception):
    pass


async def enough(_: float) -> None:
    raise _Enough


async def here(work: Callable[[], object]) -> object:
    return work()


class _Sink:
    def alive(self) -> None:
        pass


async def once(feed: StoredFigures) -> None:
    with pytest.raises(_Enough):
        await feed.run(_Sink())  # type: ignore[arg-type]


def served(meters: Meters) -> Figures:
    from prometheus_client import generate_latest

    return figures(generate_latest(meters.registry).decode())


def test_names_without_end_share_one_series(tmp_path: Path) -> None:
    async def main() -> None:
        with open_database(tmp_path / "pumpswap.sqlite") as database:
            made = world(database, [states()])
            settings, wall = made.engine.parts.settings, made.supervisor.parts.wall
            meters = Meters(RunPlace(settings, database, made.run, made.engine, wall, lambda _: None))
            for number in range(200):
                meters.on_alert(Alert(1, AlertLevel.INFO, f"topic {number}", "", ""))
            found = served(meters)
            assert one(found, "alerts_total", level="info", topic="other") == 140
            assert one(found, "alerts_total", level="info", topic="topic 0") == 1

    run_virtually(main())


def test_heartbeats_tell_of_queues_parts_and_the_program(tmp_path: Path) -> None:
    async def main() -> None:
        with open_database(tmp_path / "pumpswap.sqlite") as database:
            made = world(database, [states()])
            settings, wall = made.engine.parts.settings, made.supervisor.parts.wall
            meters = Meters(RunPlace(settings, database, made.run, made.engine, wall, lambda _: None))
            words = {
                "pools": "ok, 0.1 s ago, 3 updates",
                "sending": "no endpoint answers",
                "loop": "0 ms late",
                "program": "ok",
            }
            meters.beat(
                Heartbeat(
                    5_000_000_000, 1_000_000_000, 7, "paper", waiting=12, able=False, parts=words, ages={"pools": 0.1}
                )
            )
            found = served(meters)
            assert one(found, "queue_updates") == 12
            assert one(found, "able") == 0
            assert one(found, "heartbeat_timestamp_seconds") == 5
            assert one(found, "part_ok", part="pools") == 1
            assert one(found, "feed_age_seconds", feed="pools") == 0.1
            assert one(found, "part_ok", part="sending") == 0
            assert ("pumpswap_part_ok", (("part", "loop"),)) not in found
            assert one(found, "protocol_drift") == 0
            meters.beat(Heartbeat(6, 1, 7, "paper", parts={"program": "GlobalConfig has 12 bytes"}))
            assert one(served(meters), "protocol_drift") == 1

    run_virtually(main())


def test_what_risk_says_is_one_state_at_a_time(tmp_path: Path) -> None:
    async def main() -> None:
        with open_database(tmp_path / "pumpswap.sqlite") as database:
            made = world(database, [states()])
            settings, wall = made.engine.parts.settings, made.supervisor.parts.wall
            meters = Meters(RunPlace(settings, database, made.run, made.engine, wall, lambda _: None))
            meters.on_risk(RiskState(breaker=BreakerState.OPEN, is_drawn_down=True, faults=(("feed x", "silent"),)))
            found = served(meters)
            assert [one(found, "breaker_state", state=each.value) for each in BreakerState] == [0, 1, 0]
            assert (one(found, "locked", lock="drawdown"), one(found, "locked", lock="daily loss")) == (1, 0)
            assert one(found, "faults") == 1

    run_virtually(main())


def test_without_a_port_nothing_is_made_and_nothing_loaded(tmp_path: Path) -> None:
    async def main() -> None:
        with open_database(tmp_path / "pumpswap.sqlite") as database:
            made = world(database, [states()])
            settings, wall = made.engine.parts.settings, made.supervisor.parts.wall
            place = RunPlace(settings, database, made.run, made.engine, wall, lambda _: None)
            assert metering(place) == Companions()

    run_virtually(main())
