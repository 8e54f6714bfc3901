"""A strategy of your own, on the simulated market, on paper: `python examples/own_strategy.py`.

It buys what scores high in a deep pool, and sells half of what has gained a fifth, once. Everything else (how much, the
limits, stop-loss, take-profit, fees, books) is the engine's.
"""

from __future__ import annotations

from collections.abc import Iterable

from pumpswap import LAMPORTS_PER_SOL, format_units
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.engine.trial import Trial, try_strategies
from pumpswap.model import Intent, Mark, Position, Side, Signal


class DeepAndStrong(Strategy):
    """Buys above a score where the pool really holds enough SOL; takes half off the table at +20 %."""

    name = "deep-and-strong"

    def __init__(self, least_score: float = 85.0, least_sol: int = 50) -> None:
        self.least_score, self.least_lamports = least_score, least_sol * LAMPORTS_PER_SOL
        self.halved: set[tuple[str, int]] = set()  # (pool, round)

    def on_signal(self, signal: Signal, desk: Wishes) -> Iterable[Intent]:
        state = desk.state(signal.pool)
        if signal.side is not Side.LONG or signal.score < self.least_score or state is None:
            return
        if state.real_quote_reserve >= self.least_lamports and desk.position(signal.pool) is None:
            yield desk.buy(signal, f"score {signal.score:.1f} in a deep pool")

    def on_position(self, position: Position, mark: Mark, desk: Wishes) -> Iterable[Intent]:
        this_round = (position.pool, position.round)
        if this_round not in self.halved and mark.value_lamports * 10 >= position.cost_lamports * 12:
            self.halved.add(this_round)
            yield desk.sell(position, "a fifth gained: half is sold", share_bps=5_000)


def show(trial: Trial) -> None:
    """Every fill in order, then what is left of the start."""
    for trade in trial.record.trades:
        order, position = trade.order, trade.position
        print(f"{order.side.value:4}  {position.name or order.pool[:8]:10}  {order.reason}")
    summary = trial.summary
    print(f"{summary.decisions} decisions, {summary.fills} fills, {len(summary.closed)} rounds closed")
    print(f"equity {format_units(summary.equity_lamports, 9)} SOL of {format_units(summary.start_lamports, 9)}")
    print(f"faults: {trial.faults or 'none'}; an invented market shows that it works, not that it pays")


if __name__ == "__main__":
    show(try_strategies([DeepAndStrong()], seed=7))
