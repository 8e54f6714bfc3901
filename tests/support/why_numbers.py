"""What a verdict's own numbers say, policy by policy: whoever reads a decision must be able to work it out again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise

from pumpswap.model import Decision, Verdict

__all__ = ["complaints_about"]

SECOND = 10**9
Numbers = Mapping[str, str]


def _at_most(found: str, most: str) -> Callable[[Numbers], bool]:
    return lambda told: int(told[found]) <= int(told[most])


def _share(found: str, most: str) -> Callable[[Numbers], bool]:
    return lambda told: Fraction(told[found]) * 10_000 <= int(told[most])


def _size(told: Numbers) -> bool:
    budget = int(told["budget_lamports"])
    within = max(int(told["min_lamports"]), 1) <= budget <= int(told["max_lamports"])
    return within and budget >= int(told.get("asked_lamports", 0))


def _rate(told: Numbers) -> bool:
    pairs = [told[f"last_{name}"].split(" of ") for name in ("minute", "hour", "day")]
    return all(int(had) < int(most) for had, most in pairs)


RULES: dict[str, Callable[[Numbers], bool]] = {
    "size": _size,
    "balance": _at_most("needed_lamports", "free_lamports"),
    "native reserve": _at_most("native_reserve_lamports", "left_lamports"),
    "per token": _at_most("lamports", "max_lamports"),
    "concentration": _at_most("lamports", "max_lamports"),
    "total exposure": _at_most("lamports", "max_lamports"),
    "fresh state": lambda told: abs(int(told["age_ns"])) <= int(told["max_state_age_seconds"]) * SECOND,
    "signal age": lambda told: abs(int(told["age_ns"])) <= int(told["max_signal_age_seconds"]) * SECOND,
    "liquidity": _at_most("min_lamports", "real_quote_lamports"),
    "price impact": _share("impact", "max_impact_bps"),
    "price after fees": _share("over_spot", "max_cost_bps"),
    "slippage": _at_most("slippage_bps", "max_slippage_bps"),
    "way out": _share("round_trip_loss", "max_round_trip_loss_bps"),
    "cool-down": lambda told: int(told["since_ns"]) >= int(told["cooldown_seconds"]) * SECOND,
    "declined": lambda told: int(told["since_ns"]) >= int(told["cooldown_seconds"]) * SECOND,
    "open positions": lambda told: int(told["open_positions"]) < int(told["max_open_positions"]),
    "trade rate": _rate,
    "holding": lambda told: 0 < int(told["base_units"]) <= int(told["held_base_units"]),
    "sellable": lambda told: int(told["user_quote_out"]) > 0,
}
# What has happened before counts too: a pass means that the limit is not reached, a refusal may be of a lock.
LOCKS: dict[str, Callable[[Numbers], bool]] = {
    "daily loss": lambda told: int(told["lost_lamports"]) == 0 or int(told["lost_lamports"]) < _cap(told),
    "drawdown": lambda told: int(told["fallen_lamports"]) == 0 or int(told["fallen_lamports"]) < _cap(told),
    "circuit breaker": lambda told: "failures_in_a_row" in told and "breaker_failures" in told,
    "loss streak": lambda told: int(told["losses_in_a_row"]) < int(told["max_losses_in_a_row"]),
    "signal": lambda told: float(told["score"]) >= float(told["min_score"]),
}


def _cap(told: Numbers) -> int:
    """A limit of a fraction of a lamport is reached by the next whole one."""
    return int(told["max_lamports"]) + 1


def complaints_about(decision: Decision) -> list[str]:
    """What of a decision cannot be understood from what it tells."""
    found = [text for verdict in decision.verdicts for text in _about(verdict)]
    if decision.accepted != all(verdict.passed for verdict in decision.verdicts):
        found.append(f"{decision.decision_id}: accepted {decision.accepted} against its verdicts")
    if not decision.verdicts:
        found.append(f"{decision.decision_id}: no verdict")
    steps = [step.lamports for step in decision.sizing]
    raising = [after.rule for before, after in pairwise(decision.sizing) if after.lamports > before.lamports]
    if raising not in ([], ["regime"]):  # a calm market raises what the caps have not seen yet
        found.append(f"{decision.decision_id}: a step of the sizing raises the size: {steps}")
    if decision.quote_lamports and (not steps or steps[-1] != decision.quote_lamports):
        found.append(f"{decision.decision_id}: {decision.quote_lamports} lamports are not its last step: {steps}")
    return found


def _about(verdict: Verdict) -> list[str]:
    if not verdict.text:
        return [f"{verdict.policy}: no text"]
    if not verdict.numbers:
        return []
    rule, lock = RULES.get(verdict.policy), LOCKS.get(verdict.policy)
    if rule is not None and rule(verdict.numbers) != verdict.passed:
        return [f"{verdict.policy}: {verdict.passed}, but its numbers say otherwise: {dict(verdict.numbers)}"]
    if lock is not None and verdict.passed and not lock(verdict.numbers):
        return [f"{verdict.policy}: passed, but its numbers say otherwise: {dict(verdict.numbers)}"]
    return []
