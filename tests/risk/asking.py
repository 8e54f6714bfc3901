"""One buy and one sale put to the gate, with whatever a test changes about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pumpswap.amm import PoolState, current_schedule
from pumpswap.model import Decision, Intent, Position, Side, TradeSide, Verdict
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.risk.policies import BookView
from pumpswap.risk.tracker import RiskFigures
from pumpswap.settings import RiskLimits, SignalSettings
from tests.support.market import SOL, START_NS, always, graduate, snapshot

EMPTY = BookView(
    balance=50 * SOL, equity=50 * SOL, exposure=0, open_positions=0, position=None, has_open_order=False, closed_ns=None
)
HELD = Position("pool", "mint", 1, START_NS, base_units=1_000, cost_lamports=SOL)


def buy(score: float = 90.0, side: Side = Side.LONG, state: PoolState | None = None, **told: Any) -> Intent:
    """A wish of a signal; ``told`` changes the signal."""
    row = snapshot(state or graduate(), 0)
    signal = replace(always(score, side)(row, ()), **told)
    return Intent(TradeSide.BUY, row.pool, row.base_mint or "", START_NS, "test", signal)


def by_hand(lamports: int) -> Intent:
    """A wish of a person."""
    state = graduate()
    return Intent(
        TradeSide.BUY, str(state.address), str(state.pool.base_mint), START_NS, "by hand", quote_lamports=lamports
    )


def sell(units: int) -> Intent:
    """A wish to sell."""
    row = snapshot(graduate(), 0)
    return Intent(TradeSide.SELL, row.pool, row.base_mint or "", START_NS, "test", base_units=units)


def book(**changes: Any) -> BookView:
    """Empty books with some figures changed; names of RiskFigures go there."""
    figures = {name: changes.pop(name) for name in list(changes) if name in RiskFigures.__dataclass_fields__}
    return replace(EMPTY, risk=RiskFigures(**figures), **changes)


def decide(
    intent: Intent | None = None,
    *,
    state: PoolState | None = None,
    observed_ns: int | None = START_NS,
    book: BookView = EMPTY,
    limits: RiskLimits | None = None,
) -> Decision:
    """What the gate says."""
    used = state or graduate()
    gate = RiskGate(limits or RiskLimits(), SignalSettings())
    return gate.decide(intent or buy(), PoolView(used, observed_ns), book, current_schedule())


def failed(decision: Decision) -> list[str]:
    """The policies that refused."""
    assert not decision
    assert (decision.quote_lamports, decision.base_units) == (0, 0)
    return [verdict.policy for verdict in decision.refusals]


def verdict(decision: Decision, policy: str) -> Verdict:
    """The one answer of a policy."""
    (found,) = [one for one in decision.verdicts if one.policy == policy]
    return found
