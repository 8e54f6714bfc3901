"""Four strategies that peek are caught; honest ones pass."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean, pstdev

import pytest

from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.strategies import STRATEGIES, Momentum, strategy_named
from pumpswap.engine.strategies.random_entries import RandomEntries
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.errors import UsageError
from pumpswap.market.q50_file import read_q50
from pumpswap.model import Intent, Mark, Position, Side, Signal, Swap
from pumpswap.research.backtest.runner import Cast, Players, run_backtest
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.research.significance.decision_trace import DecisionTrace
from pumpswap.research.significance.lookahead import LookaheadPlan, LookaheadReport, Play, StrategyInputs, look_ahead
from pumpswap.settings import Q50Settings, Settings, SignalSettings
from pumpswap.signals.base_score import BaseScoreSignaller
from pumpswap.signals.q50_signal import Q50Signaller
from tests.research.tuning.played import history, spec_of

SETTINGS = Settings(signals=SignalSettings(min_score=10))


def play_of(make: Callable[[StrategyInputs], Players]) -> Play:
    def play(market: Chronicle, inputs: StrategyInputs, trace: DecisionTrace) -> int:
        cast: Cast = lambda _book, _schedule_for: make(inputs)  # noqa: E731
        return run_backtest(spec_of(market, SETTINGS), market, cast, (trace,)).result.net_lamports

    return play


def checked(
    make: Callable[[StrategyInputs], Players], folder: Path, frame: Path | None = None, cuts: int = 2
) -> LookaheadReport:
    plan = LookaheadPlan(folder, frame, read_q50_frame if frame else None, cuts)
    return look_ahead(play_of(make), history(), plan)


def read_q50_frame(path: Path):  # type: ignore[no-untyped-def]
    return read_q50(path).frame


def alone(strategy: Strategy) -> Players:
    return Players([strategy], BaseScoreSignaller(10).signal)


def signal_of(swap: Swap, desk: Wishes, at_ns: int | None = None) -> Signal:
    state = desk.state(swap.pool)
    mint = "" if state is None else str(state.pool.base_mint)
    return Signal(swap.pool, desk.now_ns if at_ns is None else at_ns, Side.LONG, 90.0, 1.0, "peeker", mint=mint)


class _Peeker(Strategy):
    name = "peeker"

    def on_position(self, position: Position, mark: Mark, desk: Wishes) -> Iterable[Intent]:
        if desk.now_ns - position.opened_ns > 30 * NS_PER_SECOND:
            yield desk.sell(position, "half a minute")


class FutureList(_Peeker):
    """Buys before others buy: it has the list of what is to come."""

    def __init__(self, inputs: StrategyInputs) -> None:
        self._coming = [(step.at_ns, step.pool, step.swap) for step in inputs.history.steps() if step.swap is not None]

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        until = desk.now_ns + 20 * NS_PER_SECOND
        flow = sum(
            one.quote_units if one.is_buy else -one.quote_units
            for at_ns, pool, one in self._coming
            if pool == swap.pool and desk.now_ns < at_ns <= until
        )
        if flow > 0:
            yield desk.buy(signal_of(swap, desk))


class WholeScale(_Peeker):
    """Normalises amounts by mean and spread of the whole history: the classic mistake."""

    def __init__(self, inputs: StrategyInputs) -> None:
        amounts = [step.swap.quote_units for step in inputs.history.steps() if step.swap is not None]
        self._mean, self._spread = fmean(amounts), pstdev(amounts)

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        if swap.is_buy and swap.quote_units > self._mean + 0.5 * self._spread:
            signal = signal_of(swap, desk)
            yield desk.buy(signal, f"z {(swap.quote_units - self._mean) / self._spread}")


class FileReader(_Peeker):
    """Reads what is to come from a file of its own."""

    def __init__(self, path: Path) -> None:
        self._coming = set(json.loads(path.read_text()))

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        if desk.now_ns in self._coming:
            yield desk.buy(signal_of(swap, desk))


class Ahead(_Peeker):
    """Acts on a signal that is stamped a second later."""

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        if swap.is_buy and swap.quote_units > 2 * 10**9:
            yield desk.buy(signal_of(swap, desk, desk.now_ns + NS_PER_SECOND))


def test_a_strategy_with_a_list_of_the_future_is_caught(tmp_path: Path) -> None:
    report = checked(lambda inputs: alone(FutureList(inputs)), tmp_path)
    assert report.caught
    assert {one.rule for one in report.findings} >= {"cut", "changed"}
    found = next(one for one in report.findings if one.rule == "cut")
    assert found.with_future != found.without
    assert found.pool


def test_a_scale_of_the_whole_history_is_caught(tmp_path: Path) -> None:
    report = checked(lambda inputs: alone(WholeScale(inputs)), tmp_path)
    assert {one.rule for one in report.findings} >= {"cut"}
    assert "missing" in report.findings[0].text


def test_a_file_of_its_own_is_caught(tmp_path: Path) -> None:
    path = tmp_path / "coming.json"
    path.write_text(json.dumps([step.at_ns for step in history().steps() if step.swap is not None][::20]))
    report = checked(lambda _inputs: alone(FileReader(path)), tmp_path)
    assert [one.rule for one in report.findings] == ["file"]
    assert str(path) in report.findings[0].text
    plan = LookaheadPlan(tmp_path, cuts=1, allowed=(tmp_path,))
    assert not look_ahead(play_of(lambda _inputs: alone(FileReader(path))), history(), plan).caught


def test_a_file_that_a_library_reads_past_python_is_caught(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    path = tmp_path / "coming.parquet"
    polars.DataFrame({"at": [1, 2]}).write_parquet(path)

    def make(_inputs: StrategyInputs) -> Players:
        polars.read_parquet(path)
        return alone(Momentum())

    report = checked(make, tmp_path, cuts=1)
    assert [one.rule for one in report.findings] == ["file"]


def test_a_signal_from_the_future_is_caught(tmp_path: Path) -> None:
    report = checked(lambda _inputs: alone(Ahead()), tmp_path)
    assert [one.rule for one in report.findings] == ["stamp"]
    assert "1000000000 ns after" in report.findings[0].text


def test_whoever_fails_without_the_future_is_caught(tmp_path: Path) -> None:
    steps = len(list(history().steps()))

    def make(inputs: StrategyInputs) -> Players:
        seen = list(inputs.history.steps())
        assert seen[steps - 1].at_ns > 0
        return alone(Momentum())

    report = checked(make, tmp_path, cuts=1)
    assert [one.rule for one in report.findings] == ["cut"]
    assert "IndexError" in report.findings[0].text


@pytest.mark.parametrize("name", sorted(STRATEGIES.keys() - {"q50"}))
def test_the_strategies_of_the_package_pass(name: str, tmp_path: Path) -> None:
    def make(_inputs: StrategyInputs) -> Players:
        lively = Momentum(window_seconds=30, burst_bps=100, min_buyers=2)
        return alone(lively if name == "momentum" else strategy_named(name, SETTINGS))

    report = checked(make, tmp_path, cuts=2)
    assert not report.caught, report.findings
    assert report.decisions > 0
    assert len(report.cut_times_ns) == 2


def test_random_entries_pass_too(tmp_path: Path) -> None:
    since, until = history().span_ns
    report = checked(lambda _inputs: alone(RandomEntries(seed=3, since_ns=since, until_ns=until)), tmp_path, cuts=2)
    assert report.decisions > 0
    assert not report.caught


def test_who_does_nothing_is_not_judged(tmp_path: Path) -> None:
    report = checked(lambda _inputs: Players([Strategy()]), tmp_path)
    assert (report.decisions, report.cut_times_ns, report.caught) == (0, (), False)


def test_without_cuts_nothing_is_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="0 cuts"):
        checked(lambda _inputs: alone(Momentum()), tmp_path, cuts=0)


# ------------------------------------------------------------------------------------------------- frames


def frame_file(path: Path, scale: Sequence[float] | None = None) -> Path:
    """A row every half minute; ``scale`` are the values of q50."""
    since = history().span_ns[0] // NS_PER_SECOND
    lines = ["datetime,q10,q50,q90,vol_raw,vol_risk,prob_up,economically_significant,high_quality,tradeable"]
    for place in range(40):
        q50 = (scale or [0.01 * ((place * 7) % 13 - 5) for place in range(40)])[place]
        lines.append(f"{since + 30 * place},-0.02,{q50!r},0.04,0.02,0.0004,0.7,True,True,True")
    path.write_text("\n".join(lines) + "\n")
    return path


def of_frame(inputs: StrategyInputs) -> Players:
    assert inputs.frame is not None
    signaller = Q50Signaller(read_q50(inputs.frame).frame)
    return Players([strategy_named("follow-signals", SETTINGS)], signaller.signal)


def test_the_signals_of_a_frame_pass(tmp_path: Path) -> None:
    report = checked(of_frame, tmp_path, frame_file(tmp_path / "frame.csv"))
    assert report.decisions > 0
    assert not report.caught, report.findings


def test_the_strategy_of_the_frame_passes(tmp_path: Path) -> None:
    def make(inputs: StrategyInputs) -> Players:
        with_frame = SETTINGS.model_copy(update={"q50": Q50Settings(path=inputs.frame, warm_up=3)})
        return Players([strategy_named("q50", with_frame)])

    report = checked(make, tmp_path, frame_file(tmp_path / "frame.csv"))
    assert report.decisions > 0
    assert not report.caught, report.findings


def test_a_frame_that_is_read_as_a_whole_is_caught(tmp_path: Path) -> None:
    def make(inputs: StrategyInputs) -> Players:
        assert inputs.frame is not None
        (series,) = read_q50(inputs.frame).frame
        values = series.column("q50")
        mean = fmean(values)

        def signal(snapshot, history=()):  # type: ignore[no-untyped-def]
            row = series.newest(snapshot.at_ns)
            score = 0.0 if row is None else min(max(50 + 1_000 * (values[row] - mean), 0), 100)
            return Signal(snapshot.pool, snapshot.at_ns, Side.LONG, score, 0.5, "z", mint=snapshot.base_mint)

        return Players([strategy_named("follow-signals", SETTINGS)], signal)

    report = checked(make, tmp_path, frame_file(tmp_path / "frame.csv"))
    assert {one.rule for one in report.findings} >= {"cut"}


def test_rows_that_later_rows_change_are_caught(tmp_path: Path) -> None:
    """A reader that completes a frame from all of its rows, whatever the strategy makes of it."""

    def read(path: Path):  # type: ignore[no-untyped-def]
        text = path.read_text().splitlines()
        mean = fmean(float(line.split(",")[2]) for line in text[1:])
        other = path.with_name("read.csv")
        other.write_text("\n".join([text[0], *(line.replace("0.0004", repr(mean**2)) for line in text[1:])]) + "\n")
        return read_q50(other).frame

    plan = LookaheadPlan(tmp_path, frame_file(tmp_path / "frame.csv"), read, 2)
    report = look_ahead(play_of(lambda _inputs: alone(Momentum(window_seconds=30, min_buyers=2))), history(), plan)
    assert [one.rule for one in report.findings] == ["frame"]
    assert "vol_risk" in report.findings[0].without
