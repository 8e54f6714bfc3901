"""Back-tests as people order them: stored with all that decided them, run again to the byte, beside each other."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from pumpswap.analytics.drift import Cause
from pumpswap.app.backtest import (
    BacktestOrder,
    BacktestOutcome,
    OtherLanding,
    _landing_warnings,
    run_order,
)
from pumpswap.app.backtest_page import outcome_page, stored_page
from pumpswap.app.backtest_runs import (
    Moved,
    compare_backtests,
    open_backtests,
    repeat_backtest,
    result_of_row,
    twins_of,
)
from pumpswap.app.backtest_scoring import choose_strategy
from pumpswap.clock import ManualClock
from pumpswap.errors import BadInput, ConfigError, NotFound, UsageError
from pumpswap.model import SOL, EntryKind, LedgerEntry
from pumpswap.portfolio.audit import audit_run
from pumpswap.research.backtest.world import Impact
from pumpswap.settings import BacktestSettings, RiskLimits, Settings
from pumpswap.storage.database import open_database
from tests.storage import stranger
from tests.support.market import START_NS
from tests.support.q50 import published_frame
from tests.support.vectors import GOLDEN

CLOCK = ManualClock(START_NS)
SIMULATED_POOL = "9bDk9Z1Mt9kSaTExmC3AdGFW5VgdrqAKKJsLwaq6aajZ"
ORDER = BacktestOrder("simulated:7", strategy="momentum", minutes=10, name="a try")
MINE = """
from pumpswap.engine.strategy import Strategy


class Mine(Strategy):
    name = "mine"

    def __init__(self, share: float = 0.5, word: str = "none") -> None:
        self.share, self.word = share, word


def several(settings, inputs):
    assert inputs.history.identity.steps
    return [Mine(), Mine()]


def nothing(settings, inputs):
    return "no strategy"


LIST = [1]
"""


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, BacktestOutcome]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("tried"))
    return settings, run_order(ORDER, settings, clock=CLOCK)


def test_both_results_are_kept_with_their_books(tried: tuple[Settings, BacktestOutcome]) -> None:
    settings, done = tried
    assert [one.run_id for one in done.ran] == [1, 2]
    assert done.explained is not None and done.explained.is_good and done.warnings == ()
    assert Path(done.database) == settings.data_dir / "backtests.sqlite"
    assert not (settings.data_dir / "pumpswap.sqlite").exists()
    with open_backtests(settings) as database:
        felt, naive = twins_of(database, 2)
        assert (felt.run_id, felt.impact, felt.twin_run_id) == (1, "counterfactual", 2)
        assert (naive.run_id, naive.impact, naive.twin_run_id) == (2, "naive", 1)
        assert (felt.name, felt.strategy, felt.data_sha256) == ("a try", "momentum", done.chronicle.identity.sha256)
        for row, ran in zip((felt, naive), done.ran, strict=True):
            assert result_of_row(row) == ran.backtest.result
            assert row.result_sha256 == ran.backtest.result.sha256
            run = database.run(row.run_id)
            assert audit_run(run).differences == ()
            header = run.header()
            assert (header.kind, header.started_ns, header.seed) == ("backtest", START_NS, 0)
            assert header.summary is not None and header.finished_ns == START_NS


def test_the_other_end_of_the_slot_is_tried_and_a_sign_that_hangs_on_it_is_said(
    tried: tuple[Settings, BacktestOutcome], tmp_path: Path
) -> None:
    done = tried[1]
    assert done.other_landing is not None and done.other_landing.landing == "first"
    settings = Settings(data_dir=tmp_path, backtest=BacktestSettings(landing="first"))
    first = run_order(replace(ORDER, impacts=(Impact.COUNTERFACTUAL,), compares_landing=False), settings)
    assert first.other_landing is None
    (ran,) = first.ran
    assert ran.backtest.result.net_lamports == done.other_landing.net_lamports
    assert ran.backtest.summary.fills == done.other_landing.fills
    strict = Settings(data_dir=tmp_path, risk=RiskLimits(require_screen=True))
    refused = run_order(replace(ORDER, minutes=3, pools=(SIMULATED_POOL,)), strict)
    assert [text.partition(":")[0].partition(" ")[0] for text in refused.warnings] == [
        "risk.require_screen", "pools", "nothing",
    ]  # fmt: skip
    lost, won = (OtherLanding("last", lamports, 3) for lamports in (-5, 5))
    signs = {bool(_landing_warnings(ran.backtest.result, one)) for one in (lost, won)}
    assert signs == {True, False} and _landing_warnings(ran.backtest.result, None) == ()


def test_a_back_test_is_repeated_to_the_byte(tried: tuple[Settings, BacktestOutcome]) -> None:
    settings, done = tried
    found = repeat_backtest(settings, 1)
    assert (found.is_equal, found.differences, found.differing) == (True, (), ())
    assert found.result_sha256 == done.ran[0].backtest.result.sha256
    assert found.ledger_bytes is not None and found.ledger_bytes > 1_000
    with open_backtests(settings) as database:
        assert database.count_runs() == 2  # nothing was stored


def test_another_version_of_the_code_is_said_and_compared_all_the_same(
    tried: tuple[Settings, BacktestOutcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pumpswap.research.backtest.spec.engine_sha256", lambda: "f" * 64)
    found = repeat_backtest(tried[0], 2)
    assert found.is_equal
    assert [(one.what, one.now, one.prevents) for one in found.differences] == [("the code", "f" * 16, False)]


def test_what_is_not_as_it_was_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, settings = tmp_path / "mine.py", Settings(data_dir=tmp_path, backtest=BacktestSettings(verify=False))
    file.write_text(MINE, encoding="utf-8")
    order = BacktestOrder(
        "simulated:7", strategy=f"{file}:Mine", params=(("share", "0.25"),), impacts=(Impact.NAIVE,), minutes=2,
        keeps_books=False,
    )  # fmt: skip
    done = run_order(order, settings)
    assert done.explained is None
    assert any("nothing was traded" in text for text in done.warnings)
    monkeypatch.chdir(tmp_path.parent)
    assert repeat_backtest(settings, 1).is_equal
    assert repeat_backtest(settings, 1).ledger_bytes is None
    other = repeat_backtest(settings, 1, Moved(source="simulated:8"))
    assert (other.is_equal, [one.what for one in other.differences]) == (None, ["the history"])
    moved = tmp_path / "moved.py"
    file.rename(moved)
    with pytest.raises(NotFound, match=r"mine\.py"):
        repeat_backtest(settings, 1)
    assert repeat_backtest(settings, 1, Moved(strategy=f"{moved}:Mine")).is_equal
    moved.write_text(MINE + "\n", encoding="utf-8")
    found = repeat_backtest(settings, 1, Moved(strategy=f"{moved}:Mine"))
    assert (found.is_equal, [one.what for one in found.differences]) == (None, ["the strategy's file"])


def test_a_result_that_is_not_the_same_names_what_differs(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    run_order(BacktestOrder("simulated:7", strategy="momentum", impacts=(Impact.NAIVE,), minutes=5), settings)
    with open_backtests(settings) as database:
        row = database.backtests.get(1)
    wrong = row.result.replace('"updates":', '"updates":1')
    stranger.execute(settings.backtests_file, f"UPDATE pumpswap_backtests SET result = '{wrong}'")
    found = repeat_backtest(settings, 1)
    assert found.is_equal is False
    assert [text.partition(":")[0] for text in found.differing] == ["summary.updates"]


def test_twins_differ_by_causes_and_a_live_run_stands_beside_a_back_test(
    tried: tuple[Settings, BacktestOutcome],
) -> None:
    settings, done = tried
    found, differing = compare_backtests(settings, 1, 2, None, 300, CLOCK)
    nets = [one.backtest.result.net_lamports for one in done.ran]
    assert found.drift.difference_lamports == nets[0] - nets[1] == sum(found.drift.parts.values())
    assert differing == ("impact: counterfactual first, naive second",)
    with open_database(settings.database_target) as database:
        run = database.start_run(
            "live", START_NS, None, Settings(risk=RiskLimits(max_position_sol=Decimal("0.5"))).to_store()
        )
        run.append_entries([LedgerEntry(1, START_NS, SOL, 100, EntryKind.DEPOSIT)])
    found, differing = compare_backtests(settings, 1, None, 1, 300, CLOCK)
    assert found.headers[1].kind == "live"
    assert found.drift.difference_lamports == nets[0] == sum(found.drift.parts.values())
    assert found.drift.parts[Cause.OUTSIDE_FIRST] + found.drift.parts[Cause.IDLE] == nets[0]
    assert differing == ("risk.max_position_sol: 1 first, 0.5 second",)
    with pytest.raises(NotFound, match="no back-test"), open_backtests(Settings(data_dir=Path("/nowhere"))):
        pass


def test_a_page_is_the_same_from_the_run_and_from_what_was_stored(
    tried: tuple[Settings, BacktestOutcome], tmp_path: Path
) -> None:
    settings, done = tried
    page = outcome_page(tmp_path / "run.html", done).read_text(encoding="utf-8")
    with open_backtests(settings) as database:
        stored = stored_page(tmp_path / "stored.html", database, twins_of(database, 1)).read_text(encoding="utf-8")
    for text in (page, stored):
        assert "counterfactual" in text and "naive" in text and "what a back-test" not in text
        assert "Neither mode is a bound of the other" in text
        assert f'<data value="{done.ran[0].backtest.result.net_lamports}"' in text
        assert 'id="figure-equity"' in text
    assert str(tmp_path) not in page


def test_strategies_come_by_name_or_out_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    chosen = choose_strategy(f"{file}:Mine", (("share", "0.25"), ("word", "some words")))
    (made,) = chosen.make(Settings(), None)  # type: ignore[arg-type]
    assert (made.share, made.word) == (0.25, "some words")  # type: ignore[attr-defined]
    assert (chosen.ref.name, len(chosen.ref.source_sha256)) == ("mine.py:Mine", 64)
    (window,) = choose_strategy("momentum", (("window_seconds", "30"),)).make(Settings(), None)  # type: ignore[arg-type]
    assert window.every_seconds == 30
    done = run_order(
        BacktestOrder("simulated:7", strategy=f"{file}:several", minutes=1, impacts=(Impact.NAIVE,)),
        Settings(data_dir=tmp_path),
    )
    assert done.ran[0].backtest.result.faults == {}


@pytest.mark.parametrize(("text", "params", "error", "says"), [
    ("nonsense", (), UsageError, "no strategy 'nonsense'"),
    ("plan-loop", (("a", "1"),), UsageError, "takes no parameters"),
    ("none.py:Mine", (), NotFound, "none.py"),
    ("{}:Other", (), UsageError, "no strategy Other"),
    ("{}:LIST", (), UsageError, "no strategy LIST"),
    ("{}:several", (("a", "1"),), UsageError, "takes no parameters"),
])  # fmt: skip
def test_what_is_no_strategy_says_so(
    tmp_path: Path, text: str, params: tuple[tuple[str, str], ...], error: type[Exception], says: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    with pytest.raises(error, match=says):
        choose_strategy(text.format(file), params)


def test_a_file_that_is_broken_and_a_class_that_cannot_be_made_say_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("1 / 0", encoding="utf-8")
    with pytest.raises(BadInput, match="ZeroDivisionError"):
        choose_strategy(f"{broken}:Mine")
    file = tmp_path / "mine.py"
    file.write_text(MINE, encoding="utf-8")
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(UsageError, match="Mine cannot be made"):
        run_order(BacktestOrder("simulated", strategy=f"{file}:Mine", params=(("nothing", "1"),), minutes=1), settings)
    with pytest.raises(BadInput, match="gave no strategy"):
        run_order(BacktestOrder("simulated", strategy=f"{file}:nothing", minutes=1), settings)


def test_orders_that_cannot_be_run_store_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(UsageError, match="ends before it begins"):
        run_order(BacktestOrder("simulated", since_ns=5, until_ns=5), settings)
    with pytest.raises(UsageError, match="no impact"):
        run_order(BacktestOrder("simulated", impacts=()), settings)
    with pytest.raises(NotFound):
        run_order(BacktestOrder(str(tmp_path / "nothing"), strategy="momentum"), settings)
    vectors = json.loads((GOLDEN / "simulator.json").read_text(encoding="utf-8"))
    after = vectors["vectors"][0]["steps"][0]["after"]
    after["base_vault"] = str(int(after["base_vault"]) + 1)
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(vectors), encoding="utf-8")
    with pytest.raises(BadInput, match="base_reserve"):
        run_order(BacktestOrder(f"vectors:{wrong}", strategy="momentum"), settings)
    assert not settings.backtests_file.exists()


def test_signals_of_the_settings_are_heard_and_frames_count_by_their_digest(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    done = run_order(BacktestOrder("simulated:7", minutes=10, impacts=(Impact.NAIVE,)), settings)
    assert done.ran[0].backtest.summary.fills > 0  # follow-signals by the analyser
    with pytest.raises(ConfigError, match="no Q50 file"):
        run_order(BacktestOrder("simulated:7", strategy="q50", minutes=1), settings)
    frame = tmp_path / "frame.csv"
    published_frame(300, start="2026-11-01 23:00").to_csv(frame)
    order = BacktestOrder("simulated:7", strategy="q50", minutes=2, impacts=(Impact.NAIVE,), frame=frame)
    first = run_order(order, settings)
    spec = first.ran[0].backtest.result.spec
    assert spec.frame_sha256 == hashlib.sha256(frame.read_bytes()).hexdigest()
    assert "path" not in spec.settings["q50"] and str(tmp_path).encode() not in spec.canonical()
    run_id = first.ran[0].run_id
    assert repeat_backtest(settings, run_id).is_equal
    moved = tmp_path / "moved.csv"
    frame.rename(moved)
    assert repeat_backtest(settings, run_id, Moved(frame=moved)).is_equal
    published_frame(300, 2, start="2026-11-01 23:00").to_csv(moved)
    found = repeat_backtest(settings, run_id, Moved(frame=moved))
    assert [one.what for one in found.differences] == ["the Q50 frame"]


def test_a_frame_that_does_not_fit_the_settings_is_refused(tmp_path: Path) -> None:
    """Not one signal would look like a strategy that finds nothing."""
    frame = tmp_path / "frame.csv"
    published_frame(300, start="2026-11-01 23:00").to_csv(frame)
    settings = Settings(data_dir=tmp_path, q50={"instruments": {"coin": "NOBODY"}})
    order = BacktestOrder("simulated:7", strategy="q50", minutes=2, impacts=(Impact.NAIVE,), frame=frame)
    with pytest.raises(ConfigError, match="gives coin to 'NOBODY'"):
        run_order(order, settings)


def test_a_history_in_which_nothing_happens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing happens"):
        run_order(BacktestOrder("simulated:7", since_ns=START_NS * 2, minutes=1), Settings(data_dir=tmp_path))
    one = choose_strategy("momentum", (("window_seconds", "30"), ("burst_bps", "9")))
    other = choose_strategy("momentum", (("burst_bps", "9"), ("window_seconds", "30")))
    assert one.ref == other.ref
