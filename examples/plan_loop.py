"""The plan's own loop with a ladder of profits and a trailing stop: `python examples/plan_loop.py`."""

from __future__ import annotations

from pumpswap import format_units
from pumpswap.engine.strategies import strategy_named
from pumpswap.engine.trial import Trial, try_strategies
from pumpswap.settings import Settings

SETTINGS = Settings.model_validate(
    {
        "run": {"strategy": "plan-loop", "check_seconds": 60, "max_entries_per_check": 2},
        "risk": {"max_open_positions": 5},
        "exits": {
            "take_profit_ladder": [{"gain_bps": 2_500, "sell_bps": 3_000}, {"gain_bps": 6_000, "sell_bps": 3_000}],
            "trailing_stop_bps": 2_000,
            "trailing_after_bps": 3_000,
        },
    }
)


def show(trial: Trial) -> None:
    """The closed rounds, with what each brought after all costs."""
    for position in trial.summary.closed:
        held = (position.last_trade_ns - position.opened_ns) // 10**9
        result = format_units(position.realised_lamports, 9)
        print(f"{position.name or position.pool[:8]:10}  held {held:4} s, {position.sells} sales: {result} SOL")
    for trade in trial.record.trades:
        if trade.order.base_units:
            print(f"sold {trade.position.name or trade.order.pool[:8]:10}  {trade.order.reason}")
    print(f"refused by policy: {dict(sorted(trial.summary.refused_by_policy.items()))}")
    print(f"equity {format_units(trial.summary.equity_lamports, 9)} SOL; an invented market: how, not how well")


if __name__ == "__main__":
    show(try_strategies([strategy_named(SETTINGS.run.strategy, SETTINGS)], SETTINGS, seed=7))
