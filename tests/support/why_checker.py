"""Whether ``why`` is complete: a decision is made again from nothing but what it tells scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from pumpswap.cli.why_json import decision_json
from pumpswap.model import Decision, ExitKind, Intent, Side, Signal, SizingStep, TradeSide, Verdict

__all__ = ["RULES", "NotExplained", "check_explained", "rebuilt"]


class NotExplained(AssertionError):
    """A number is missing, or does not lead to what was decided."""


def rebuilt(document: Mapping[str, Any]) -> Decision:
    """The decision, from nothing but its JSON."""
    wish, told = document["wish"], document["signal"]
    signal = None
    if told is not None:
        figures = (
            "score", "strength", "q50", "size_multiplier", "win_probability", "win_loss_ratio", "vol_risk", "base_score"
        )  # fmt: skip
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


Numbers = Mapping[str, str]
_NS = 10**9


def of(numbers: Numbers, name: str) -> Fraction:
    return Fraction(numbers[name])


# How each policy that compares decides, from its numbers alone.
RULES: dict[str, Callable[[Numbers], bool]] = {
    "circuit breaker": lambda n: n.get("breaker", "closed") != "open" and n.get("trial_is_out") != "true",
    "daily loss": lambda n: "day_is_lost" not in n and of(n, "lost_lamports") < of(n, "max_lamports"),
    "drawdown": lambda n: "is_drawn_down" not in n and of(n, "fallen_lamports") < of(n, "max_lamports"),
    "loss streak": lambda n: "losses_until_ns" not in n and of(n, "losses_in_a_row") < of(n, "max_losses_in_a_row"),
    "trade rate": lambda n: all(int(had) < int(most) for had, _, most in map(str.split, n.values())),
    "signal": lambda n: float(n["score"]) >= float(n["min_score"]) and n["side"] == "long",
    "signal age": lambda n: 0 <= of(n, "age_ns") <= of(n, "max_signal_age_seconds") * _NS,
    "open positions": lambda n: of(n, "open_positions") < of(n, "max_open_positions"),
    "fresh state": lambda n: abs(of(n, "age_ns")) <= of(n, "max_state_age_seconds") * _NS,
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


def check_explained(decision: Decision) -> list[str]:
    """The policies that could be asked again. Raises NotExplained."""
    document = json.loads(json.dumps(decision_json(decision)))
    if rebuilt(document) != decision:
        raise NotExplained(f"{decision.decision_id} is another decision in its JSON")
    if document["accepted"] != all(verdict["passed"] for verdict in document["verdicts"]):
        raise NotExplained(f"{decision.decision_id} is not what its verdicts say")
    asked = []
    for verdict in document["verdicts"]:
        rule = RULES.get(verdict["policy"])
        if rule is None or not verdict["numbers"]:
            continue
        if rule(verdict["numbers"]) != verdict["passed"]:
            raise NotExplained(f"{decision.decision_id}: {verdict} does not follow from its numbers")
        asked.append(verdict["policy"])
    is_buy = document["accepted"] and document["side"] == "buy"
    if is_buy and document["sizing"][-1]["lamports"] != document["quote_lamports"]:
        raise NotExplained(f"{decision.decision_id}: the last step of its size is not its budget")
    return asked
