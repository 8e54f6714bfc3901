"""How closed rounds went: win rate, profit factor, expectancy, with what so few of them can tell."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, fsum, sqrt
from statistics import median

from pumpswap.analytics.performance.estimate import NO_ROUNDS, Estimate, no_value
from pumpswap.analytics.performance.intervals import mean_of, ratio_of, share_of, spread_of, student_quantile
from pumpswap.analytics.performance.result import RoundFigures
from pumpswap.model.booked import BookedRound

__all__ = ["round_figures"]


def round_figures(closed: Sequence[BookedRound]) -> RoundFigures:
    """Figures of rounds in the order in which they were closed."""
    results = [one.realised_lamports for one in closed]
    gains, losses = [gain for gain in results if gain > 0], [-gain for gain in results if gain < 0]
    shares = [one.realised_lamports / one.bought_lamports for one in closed if one.bought_lamports > 0]
    return RoundFigures(
        closed=len(closed),
        won=len(gains),
        lost=len(losses),
        break_even=len(closed) - len(gains) - len(losses),
        gains_lamports=sum(gains),
        losses_lamports=sum(losses),
        win_rate=share_of(len(gains), len(closed), NO_ROUNDS),
        profit_factor=_profit_factor(results),
        payoff=_payoff(gains, losses),
        expectancy=mean_of(results, NO_ROUNDS),
        expectancy_share=mean_of(shares, NO_ROUNDS if not closed else "no closed round has cost anything"),
        mean_win_lamports=fsum(gains) / len(gains) if gains else None,
        mean_loss_lamports=fsum(losses) / len(losses) if losses else None,
        median_lamports=float(median(results)) if results else None,
        best=max(closed, key=lambda one: one.realised_lamports, default=None),
        worst=min(closed, key=lambda one: one.realised_lamports, default=None),
        longest_winning_run=_longest([gain > 0 for gain in results]),
        longest_losing_run=_longest([gain < 0 for gain in results]),
    )


def _profit_factor(results: Sequence[int]) -> Estimate:
    if not results:
        return no_value(NO_ROUNDS)
    gains, losses = [float(max(gain, 0)) for gain in results], [float(max(-gain, 0)) for gain in results]
    if not fsum(losses):
        return no_value("no round has lost: there is nothing to divide by", len(results))
    low, high = ratio_of(gains, losses) or (None, None)
    return Estimate(fsum(gains) / fsum(losses), len(results), low, high)


def _payoff(gains: Sequence[int], losses: Sequence[int]) -> Estimate:
    """Wins and losses are two samples of their own; the interval is that of the logarithm of their ratio."""
    samples = len(gains) + len(losses)
    if not gains or not losses:
        return no_value("needs a round that has won and one that has lost", samples)
    win, loss = fsum(gains) / len(gains), fsum(losses) / len(losses)
    if len(gains) < 2 or len(losses) < 2:
        return Estimate(win / loss, samples)
    apart = sqrt((spread_of(gains) / win) ** 2 / len(gains) + (spread_of(losses) / loss) ** 2 / len(losses))
    half = student_quantile(min(len(gains), len(losses)) - 1) * apart
    if half > 600:  # beyond what a float can say, and beyond all meaning
        return Estimate(win / loss, samples)
    return Estimate(win / loss, samples, win / loss * exp(-half), win / loss * exp(half))


def _longest(hits: Sequence[bool]) -> int:
    longest = run = 0
    for hit in hits:
        run = run + 1 if hit else 0
        longest = max(longest, run)
    return longest
