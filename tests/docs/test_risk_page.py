"""The page about risk: every policy with its settings, and refusals and sizes exactly as the gate gives them."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pumpswap.amm import current_schedule
from pumpswap.model import BreakerState, Decision, ScreenCheck, ScreenReport, ScreenVerdict, Side, Signal, TradingState
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.risk.policies import BUY_POLICIES, SELL_POLICIES
from pumpswap.settings import RiskLimits, SignalSettings
from pumpswap.units import format_units
from tests.risk.asking import EMPTY, HELD, book, buy, by_hand, decide, sell
from tests.support.market import SOL, START_NS, at, graduate
from tests.support.material import ROOT

PAGE = ROOT / "docs" / "risk.md"
TEXT = PAGE.read_text(encoding="utf-8")
MINT = str(graduate().pool.base_mint)
UNSAFE = ScreenReport(MINT, START_NS, (ScreenCheck("mint authority", ScreenVerdict.UNSAFE, "it can be minted"),))
MODEL = replace(
    buy(86.0).signal or Signal("", 0, Side.HOLD, 0, 0, ""),
    strength=0.84, regime="low", size_multiplier=1.1, win_probability=0.58, win_loss_ratio=1.25, vol_risk=0.0015,
)  # fmt: skip


def hand(**changes: Any) -> Decision:
    """Half a SOL by hand, in books that ``changes`` name."""
    return decide(by_hand(SOL // 2), book=book(**changes))


def limited(**limits: Any) -> Decision:
    return decide(by_hand(SOL // 2), limits=RiskLimits(**limits))


# Every policy's refusal on the page, made again.
REFUSALS: dict[str, Decision] = {
    "trading state": hand(trading=TradingState.EXITS_ONLY, trading_reason="paused by alice"),
    "mode": hand(mode_obstacle="analysis mode: nothing is ordered"),
    "circuit breaker": hand(breaker=BreakerState.OPEN, failures_in_a_row=5, breaker_until_ns=at(300)),
    "daily loss": hand(day_start_lamports=50 * SOL, day_loss_lamports=5 * SOL, day_is_lost=True, day_until_ns=at(9)),
    "drawdown": hand(peak_lamports=80 * SOL, drawdown_lamports=20 * SOL, is_drawn_down=True),
    "loss streak": hand(losses_until_ns=at(1_800)),
    "trade rate": hand(entries=(10, 40, 80), entries_until_ns=(at(7), 0, 0)),
    "signal": decide(buy(62.4)),
    "signal age": decide(replace(buy(), at_ns=at(75)), observed_ns=at(75)),
    "one position": decide(book=book(position=HELD)),
    "open order": decide(book=book(has_open_order=True)),
    "cool-down": decide(book=book(closed_ns=at(-200))),
    "declined": decide(book=book(declined_ns=at(-200))),
    "open positions": decide(book=book(open_positions=20)),
    "token lists": limited(deny_tokens=(MINT,)),
    "screen": hand(screen=UNSAFE),
    "books": hand(books_obstacle="the wallet holds more of it than the books"),
    "venue": decide(state=graduate(creator=graduate().pool.base_mint)),
    "fresh state": decide(observed_ns=at(-75)),
    "liquidity": decide(state=graduate(quote_vault=9 * SOL)),
    "size": decide(by_hand(3 * SOL)),
    "balance": hand(balance=SOL // 2),
    "native reserve": hand(balance=SOL * 55 // 100),
    "per token": hand(token_exposure=SOL * 9 // 5),
    "concentration": hand(equity=SOL * 4 // 5),
    "total exposure": hand(exposure=SOL * 399 // 10),
    "price impact": decide(by_hand(2 * SOL)),
    "price after fees": limited(max_cost_bps=150),
    "slippage": decide(replace(by_hand(SOL // 2), slippage_bps=800)),
    "way out": limited(max_round_trip_loss_bps=200),
    "holding": decide(sell(2_000), book=book(position=HELD)),
    "sellable": decide(sell(1), book=book(position=HELD)),
}
ROWS = {row.split("|")[1].strip().strip("`"): row for row in TEXT.splitlines() if re.match(r"^\| `[a-z -]+` \|", row)}


def names() -> set[str]:
    """Policies by the names that their verdicts carry, of buys and of sales, whatever they answer."""
    held = book(position=replace(HELD, base_units=10**9), closed_ns=at(-900), declined_ns=at(-900))
    asked = [decide(book=held), decide(sell(10**9), book=held)]
    assert [len(one.verdicts) for one in asked] == [len(BUY_POLICIES), len(SELL_POLICIES)]
    return {verdict.policy for one in asked for verdict in one.verdicts}


def test_the_page_has_every_policy_and_no_other() -> None:
    assert set(ROWS) == set(REFUSALS) == names()


@pytest.mark.parametrize("policy", REFUSALS)
def test_a_refusal_reads_as_the_gate_says_it(policy: str) -> None:
    (verdict,) = [one for one in REFUSALS[policy].refusals if one.policy == policy]
    assert f"*{verdict.text}*" in ROWS[policy]
    ends = "ends by itself" in ROWS[policy]
    assert ends == (verdict.until_ns is not None)


def test_the_page_names_every_key_of_risk_with_its_default() -> None:
    told = dict(re.findall(r"`risk\.(\w+)` \(([^)]*)\)", TEXT))
    fields = RiskLimits.model_fields
    assert set(told) == set(fields)
    for name, default in told.items():
        shown = {"true": "True", "false": "False", "empty": "()"}.get(default, default.replace(",", ""))
        assert shown == str(fields[name].default), name


def worked() -> Decision:
    gate = RiskGate(RiskLimits(max_position_sol=Decimal(2)), SignalSettings())
    here = replace(EMPTY, balance=20 * SOL, equity=24 * SOL, exposure=4 * SOL)
    return gate.decide(
        replace(buy(), signal=MODEL), PoolView(graduate(quote_vault=30 * SOL), START_NS), here, current_schedule()
    )


def test_the_worked_example_is_what_the_gate_computes() -> None:
    decision = worked()
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXT, flags=re.MULTILINE)
    assert [(rule, lamports, note) for _, rule, lamports, note in rows] == [
        (step.rule, format_units(step.lamports, 9), step.note) for step in decision.sizing
    ]
    assert decision
    assert f"buys for {format_units(decision.quote_lamports, 9)} SOL" in TEXT
