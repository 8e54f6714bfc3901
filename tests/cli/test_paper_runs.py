"""``demo`` and ``paper replay`` from end to end: the same books twice, figures that agree, clear refusals."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from pumpswap.storage.database import open_database
from tests.cli.running import answer, refusal, run
from tests.market.export_folder import snapshot, trade, write_export
from tests.support.material import material, requires_material

EXPORT = ("real", "host_export")
TAPE = (*EXPORT, "trades_one_pool.csv")


def demo(folder: Path, *arguments: str) -> dict[str, Any]:
    return answer("demo", "--minutes", "12", "--data-dir", str(folder), *arguments)


def without_places(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name not in ("report", "database", "run_id")}


def assert_adds_up(figures: dict[str, Any]) -> None:
    money = {
        name: int(value) for name, value in figures.items() if name.endswith("_lamports") and name != "costs_lamports"
    }
    explained = money["realised_lamports"] + money["unrealised_lamports"] - money["failed_costs_lamports"]
    assert money["equity_lamports"] - money["start_lamports"] == money["equity_change_lamports"] == explained
    assert money["equity_lamports"] == money["cash_lamports"] + money["marks_lamports"] + money["rent_lamports"]
    assert figures["ledger_equals_wallet"] is True
    assert figures["balances"]["SOL"] == figures["cash_lamports"]


def test_a_demo_gives_the_same_books_for_the_same_seed_only(tmp_path: Path) -> None:
    first, second, other = demo(tmp_path), demo(tmp_path), demo(tmp_path, "--seed", "9")
    assert without_places(first) == without_places(second)
    assert first["ledger_sha256"] != other["ledger_sha256"]
    assert first["run_id"] != second["run_id"]
    assert_adds_up(first)


def test_a_demo_refuses_fills_and_stores_everything_it_says(tmp_path: Path) -> None:
    figures = demo(tmp_path)
    assert figures["orders"]["filled"] > 0
    assert figures["decisions"]["refused"] > figures["decisions"]["accepted"] > 0
    with open_database(Path(figures["database"])) as database:
        stored = database.run(int(figures["run_id"]))
        held = {asset: str(units) for asset, units in stored.balances().items() if units}
        assert held == figures["balances"]
        decisions = list(stored.decisions())
        # Refusals that repeat themselves are counted, not stored.
        assert len(decisions) + stored.decided.repeated() == figures["decisions"]["total"] > 2 * len(decisions)
        assert all(decision.accepted or decision.refusals for decision in decisions)
        assert len(list(stored.trades())) == figures["orders"]["filled"]


def test_the_report_of_a_demo_shows_the_figures_of_its_json(tmp_path: Path) -> None:
    figures = demo(tmp_path)
    page = Path(figures["report"]).read_text(encoding="utf-8")
    for name in ("equity_lamports", "realised_lamports", "unrealised_lamports"):
        assert re.search(rf'value="{re.escape(figures[name])}"', page), name
    assert figures["ledger_sha256"] in page


def test_a_demo_tells_people_what_it_earned_and_why(tmp_path: Path) -> None:
    result = run("demo", "--fast", "--data-dir", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "nothing here can spend money" in result.stderr
    assert "The largest loss:" in result.stdout
    assert "it adds up" in result.stdout
    assert "decisions were refused" in result.stdout


def test_a_demo_without_a_terminal_tells_one_line_per_event(tmp_path: Path) -> None:
    result = run("demo", "--minutes", "12", "--data-dir", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert re.search(r"\d\d:\d\d:\d\d .* refused", result.stderr)
    assert re.search(r"\d\d:\d\d:\d\d .* bought for ", result.stderr)


def replay(folder: Path, path: Path, *arguments: str) -> dict[str, Any]:
    return answer("paper", "replay", str(path), "--data-dir", str(folder), *arguments)


def small_export(folder: Path) -> Path:
    """One strong snapshot, then trades that double the price."""
    strong = {
        "volume_usd_h24": "90000",
        "reserve_in_usd": "90000",
        "price_change_percentage_h1": "40",
        "price_change_percentage_h24": "40",
        "transactions_h1_buys": "80",
        "transactions_h1_sells": "20",
        "transactions_h24_buys": "80",
        "transactions_h24_sells": "20",
        "signal_score": "",
    }
    rows = [trade(f"2025-10-03 16:4{minute}:30", sol="2", token="1500000") for minute in range(3, 9)]
    return write_export(folder, snapshots=[snapshot(**strong)], trades=rows)


def test_a_recording_is_traded_and_an_exit_sells_what_was_bought(tmp_path: Path) -> None:
    figures = replay(tmp_path / "data", small_export(tmp_path / "export"), "--canonical-only")
    assert figures["snapshots"] == 1
    assert figures["orders"]["filled"] == 2
    assert figures["positions"] == {"closed": 1, "open": 0}
    assert int(figures["realised_lamports"]) > 0
    assert figures["assumptions"]
    assert_adds_up(figures)


def test_the_ledger_file_is_what_the_hash_is_computed_over(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    figures = replay(tmp_path / "data", small_export(tmp_path / "export"), "--ledger", str(ledger))
    assert hashlib.sha256(ledger.read_bytes()).hexdigest() == figures["ledger_sha256"]
    assert len(ledger.read_text().splitlines()) == figures["ledger_entries"]


def test_a_replay_keeps_the_limits_that_the_user_has_set(tmp_path: Path) -> None:
    config = tmp_path / "pumpswap.yaml"
    config.write_text("risk:\n  max_position_sol: 0.5\npaper:\n  start_sol: 60\n")
    export = small_export(tmp_path / "export")
    assert replay(tmp_path, export)["start_lamports"] == "500000000000"
    assert replay(tmp_path, export, "--config", str(config))["start_lamports"] == "60000000000"
    given = replay(tmp_path, export, "--config", str(config), "--start-sol", "7")
    assert given["start_lamports"] == "7000000000"


def test_what_is_no_recording_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.csv").write_text("hello\n")
    refusal(3, "paper", "replay", str(tmp_path / "nowhere"))
    refusal(3, "paper", "replay", str(tmp_path / "empty"))
    refusal(1, "paper", "replay", str(tmp_path / "text.csv"))


def test_wrong_settings_are_refused_with_their_key(tmp_path: Path) -> None:
    config = tmp_path / "pumpswap.yaml"
    for text, told in (
        ("risk:\n  max_position_sol: -1\n", "risk.max_position_sol"),
        ("risks: {}\n", "risks"),
        ("risk: [\n", "YAML"),
        ("risk:\n  max_open_positions: many\n", "risk.max_open_positions"),
    ):
        config.write_text(text)
        assert told in refusal(4, "demo", "--fast", "--config", str(config))["what"]
    refusal(4, "demo", "--fast", "--config", str(tmp_path / "missing.yaml"))


def test_a_folder_that_is_a_file_is_no_data_dir(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("")
    refusal(1, "demo", "--quiet", "--fast", "--data-dir", str(occupied / "below"))


@requires_material(*EXPORT)
def test_the_whole_export_replays_to_the_same_ledger_twice(tmp_path: Path) -> None:
    path = material(*EXPORT)
    assert path is not None
    first, second = (replay(tmp_path, path) for _ in range(2))
    assert without_places(first) == without_places(second)
    assert first["snapshots"] == 4720
    assert first["decisions"]["total"] >= 4720
    assert first["scores_compared"] == 4720
    assert first["max_score_difference"] <= 1e-4
    assert first["orders"]["filled"] > 100
    # One watched pool collapsed while it was held: two sales were rejected at their limits, the next one accepted more.
    assert (first["positions"]["closed"], first["orders"]["rejected"]) == (1, 2)
    assert int(first["realised_lamports"]) < 0
    assert first["positions"]["open"] > 100
    assert first["refused_by_policy"]["venue"] > 4000
    assert_adds_up(first)


@requires_material(*TAPE)
def test_the_tape_of_one_pool_is_a_replay_of_its_own(tmp_path: Path) -> None:
    path = material(*TAPE)
    assert path is not None
    figures = replay(tmp_path, path, "--start-sol", "50")
    assert figures["swaps"] == 5301
    assert figures["positions"]["closed"] > 5
    assert_adds_up(figures)
