"""SweepShelf: a search and its trials in the database of back-tests, while it runs and when it goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from pumpswap.clock import Clock
from pumpswap.errors import Conflict, NotFound
from pumpswap.research.backtest.spec import canonical_json
from pumpswap.research.significance.evidence import Evidence
from pumpswap.research.significance.sharpe import moments_of
from pumpswap.research.tuning.objective import returns_of
from pumpswap.research.tuning.outcome import SweepOutcome
from pumpswap.research.tuning.trials import TrialResult
from pumpswap.settings import Settings
from pumpswap.storage.backtests import Backtests, StoredSweep, StoredTrial
from pumpswap.storage.database import open_database

__all__ = ["SweepShelf", "evidence_json", "listed_sweeps", "outcome_json", "result_of_trial", "stored_sweep"]


class SweepShelf:
    """One search. It is a ``TrialStore``; ``found_before`` counts what an earlier run of it had kept."""

    def __init__(self, backtests: Backtests, clock: Clock, document: Mapping[str, Any]) -> None:
        self._backtests, self._clock, self._document = backtests, clock, document
        self._spec = canonical_json(document).decode()
        self._kept: dict[int, TrialResult] = {}
        self.sweep_id = 0

    @property
    def found_before(self) -> int:
        """Trials of an earlier run of this search."""
        return len(self._kept)

    def begin(self, name: str) -> None:
        """Store the search; its trials come later."""
        self.sweep_id = self._backtests.start_sweep(self._row(name))

    def take_up(self, resume: int) -> None:
        """Go on with an earlier one. Raises NotFound, and Conflict for one that differs."""
        stored = self._backtests.sweep(resume)
        if stored.spec != self._spec:
            raise Conflict(
                f"search {resume} is another one: {_differing(stored.spec, self._spec)}",
                hint="give the same source, strategy, space and settings; or leave --resume out",
            )
        self.sweep_id = resume
        self._kept = {one.number: result_of_trial(one) for one in self._backtests.trials(resume)}

    def found(self, numbers: Sequence[int]) -> Mapping[int, TrialResult]:
        """As of ``TrialStore``."""
        return {number: self._kept[number] for number in numbers if number in self._kept}

    def keep(self, results: Sequence[TrialResult]) -> None:
        """As of ``TrialStore``: all of a chunk or none of it."""
        self._backtests.add_trials(self.sweep_id, [_stored(one) for one in results])

    def finish(self, outcome: SweepOutcome) -> None:
        """It is done."""
        self._backtests.finish_sweep(self.sweep_id, self._clock.now_ns(), outcome_json(outcome))

    def _row(self, name: str) -> StoredSweep:
        document, spec = self._document, self._document["backtest"]
        return StoredSweep(
            key=hashlib.sha256(self._spec.encode()).hexdigest()[:16],
            name=name,
            method=document["method"],
            data_sha256=spec["chronicle"],
            version=spec["version"],
            engine_sha256=spec["engine_sha256"],
            trials=document["trials"],
            seed=document["seed"],
            started_ns=self._clock.now_ns(),
            spec=self._spec,
        )


def outcome_json(outcome: SweepOutcome) -> dict[str, Any]:
    """Figures with units in their names; amounts as texts of integers. A pure function of the search: the same search
    gives the same bytes.
    """
    told: dict[str, Any] = msgspec.to_builtins(outcome)
    found: dict[str, Any] = _as_texts(told)
    found["test_lamports"] = str(outcome.test_lamports)
    return found


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """What a result is worth, likewise."""
    found: dict[str, Any] = _as_texts(msgspec.to_builtins(evidence))
    return found


def result_of_trial(one: StoredTrial) -> TrialResult:
    """The whole result of a stored trial."""
    return msgspec.msgpack.decode(one.result, type=TrialResult)


def _stored(one: TrialResult) -> StoredTrial:
    moments = moments_of(returns_of(one))
    return StoredTrial(
        number=one.number,
        role=one.split.role,
        params=canonical_json(dict(one.params)).decode(),
        net_lamports=one.net_lamports,
        fills=one.fills,
        rounds=sum(each.kind != "failed" for each in one.rounds),
        max_drawdown_lamports=one.max_drawdown_lamports,
        sharpe=None if moments is None else moments.sharpe,
        path=one.path,
        result=msgspec.msgpack.encode(one),
    )


def _as_texts(value: Any, name: str = "") -> Any:
    """Lamports and nanoseconds as texts, since JSON's numbers are not safe beyond 2^53; params as objects."""
    if isinstance(value, dict):
        return {key: _as_texts(each, _unit_of(key, name)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        if name in ("params", "final"):
            return dict(value)
        return [_as_texts(each, name) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and name in ("lamports", "ns"):
        return str(value)
    return value


def _unit_of(key: str, outer: str) -> str:
    if key in ("params", "final"):
        return key
    if key.endswith("_lamports") or key in ("net", "drawdown", "shuffled_drawdown", "network", "equity"):
        return "lamports"
    if key.endswith("_ns"):
        return "ns"
    return outer if outer == "lamports" and key in ("low", "middle", "high") else ""


def _differing(stored: str, mine: str) -> str:
    """Names of what is not the same."""
    then, now = (msgspec.json.decode(text) for text in (stored, mine))
    found = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    if "backtest" in found:
        one, two = then.get("backtest", {}), now.get("backtest", {})
        found.remove("backtest")
        found += [name for name in sorted(one.keys() | two.keys()) if one.get(name) != two.get(name)]
    return "it differs in " + ", ".join(found)


def listed_sweeps(settings: Settings, most: int) -> list[tuple[StoredSweep, int]]:
    """The newest searches and how many of their trials are stored; none where there is no database."""
    if not settings.backtests_file.exists():
        return []
    with open_database(settings.backtests_file) as database:
        found = database.backtests.sweeps(most)
        return [(one, database.backtests.count_trials(one.sweep_id)) for one in found]


def stored_sweep(settings: Settings, sweep_id: int) -> StoredSweep:
    """A finished search. Raises NotFound for one that is not there, and for one that is not finished."""
    file = settings.backtests_file
    if not file.exists():
        raise NotFound(f"there are no searches in {file}", hint="`pumpswap tune run` makes the first")
    with open_database(file) as database:
        found = database.backtests.sweep(sweep_id)
        if found.summary is None:
            count = database.backtests.count_trials(sweep_id)
            raise NotFound(
                f"search {sweep_id} was interrupted after {count} trials",
                hint=f"the same command with --resume {sweep_id} goes on with it",
            )
        return found
