"""ScoreBand: what became of rounds by the score of the signal that opened them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, fsum

from pumpswap.analytics.performance.estimate import Estimate
from pumpswap.analytics.performance.intervals import mean_of, share_of

__all__ = ["ScoreBand", "ScoredRound", "score_bands"]

_WIDTH = 5.0
_MOST_BANDS = 12


@dataclass(frozen=True, slots=True)
class ScoredRound:
    """A closed round: the score that opened it, lamports that were paid in, and what it has earned in all."""

    score: float
    bought_lamports: int
    gain_lamports: int


@dataclass(frozen=True, slots=True)
class ScoreBand:
    """Closed rounds whose scores lie from ``lowest`` to ``highest``. ``mean`` is the mean of gain over what was paid
    in, ``win_rate`` the share that has earned something, both with 95 % intervals where there are enough.
    """

    lowest: float
    highest: float
    mean_score: float
    rounds: int
    won: int
    gain_lamports: int
    mean: Estimate
    win_rate: Estimate

    def to_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "lowest_score": self.lowest,
            "highest_score": self.highest,
            "mean_score": round(self.mean_score, 6),
            "rounds": self.rounds,
            "won": self.won,
            "gain_lamports": str(self.gain_lamports),
            "mean_result": self.mean.to_json(),
            "win_rate": self.win_rate.to_json(),
        }


def score_bands(rounds: Iterable[ScoredRound]) -> list[ScoreBand]:
    """Bands of five points, wider ones where the scores lie far apart; those without a round are left out. The highest
    score is in the band below it: 95 to 100, not 100 to 105.
    """
    known = [one for one in rounds if one.bought_lamports > 0]
    if not known:
        return []
    lowest, highest = min(one.score for one in known), max(one.score for one in known)
    width = _WIDTH
    while (highest - lowest) / width > _MOST_BANDS:
        width *= 2
    first = floor(lowest / width)
    last = max(floor((highest - 1e-9) / width), first)
    bands: dict[int, list[ScoredRound]] = {}
    for one in known:
        bands.setdefault(min(floor(one.score / width), last), []).append(one)
    return [_band(index * width, width, bands[index]) for index in sorted(bands)]


def _band(lowest: float, width: float, rounds: list[ScoredRound]) -> ScoreBand:
    won = sum(one.gain_lamports > 0 for one in rounds)
    return ScoreBand(
        lowest=lowest,
        highest=lowest + width,
        mean_score=fsum(one.score for one in rounds) / len(rounds),
        rounds=len(rounds),
        won=won,
        gain_lamports=sum(one.gain_lamports for one in rounds),
        mean=mean_of([one.gain_lamports / one.bought_lamports for one in rounds], "no closed rounds"),
        win_rate=share_of(won, len(rounds), "no closed rounds"),
    )
