"""The look-ahead check of a strategy on a history: made anew for every run, with inputs that know less each time."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from pumpswap.app.backtest import BacktestOrder, open_history, spec_of
from pumpswap.app.backtest_scoring import cast_of, choose_strategy
from pumpswap.app.q50 import open_q50
from pumpswap.clock import ManualClock
from pumpswap.errors import BadInput, UsageError
from pumpswap.model import Q50Frame
from pumpswap.research.backtest.runner import run_backtest
from pumpswap.research.chronicle.step import Chronicle
from pumpswap.research.significance.decision_trace import DecisionTrace
from pumpswap.research.significance.lookahead import LookaheadPlan, LookaheadReport, StrategyInputs, look_ahead
from pumpswap.research.significance.open_files import forget_modules
from pumpswap.research.tuning.history import held
from pumpswap.settings import Settings

__all__ = ["check_lookahead"]


def check_lookahead(
    order: BacktestOrder, settings: Settings, *, cuts: int = 8, allowed: tuple[Path, ...] = ()
) -> LookaheadReport:
    """Judge the strategy of an order on its history. Raises what ``run_order`` raises, and BadInput where the strategy
    fails while it trades: then nothing can be judged.
    """
    for path in allowed:
        if not path.exists():
            raise UsageError(f"there is no {path} to be read", hint="--allow-read names a file or a folder")
    known = set(sys.modules)
    chosen = choose_strategy(order.strategy, order.params)
    history = held(open_history(order))
    frame = order.frame or settings.q50.path
    base = spec_of(order, history, chosen, settings)
    wants_frame = base.frame_sha256 is not None

    def play(market: Chronicle, inputs: StrategyInputs, trace: DecisionTrace) -> int:
        # From its file each time: what a module reads when it is loaded is read under watch, and again for every run;
        # what it remembered of a run that knew more is gone.
        forget_modules(known)
        one = choose_strategy(order.strategy, order.params)
        spec = msgspec.structs.replace(base, chronicle=market.identity.sha256)
        done = run_backtest(spec, market, cast_of(settings, one, inputs), (trace,))
        faults = done.result.faults
        if faults and market is history:
            told = "; ".join(f"{name}: {error}" for name, error in faults.items())
            raise BadInput(f"the strategy has failed: {told}", hint="mend it; `pumpswap backtest run` shows it too")
        return done.result.net_lamports

    with TemporaryDirectory(prefix="pumpswap-lookahead-") as folder:
        plan = LookaheadPlan(
            folder=Path(folder),
            frame=frame.expanduser() if frame is not None and (wants_frame or frame.expanduser().exists()) else None,
            read_frame=partial(_read, settings) if wants_frame else None,
            cuts=cuts,
            seed=order.seed,
            allowed=allowed,
        )
        return look_ahead(play, history, plan)


def _read(settings: Settings, path: Path) -> Q50Frame:
    """A frame as the settings read it, with the columns that the rules complete."""
    loader = open_q50(settings, ManualClock(), path)
    loader.load()
    if loader.frame is None:
        raise BadInput(f"the frame cannot be used: {loader.failure}", hint="`pumpswap signal q50` says more")
    return loader.frame
