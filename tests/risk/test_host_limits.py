"""The host's own sizes and verdicts beside ours: where ours differs, and that it is never the looser one."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pumpswap.amm import current_schedule
from pumpswap.model import Side
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.risk.sizing import Funds, size_buy
from pumpswap.settings import RiskLimits
from tests.risk.asking import EMPTY, buy, decide
from tests.support.market import SOL, graduate
from tests.support.material import ROOT

GOLDEN: dict[str, Any] = json.loads(
    (ROOT / "tests" / "golden" / "host" / "golden_vectors.json").read_text(encoding="utf-8")
)
# The limits that the host's cases were made with, where we have the same one.
HOSTS = RiskLimits(
    max_position_sol=Decimal("0.5"), min_position_sol=Decimal("0.01"), max_impact_bps=1_000, max_cost_bps=1_500,
)  # fmt: skip


@pytest.mark.parametrize("case", GOLDEN["risk_validate_full"], ids=lambda case: f"{case['size']} of {case['balance']}")
def test_what_the_hosts_validation_refuses_ours_refuses_and_a_size_too_large_as_well(case: dict[str, Any]) -> None:
    """An oversize is a warning there, beside a smaller size that its caller never read; here it is a refusal."""
    side = Side.LONG if case["signal"]["tradeable"] else Side.HOLD
    wish = replace(buy(90.0, side), quote_lamports=round(case["size"] * SOL))
    lamports = round(case["balance"] * SOL)
    decision = decide(wish, book=replace(EMPTY, balance=lamports, equity=lamports), limits=HOSTS)
    assert bool(decision) == (case["expect"]["is_valid"] and case["size"] <= 0.5)
    assert bool(decision) == (not decision.refusals)


@pytest.mark.parametrize("case", GOLDEN["liquidity_sizes"], ids=lambda case: f"{case['reserve_sol']} SOL")
def test_the_hosts_size_by_liquidity_has_a_floor_and_ours_has_none(case: dict[str, Any]) -> None:
    """Theirs recommends 0.01 SOL in a pool with nothing in it."""
    depth = round(case["reserve_sol"] * SOL)
    quotes = PoolQuotes(graduate(quote_vault=depth), current_schedule())
    found = size_buy(quotes, HOSTS, Funds(100 * SOL, 100 * SOL), asked_lamports=SOL // 2).lamports
    assert case["expect"]["recommended_trade_size_sol"] >= 0.01
    assert found * 50 <= depth  # two per cent of what is there, by our default
    assert found == 0 or found >= SOL // 100
    if depth == 0:
        assert found == 0
