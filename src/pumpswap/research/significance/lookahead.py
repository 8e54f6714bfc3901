"""Does a strategy know what it cannot know? The same run again without the future, and with another one.

1. Cut: history and frames end at a moment; every decision up to it must be the same, to the letter.
2. Changed: what follows the moment is mixed up instead of missing.
3. Frames: the rows of a frame up to a moment must not change when later ones come; a signal's stamp must not lie ahead
   of the moment at which it is acted on.
4. Files: what a strategy opens on its own while it is made or trades may hold the future, and cannot be cut.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from pumpswap.clock import iso_utc
from pumpswap.errors import PumpSwapError, UsageError
from pumpswap.model import Q50Frame
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.research.significance.changed_history import (
    ChangedFuture,
    changed_frame,
    cut_frame,
    lagged_frame,
    whole_frame,
)
from pumpswap.research.significance.decision_trace import DecisionTrace, Line, first_difference
from pumpswap.research.significance.open_files import watched
from pumpswap.research.tuning.history import HistoryPart

__all__ = ["Finding", "LookaheadPlan", "LookaheadReport", "Play", "StrategyInputs", "look_ahead"]

_LEAST_LEFT = 0.5  # of the gain, when the frame is a row late: less is suspicious


class StrategyInputs(msgspec.Struct, frozen=True):
    """All that a strategy may look at beside what the engine tells it: what it is made with.

    ``history`` is the recorded market, ``frame`` the file of the quantile model. Both are cut copies in this check:
    whoever is made with them, and opens nothing else, is judged rightly.
    """

    history: Chronicle
    frame: Path | None = None


Play = Callable[[Chronicle, StrategyInputs, DecisionTrace], int]
"""Makes the strategy anew with its inputs, runs it over the chronicle, and returns what it has earned in lamports."""


class LookaheadPlan(msgspec.Struct, frozen=True):
    """``cuts`` moments are looked at. ``allowed`` are files and folders that may be opened while it trades. ``folder``
    takes the cut frames. ``read_frame`` reads one as the settings say.
    """

    folder: Path
    frame: Path | None = None
    read_frame: Callable[[Path], Q50Frame] | None = None
    cuts: int = 8
    seed: int = 0
    allowed: tuple[Path, ...] = ()


class Finding(msgspec.Struct, frozen=True):
    """One proof that the future was known. ``rule``: cut | changed | frame | stamp | file."""

    rule: str
    at_ns: int
    pool: str
    text: str
    with_future: str = ""
    without: str = ""


class LookaheadReport(msgspec.Struct, frozen=True):
    """``caught`` when there is a finding. ``suspicions`` prove nothing. ``decisions``: of the full run; 0: the strategy
    did nothing, so nothing was judged.
    """

    caught: bool
    findings: tuple[Finding, ...]
    suspicions: tuple[str, ...]
    decisions: int
    cut_times_ns: tuple[int, ...]


def look_ahead(play: Play, history: Chronicle, plan: LookaheadPlan) -> LookaheadReport:
    """Judge what ``play`` makes. It runs ``1 + 2 × cuts`` times, most of them not to the end. Raises UsageError for
    fewer than one cut, and what ``play`` raises in the run with everything.
    """
    if plan.cuts < 1:
        raise UsageError(f"{plan.cuts} cuts", hint="1 or more; 8 unless given")
    return _Check(play, history, plan).report()


class _Check:
    def __init__(self, play: Play, history: Chronicle, plan: LookaheadPlan) -> None:
        self._play, self._history, self._plan = play, history, plan
        self._findings: list[Finding] = []
        self._whole = StrategyInputs(history, self._copied("whole", whole_frame))

    def report(self) -> LookaheadReport:
        full = DecisionTrace()
        # The history's own place is read by the replay itself; a strategy that opens it is on the stack, and noted.
        allowed = (*self._plan.allowed, *((self._whole.frame,) if self._whole.frame else ()))
        with watched(*allowed) as opened:
            gain = self._play(self._history, self._whole, full)
        self._findings += [Finding("file", 0, "", f"it {what} while it is made or trades") for what in opened]
        self._findings += [_ahead(line, ahead) for line, ahead in full.ahead[:1]]
        cuts = _cut_times(full.lines, self._plan.cuts)
        for until_ns in cuts:
            if not self._has("cut"):
                self._compare("cut", until_ns, full)
            if not self._has("changed"):
                self._compare("changed", until_ns, full)
            if not self._has("frame"):
                self._compare_frames(until_ns)
        return LookaheadReport(
            bool(self._findings), tuple(self._findings), tuple(self._suspicions(gain)), len(full.lines), tuple(cuts)
        )

    def _has(self, rule: str) -> bool:
        return any(one.rule == rule for one in self._findings)

    def _compare(self, rule: str, until_ns: int, full: DecisionTrace) -> None:
        """Decide again up to a moment, with inputs that know nothing, or something else, of what follows."""
        past = HistoryPart(self._history, self._history.span_ns[0], until_ns)
        if rule == "cut":
            inputs = StrategyInputs(past, self._copied("cut", lambda path, to: cut_frame(path, to, until_ns)))
        else:
            seed = self._plan.seed
            changed = self._copied("changed", lambda path, to: changed_frame(path, to, until_ns, seed))
            inputs = StrategyInputs(ChangedFuture(self._history, until_ns, seed), changed)
        trace = DecisionTrace()
        try:
            self._play(past, inputs, trace)
        except PumpSwapError:
            raise
        except Exception as broken:  # user's code: that it cannot be without the future is the finding
            text = f"it fails where the future is {_MISSING[rule]}: {type(broken).__name__}: {broken}"
            self._findings.append(Finding(rule, until_ns, "", text))
            return
        found = first_difference(full.lines, trace.lines, until_ns)
        if found is not None:
            text = f"it decides otherwise when what comes after {iso_utc(until_ns, fraction=True)} is {_MISSING[rule]}"
            self._findings.append(Finding(rule, found.at_ns, found.pool, text, found.with_future, found.without))

    def _compare_frames(self, until_ns: int) -> None:
        """Rows of the frame before a moment, with and without those that follow."""
        if self._plan.read_frame is None or self._whole.frame is None:
            return
        cut = self._copied("cut", lambda path, to: cut_frame(path, to, until_ns))
        if cut is None:
            return
        parts = {one.instrument: one for one in self._plan.read_frame(cut)}
        for series in self._plan.read_frame(self._whole.frame):
            part = parts.get(series.instrument)
            known = 0 if part is None else min(len(part), bisect_left(series.times_ns, until_ns))
            for place in range(known):
                one, other = series.values(place), {} if part is None else part.values(place)
                if one != other:
                    at_ns = series.times_ns[place]
                    text = "a row of the frame changes when later rows come"
                    self._findings.append(Finding("frame", at_ns, series.instrument or "", text, str(one), str(other)))
                    return

    def _suspicions(self, gain: int) -> list[str]:
        if self._whole.frame is None or gain <= 0 or self._findings:
            return []
        late = self._play(
            self._history, StrategyInputs(self._history, self._copied("lagged", lagged_frame)), DecisionTrace()
        )
        if late >= gain * _LEAST_LEFT:
            return []
        told = f"with a frame that is one row late it earns {late} lamports instead of {gain}"
        return [f"{told}: are the frame's stamps the times at which its rows were known?"]

    def _copied(self, name: str, write: Callable[[Path, Path], None]) -> Path | None:
        if self._plan.frame is None:
            return None
        to = self._plan.folder / f"{name}.csv"
        write(self._plan.frame, to)
        return to


_MISSING = {"cut": "missing", "changed": "another one"}


def _cut_times(lines: Sequence[Line], cuts: int) -> list[int]:
    """Moments just after decisions, spread over all of them, the last one left out: nothing follows it."""
    times = sorted({line.at_ns for line in lines})
    if not times:
        return []
    places = {len(times) * place // cuts for place in range(cuts)}
    return [times[place] + 1 for place in sorted(places)]


def _ahead(line: Line, ahead_ns: int) -> Finding:
    text = f"a signal is stamped {ahead_ns} ns after the moment at which it was acted on"
    return Finding("stamp", line.at_ns, line.pool, text, line.text)
