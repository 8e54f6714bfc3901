"""Q50: looking up a signal in 50,000 rows, and what it costs to have them in memory."""

from __future__ import annotations

import pickle
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import polars as pl

from benchmarks.figures import Figures
from pumpswap.clock import ManualClock
from pumpswap.market.q50_loader import Q50SignalLoader
from pumpswap.model import Q50Frame
from pumpswap.settings import Q50Settings, RegimeSettings
from pumpswap.signals.q50_calibration import calibrate
from pumpswap.signals.q50_rules import causal_columns
from pumpswap.signals.q50_signal import Q50Signaller
from tests.support.q50 import START, model_columns, published_frame

__all__ = ["measure"]

ROWS = 50_000
LIMIT_US = 50.0
_LOOK_UPS, _PEER_LOOK_UPS, _ROUNDS = 20_000, 300, 5
_LABEL = 58


def measure() -> Figures:
    """Ours against pandas' own ways of finding the newest row, at the same random moments in the same process."""
    frame = _frame()
    with TemporaryDirectory() as folder:
        files = _files(frame, Path(folder))
        loader = Q50SignalLoader(files["pickle"], clock=ManualClock(2**62))
        reading = loader.load()
        found = _look_ups(loader, reading.frame, frame)
        found |= {f"load_{form}_ms": _load_ms(path) for form, path in files.items()}
        found["pandas_read_pickle_ms"] = _best_ms(lambda: pd.read_pickle(files["pickle"]))
    series = reading.frame.chosen()
    found["calibrate_ms"] = _best_ms(lambda: calibrate(series, Q50Settings(), RegimeSettings()), rounds=2)
    found["rules_ms"] = _best_ms(lambda: causal_columns(model_columns(ROWS)), rounds=1)
    found = {name: float(f"{value:.3g}") for name, value in found.items()}
    return Figures(
        title=f"Q50: {ROWS:,} hourly rows of 75 columns",
        table=_table(found),
        figures={"rows": ROWS, **found},
        promises=[
            (f"a look-up of a row within {LIMIT_US:.0f} µs", found["row_p99_us"] <= LIMIT_US),
            (f"a look-up of all columns as a dict within {LIMIT_US:.0f} µs", found["dict_us"] <= LIMIT_US),
            (f"a decision with its reasons within {LIMIT_US:.0f} µs", found["decision_us"] <= LIMIT_US),
        ],
        notes=[
            f"random moments; means of {_LOOK_UPS:,}, those of pandas of {_PEER_LOOK_UPS:,}; best of {_ROUNDS}",
            "loading reads, checks, sorts and types every column; pandas' own reading runs what the pickle asks for",
        ],
    )


def _frame() -> pd.DataFrame:
    """Figures of 1,000 rows again and again: what is looked up costs the same."""
    piece = published_frame(1_000).reset_index(drop=True)
    frame = pd.concat([piece] * (ROWS // 1_000), ignore_index=True)
    times = pd.date_range(START, periods=ROWS, freq="h")
    frame.index = pd.MultiIndex.from_product([["BTCUSDT"], times], names=["instrument", "datetime"])
    return frame


def _files(frame: pd.DataFrame, folder: Path) -> dict[str, Path]:
    flat = frame.reset_index()
    found = {form: folder / f"frame.{form}" for form in ("pickle", "parquet", "csv")}
    found["pickle"].write_bytes(pickle.dumps(frame, 5))
    pl.DataFrame({name: flat[name].tolist() for name in flat}).write_parquet(found["parquet"])
    flat.to_csv(found["csv"], index=False)
    return found


def _look_ups(loader: Q50SignalLoader, ours: Q50Frame, frame: pd.DataFrame) -> dict[str, float]:
    series, rng = ours.chosen(), random.Random(1)
    first, last = series.times_ns[0], series.times_ns[-1]
    moments = [rng.randrange(first, last + series.spacing_ns) // 1_000 * 1_000 for _ in range(_LOOK_UPS)]
    signaller = Q50Signaller(ours)
    taken = sorted(_each_us(series.at, moments))
    plain = frame.droplevel("instrument")
    stamps = [pd.Timestamp(moment).as_unit("us") for moment in moments[:_PEER_LOOK_UPS]]
    hour = pd.Timedelta(hours=1)
    return {
        "row_us": _mean_us(series.at, moments),
        "row_p99_us": taken[-len(taken) // 100],
        "dict_us": _mean_us(loader.signal_at, moments),
        "decision_us": _mean_us(signaller.decide, moments),
        "pandas_get_indexer_us": _mean_us(
            lambda at: plain.iloc[plain.index.get_indexer([at], method="ffill", tolerance=hour)[0]], stamps
        ),
        "pandas_loc_us": _mean_us(lambda at: plain.loc[at - hour : at].iloc[-1], stamps),
        "pandas_asof_us": _mean_us(lambda at: plain["q50"].asof(at), stamps),
        # What the host does: a mask over all rows, then the nearest.
        "pandas_mask_us": _mean_us(lambda at: plain[(plain.index >= at - hour) & (plain.index <= at)], stamps[:50]),
    }


def _mean_us(call: Callable[[Any], object], asked: Sequence[Any]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for each in asked:
            call(each)
        best = min(best, time.perf_counter() - began)
    return best / len(asked) * 1e6


def _each_us(call: Callable[[Any], object], asked: Sequence[Any]) -> list[float]:
    taken = []
    for each in asked:
        began = time.perf_counter()
        call(each)
        taken.append((time.perf_counter() - began) * 1e6)
    return taken


def _load_ms(path: Path) -> float:
    return _best_ms(lambda: Q50SignalLoader(path, clock=ManualClock(0)).load(), rounds=3)


def _best_ms(call: Callable[[], object], *, rounds: int = 3) -> float:
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
    return best * 1e3


def _table(found: dict[str, float]) -> list[str]:
    def line(label: str, value: float, unit: str, remark: str = "") -> str:
        return f"{label:{_LABEL}}{value:>10,.4g} {unit}{'   ' + remark if remark else ''}"

    row = found["row_us"]
    peers = {
        "pandas: get_indexer, ffill, with a tolerance; the row": "pandas_get_indexer_us",
        "pandas: a slice by loc, its last row": "pandas_loc_us",
        "pandas: asof of one column": "pandas_asof_us",
        "pandas: a mask over all rows, as the host does": "pandas_mask_us",
    }
    return [
        line("newest row at a moment", row, "µs", f"p99 {found['row_p99_us']:.3g} µs (aim {LIMIT_US:.0f} µs)"),
        line("the same with all 75 columns as a dict", found["dict_us"], "µs"),
        line("a decision: row, threshold, regime, reasons", found["decision_us"], "µs"),
        *(line(label, found[key], "µs", f"{found[key] / row:,.0f}×") for label, key in peers.items()),
        line("load a pickle, nothing of it is run", found["load_pickle_ms"], "ms"),
        line("load Parquet", found["load_parquet_ms"], "ms"),
        line("load CSV", found["load_csv_ms"], "ms"),
        line("pandas.read_pickle, unchecked", found["pandas_read_pickle_ms"], "ms"),
        line("calibrate every row on its past", found["calibrate_ms"], "ms"),
        line("compute the 41 columns of the rules, causally", found["rules_ms"], "ms"),
    ]
