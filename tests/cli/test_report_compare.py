"""``report compare``, ``report refused``, ``report metrics``: what people and scripts are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pumpswap.model import WhatIf
from pumpswap.storage.database import open_database
from tests.cli.books_of import place
from tests.cli.running import answer, refusal, run

FIRST = ("run", "--market", "simulated:3", "--fast", "--duration", "20m")


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Two runs of one market, the second with dearer transactions."""
    folder = tmp_path_factory.mktemp("books")
    there = place(folder, "sqlite")
    (folder / "tips.yaml").write_text("paper: {tip_lamports: 1000000}\n")
    assert run(*FIRST, *there).exit_code == 0
    assert run(*FIRST, "--new", *there[:2], "--config", str(folder / "tips.yaml")).exit_code == 0
    return there


def test_the_causes_sum_to_the_difference_and_the_tips_are_found(where: tuple[str, ...]) -> None:
    found = answer("report", "compare", "1", "2", *where)
    causes = {name: int(lamports) for name, lamports in found["causes_lamports"].items()}
    earned = [int(found[side]["earned_lamports"]) for side in ("first", "second")]
    assert sum(causes.values()) == int(found["difference_lamports"]) == earned[0] - earned[1]
    for pair in found["pairs"]:
        assert sum(map(int, pair["causes_lamports"].values())) == int(pair["difference_lamports"])
    fills = found["second"]["execution"]["fills"]
    assert causes["transaction_costs"] >= 900_000 * fills > 0
    shown = run("report", "compare", "1", "2", *where).stdout
    assert "transaction costs" in shown
    assert "First: run 1, simulated. Second: run 2, simulated." in shown
    same = run("report", "compare", "2", "1", *where, "--within", "0").stdout
    assert "chance" in same


def test_which_runs_must_be_clear(where: tuple[str, ...], tmp_path: Path) -> None:
    refusal(3, "report", "compare", "--paper", *where)
    refusal(3, "report", "compare", "1", "9", *where)
    refusal(3, "report", "compare", "1", "2", *place(tmp_path, "sqlite"))
    assert run("report", "compare", *where).exit_code == 2
    assert run("report", "compare", "1", "2", "--paper", *where).exit_code == 2


def test_refused_buys_are_shown_by_rule_with_what_is_still_open(where: tuple[str, ...]) -> None:
    data = Path(where[where.index("--data-dir") + 1])
    with open_database(data / "pumpswap.sqlite") as database:
        books = database.run(1)
        (decision, *_) = books.decisions(accepted=False)
        for pool in range(3):
            one = WhatIf(
                *(decision.decision_id, f"p{pool}", "m", "\x1b[31mexposure", 5, 7 + pool, 9, 1_000_000, 1, 9),
                value_lamports=1_500_000,
            )
            books.what_ifs.save(one)
    found = answer("report", "refused", "--run", "1", *where)
    row = next(one for one in found["rules"] if one["rule"] and "exposure" in one["rule"])
    assert (row["measured"], row["gain_lamports"]) == (1, "500000")
    shown = run("report", "refused", "--run", "1", *where).stdout
    assert "\x1b" not in shown
    assert "+50.0%" in shown


def test_without_books_there_is_nothing_refused_and_nothing_measured(tmp_path: Path) -> None:
    empty = place(tmp_path, "sqlite")
    assert answer("report", "refused", *empty)["rules"] == []
    assert run("report", "refused", *empty).stdout.startswith("Nothing was refused.")
    (tmp_path / "evidence").mkdir()
    found = answer("report", "metrics", "--evidence", str(tmp_path / "evidence"), *empty)
    assert {one["standing"] for one in found["metrics"]} == {"unmeasured"}
    assert [one["metric"] for one in found["metrics"]] == [f"M{number}" for number in range(1, 13)]


def test_metrics_are_told_with_their_evidence_and_nothing_in_it_steers_a_terminal(
    where: tuple[str, ...], tmp_path: Path
) -> None:
    figures = {"passed": 1, "failed": 0, "skipped": 1, "skips": {"\x1b[31mno program": 1}, "metrics": {}}
    figures |= {"left_out": []}
    record = {"commit": "abc", "date": "2026-11-26T00:00:00Z", "figures": figures}
    (tmp_path / "tests.json").write_text(json.dumps(record))
    shown = run("report", "metrics", "--evidence", str(tmp_path), *where).stdout
    assert "\x1b" not in shown
    assert "100.00%" in shown
    assert "evidence/tests.json, 2026-11-26, commit abc" in " ".join(shown.split())
    found = answer("report", "metrics", "--evidence", str(tmp_path), *where)
    metrics = {one["metric"]: one for one in found["metrics"]}
    assert metrics["M7"]["standing"] == metrics["M8"]["standing"] == "met"
    (tmp_path / "tests.json").write_text("{")
    assert run("report", "metrics", "--evidence", str(tmp_path), *where).exit_code != 0
