from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pumpswap.app.backtest import BacktestOrder
from pumpswap.app.lookahead import check_lookahead
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.settings import Settings

PEEKER = """
from statistics import fmean
from pumpswap.engine.strategy import Strategy
from pumpswap.model import Side, Signal


class Peeker(Strategy):
    name = "peeker"

    def __init__(self, least):
        self._least = least

    def on_swap(self, swap, desk):
        if swap.is_buy and swap.quote_units > self._least:
            mint = str(desk.state(swap.pool).pool.base_mint)
            yield desk.buy(Signal(swap.pool, desk.now_ns, Side.LONG, 90.0, 1.0, "peeker", mint=mint))


class Broken(Strategy):
    name = "broken"

    def on_swap(self, swap, desk):
        raise ZeroDivisionError("oh")


def peeking(settings, inputs):
    return Peeker(2 * fmean(step.swap.quote_units for step in inputs.history.steps() if step.swap))


def honest(settings, inputs):
    return Peeker(10**9)
"""


@pytest.fixture
def strategies(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PEEKER)
    return path


def order(strategy: str) -> BacktestOrder:
    return BacktestOrder("simulated:7", strategy, minutes=10)


def test_a_file_of_the_users_is_judged(strategies: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    report = check_lookahead(order(f"{strategies}:peeking"), settings, cuts=2)
    assert [one.rule for one in report.findings][:1] == ["cut"]
    clean = check_lookahead(order(f"{strategies}:honest"), settings, cuts=2)
    assert clean.decisions > 0
    assert not clean.caught


def test_what_a_module_reads_when_it_is_loaded_is_seen(strategies: Path, tmp_path: Path) -> None:
    secret = tmp_path / "prices.csv"
    secret.write_text("1,2\n")
    strategies.write_text(f"PRICES = open({str(secret)!r}).read()\n{PEEKER}")
    settings = Settings(data_dir=tmp_path)
    report = check_lookahead(order(f"{strategies}:honest"), settings, cuts=1)
    assert [one.text for one in report.findings] == [f"it opens {secret} while it is made or trades"]
    assert not check_lookahead(order(f"{strategies}:honest"), settings, cuts=1, allowed=(secret,)).caught


def test_a_library_that_is_loaded_while_it_trades_is_no_reading_but_what_it_reads_is(
    strategies: Path, tmp_path: Path
) -> None:
    """In a process of its own: here polars is loaded already."""
    pytest.importorskip("polars")
    (tmp_path / "prices.csv").write_text("a\n1\n")
    later = "            import colorsys, polars\n"
    mint = "            mint = str(desk.state(swap.pool).pool.base_mint)\n"
    reads = f"            polars.read_csv({str(tmp_path / 'prices.csv')!r})\n"
    for name, text in (("loads", later), ("reads", later + reads)):
        (tmp_path / f"{name}.py").write_text(PEEKER.replace(mint, text + mint))
        line = f"backtest lookahead simulated:7 --length 4m --cuts 1 --strategy {tmp_path}/{name}.py:honest --json"
        command = [sys.executable, "-m", "pumpswap", *line.split(), "--data-dir", str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = [one["text"] for one in json.loads(done.stdout)["findings"]]
        wanted = [f"it opens {tmp_path / 'prices.csv'} while it is made or trades"]
        assert (done.returncode, found) == ((1, wanted) if name == "reads" else (0, [])), done.stderr


def test_what_a_helper_remembers_of_the_whole_history_does_not_help(
    strategies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "remembers.py").write_text("seen = []\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    text = PEEKER.replace(
        "    return Peeker(2 * fmean(step.swap.quote_units for step in inputs.history.steps() if step.swap))",
        "    import remembers\n"
        "    if not remembers.seen:\n"
        "        remembers.seen += [step.swap.quote_units for step in inputs.history.steps() if step.swap]\n"
        "    return Peeker(2 * fmean(remembers.seen))",
    )
    assert "remembers" in text
    strategies.write_text(text)
    report = check_lookahead(order(f"{strategies}:peeking"), Settings(data_dir=tmp_path), cuts=2)
    assert report.caught


@pytest.mark.parametrize("missing", ["numpy", "polars"])
def test_a_frame_without_the_libraries_for_it_names_the_extra(strategies: Path, tmp_path: Path, missing: str) -> None:
    """In a process of its own: here they are loaded already."""
    (tmp_path / "frame.csv").write_text("datetime,a\n2026-10-01,1\n")
    hidden = f"import sys; sys.modules[{missing!r}] = None; from pumpswap.cli import main; main()"
    line = f"backtest lookahead simulated:7 --length 2m --strategy {strategies}:honest --frame {tmp_path}/frame.csv"
    asked = ["--data-dir", str(tmp_path), "--json", *line.split()]
    ended = subprocess.run([sys.executable, "-c", hidden, *asked], capture_output=True, text=True, check=False)
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["code"]) == (4, "config_error"), ended.stderr
    assert missing in told["what"] and told["hint"] == "pip install 'pumpswap[data]'"


def test_what_cannot_be_judged_is_told(strategies: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(BadInput, match="broken: ZeroDivisionError: oh"):
        check_lookahead(order(f"{strategies}:Broken"), settings)
    with pytest.raises(UsageError, match="to be read"):
        check_lookahead(order("momentum"), settings, allowed=(tmp_path / "nowhere",))
    with pytest.raises(NotFound):
        check_lookahead(order(f"{tmp_path}/nothing.py:X"), settings)
