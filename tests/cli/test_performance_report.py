"""``performance-report`` and ``list-positions``: stored books under the plan's names, safe without trades."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.books_of import place, with_demo
from tests.cli.running import answer, refusal, run

PLAN_COLUMNS = {
    "mint_address", "pool_id", "token_amount", "average_buy_price", "total_sol_invested", "current_value_sol",
    "unrealized_pnl_sol", "unrealized_pnl_percentage", "first_buy_at", "last_trade_at", "trade_count", "is_active",
}  # fmt: skip
SOL = 10**9


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    return with_demo(tmp_path_factory.mktemp("books"), "sqlite")


def test_without_books_there_are_no_figures_and_no_division_by_zero(tmp_path: Path) -> None:
    empty = place(tmp_path, "sqlite")
    report = answer("performance-report", *empty)
    assert (report["run"], report["figures"], report["closed"]) == (None, None, [])
    assert run("performance-report", *empty).stdout.startswith("No trades.")
    assert answer("list-positions", *empty)["positions"] == []
    assert run("list-positions", *empty).stdout.startswith("No positions.")


def test_a_run_without_a_trade_has_no_ratios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUMPSWAP_RISK__ALLOW_TOKENS", "So11111111111111111111111111111111111111112")
    quiet = place(tmp_path, "sqlite")
    answer("demo", "--minutes", "2", "--seed", "3", *quiet)
    figures = answer("performance-report", *quiet)["figures"]
    assert (figures["trades"], figures["win_rate"], figures["mean_slippage"]) == (0, None, None)
    assert figures["equity_change_lamports"] == "0"
    text = run("performance-report", *quiet).stdout
    assert "no closed rounds yet" in text
    assert "no trades yet" in text


def test_the_figures_are_those_of_the_run(where: tuple[str, ...]) -> None:
    report = answer("performance-report", *where)
    figures: dict[str, Any] = report["figures"]
    rounds = answer("positions", "list", "--all", *where)
    closed = [row for row in rounds["positions"] if not row["is_open"]]
    assert figures["rounds_closed"] == len(report["closed"]) == len(closed) > 0
    realised = sum(int(row["realised_lamports"]) for row in report["closed"])
    assert int(figures["realised_lamports"]) == realised
    # A demo is all in the last seven days: what it earned is explained to the lamport.
    partly = sum(int(row["realised_lamports"]) for row in report["open"])
    explained = realised + partly + int(figures["unrealised_lamports"]) - int(figures["failed_costs_lamports"])
    assert int(figures["equity_change_lamports"]) == explained
    won = sum(int(row["realised_lamports"]) > 0 for row in report["closed"])
    assert figures["win_rate"] == pytest.approx(won / len(closed))
    assert figures["trades"] == figures["buys"] + figures["sells"]
    assert set(figures["costs_lamports"]) >= {"lp_fee", "protocol_fee", "creator_fee", "network_fee", "priority_fee"}
    assert abs(figures["mean_slippage"]) < 0.5
    text = run("performance-report", *where).stdout
    assert "change of equity, after all costs" in text
    assert re.search(r"\nequity +[\d.]+ SOL\n", text)
    assert f"{won / len(closed):.1%}" in text


def test_every_statistic_is_a_value_or_says_why_there_is_none(where: tuple[str, ...]) -> None:
    figures = answer("performance-report", *where)["figures"]
    assert figures["unexplained_lamports"] == "0"
    assert int(figures["net_lamports"]) == int(figures["realised_lamports"]) - int(figures["failed_costs_lamports"])
    estimates = figures["estimates"]
    assert len(estimates) == 16
    for name, one in estimates.items():
        assert (one["value"] is None) == bool(one["reason"]), name
    rate = estimates["win_rate"]
    assert 0 <= rate["low"] <= rate["value"] == figures["win_rate"] <= rate["high"] <= 1
    assert rate["samples"] == figures["rounds_closed"]
    assert estimates["sharpe"]["reason"] == "needs two hourly returns, there is one"
    text = run("performance-report", *where).stdout
    assert re.search(r"\nSharpe +none: needs two hourly returns, there is one\n", text)
    assert re.search(rf"\nwon +{rate['value']:.1%} \({rate['low']:.1%} … {rate['high']:.1%}\)\n", text)


def test_the_days_bound_what_is_counted(where: tuple[str, ...]) -> None:
    week, day = (answer("performance-report", "--days", days, *where) for days in ("7", "1"))
    assert week["figures"] == day["figures"]  # half an hour of market
    assert week["since"] < day["since"] < day["until"] == week["until"]
    refusal(2, "performance-report", "--days", "0", *where)
    refusal(3, "performance-report", "--run", "99", *where)


def test_positions_have_the_plan_s_columns_and_exact_figures(where: tuple[str, ...]) -> None:
    rows = answer("list-positions", "--all", *where)["positions"]
    active = answer("list-positions", *where)["positions"]
    assert [row for row in rows if row["is_active"]] == active
    for row in rows:
        assert set(row) >= PLAN_COLUMNS
        assert row["pool_id"] == f"solana_{row['pair_address']}"
        assert row["trade_count"] >= 1
        if row["is_active"]:
            assert row["total_sol_invested"] == pytest.approx(int(row["cost_lamports"]) / SOL)
            gain = int(row["value_lamports"]) - int(row["cost_lamports"])
            assert int(row["unrealized_pnl_lamports"]) == gain
            assert row["unrealized_pnl_percentage"] == pytest.approx(100 * gain / int(row["cost_lamports"]))
            tokens = Decimal(row["base_units"]) / 10**6
            assert row["average_buy_price"] == pytest.approx(row["total_sol_invested"] / float(tokens))
    text = run("list-positions", "--all", *where).stdout
    for row in rows:
        assert row["name"] in text
