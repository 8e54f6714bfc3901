"""Search: who proposes the sets to try. Deterministic by seed, and by batches of a size that no machine decides."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Literal, Protocol

from pumpswap.errors import ConfigError, UsageError
from pumpswap.research.tuning.space import Dimension, Space
from pumpswap.research.tuning.trials import Params

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

__all__ = ["BATCH", "GridSearch", "Method", "OptunaSearch", "RandomSearch", "Search", "search_of"]

Method = Literal["grid", "random", "optuna"]
BATCH = 16  # sets that are proposed before their results are heard
_TRIES = 50  # draws before a space counts as exhausted


class Search(Protocol):
    """Proposes sets; ``adapts`` says whether it learns from what it is told."""

    adapts: bool

    def ask(self) -> list[Params]:
        """The next batch; empty when there is nothing more to try."""
        ...

    def tell(self, scores: Sequence[float | None]) -> None:
        """How the batch did, in its order, more being better; None: it has no score."""
        ...


class GridSearch:
    """Every combination, in one batch. ``most``: UsageError for a larger grid; 0: any size."""

    adapts = False

    def __init__(self, space: Space, most: int = 0) -> None:
        self._left = space.grid()
        if most and len(self._left) > most:
            raise UsageError(
                f"the grid has {len(self._left)} sets, more than --trials {most}",
                hint="fewer points, more trials, or --method random",
            )

    def ask(self) -> list[Params]:
        batch, self._left = self._left, []
        return batch

    def tell(self, scores: Sequence[float | None]) -> None:
        """Nothing is learnt."""


class RandomSearch:
    """``trials`` different sets at random, in one batch; fewer where the space has no more."""

    adapts = False

    def __init__(self, space: Space, trials: int, seed: int) -> None:
        self._space, self._left, self._chance = space, trials, Random(seed)  # of statistics, not of a secret

    def ask(self) -> list[Params]:
        found: dict[Params, None] = {}
        misses = 0
        while len(found) < self._left and misses < _TRIES:
            drawn = self._space.draw(self._chance)
            misses = misses + 1 if drawn in found else 0
            found[drawn] = None
        self._left = 0
        return list(found)

    def tell(self, scores: Sequence[float | None]) -> None:
        """Nothing is learnt."""


class OptunaSearch:
    """Optuna's TPE, asked in batches of fixed size. The study is in memory: our own tables keep the trials.

    Raises ConfigError where optuna is not installed.
    """

    adapts = True

    def __init__(self, space: Space, trials: int, seed: int) -> None:
        try:
            import optuna
        except ImportError as error:
            raise ConfigError("optuna is not installed", hint="pip install 'pumpswap[research]'") from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._space, self._left = space, trials
        self._known = {one.key: _distribution(one) for one in space.dimensions}
        self._asked: list[Trial] = []

    def ask(self) -> list[Params]:
        self._asked = [self._study.ask(self._known) for _ in range(min(BATCH, self._left))]
        self._left -= len(self._asked)
        return [self._params(trial) for trial in self._asked]

    def tell(self, scores: Sequence[float | None]) -> None:
        from optuna.trial import TrialState

        for trial, score in zip(self._asked, scores, strict=True):
            if score is None:
                self._study.tell(trial, state=TrialState.FAIL)
            else:
                self._study.tell(trial, score)
        self._asked = []

    def _params(self, trial: Trial) -> Params:
        found = []
        for one in self._space.dimensions:
            value = trial.params[one.key]
            found.append((one.key, value if one.choices else one.text_of(float(value))))
        return tuple(found)


def search_of(method: Method, space: Space, trials: int, seed: int) -> Search:
    """The search of this name. ``trials`` 0: all of a grid; the others need a number. Raises UsageError without."""
    if method == "grid":
        return GridSearch(space, trials)
    if trials < 1:
        raise UsageError(f"{method} needs a number of trials", hint="--trials 200")
    return (RandomSearch if method == "random" else OptunaSearch)(space, trials, seed)


def _distribution(one: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if one.choices:
        return CategoricalDistribution(one.choices)
    if one.is_whole:
        return IntDistribution(int(one.low), int(one.high), log=one.is_log)
    return FloatDistribution(float(one.low), float(one.high), log=one.is_log)
