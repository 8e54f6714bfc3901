"""No limit is exceeded at any instant; and the check would see it if one were."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pumpswap.engine.desk import Desk
from pumpswap.model import Intent, TradeSide
from pumpswap.risk import gate
from pumpswap.risk.policies import BUY_POLICIES, SELL_POLICIES, BookView
from tests.support.limit_draws import ROOMY, Op, draw_ops, draw_settings
from tests.support.limit_world import Episode, run_episode, shortened
from tests.support.stored_episode import StoredEpisode
from tests.support.why_numbers import complaints_about

EPISODES, OPS = 25, 300
MODES = ("paper", "paper", "paper", "approve")

DENIED = str(Episode(0, {"risk": ROOMY}).states[0].pool.base_mint)

# (policies taken out of the gate, narrow limits, what the check calls it)
MUTATIONS: list[tuple[set[str], dict[str, Any], set[str]]] = [
    ({"trading_state", "trading_state_of_sale"}, {}, {"trading state", "halted", "faults"}),
    ({"mode"}, {}, {"mode"}),
    ({"circuit_breaker"}, {"breaker_failures": 2}, {"breaker", "breaker trial"}),
    ({"daily_loss"}, {"max_daily_loss_fraction": "0.001"}, {"daily loss"}),
    ({"drawdown"}, {"max_drawdown_fraction": "0.001"}, {"drawdown"}),
    ({"loss_streak"}, {"max_losses_in_a_row": 1}, {"loss streak"}),
    ({"trade_rate"}, {"max_trades_per_minute": 1}, {"trades per minute"}),
    ({"trade_rate"}, {"max_trades_per_hour": 2}, {"trades per hour"}),
    ({"trade_rate"}, {"max_trades_per_day": 3}, {"trades per day"}),
    ({"signal"}, {}, {"signal"}),
    ({"signal_age"}, {"max_signal_age_seconds": 10}, {"stale signal"}),
    ({"one_position"}, {}, {"one position"}),
    ({"open_order"}, {}, {"unresolved order", "holding"}),
    ({"cooldown"}, {"cooldown_seconds": 86_400}, {"cool-down"}),
    ({"open_positions"}, {"max_open_positions": 1}, {"open positions"}),
    ({"token_lists"}, {"deny_tokens": (DENIED,)}, {"deny list"}),
    ({"token_lists"}, {"allow_tokens": (DENIED,)}, {"allow list"}),
    ({"screen"}, {"require_screen": True}, {"screen"}),
    ({"venue"}, {"allow_permissionless_pools": False}, {"permissionless", "obstacle", "token of pool"}),
    ({"freshness"}, {"max_state_age_seconds": 2}, {"stale state"}),
    ({"liquidity"}, {"min_liquidity_sol": "84"}, {"liquidity"}),
    ({"size"}, {"max_position_sol": "0.1"}, {"per trade"}),
    ({"size"}, {"min_position_sol": "0.4"}, {"least trade"}),
    ({"size"}, {"max_position_fraction": "0.01"}, {"share of balance"}),
    ({"size"}, {"max_pool_share_bps": 10}, {"share of pool"}),
    ({"native_reserve"}, {"native_reserve_sol": "9.9"}, {"native reserve"}),
    ({"per_token"}, {"max_token_sol": "0.3"}, {"token in SOL"}),
    ({"concentration"}, {"max_token_fraction": "0.02"}, {"concentration"}),
    ({"exposure"}, {"max_exposure_fraction": "0.02"}, {"exposure"}),
    ({"impact"}, {"max_impact_bps": 10}, {"impact"}),
    ({"price"}, {"max_cost_bps": 130}, {"price after fees"}),
    ({"slippage"}, {"max_slippage_bps": 500}, {"most slippage"}),
    ({"way_out"}, {"max_round_trip_loss_bps": 100}, {"way out"}),
]  # fmt: skip


def rules_of(narrow: dict[str, Any]) -> dict[str, Any]:
    return {"risk": ROOMY | narrow, "paper": {"latency_ms": 0}, "signals": {"min_score": 60.0}}


def first_violation(make: Callable[[int], Episode]) -> tuple[str, int]:
    """Of the first episode that has one."""
    for seed in range(40):
        found = run_episode(make(seed), draw_ops(random.Random(seed), 150)).checker.found
        if found:
            return found[0].limit, seed
    return "none", -1


@pytest.mark.parametrize("seed", range(EPISODES))
def test_no_limit_is_exceeded_at_any_instant(seed: int) -> None:
    rng = random.Random(seed)
    rules, ops = draw_settings(rng), draw_ops(rng, OPS)
    mode = MODES[seed % len(MODES)]
    played = run_episode(Episode(seed, rules, mode=mode), ops)
    if played.checker.found:
        least = shortened(lambda: Episode(seed, rules, mode=mode), ops, played.checker.found[0].limit)
        pytest.fail(f"{played.checker.found[0]} after {least}")
    assert played.signals > 100


@pytest.mark.parametrize(
    ("policies", "narrow", "expected"), MUTATIONS, ids=lambda value: (" ".join(sorted(value)) or "-")[:60]
)
def test_a_limit_that_the_gate_does_not_keep_is_seen_and_named(
    policies: set[str], narrow: dict[str, Any], expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate without one policy, sizing without its cap: the check names exactly that limit."""
    known = {policy.__name__ for policy in (*BUY_POLICIES, *SELL_POLICIES)}
    assert policies <= known
    for name, kept in (("BUY_POLICIES", BUY_POLICIES), ("SELL_POLICIES", SELL_POLICIES)):
        monkeypatch.setattr(gate, name, tuple(policy for policy in kept if policy.__name__ not in policies))
    if "signal" in policies:  # sizing asks it too
        monkeypatch.setattr(gate, "_is_wanted", lambda _ask: True)
    mode = "analysis" if "mode" in policies else "paper"
    limit, _ = first_violation(lambda seed: Episode(seed, rules_of(narrow), rules_of({}), mode=mode))
    assert limit in expected


def test_an_order_that_nobody_has_approved_is_seen() -> None:
    """The engine trades by itself, the check believes that a person has to agree."""
    played = Episode(0, rules_of({}))
    played.checker.people.mode = "approve"
    assert run_episode(played, draw_ops(random.Random(0), 150)).checker.found[0].limit == "approval"


def test_every_policy_of_the_gate_is_in_a_mutation() -> None:
    mutated = set().union(*(policies for policies, _, _ in MUTATIONS))
    known = {policy.__name__ for policy in BUY_POLICIES}
    # The reserve leaves less than the balance; only a live wallet's books can disagree with it; nobody declines here.
    assert known - mutated == {"balance", "books", "declined"}


def test_forgotten_reservations_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits hold while many orders are on their way only because what is accepted counts at once."""
    honest = Desk.book_view

    def forgetful(self: Desk, intent: Intent) -> BookView:
        portfolio = self.parts.keeper.portfolio
        held = portfolio.positions.open_positions()
        return replace(
            honest(self, intent), balance=portfolio.cash, exposure=portfolio.exposure, open_positions=len(held)
        )

    monkeypatch.setattr(Desk, "book_view", forgetful)
    limit, _ = first_violation(lambda seed: Episode(seed, rules_of({"max_open_positions": 3})))
    assert limit == "open positions"
    limit, _ = first_violation(lambda seed: Episode(seed, rules_of({"native_reserve_sol": "9"})))
    assert limit in {"native reserve", "reserved"}


def test_a_violation_is_told_with_the_fewest_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tuple(policy for policy in BUY_POLICIES if policy.__name__ != "open_positions")
    monkeypatch.setattr(gate, "BUY_POLICIES", kept)

    def make(seed: int) -> Episode:
        return Episode(seed, rules_of({"max_open_positions": 1}))

    limit, seed = first_violation(make)
    least = shortened(lambda: make(seed), draw_ops(random.Random(seed), 150), limit)
    assert len(least) <= 2
    assert [violation.limit for violation in run_episode(make(seed), least).checker.found][:1] == [limit]


def test_many_orders_are_on_their_way_at_once() -> None:
    played = Episode(1, rules_of({}))
    for number in range(5):
        played.do(Op("burst", 0, 0, number))
    assert len(played.engine.desk.orders) > 8
    assert all(order.side is TradeSide.BUY for order in played.engine.desk.orders)


@pytest.mark.parametrize("seed", range(3))
def test_limits_hold_over_restarts_from_the_database(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    rules, ops = draw_settings(rng), draw_ops(rng, OPS)
    restarts = list(range(20, OPS, 40))
    for place in restarts:
        ops[place] = Op("restart", 0, 0, place)
    played = run_episode(StoredEpisode(seed, rules, folder=tmp_path), ops)
    assert played.checker.found == []
    assert played.restarts >= len(restarts)
    assert played.unexplained == []  # by `pumpswap why`, from what is stored
    assert len(played.decisions) > 5


def test_decisions_can_be_worked_out_from_their_own_numbers() -> None:
    looked_at = 0
    for seed in range(6):
        rng = random.Random(seed)
        rules = draw_settings(rng)
        played = run_episode(Episode(seed, rules), draw_ops(rng, OPS))
        assert [text for decision in played.decisions for text in complaints_about(decision)] == []
        looked_at += len(played.decisions)
    assert looked_at > 60
