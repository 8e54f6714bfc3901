"""What a tear sheet says in words: the result in one sentence, statistics as people read them."""

from __future__ import annotations

from pumpswap.analytics.tear_sheet.sheet import TearSheet
from pumpswap.analytics.wording import change_text, counted, duration_text, percent_text, signed_sol, sol_text

__all__ = ["headline", "said"]


def headline(sheet: TearSheet) -> str:
    """The result in one sentence."""
    found = sheet.performance
    change = found.money.equity_change_lamports
    change = found.money.net_lamports if change is None else change
    if found.is_empty and not found.rounds_closed.closed:
        held = sum(one.round.is_open for one in found.by_position)
        if held:
            what = f"{'Gained' if change > 0 else 'Lost'} {sol_text(abs(change))}\u00a0SOL" if change else "Stood still"
            return f"{what} without a trade: {counted(held, 'position')} held."
        return "Nothing was traded, and nothing was held."
    total = found.returns.total.value
    share = f" ({change_text(total)})" if total is not None else ""
    opening = (
        f"{'Gained' if change > 0 else 'Lost'} {sol_text(abs(change))}\u00a0SOL{share}" if change else "Came out even"
    )
    rounds = found.rounds_closed
    parts = [counted(len(found.fills), "fill")]
    if rounds.closed:
        parts += [f"{counted(rounds.closed, 'round')} closed", f"{rounds.won:,}\u00a0won"]
    else:
        parts.append("no round closed yet")
    held = sum(one.round.is_open for one in found.by_position)
    if held:
        parts.append(f"{held:,}\u00a0still open")
    return f"{opening} after every cost: {', '.join(parts)}."


def said(value: float | None, shape: str) -> str:
    """A statistic as people read it; ``shape`` as in MetricRow."""
    if value is None:
        return "–"
    match shape:
        case "share":
            return percent_text(value)
        case "change":
            return change_text(value)
        case "sol":
            return signed_sol(round(value))
        case "duration":
            return duration_text(max(round(value), 0))
        case "count":
            return f"{round(value):,}"
    return f"{value:,.2f}".replace("-", "−")
