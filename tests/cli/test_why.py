"""``pumpswap why``: complete for scripts, so that every decision can be made again from it; clear for people."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from pumpswap.cli.why_json import decision_json
from pumpswap.model import Decision, TradeSide
from pumpswap.storage import open_database
from tests.cli.books_of import demo_in
from tests.cli.running import answer, refusal, run
from tests.storage import strategies
from tests.support.why_checker import RULES, NotExplained, check_explained, rebuilt


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the books of a demo."""
    folder = tmp_path_factory.mktemp("data")
    demo_in(folder)
    return folder


def decisions(folder: Path) -> list[Decision]:
    with open_database(folder / "pumpswap.sqlite") as database:
        return list(database.run(1).decisions())


# ---------------------------------------------------------------------------------------------- completeness


@hypothesis_settings(max_examples=60)
@given(decision=strategies.decisions)
def test_nothing_of_a_decision_is_lost_in_its_json(decision: Decision) -> None:
    assert rebuilt(json.loads(json.dumps(decision_json(decision)))) == decision


def test_the_gate_is_recomputed_from_the_json_alone(demo: Path) -> None:
    judged = Counter(policy for decision in decisions(demo) for policy in check_explained(decision))
    assert set(judged) == set(RULES)
    assert judged["signal age"] == len([one for one in decisions(demo) if one.intent.side is TradeSide.BUY])


def test_a_number_that_is_not_what_was_compared_is_found(demo: Path) -> None:
    (decision,) = [one for one in decisions(demo) if one.decision_id == "d000008"]
    wrong = [
        replace(verdict, numbers={**verdict.numbers, "impact": "1/2"}) if verdict.policy == "price impact" else verdict
        for verdict in decision.verdicts
    ]
    with pytest.raises(NotExplained, match="does not follow"):
        check_explained(replace(decision, verdicts=tuple(wrong)))
    with pytest.raises(NotExplained, match="last step"):
        check_explained(replace(decision, quote_lamports=5))


def test_an_order_is_told_with_quote_fill_costs_ledger_and_round(demo: Path) -> None:
    document = answer("why", "o000001", "--data-dir", str(demo))
    told = document["decision"]
    assert document["schema"] == "pumpswap.why"
    assert rebuilt(told) in decisions(demo)
    order = told["order"]
    assert (order["order_id"], order["outcome"]["kind"]) == ("o000001", "filled")
    executed, costs = order["outcome"]["executed"], order["outcome"]["costs"]
    moved = sum(int(entry["units"]) for entry in order["ledger"] if entry["asset"] == "SOL")
    spent = sum(int(costs[f"{name}_lamports"]) for name in ("network_fee", "priority_fee", "tip", "rent_paid"))
    assert moved == -int(executed["total_quote"]) - spent
    closed = told["round"]
    parts = sum(int(closed[f"{name}_lamports"]) for name in ("price", "venue_fees", "network"))
    assert parts == int(closed["realised_lamports"])
    assert [each["order_id"] for each in closed["exits"]] == ["o000002"]


def test_a_coin_is_told_in_lines_whose_counts_are_all_decisions(demo: Path) -> None:
    document = answer("why", "GRAVEL", "--last", "1000", "--data-dir", str(demo))
    total = 0
    with open_database(demo / "pumpswap.sqlite") as database:
        stored = database.run(1)
        pool = document["standings"][0]["pool"]
        for one in stored.decided.of_pool(pool, 10_000):
            total += 1 + one.repeats
    assert sum(line["count"] for line in document["lines"]) == total
    assert document["older_left_out"] is False
    assert [verdict["policy"] for verdict in document["standings"][0]["obstacles"]] == ["mode"]
    only = answer("why", "GRAVEL", "--last", "2", "--data-dir", str(demo))
    assert only["lines"] == document["lines"][-2:]
    assert only["older_left_out"] is True


# ---------------------------------------------------------------------------------------------- people


def test_people_see_every_verdict_and_every_step_of_the_size(demo: Path) -> None:
    result = run("why", "o000001", "--data-dir", str(demo))
    assert result.exit_code == 0, result.output
    shown = " ".join(result.stdout.split())
    (decision,) = [one for one in decisions(demo) if one.decision_id == "d000008"]
    for verdict in decision.verdicts:
        assert f"✓ {verdict.policy}" in shown
    for step in decision.sizing:
        assert step.rule in shown
    for reason in decision.intent.signal.reasons if decision.intent.signal else ():
        assert reason.split(":")[0] in shown
    for word in ("accepted", "granted 1 SOL", "quoted", "filled", "slippage", "rent laid down", "round 1 is closed"):
        assert word in shown
    assert "sold by o000002 stop-loss" in shown


def test_people_see_refusals_first_and_how_often_they_were_repeated(demo: Path) -> None:
    result = run("why", "d000001", "--data-dir", str(demo))
    assert result.exit_code == 0, result.output
    gate = result.stdout.split("gate", 1)[1]
    assert gate.index("✗ signal") < gate.index("✓ trading state")
    assert "refused by signal" in result.stdout
    assert "times more for the same reasons" in result.stdout


def test_people_see_a_coin_with_what_is_held_and_its_exits(demo: Path) -> None:
    result = run("why", "UMBRELLA", "--last", "3", "--data-dir", str(demo))
    assert result.exit_code == 0, result.output
    assert "UMBRELLA / SOL: held since" in result.stdout
    assert "stop-loss" in result.stdout
    assert "✗ one position" in result.stdout
    assert "There are older decisions" not in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_what_nobody_knows_is_not_found(demo: Path, tmp_path: Path) -> None:
    error = refusal(3, "why", "NOTHING", "--data-dir", str(demo))
    assert "'NOTHING'" in error["what"]
    error = refusal(3, "why", "o000001", "--data-dir", str(tmp_path))
    assert "no books" in error["what"]
    refusal(3, "why", "o000001", "--run", "99", "--data-dir", str(demo))
    assert "x" * 64 not in run("why", "x" * 64, "--data-dir", str(demo)).output
