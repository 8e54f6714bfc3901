"""Whether anything is ordered now: the state of trading, the mode, the locks that losses and failures have set."""

from __future__ import annotations

from pumpswap.model import BreakerState, TradingState, Verdict
from pumpswap.risk.policies.candidate import Candidate, seconds
from pumpswap.units import format_sol

__all__ = [
    "circuit_breaker",
    "daily_loss",
    "drawdown",
    "loss_streak",
    "mode",
    "trade_rate",
    "trading_state",
    "trading_state_of_sale",
]


def trading_state(ask: Candidate) -> Verdict | None:
    """Entries need the state ``active``: a person or a fault can lower it."""
    return _trading(ask, refused=ask.book.risk.trading is not TradingState.ACTIVE)


def trading_state_of_sale(ask: Candidate) -> Verdict | None:
    """Only ``halted`` keeps a sale back."""
    return _trading(ask, refused=ask.book.risk.trading is TradingState.HALTED)


def _trading(ask: Candidate, *, refused: bool) -> Verdict:
    found = ask.book.risk
    reason = f": {found.trading_reason}" if found.trading_reason else ""
    return Verdict("trading state", not refused, f"trading is {found.trading.value}{reason}")


def mode(ask: Candidate) -> Verdict | None:
    """Some modes order nothing."""
    obstacle = ask.book.mode_obstacle
    return Verdict("mode", not obstacle, obstacle or "this mode orders")


def circuit_breaker(ask: Candidate) -> Verdict | None:
    """Orders that failed in a row stop entries for a while; then one trial at a time goes through."""
    found, most = ask.book.risk, ask.limits.breaker_failures
    numbers = {"failures_in_a_row": str(found.failures_in_a_row), "breaker_failures": str(most)}
    failed = f"{found.failures_in_a_row} of {most} failures in a row"
    if found.breaker is not BreakerState.CLOSED:
        numbers |= {"breaker": found.breaker.value, "trial_is_out": str(found.trial_is_out).lower()}
    if found.breaker is BreakerState.OPEN:
        text = f"open after {found.failures_in_a_row} failures in a row"
        return Verdict("circuit breaker", False, text, numbers, found.breaker_until_ns)
    if found.breaker is BreakerState.HALF_OPEN:
        if found.trial_is_out:
            return Verdict("circuit breaker", False, "half-open, and a trial is on its way", numbers)
        return Verdict("circuit breaker", True, "half-open: this is a trial", numbers)
    return Verdict("circuit breaker", True, f"closed, {failed}", numbers)


def trade_rate(ask: Candidate) -> Verdict | None:
    """Not too many entries in a minute, an hour, a day."""
    most = (ask.limits.max_trades_per_minute, ask.limits.max_trades_per_hour, ask.limits.max_trades_per_day)
    had, until = ask.book.risk.entries, ask.book.risk.entries_until_ns
    full = [place for place in range(3) if had[place] >= most[place]]
    names = ("minute", "hour", "day")
    numbers = {f"last_{name}": f"{had[place]} of {most[place]}" for place, name in enumerate(names)}
    said = ", ".join(f"{had[place]} in the last {names[place]}" for place in (full or range(3)))
    limit = ", ".join(str(most[place]) for place in (full or range(3)))
    waits = max((until[place] for place in full), default=0)
    return Verdict("trade rate", not full, f"entries: {said}; at most {limit}", numbers, waits or None)


def daily_loss(ask: Candidate) -> Verdict | None:
    """What a day may lose, of the equity at its start; once reached, entries rest until the next day."""
    found = ask.book.risk
    most = ask.caps.daily_loss.part(found.day_start_lamports)
    lost = found.day_loss_lamports
    reached = lost > 0 and ask.caps.daily_loss.reaches(lost, found.day_start_lamports)
    numbers = {"lost_lamports": str(lost), "max_lamports": str(most), "start_lamports": str(found.day_start_lamports)}
    if found.day_is_lost or reached:
        loss = f"the day's limit of {format_sol(most)} SOL was reached, its loss is {format_sol(lost)} now"
        text = f"{loss}: entries wait for the next day"
        numbers |= {"day_is_lost": "true"}
        return Verdict("daily loss", False, text, numbers, found.day_until_ns or None)
    return Verdict("daily loss", True, f"{format_sol(lost)} SOL lost today, less than {format_sol(most)}", numbers)


def drawdown(ask: Candidate) -> Verdict | None:
    """How far equity may fall from its highest; once it has, entries rest until a person resumes."""
    found = ask.book.risk
    most = ask.caps.drawdown.part(found.peak_lamports)
    fallen = found.drawdown_lamports
    reached = fallen > 0 and ask.caps.drawdown.reaches(fallen, found.peak_lamports)
    numbers = {"fallen_lamports": str(fallen), "max_lamports": str(most), "peak_lamports": str(found.peak_lamports)}
    if found.is_drawn_down or reached:
        below = f"equity was {format_sol(most)} SOL below its highest, the limit; it is {format_sol(fallen)} below now"
        text = f"{below}: entries wait until a person resumes"
        numbers |= {"is_drawn_down": "true"}
        return Verdict("drawdown", False, text, numbers)
    return Verdict(
        "drawdown", True, f"{format_sol(fallen)} SOL below the highest equity, less than {format_sol(most)}", numbers
    )


def loss_streak(ask: Candidate) -> Verdict | None:
    """After too many losing rounds in a row entries pause."""
    found, most = ask.book.risk, ask.limits.max_losses_in_a_row
    numbers = {"losses_in_a_row": str(found.losses_in_a_row), "max_losses_in_a_row": str(most)}
    left = found.losses_until_ns - ask.intent.at_ns
    if left > 0:
        text = f"{most} losing rounds in a row: entries pause for another {seconds(left)}"
        numbers |= {"losses_until_ns": str(found.losses_until_ns)}
        return Verdict("loss streak", False, text, numbers, found.losses_until_ns)
    return Verdict("loss streak", True, f"{found.losses_in_a_row} of {most} losing rounds in a row", numbers)
