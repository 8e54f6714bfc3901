"""What a back-test must say of itself, so that nobody trusts a figure that means nothing."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace as changed

from pumpswap.amm.acts import BuyQuote
from pumpswap.app.backtest import BacktestOrder, _held_warnings, run_order
from pumpswap.app.backtest_runs import compare_backtests, repeat_backtest
from pumpswap.app.backtest_scoring import choose_strategy
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.strategy import Strategy, Wishes
from pumpswap.errors import UsageError
from pumpswap.model import Intent, Side, Signal, Swap
from pumpswap.research.backtest.figures import groups_of
from pumpswap.research.backtest.result import BacktestResult
from pumpswap.research.backtest.runner import Backtest, Players, run_backtest
from pumpswap.research.backtest.spec import SourceRef, StrategyRef, new_spec
from pumpswap.research.backtest.world import Impact
from pumpswap.research.chronicle.sources.simulator import SimulatedChronicle
from pumpswap.research.chronicle.step import Range, Step
from pumpswap.settings import BacktestSettings, ExitRules, PaperVenueSettings, Q50Settings, RiskLimits, Settings
from tests.research.backtest.histories import TRADERS, History
from tests.support.market import SOL, graduate
from tests.support.q50 import published_frame

SHORT = BacktestOrder("simulated:7", strategy="momentum", impacts=(Impact.NAIVE,), minutes=1, compares_landing=False)
BREAKS_THE_SECOND_TIME = """
from pumpswap.engine.strategy import Strategy

MADE = []


class Mine(Strategy):
    name = "mine"

    def __init__(self):
        MADE.append(self)
        self.is_broken = len(MADE) == 2

    def on_swap(self, swap, desk):
        if self.is_broken:
            raise ValueError("out of order")
        return ()
"""


class BuysOnce(Strategy):
    """The first pool that trades."""

    name = "buys-once"
    has_bought = False

    def on_swap(self, swap: Swap, desk: Wishes) -> Iterable[Intent]:
        if self.has_bought:
            return ()
        self.has_bought = True
        return (desk.buy(Signal(swap.pool, swap.at_ns, Side.LONG, 100.0, 1.0, self.name, ("as planned",))),)


def held_for(seconds: int, max_hold_seconds: int, complete: Mapping[str, tuple[Range, ...]] | None = None) -> Backtest:
    """We buy in one pool, and so long afterwards something happens in another one."""
    history = History(graduate(1), graduate(2))
    first, second = history.states
    history.does(BuyQuote(SOL, 1, 2), TRADERS[0], pool=first)
    last = history.does(BuyQuote(SOL, 1, 2), TRADERS[1], pool=second)
    at_ns = last.at_ns + seconds * NS_PER_SECOND
    history.steps[-1] = changed(last, at_ns=at_ns, slot=last.slot + seconds)
    kind = type(history.chronicle())
    seldom = type("Seldom", (kind,), {"complete": complete}) if complete is not None else kind
    settings = Settings(
        exits=ExitRules(max_hold_seconds=max_hold_seconds),
        paper=PaperVenueSettings(failed_bps=0),
        risk=RiskLimits(allow_permissionless_pools=True),
    )
    chronicle = seldom(list(history.steps), history.schedule_for)
    spec = new_spec(chronicle, SourceRef("hand", "by hand"), StrategyRef("buys-once"), settings)
    done = run_backtest(spec, chronicle, lambda _book, _fees: Players([BuysOnce()]))
    assert done.summary.fills == 1
    return done


def test_rounds_that_no_step_has_ended_in_time_are_said() -> None:
    (text,) = _held_warnings(held_for(1_000, 600).result)
    assert text.startswith("1 of 1 rounds were held longer than exits.max_hold_seconds")
    assert _held_warnings(held_for(1_000, 1_200).result) == () == _held_warnings(held_for(1_000, 0).result)
    assert _held_warnings(held_for(630, 600).result) == ()  # the sale may still be on its way


def test_values_by_old_states_are_said_where_something_may_have_been_missed() -> None:
    (text,) = _held_warnings(held_for(1_000, 0, complete={}).result)
    assert text.startswith("1 of 1 open rounds are valued at what was last told of their pools, up to 1,000 s ago")


def test_what_asks_for_care_stays_with_the_result() -> None:
    """In the report and on the page of a stored back-test, too, which no command's warning reaches."""

    def asking(result: BacktestResult) -> dict[str, tuple[int | str, ...]]:
        rows = {row.label: row.values for row in groups_of([result])[1].rows}
        return {label: values for label, values in rows.items() if "too long" in label or "old value" in label}

    assert asking(held_for(1_000, 600).result) == {"rounds held too long": (1,)}
    assert asking(held_for(1_000, 0, complete={}).result) == {"open rounds of old value": (1,)}
    assert asking(held_for(100, 600).result) == {}


def test_a_strategy_that_fails_in_one_of_the_markets_is_said(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(BREAKS_THE_SECOND_TIME, encoding="utf-8")
    both = (Impact.COUNTERFACTUAL, Impact.NAIVE)
    done = run_order(replace(SHORT, strategy=f"{file}:Mine", impacts=both), Settings(data_dir=tmp_path))
    assert [text for text in done.warnings if "has failed" in text] == [
        "strategy mine has failed in the naive market, from then on nothing was bought: ValueError: out of order"
    ]
    rows = {row.label: row.values for row in groups_of([one.backtest.result for one in done.ran])[1].rows}
    assert rows["strategies that failed"] == (0, 1)


def test_without_numpy_the_test_that_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("numpy" in text for text in run_order(SHORT, Settings(data_dir=tmp_path)).warnings)
    monkeypatch.setitem(sys.modules, "numpy", None)
    done = run_order(SHORT, Settings(data_dir=tmp_path))
    assert any(text.startswith("numpy is not installed") and "[data]" in text for text in done.warnings)


@pytest.mark.parametrize(("name", "text", "says"), [
    ("window_seconds", "abc", "window_seconds of Momentum is no int: 'abc'"),
    ("burst_bps", "1.5", "burst_bps of Momentum is no int: 1.5"),
    ("min_buyers", "True", "min_buyers of Momentum is no int: True"),
    ("full_size", "yes", "full_size of Momentum is no bool: 'yes'"),
])  # fmt: skip
def test_a_parameter_of_another_kind_is_refused_before_anything_is_stored(
    tmp_path: Path, name: str, text: str, says: str
) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(UsageError, match=says):
        run_order(replace(SHORT, params=((name, text),)), settings)
    assert not settings.backtests_file.exists()


def test_kinds_of_classes_of_ones_own_count_and_whole_numbers_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from pumpswap.engine.strategy import Strategy\n\n\nclass Mine(Strategy):\n    name = 'mine'\n\n"
        "    def __init__(self, share: float = 0.5, some: int | None = None, word='a'):\n"
        "        self.told = share, some, word\n",
        encoding="utf-8",
    )
    (made,) = choose_strategy(f"{file}:Mine", (("share", "1"), ("some", "x"), ("word", "2"))).make(Settings(), None)  # type: ignore[arg-type]
    assert made.told == (1, "x", 2)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="share of Mine is no float: 'half'"):
        choose_strategy(f"{file}:Mine", (("share", "half"),))


def test_a_frame_below_the_home_folder_is_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    published_frame(300, start="2026-11-01 23:00").to_csv(tmp_path / "frame.csv")
    settings = Settings(data_dir=tmp_path, q50=Q50Settings(path=Path("~/frame.csv")))
    run_order(replace(SHORT, strategy="q50"), settings)
    assert repeat_backtest(settings, 1).is_equal


def test_all_that_decides_is_named_where_two_back_tests_differ_in_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    run_order(SHORT, settings)
    others = Settings(
        data_dir=tmp_path, backtest=BacktestSettings(landing="first"), q50=Q50Settings(path=tmp_path / "none.csv"),
        paper=PaperVenueSettings(start_sol=Decimal(7), latency_slots=5),
    )  # fmt: skip
    other = replace(SHORT, source="simulated:8", seed=3, params=(("window_seconds", "9"),))
    run_order(other, others)
    _, differing = compare_backtests(settings, 1, 2, None, 300)
    assert [text.partition(":")[0] for text in differing] == [
        "the history", "the strategy", "landing", "latency slots", "seed", "start lamports", "paper.latency_slots",
        "paper.start_sol",
    ]  # fmt: skip
    assert differing[1] == "the strategy: momentum first, momentum window_seconds=9 second"
    assert len(differing[0]) == len("the history: ") + 16 + len(" first, ") + 16 + len(" second")


def test_a_history_is_passed_over_once_for_all_that_is_asked_before_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes, weave = [], SimulatedChronicle._weave

    def counted(self: SimulatedChronicle, tally: Counter[str]) -> Iterator[Step]:
        passes.append(1)
        return weave(self, tally)

    monkeypatch.setattr(SimulatedChronicle, "_weave", counted)
    run_order(SHORT, Settings(data_dir=tmp_path, backtest=BacktestSettings(verify=True)))
    assert len(passes) == 2  # to verify and count it, and to play it


def test_what_of_ours_was_lost_is_shown_where_it_was() -> None:
    result = held_for(10, 0).result
    shown = {row.label: row.values for row in groups_of([result])[-1].rows}
    assert "readings without our part" not in shown and "units that no vault could pay" not in shown
    lost = changed(result, world=result.world | {"lost_shares": 2})
    shown = {row.label: row.values for row in groups_of([result, lost])[-1].rows}
    assert shown["readings without our part"] == (0, 2) and "units that no vault could pay" not in shown
