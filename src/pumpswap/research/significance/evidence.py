"""Evidence: all figures that speak for or against a result, and a verdict in three words that never flatters."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt

import msgspec

from pumpswap.research.significance.monte_carlo import Band, MonteCarlo
from pumpswap.research.significance.null_strategy import NullTest
from pumpswap.research.significance.overfit import Overfit
from pumpswap.research.significance.sharpe import (
    Moments,
    deflated_sharpe,
    effective_trials,
    expected_best_sharpe,
    mean_correlation,
    moments_of,
    probabilistic_sharpe,
    sharpe_interval,
    shortest_record,
)

__all__ = [
    "LEAST_ROUNDS",
    "SURE",
    "Deflated",
    "Evidence",
    "OutOfSample",
    "deflated_among",
    "deflated_of",
    "judged",
    "judged_single",
    "out_of_sample",
    "out_of_sample_of",
]

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
    return deflated_among(found, ratios, len(returns), mean_correlation(returns))


def deflated_among(found: Moments, ratios: Sequence[float], trials: int, correlation: float = 0.0) -> Deflated:
    """Of the moments of the best and the ratios of all that moved (its own among them), out of so many ``trials``.

    Trials that never traded are no lottery tickets: luck could not have chosen them.
    """
    effective = effective_trials(len(ratios), correlation)
    luck = expected_best_sharpe(effective, _spread(ratios))
    return Deflated(
        trials=trials,
        effective=effective,
        correlation=correlation,
        sharpe=found.sharpe,
        luck=luck,
        probability=deflated_sharpe(found, effective, _spread(ratios)),
        undeflated=probabilistic_sharpe(found),
    )


def out_of_sample(rounds: int, net_lamports: int, returns: Sequence[float]) -> OutOfSample:
    """``rounds`` that were traded, what they brought, and the returns of the periods in which they were."""
    return out_of_sample_of(rounds, net_lamports, len(returns), moments_of(returns))


def out_of_sample_of(rounds: int, net_lamports: int, periods: int, found: Moments | None) -> OutOfSample:
    """The same of the moments of the periods."""
    if found is None:
        return OutOfSample(rounds, net_lamports, periods, None, None, None, None, None)
    low, high = sharpe_interval(found)
    return OutOfSample(
        rounds, net_lamports, periods, found.sharpe, low, high, probabilistic_sharpe(found), shortest_record(found)
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
    """The verdict. It holds only where every test says so; one that is missing is a doubt, whoever left it out. One
    that speaks plainly for luck, or too few rounds, makes it no evidence. ``network``: what was earned when other
    orders failed.
    """
    return _with_verdict(Evidence("", (), outside, deflated, overfitting, bands, null, network), _SEARCH)


def judged_single(outside: OutOfSample, deflated: Deflated | None, bands: MonteCarlo | None) -> Evidence:
    """The verdict on one back-test, of which nobody knows what it was fitted on: it is weak at best."""
    return _with_verdict(Evidence("", (), outside, deflated, monte_carlo=bands), _SINGLE)


class _Words(msgspec.Struct, frozen=True):
    """How reasons are said, of a search and of a single back-test. Empty: that test is not to be expected."""

    where: str
    tries: str
    flat: str
    without_bands: str
    without_null: str
    without_overfit: str = ""
    without_network: str = ""
    always: tuple[str, ...] = ()


_SEARCH = _Words(
    where="out of sample",
    tries="sets",
    flat="there is nothing to deflate: no set had enough rounds to be chosen, or it never moved",
    without_bands="the same rounds were not drawn again: there are not two of different coins or days",
    without_null="it was not compared with random entries",
    without_overfit="overfitting was not measured: that needs two sets and 32 periods (backtest.period_seconds)",
    without_network="it was not tried with other orders failing",
)
_SINGLE = _Words(
    where="in this back-test",
    tries="tries on this history",
    flat="there is nothing to deflate",
    without_bands="the same rounds were not drawn again: there are not two of different coins or days, or no numpy",
    without_null="it was not compared with random entries: `pumpswap tune run` does",
    always=("its settings may have been chosen on this very history: `pumpswap tune run` judges beyond it",),
)


def _with_verdict(found: Evidence, words: _Words) -> Evidence:
    against, doubts = _against(found, words), _doubts(found, words)
    if against:
        verdict, reasons = "no evidence", (*against, *doubts)
    elif doubts:
        verdict, reasons = "weak", tuple(doubts)
    else:
        verdict, reasons = "holds out of sample", ("every test says so; the future may still differ",)
    return msgspec.structs.replace(found, verdict=verdict, reasons=reasons)


def _against(evidence: Evidence, words: _Words) -> list[str]:
    outside, deflated = evidence.out_of_sample, evidence.deflated
    overfitting, null = evidence.overfit, evidence.null
    found = []
    if outside.rounds < LEAST_ROUNDS:
        rounds = f"{outside.rounds} round{'' if outside.rounds == 1 else 's'}"
        found.append(f"{rounds} {words.where}: below {LEAST_ROUNDS} no figure means anything")
    if outside.net_lamports <= 0:
        found.append(f"it earned nothing {words.where}")
    if deflated is not None and deflated.probability < 0.5:
        best = f"a better best of {deflated.trials} {words.tries}" if deflated.trials > 1 else "more"
        found.append(f"luck alone would have shown {best} (deflated Sharpe {deflated.probability:.2f})")
    if overfitting is not None and overfitting.probability >= _OVERFIT:
        found.append(f"choosing the best was worth nothing: overfitting at {overfitting.probability:.0%}")
    if null is not None and null.p_value > _WEAK:
        found.append(f"random entries did as well or better in {null.p_value:.0%} of the draws")
    return found


def _doubts(evidence: Evidence, words: _Words) -> list[str]:
    outside, deflated = evidence.out_of_sample, evidence.deflated
    bands, null, network = evidence.monte_carlo, evidence.null, evidence.network
    found = []
    if outside.low is None:
        found.append(f"too little moved {words.where} for an interval")
    elif outside.low <= 0:
        found.append(f"the interval of the Sharpe ratio {words.where} includes zero")
    if deflated is None:
        found.append(words.flat)
    elif 0.5 <= deflated.probability < SURE:
        found.append(f"the deflated Sharpe ratio is {deflated.probability:.2f}, below {SURE}")
    if evidence.overfit is None:
        found.append(words.without_overfit)
    if bands is None:
        found.append(words.without_bands)
    elif bands.net.low <= 0:
        found.append("at least one draw in twenty of the same rounds loses money")
    if null is None:
        found.append(words.without_null)
    elif 1 - SURE < null.p_value <= _WEAK:
        found.append(f"random entries did as well or better in {null.p_value:.0%} of the draws")
    if network is None:
        found.append(words.without_network)
    elif network.low <= 0 < outside.net_lamports:
        found.append("when the network fails other orders it earns nothing")
    return [*filter(None, found), *words.always]


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    mean = fsum(values) / len(values)
    return sqrt(fsum((one - mean) ** 2 for one in values) / (len(values) - 1))
