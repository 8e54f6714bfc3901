"""Signals: what each source says, how it spreads, and what became of it; volatility regimes and quantiles beside it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum

from pumpswap.app.views.page import Page, PageWish, page_of
from pumpswap.app.views.sight import RunFacts, Sight, shown_name
from pumpswap.model import Side
from pumpswap.storage.browse import ListedSignal

__all__ = ["PoolScores", "SignalRow", "SignalTally", "Signals", "signals"]

_SAMPLE = 1_000
_BUCKETS = 10
_POOLS = 50


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A signal and whether its decision was to trade. ``q50`` is the middle of what the quantile model expects;
    ``base_score`` what the score was before PumpSwap's own figures enhanced it, where it was.
    """

    decision_id: str
    at_ns: int
    pool: str
    mint: str
    name: str
    side: Side
    score: float
    base_score: float | None
    strength: float
    source: str
    q50: float | None
    regime: str
    size_multiplier: float
    accepted: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignalTally:
    """Over one source, or one regime. ``buckets`` count the scores 0 to 10, 10 to 20, … 90 to 100. ``mean_base_score``
    is of the signals that tell theirs; None where none does.
    """

    count: int
    long: int
    accepted: int
    mean_score: float
    mean_base_score: float | None
    buckets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PoolScores:
    """The newest score of each source for one pool, side by side; ``base_score`` is of the newest that tells it."""

    pool: str
    name: str
    at_ns: int
    scores: Mapping[str, float]
    base_score: float | None
    q50: float | None
    regime: str


@dataclass(frozen=True, slots=True)
class Signals:
    """``by_*`` and ``pools`` are over the newest 1,000 signals, ``sampled`` of them there are."""

    run: RunFacts
    as_of_ns: int
    threshold: float
    sampled: int
    by_source: Mapping[str, SignalTally]
    by_regime: Mapping[str, SignalTally]
    pools: tuple[PoolScores, ...]
    rows: Page[SignalRow]


def signals(sight: Sight, wish: PageWish | None = None) -> Signals:
    """One page of signals, the newest first, and sums over the newest ones."""
    wish = wish or PageWish()
    sample = sight.browse.signals(_SAMPLE)
    found = sample[: wish.size + 1] if wish.before is None else sight.browse.signals(wish.size + 1, wish.before)
    return Signals(
        run=sight.facts,
        as_of_ns=sight.as_of_ns,
        threshold=float(sight.settings.signals.min_score),
        sampled=len(sample),
        by_source=_tallies(sample, lambda one: one.signal.source),
        by_regime=_tallies([one for one in sample if one.signal.regime], lambda one: one.signal.regime),
        pools=_scores(sample),
        rows=page_of(found, wish, lambda one: one.place, _row),
    )


def _row(one: ListedSignal) -> SignalRow:
    signal = one.signal
    return SignalRow(
        one.decision_id, signal.at_ns, signal.pool, signal.mint or "", shown_name(signal.name), signal.side,
        signal.score, signal.base_score, signal.strength, signal.source, signal.q50, signal.regime,
        signal.size_multiplier, one.accepted, signal.reasons,
    )  # fmt: skip


def _tallies(sample: Sequence[ListedSignal], key: Callable[[ListedSignal], str]) -> dict[str, SignalTally]:
    groups: defaultdict[str, list[ListedSignal]] = defaultdict(list)
    for one in sample:
        groups[key(one)].append(one)
    return {name: _tally(group) for name, group in sorted(groups.items())}


def _tally(group: Sequence[ListedSignal]) -> SignalTally:
    scores = [one.signal.score for one in group]
    bases = [one.signal.base_score for one in group if one.signal.base_score is not None]
    counted = Counter(min(max(int(score // (100 / _BUCKETS)), 0), _BUCKETS - 1) for score in scores)
    return SignalTally(
        count=len(group),
        long=sum(one.signal.side is Side.LONG for one in group),
        accepted=sum(one.accepted for one in group),
        mean_score=fsum(scores) / len(scores),
        mean_base_score=fsum(bases) / len(bases) if bases else None,
        buckets=tuple(counted[place] for place in range(_BUCKETS)),
    )


def _scores(sample: Sequence[ListedSignal]) -> tuple[PoolScores, ...]:
    """The pools with the newest signals."""
    newest: dict[str, dict[str, ListedSignal]] = {}
    for one in sample:
        newest.setdefault(one.signal.pool, {}).setdefault(one.signal.source, one)
    return tuple(_side_by_side(pool, by_source) for pool, by_source in list(newest.items())[:_POOLS])


def _side_by_side(pool: str, by_source: Mapping[str, ListedSignal]) -> PoolScores:
    told = [one.signal for one in by_source.values()]
    return PoolScores(
        pool=pool,
        name=shown_name(next((signal.name for signal in told if signal.name), "")),
        at_ns=max(signal.at_ns for signal in told),
        scores={source: one.signal.score for source, one in sorted(by_source.items())},
        base_score=next((signal.base_score for signal in told if signal.base_score is not None), None),
        q50=next((signal.q50 for signal in told if signal.q50 is not None), None),
        regime=next((signal.regime for signal in told if signal.regime), ""),
    )
