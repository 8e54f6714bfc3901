"""The REST API: what it says equals the books, to the lamport; pages of lists join without a gap."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from pumpswap.model import SOL, Filled
from pumpswap.settings import Settings
from pumpswap.storage import Run, open_database
from tests.web.serving import MINT, POOL, books_in, served


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return books_in(tmp_path_factory.mktemp("books"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """Of one dashboard, which nobody changes anything in."""
    with served(settings) as client:
        yield client


def test_the_overview_is_the_ledger_to_the_lamport(settings: Settings) -> None:
    with served(settings) as client, open_database(settings.database_target) as database:
        told, run = client.get("/api/v1/overview").json(), database.run(1)
        money = told["money"]
        entries = [entry for entry in run.books.entries() if entry.asset == SOL]
        put_in = sum(entry.units for entry in entries if entry.kind.value in ("deposit", "withdrawal"))
        latest = run.equity.latest()
        assert latest is not None
        assert int(money["equity_lamports"]) == latest.equity_lamports
        assert int(money["cash_lamports"]) == sum(entry.units for entry in entries) == run.books.balance(SOL)
        assert int(money["pnl_lamports"]) == latest.equity_lamports - put_in == int(money["day_pnl_lamports"])
        by_kind: dict[str, int] = {}
        for entry in entries:
            if entry.kind.value.endswith("_fee") or entry.kind.value in ("tip", "cashback"):
                by_kind[entry.kind.value] = by_kind.get(entry.kind.value, 0) - entry.units
        assert {kind: int(units) for kind, units in money["costs"].items()} == {k: u for k, u in by_kind.items() if u}
        rounds = list(run.positions())
        assert int(money["realised_lamports"]) == sum(one.realised_lamports for one in rounds)
        assert told["positions"]["open"] == sum(one.is_open for one in rounds) == 1
        assert told["positions"]["closed"] == told["positions"]["won"] == 1
        points = list(run.equity.points())
        assert [int(point["at_ns"]) for point in told["curve"]] == [point.at_ns for point in points]


def test_positions_tell_executable_value_and_the_distance_of_exits(settings: Settings) -> None:
    with served(settings) as client, open_database(settings.database_target) as database:
        run = database.run(1)
        (held,) = client.get("/api/v1/positions").json()["rows"]["items"]
        (position,) = run.open_positions()
        (mark,) = run.history.marks_of(position.pool, 1)
        assert held["position"]["pool"] == position.pool
        assert int(held["position"]["base_units"]) == position.base_units
        assert int(held["mark"]["value_lamports"]) == mark.value_lamports
        rules = settings.exits
        expected = position.cost_lamports * (10_000 - rules.stop_loss_bps) / 10_000 / mark.value_lamports - 1
        assert held["exits"]["stop_loss"] == pytest.approx(expected)
        (closed,) = client.get("/api/v1/positions?closed=true").json()["rows"]["items"]
        assert closed["position"]["pool"] == POOL and closed["position"]["closed_ns"]


def test_decisions_are_those_of_the_books_with_filters(settings: Settings) -> None:
    with served(settings) as client, open_database(settings.database_target) as database:
        run = database.run(1)
        stored = {one.decision_id: one for mint in (MINT, None) for one in _decisions(run, mint)}
        told = client.get("/api/v1/decisions").json()
        assert [row["decision_id"] for row in told["rows"]["items"]] == sorted(stored, reverse=True)
        for row in told["rows"]["items"]:
            assert row["accepted"] is stored[row["decision_id"]].accepted
            assert [one["policy"] for one in row["refusals"]] == [v.policy for v in stored[row["decision_id"]].refusals]
        for query, wanted in (
            ("accepted=true", lambda one: one.accepted),
            ("accepted=false", lambda one: not one.accepted),
            ("side=sell", lambda one: one.intent.side.value == "sell"),
            (f"address={POOL}", lambda one: one.intent.pool == POOL),
            (f"address={MINT}", lambda one: one.intent.mint == MINT),
            (
                f"address={MINT}&accepted=true&side=buy",
                lambda one: one.intent.mint == MINT and one.intent.side.value == "buy",
            ),
            ("policy=one+position", lambda one: any(v.policy == "one position" for v in one.refusals)),
            ("policy=nothing", lambda one: False),
            ("address=nothing", lambda one: False),
        ):
            found = client.get(f"/api/v1/decisions?{query}").json()["rows"]["items"]
            assert {row["decision_id"] for row in found} == {
                one.decision_id for one in stored.values() if wanted(one)
            }, query
        assert told["refused_by"]["one position"] >= 1


def _decisions(run: Run, mint: str | None) -> list:  # type: ignore[type-arg]
    from tests.support.market import graduate

    return list(run.history.decisions_of(mint or str(graduate(2).pool.base_mint)))


def test_one_decision_is_told_to_its_end_by_either_id(settings: Settings) -> None:
    with served(settings) as client:
        tale = client.get("/api/v1/decisions/d000001").json()
        assert tale == client.get("/api/v1/decisions/o000001").json()
        assert tale["fate"]["order"]["order_id"] == "o000001"
        assert tale["round"]["position"]["pool"] == POOL
        assert tale["stored"]["decision"]["verdicts"]
        assert client.get("/api/v1/decisions/d999999").status_code == 404


def test_orders_compare_quote_and_fill(settings: Settings) -> None:
    with served(settings) as client, open_database(settings.database_target) as database:
        run = database.run(1)
        told = client.get("/api/v1/orders").json()
        trades = {trade.order.order_id: trade for trade in run.history.trades()}
        assert told["counts"] == {"filled": len(trades)}
        assert len(told["rows"]["items"]) == len(trades) == 3
        for row in told["rows"]["items"]:
            filled = trades[row["order_id"]].filled
            assert isinstance(filled, Filled)
            assert int(row["costs_lamports"]) == filled.costs.spent
            assert int(row["took_ns"]) == filled.at_ns - trades[row["order_id"]].order.created_ns
            assert row["impact"] == pytest.approx(float(filled.executed.impact))
        assert client.get("/api/v1/orders?status=filled&status=denied").json()["rows"] == told["rows"]
        assert client.get("/api/v1/orders?status=denied").json()["rows"]["items"] == []
        quality = client.get("/api/v1/execution").json()
        assert (quality["sampled"], quality["filled"]) == (3, 3)
        assert quality["slippage"]["fills"] == 3 and quality["buys"]["fills"] == 2


def test_a_pool_is_told_with_our_trades(settings: Settings) -> None:
    with served(settings) as client, open_database(settings.database_target) as database:
        run = database.run(1)
        told = client.get(f"/api/v1/pools/{POOL}").json()
        trades = list(run.history.trades_of(MINT))
        assert [one["order_id"] for one in told["trades"]] == [trade.order.order_id for trade in trades]
        assert {one["policy"] for one in told["checks"]} >= {"screen", "liquidity"}
        assert told["held"] is None and len(told["rounds"]) == 1
        listed = client.get("/api/v1/pools").json()["rows"]["items"]
        assert [one["pool"] for one in listed][-1] == POOL
        assert client.get(f"/api/v1/pools/{MINT}").status_code == 404


def test_signals_alerts_health_settings_and_runs_answer(settings: Settings) -> None:
    with served(settings) as client:
        signals = client.get("/api/v1/signals").json()
        assert signals["by_source"]["test"]["count"] == signals["sampled"] == 3
        assert client.get("/api/v1/alerts").json()["rows"]["items"][0]["topic"] == "order"
        health = client.get("/api/v1/health").json()
        assert health["heartbeat"]["process"] == 4711 and not health["run"]["is_running"]
        assert health["store"]["bytes"] > 0 and health["versions"]["pumpswap"]
        keys = {row["key"]: row for row in client.get("/api/v1/settings").json()["rows"]}
        assert keys["dashboard.port"]["value"] == 8_765
        (run,) = client.get("/api/v1/runs").json()["rows"]
        assert (run["run_id"], run["kind"]) == (1, "paper")
        assert client.get("/api/v1/reports").json()["rows"] == []


def pages_of(client: TestClient, path: str, size: int) -> list[object]:
    found: list[object] = []
    before = ""
    for _ in range(50):
        page = client.get(f"/api/v1/{path}", params={"size": size, "before": before}).json()["rows"]
        assert len(page["items"]) <= size
        found += page["items"]
        if page["next"] is None:
            return found
        before = page["next"]
    raise AssertionError("it never ends")


@pytest.mark.parametrize("path", ["decisions", "orders", "ledger", "pools", "signals", "alerts", "positions"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_pages_of_a_list_are_the_list(client: TestClient, path: str, size: int) -> None:
    whole = client.get(f"/api/v1/{path}?size=200").json()["rows"]
    assert whole["next"] is None
    assert pages_of(client, path, size) == whole["items"]


@pytest.mark.parametrize(
    "query",
    ["size=0", "size=201", "size=x", "before=x", "before=-1-2", "before=1-99999999999999999999", "run=0", "run=-1",
     "run=99999999999999999999", "run=x", "before=" + "1" * 50, "before=١-٢"],
)  # fmt: skip
def test_a_wrong_value_is_named_and_never_repeated(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/v1/decisions?{query}")
    assert answer.status_code in (400, 422)
    assert answer.json()["exit_code"] == 2 and answer.json()["hint"]


def test_before_there_is_a_database_everybody_is_told_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = Settings(data_dir=tmp_path_factory.mktemp("empty"))
    with served(empty) as client:
        answer = client.get("/api/v1/overview")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "pumpswap run" in answer.json()["hint"]
        page = client.get("/")
        assert page.status_code == 404 and "pumpswap run" in page.text
        assert client.get("/api/v1/settings").status_code == 200
        assert not empty.database_target.exists()  # type: ignore[union-attr]
        with open_database(empty.database_target):
            pass
        assert "no run yet" in client.get("/api/v1/overview").json()["what"]
