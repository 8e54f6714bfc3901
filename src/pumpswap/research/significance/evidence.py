"""Evidence: all figures that speak for or against a result, and a verdict in three words that never flatters."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt

import msgspec

from pumpswap.research.significance.monte_carlo import Band, MonteCarlo
from pumpswap.research.significance.null_strategy import NullTest
from pumpswap.research.significance.overfit import Overfit
from pumpswap.research.significance.sharpe import (
    deflated_sharpe,
    effective_trials,
    expected_best_sharpe,
    mean_correlation,
    moments_of,
    probabilistic_sharpe,
    sharpe_interval,
    shortest_record,
)

__all__ = ["LEAST_ROUNDS", "SURE", "Deflated", "Evidence", "OutOfSample", "deflated_of", "judged", "out_of_sample"]

LEAST_ROUNDS = 30  # out of sample; with fewer no figure below means anything
SURE = 0.95
_WEAK = 0.10  # a p-value above it speaks for luck
_OVERFIT = 0.5  # from here on the best of the past is no better than any


class Deflated(msgspec.Struct, frozen=True):
    """The best of a search against the best that luck would have found.

    ``trials`` are all that were tried, ``effective`` how many independent ones they are worth. ``luck``: the Sharpe
    ratio that the best of them would show without skill. All per period. ``probability`` is the deflated Sharpe ratio.
    """

    trials: int
    effective: float
    correlation: float
    sharpe: float
    luck: float
    probability: float
    undeflated: float


class OutOfSample(msgspec.Struct, frozen=True):
    """What was earned where nothing had been fitted. ``sharpe`` is per period, with its 95 % interval; None where there
    are too few periods, or nothing moved. ``shortest``: periods that such a ratio needs to be told from nothing.
    """

    rounds: int
    net_lamports: int
    periods: int
    sharpe: float | None
    low: float | None
    high: float | None
    probability: float | None
    shortest: float | None


class Evidence(msgspec.Struct, frozen=True):
    """``verdict`` is ``no evidence``, ``weak`` or ``holds out of sample``; ``reasons`` are sentences, the worst
    first.
    """

    verdict: str
    reasons: tuple[str, ...]
    out_of_sample: OutOfSample
    deflated: Deflated | None = None
    overfit: Overfit | None = None
    monte_carlo: MonteCarlo | None = None
    null: NullTest | None = None
    network: Band | None = None


def deflated_of(best: Sequence[float], returns: Sequence[Sequence[float]]) -> Deflated | None:
    """Of the returns of the best and of every trial (the best among them) over the same periods. None where the best
    never moved.
    """
    found = moments_of(best)
    if found is None:
        return None
    ratios = [each.sharpe for each in map(moments_of, returns) if each is not None]
    correlation = mean_correlation(returns)
    # Trials that never traded are no lottery tickets: luck could not have chosen them.
    effective = effective_trials(len(ratios), correlation)
    luck = expected_best_sharpe(effective, _spread(ratios))
    return Deflated(
        trials=len(returns),
        effective=effective,
        correlation=correlation,
        sharpe=found.sharpe,
        luck=luck,
        probability=deflated_sharpe(found, effective, _spread(ratios)),
        undeflated=probabilistic_sharpe(found),
    )


def out_of_sample(rounds: int, net_lamports: int, returns: Sequence[float]) -> OutOfSample:
    """``rounds`` that were traded, what they brought, and the returns of the periods in which they were."""
    found = moments_of(returns)
    if found is None:
        return OutOfSample(rounds, net_lamports, len(returns), None, None, None, None, None)
    low, high = sharpe_interval(found)
    return OutOfSample(
        rounds, net_lamports, len(returns), found.sharpe, low, high, probabilistic_sharpe(found), shortest_record(found)
    )


def judged(
    outside: OutOfSample,
    *,
    deflated: Deflated | None = None,
    overfitting: Overfit | None = None,
    bands: MonteCarlo | None = None,
    null: NullTest | None = None,
    network: Band | None = None,
) -> Evidence:
    """The verdict. It holds only where every test that could be made says so; one that speaks plainly for luck, or too
    few rounds, makes it no evidence. ``network``: what was earned when other orders failed.
    """
    against = _against(outside, deflated, overfitting, null)
    doubts = _doubts(outside, deflated, bands, null)
    if network is not None and network.low <= 0 < outside.net_lamports:
        doubts.append("when the network fails other orders it earns nothing")
    if against:
        verdict, reasons = "no evidence", (*against, *doubts)
    elif doubts:
        verdict, reasons = "weak", tuple(doubts)
    else:
        verdict, reasons = "holds out of sample", ("every test that was made says so; the future may still differ",)
    return Evidence(verdict, reasons, outside, deflated, overfitting, bands, null, network)


def _against(
    outside: OutOfSample, deflated: Deflated | None, overfitting: Overfit | None, null: NullTest | None
) -> list[str]:
    found = []
    if outside.rounds < LEAST_ROUNDS:
        found.append(f"{outside.rounds} rounds out of sample: below {LEAST_ROUNDS} no figure means anything")
    if outside.net_lamports <= 0:
        found.append("it earned nothing out of sample")
    if deflated is not None and deflated.probability < 0.5:
        found.append(
            f"luck alone would have shown a better best of {deflated.trials} sets"
            f" (deflated Sharpe {deflated.probability:.2f})"
        )
    if overfitting is not None and overfitting.probability >= _OVERFIT:
        found.append(f"choosing the best was worth nothing: overfitting at {overfitting.probability:.0%}")
    if null is not None and null.p_value > _WEAK:
        found.append(f"random entries did as well or better in {null.p_value:.0%} of the draws")
    return found


def _doubts(
    outside: OutOfSample, deflated: Deflated | None, bands: MonteCarlo | None, null: NullTest | None
) -> list[str]:
    found = []
    if outside.low is None:
        found.append("too little moved out of sample for an interval")
    elif outside.low <= 0:
        found.append("the interval of the Sharpe ratio out of sample includes zero")
    if deflated is None:
        found.append("there is nothing to deflate: no trial of the search moved")
    elif 0.5 <= deflated.probability < SURE:
        found.append(f"the deflated Sharpe ratio is {deflated.probability:.2f}, below {SURE}")
    if bands is not None and bands.net.low <= 0:
        found.append("one draw in twenty of the same rounds loses money")
    if null is None:
        found.append("it was not compared with random entries")
    elif 1 - SURE < null.p_value <= _WEAK:
        found.append(f"random entries did as well or better in {null.p_value:.0%} of the draws")
    return found


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = fsum(values) / len(values)
    return sqrt(fsum((one - mean) ** 2 for one in values) / (len(values) - 1))
