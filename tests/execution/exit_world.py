"""Rounds, marks and outcomes for the tests of exits."""

from __future__ import annotations

from dataclasses import replace

from pumpswap.amm import BuyQuote, PoolState, SellQuote
from pumpswap.execution.exit_manager import ExitManager
from pumpswap.model import Costs, Denied, ExitState, Filled, Intent, Mark, Position, Rejected
from pumpswap.settings import ExitRules
from tests.support.market import SOL, START_NS, at, graduate

POOL = str(graduate().address)
MINT = str(graduate().pool.base_mint)
HELD = Position(POOL, MINT, 1, START_NS, base_units=1_000, cost_lamports=SOL, bought_lamports=SOL, buys=1)

__all__ = ["HELD", "MINT", "POOL", "Round", "bought", "denied", "mark", "rejected", "sold"]


def mark(
    value_lamports: int,
    seconds: float = 60,
    *,
    units: int = 1_000,
    state_s: float | None = None,
    obstacle: str = "",
    sellable: int | None = None,
) -> Mark:
    """What ``units`` would bring at a moment; ``state_s`` is when the pool was seen."""
    seen = seconds if state_s is None else state_s
    return Mark(POOL, at(seconds), at(seen), units, value_lamports, obstacle, sellable)


def sold(units: int, seconds: float, out: int = SOL, *, gross: int | None = None, lp_fee: int = 0) -> Filled:
    """A sale that was executed."""
    gross = out if gross is None else gross
    quote = SellQuote(gross, lp_fee, 0, 0, 0, 0, 20, 5, 5, 10**12, 10**11, units, out)
    return Filled("o2", at(seconds), 1, quote, Costs(), "signature")


def bought(units: int, seconds: float, state: PoolState, gross: int = SOL, lp_fee: int = 0) -> Filled:
    """A buy that was executed on ``state``."""
    quote = BuyQuote(
        gross, lp_fee, 0, 0, 0, 0, 20, 5, 5, state.base_reserve, state.effective_quote_reserve, units, gross, gross
    )
    return Filled("o1", at(seconds), 1, quote, Costs(), "signature")


def rejected(seconds: float) -> Rejected:
    """A sale that slipped too far."""
    return Rejected("o2", at(seconds), 1, 6004, "ExceededSlippage", "pays less", Costs(), "signature")


def denied(seconds: float) -> Denied:
    """A sale that never happened."""
    return Denied("o2", at(seconds), "expired", "its transactions have expired")


class Round:
    """One round under an ExitManager: what is held follows the outcomes that the test tells."""

    def __init__(
        self, rules: ExitRules, held: Position = HELD, state: PoolState | None = None, *, max_age: int | None = 60
    ) -> None:
        self.manager = ExitManager(rules, max_state_age_seconds=max_age)
        self.rules, self.max_age = rules, max_age
        self.held = held
        self.state = state
        self.manager.opened(held, state)

    @property
    def known(self) -> ExitState:
        """What is remembered."""
        found = self.manager.state(POOL)
        assert found is not None
        return found

    def look(self, value: int, seconds: float = 60, **more: object) -> Intent | None:
        """Value what is held, and ask."""
        found = mark(value, seconds, units=self.held.base_units, **more)  # type: ignore[arg-type]
        return self.manager.look(self.held, found, self.state)

    def sell(self, units: int, seconds: float = 61, *, gross: int = 0, lp_fee: int = 0) -> None:
        """A sale of so many units was executed."""
        left = self.held.base_units - units
        cost = self.held.cost_lamports * left // self.held.base_units
        closed = at(seconds) if left == 0 else None
        self.held = replace(self.held, base_units=left, cost_lamports=cost, closed_ns=closed)
        self.manager.ended(self.held, sold(units, seconds, gross, lp_fee=lp_fee), POOL)

    def fail(self, seconds: float) -> None:
        """A sale was rejected."""
        self.manager.ended(None, rejected(seconds), POOL)

    def restart(self) -> None:
        """Another process, with what this one has stored."""
        states = [] if self.manager.state(POOL) is None else [self.known]
        self.manager = ExitManager(self.rules, states, max_state_age_seconds=self.max_age)
