"""``pumpswap why``: complete for scripts, so that every decision can be made again from it; clear for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from pumpswap.cli.why_json import decision_json
from pumpswap.model import Decision, ExitKind, Intent, Side, Signal, SizingStep, TradeSide, Verdict
from pumpswap.storage import open_database
from tests.cli.running import answer, refusal, run
from tests.storage import strategies


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the books of a demo."""
    folder = tmp_path_factory.mktemp("data")
    assert run("demo", "--seed", "7", "--minutes", "30", "--fast", "--data-dir", str(folder)).exit_code == 0
    return folder


def decisions(folder: Path) -> list[Decision]:
    with open_database(folder / "pumpswap.sqlite") as database:
        return list(database.run(1).decisions())


# ---------------------------------------------------------------------------------------------- completeness


def rebuilt(document: Mapping[str, Any]) -> Decision:
    """The decision, from nothing but its JSON."""
    wish, told = document["wish"], document["signal"]
    signal = None
    if told is not None:
        figures = ("score", "strength", "q50", "size_multiplier", "win_probability", "win_loss_ratio", "vol_risk")
        signal = Signal(
            pool=told["pool"],
            at_ns=int(told["at_ns"]),
            side=Side(told["side"]),
            source=told["source"],
            reasons=tuple(told["reasons"]),
            mint=told["mint"],
            name=told["name"],
            regime=told["regime"],
            **{name: None if told[name] is None else float(told[name]) for name in figures},  # type: ignore[arg-type]
        )

    def number(text: str | None) -> int | None:
        return None if text is None else int(text)

    intent = Intent(
        side=TradeSide(document["side"]),
        pool=document["pool"],
        mint=document["mint"],
        at_ns=int(document["at_ns"]),
        reason=wish["reason"],
        signal=signal,
        base_units=number(wish["base_units"]),
        quote_lamports=number(wish["quote_lamports"]),
        exit=None if wish["exit"] is None else ExitKind(wish["exit"]),
        slippage_bps=wish["slippage_bps"],
        strategy=wish["strategy"] or "",
    )
    return Decision(
        decision_id=document["decision_id"],
        intent=intent,
        accepted=document["accepted"],
        verdicts=tuple(
            Verdict(one["policy"], one["passed"], one["text"], one["numbers"], number(one["until_ns"]))
            for one in document["verdicts"]
        ),
        sizing=tuple(SizingStep(one["rule"], int(one["lamports"]), one["note"]) for one in document["sizing"]),
        quote_lamports=int(document["quote_lamports"]),
        base_units=int(document["base_units"]),
    )


@hypothesis_settings(max_examples=60)
@given(decision=strategies.decisions)
def test_nothing_of_a_decision_is_lost_in_its_json(decision: Decision) -> None:
    assert rebuilt(json.loads(json.dumps(decision_json(decision)))) == decision


Numbers = Mapping[str, str]
_NS = 10**9


def of(numbers: Numbers, name: str) -> Fraction:
    return Fraction(numbers[name])


# How each policy that compares decides, from its numbers alone.
RULES: dict[str, Callable[[Numbers], bool]] = {
    "daily loss": lambda n: of(n, "lost_lamports") < of(n, "max_lamports"),
    "drawdown": lambda n: of(n, "fallen_lamports") < of(n, "max_lamports"),
    "loss streak": lambda n: of(n, "losses_in_a_row") < of(n, "max_losses_in_a_row"),
    "signal age": lambda n: 0 <= of(n, "age_ns") <= of(n, "max_signal_age_seconds") * _NS,
    "open positions": lambda n: of(n, "open_positions") < of(n, "max_open_positions"),
    "fresh state": lambda n: of(n, "age_ns") <= of(n, "max_state_age_seconds") * _NS,
    "liquidity": lambda n: of(n, "real_quote_lamports") >= of(n, "min_lamports"),
    "size": lambda n: of(n, "min_lamports") <= of(n, "budget_lamports") <= of(n, "max_lamports"),
    "balance": lambda n: of(n, "needed_lamports") <= of(n, "free_lamports"),
    "native reserve": lambda n: of(n, "left_lamports") >= of(n, "native_reserve_lamports"),
    "per token": lambda n: of(n, "lamports") <= of(n, "max_lamports"),
    "concentration": lambda n: of(n, "lamports") <= of(n, "max_lamports"),
    "total exposure": lambda n: of(n, "lamports") <= of(n, "max_lamports"),
    "price impact": lambda n: of(n, "impact") * 10_000 <= of(n, "max_impact_bps"),
    "price after fees": lambda n: of(n, "over_spot") * 10_000 <= of(n, "max_cost_bps"),
    "slippage": lambda n: 0 <= of(n, "slippage_bps") <= of(n, "max_slippage_bps"),
    "way out": lambda n: of(n, "round_trip_loss") * 10_000 <= of(n, "max_round_trip_loss_bps"),
}


def test_the_gate_is_recomputed_from_the_json_alone(demo: Path) -> None:
    judged: Counter[str] = Counter()
    for decision in decisions(demo):
        document = json.loads(json.dumps(decision_json(decision)))
        assert document["accepted"] == all(verdict["passed"] for verdict in document["verdicts"])
        for verdict in document["verdicts"]:
            rule = RULES.get(verdict["policy"])
            if rule is None or not verdict["numbers"]:
                continue
            assert rule(verdict["numbers"]) == verdict["passed"], verdict
            judged[verdict["policy"]] += 1
        if document["accepted"] and document["side"] == "buy":
            assert document["sizing"][-1]["lamports"] == document["quote_lamports"]
            score, least = (next(v for v in document["verdicts"] if v["policy"] == "signal")["numbers"][name]
                            for name in ("score", "min_score"))  # fmt: skip
            assert float(score) >= float(least)
    assert set(judged) == set(RULES)


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
    assert "stop-loss at" in result.stdout
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
