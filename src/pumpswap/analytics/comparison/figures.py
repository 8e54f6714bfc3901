"""A comparison as plain figures: what ``--json`` prints and the page carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pumpswap.analytics.comparison.comparison import QUANTILES, Comparison, Distribution
from pumpswap.analytics.comparison.observation import Observation
from pumpswap.analytics.comparison.outcomes import RoundTrip
from pumpswap.analytics.comparison.ranks import Mover
from pumpswap.analytics.comparison.returns import Band, HorizonReturns, Picks
from pumpswap.analytics.comparison.stats import Interval
from pumpswap.analytics.comparison.verdict import Verdict

__all__ = ["comparison_json"]


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Scores and returns are floats, since they are statistics; lamports and nanoseconds are strings of integers."""
    agreement, ranks = comparison.agreement, comparison.ranks
    return {
        "verdict": _verdict(comparison.verdict),
        "threshold": comparison.rules.threshold,
        "snapshots": len(comparison.observations),
        "pools": comparison.pools,
        "elsewhere": dict(comparison.elsewhere),
        "pumpswap_unavailable": dict(comparison.unavailable),
        "base": _distribution(comparison.base),
        "enhanced": _distribution(comparison.enhanced),
        "agreement": {
            "both": agreement.both,
            "only_base": agreement.only_base,
            "only_enhanced": agreement.only_enhanced,
            "neither": agreement.neither,
        },
        "ranks": {
            "spearman": ranks.spearman,
            "kendall": ranks.kendall,
            "risen": [_mover(mover) for mover in ranks.risen],
            "fallen": [_mover(mover) for mover in ranks.fallen],
        },
        "bootstrap": {"draws": comparison.rules.sampling.draws, "seed": comparison.rules.sampling.seed},
        "horizons": [
            _horizon(returns, verdict)
            for returns, verdict in zip(comparison.horizons, comparison.verdicts, strict=True)
        ],
        "observations": [_observation(one, comparison.rules.horizons_ns) for one in comparison.observations],
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"kind": verdict.kind.name.lower(), "text": verdict.kind.value, "sentence": verdict.sentence}


def _distribution(score: Distribution | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "mean": score.mean,
        "quantiles": {f"{share:g}": value for share, value in zip(QUANTILES, score.quantiles, strict=True)},
        "at_or_above": score.at_or_above,
        "share": score.share,
        "at_highest": score.at_highest,
        "bins": list(score.bins),
    }


def _mover(mover: Mover) -> dict[str, Any]:
    one = mover.observation
    return {
        "pool": one.pool,
        "name": one.name,
        "at_ns": str(one.at_ns),
        "base": one.base,
        "enhanced": one.enhanced,
        "base_rank": mover.base_rank,
        "enhanced_rank": mover.enhanced_rank,
        "part": mover.part,
        "part_points": mover.part_points,
        "average_points": mover.average_points,
        "facts": dict(one.facts),
    }


def _horizon(returns: HorizonReturns, verdict: Verdict) -> dict[str, Any]:
    return {
        "horizon_ns": str(returns.horizon_ns),
        "verdict": _verdict(verdict),
        "observations": returns.observations,
        "pools": returns.pools,
        "missing": {why: count for why, count in returns.missing.items() if count},
        "median_wait_s": returns.median_wait_s,
        "median_price_age_s": returns.median_price_age_s,
        "base": _picks(returns.base),
        "enhanced": _picks(returns.enhanced),
        "as_many": {"threshold": returns.as_many_threshold, **_picks(returns.as_many)},
        "everything": _picks(returns.everything),
        "deciding_pools": returns.deciding,
        "mean_difference": _interval(returns.mean_difference),
        "hit_difference": _interval(returns.hit_difference),
        "rank_correlation": {"base": returns.base_rank, "enhanced": returns.enhanced_rank},
        "calibration": {"base": _bands(returns.base_bands), "enhanced": _bands(returns.enhanced_bands)},
    }


def _picks(picks: Picks) -> dict[str, Any]:
    return {
        "count": picks.count,
        "pools": picks.pools,
        "separate": picks.separate,
        "unsellable": picks.unsellable,
        "mean": picks.mean,
        "mean_interval": _interval(picks.mean_interval),
        "median": picks.median,
        "worst": picks.worst,
        "best": picks.best,
        "hit_rate": picks.hit_rate,
        "hit_interval": _interval(picks.hit_interval),
    }


def _bands(bands: Sequence[Band]) -> list[dict[str, Any]]:
    return [
        {
            "lowest": band.lowest,
            "highest": band.highest,
            "mean_score": band.mean_score,
            "count": band.count,
            "pools": band.pools,
            "mean": band.mean,
            "mean_interval": _interval(band.mean_interval),
            "hit_rate": band.hit_rate,
        }
        for band in bands
    ]


def _interval(interval: Interval | None) -> dict[str, float] | None:
    if interval is None:
        return None
    return {"point": interval.point, "low": interval.low, "high": interval.high, "level": interval.level}


def _observation(one: Observation, horizons_ns: Sequence[int]) -> dict[str, Any]:
    trips = {
        str(horizon): None if trip is None else _trip(trip)
        for horizon, trip in zip(horizons_ns, one.trips, strict=False)  # none without data
    }
    return {
        "pool": one.pool,
        "name": one.name,
        "at_ns": str(one.at_ns),
        "base": one.base,
        "enhanced": one.enhanced,
        "pumpswap_available": one.is_available,
        "pumpswap_error": one.missing or None,
        "shifts": dict(one.shifts),
        "outcomes": trips if any(trips.values()) else {},
    }


def _trip(trip: RoundTrip) -> Mapping[str, Any]:
    return {
        "entry_ns": str(trip.entry_ns),
        "exit_ns": str(trip.exit_ns),
        "paid_lamports": str(trip.paid_lamports),
        "received_lamports": str(trip.received_lamports),
        "is_sellable": trip.is_sellable,
        "return": float(trip.result),
    }
