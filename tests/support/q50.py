"""Q50 frames at the scale of the published ones: seeded, with every column of the real frame."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pumpswap.clock import parse_utc
from pumpswap.model import Q50Frame, Q50Series, Side
from pumpswap.signals.q50_rules import compatible_columns

HOUR_NS = 3_600_000_000_000
START = "2018-08-02 00:00:00"
SIDE_CODES = {Side.LONG: 1, Side.SHORT: 0, Side.HOLD: -1}
REQUIRED = ["q10", "q50", "q90", "vol_raw", "vol_risk", "prob_up"]
REQUIRED += ["economically_significant", "high_quality", "tradeable"]
# What the real frame has beside the model's figures and the rules' columns.
FEATURES = ["$btc_dom", "$fg_index", "$high_vol_flag", "$momentum_10", "$momentum_25", "$momentum_5"]
FEATURES += ["$realized_vol_6", "$relative_volatility_index", "OPEN1", "RSV1", "RSV2", "RSV3", "btc_std_7d"]
FEATURES += ["btc_zscore_14d", "fg_std_7d", "fg_zscore_14d", "vol_momentum_scaled", "vol_raw_decile"]
FEATURES += ["vol_raw_momentum", "vol_scaled"]
FLAGS = ["vol_regime_low", "vol_regime_medium", "vol_regime_high", "momentum_regime_trending"]
FLAGS += ["momentum_regime_ranging", "regime_low_vol_trending", "regime_low_vol_ranging"]
FLAGS += ["regime_high_vol_trending", "regime_high_vol_ranging"]


def model_columns(rows: int, seed: int = 1) -> dict[str, list[float]]:
    """q10, q50, q90 and the volatility, spread as the published figures are."""
    rng = random.Random(seed)
    found: dict[str, list[float]] = {"q10": [], "q50": [], "q90": [], "vol_raw": [], "vol_risk": []}
    for _ in range(rows):
        middle = rng.gauss(0.00027, 0.00025)
        volatility = min(max(rng.lognormvariate(-5.5, 0.7), 0.0005), 0.05)
        found["q10"].append(middle - abs(rng.gauss(0.0042, 0.001)))
        found["q50"].append(middle)
        found["q90"].append(middle + abs(rng.gauss(0.0048, 0.001)))
        found["vol_raw"].append(volatility)
        found["vol_risk"].append(volatility**2)
    return found


def published_columns(rows: int, seed: int = 1) -> dict[str, list[Any]]:
    """All 75 columns, the label among them, with the codes of the frame in ``side``."""
    rng = random.Random(seed + 1)
    model = model_columns(rows, seed)
    found: dict[str, list[Any]] = {name: model[name] for name in ("q10", "q50", "q90")}
    found["truth"] = [rng.gauss(0, 0.005) for _ in range(rows)]
    found |= {name: [rng.random() for _ in range(rows)] for name in FEATURES}
    found |= {name: [int(name.endswith("ranging"))] * rows for name in FLAGS}
    found["regime_stability"] = list(range(1, rows + 1))
    found |= compatible_columns(model)
    found["side"] = [SIDE_CODES[side] for side in found["side"]]
    return found


def published_frame(rows: int, seed: int = 1, *, instrument: str = "BTCUSDT", start: str = START) -> pd.DataFrame:
    """A pandas frame of the real shape: levels instrument and datetime, hourly, no zone."""
    times = pd.date_range(start, periods=rows, freq="h")
    index = pd.MultiIndex.from_product([[instrument], times], names=["instrument", "datetime"])
    return pd.DataFrame(published_columns(rows, seed), index=index)


def mock_frame(rows: int, seed: int = 1) -> pd.DataFrame:
    """A pandas frame as the host committed it: every five minutes, nine columns, q50 of another scale."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2025-08-20", periods=rows, freq="5min", name="timestamp")
    middle = rng.normal(size=rows)
    columns: dict[str, Any] = {"q10": middle - 1, "q50": middle, "q90": middle + 1}
    columns |= {"vol_raw": rng.uniform(0.1, 0.5, rows), "vol_risk": rng.uniform(0.01, 0.9, rows)}
    columns["prob_up"] = rng.uniform(0, 1, rows)
    columns |= {name: rng.random(rows) < 0.5 for name in REQUIRED[6:]}
    return pd.DataFrame(columns, index=times)


def series_of(
    columns: Mapping[str, Sequence[Any]], *, instrument: str | None = "BTCUSDT", start: str = START, step: int = HOUR_NS
) -> Q50Series:
    """A series of ours from columns; what the rules compute is added, percentiles from all rows."""
    full = {**compatible_columns({name: columns[name] for name in ("q10", "q50", "q90", "vol_raw", "vol_risk")})}
    full.update(columns)
    full["side"] = [side if isinstance(side, Side) else Side.HOLD for side in full["side"]]
    first = parse_utc(start)
    rows = len(full["q50"])
    return Q50Series(instrument, [first + step * row for row in range(rows)], full)


def frame_of(rows: int, seed: int = 1) -> Q50Frame:
    """A frame of one series at the published scale."""
    return Q50Frame([series_of(model_columns(rows, seed))])


def another_future(series: Q50Series, cut: int, rng: random.Random) -> Q50Frame:
    """The same rows up to ``cut``; after it anything: figures of any scale, other times, fewer rows."""
    columns = {name: list(series.column(name))[: cut + 1] for name in series.column_names}
    times = list(series.times_ns)[: cut + 1]
    rows, scale = rng.randrange(0, 40), 10 ** rng.uniform(-6, 6)
    drawn = model_columns(rows, rng.randrange(10**6))
    model = {name: [value * scale for value in values] for name, values in drawn.items()}
    new = compatible_columns(model) | model
    for _row in range(rows):
        times.append(times[-1] + rng.randrange(HOUR_NS, 50 * HOUR_NS))
    for name, values in columns.items():
        values.extend(new.get(name, [0] * rows))
    return Q50Frame([Q50Series(series.instrument, times, columns)])


def damaged(sample: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """A file with a few bytes changed, or a piece of another file in the place of a piece."""
    raw = bytearray(sample)
    for _ in range(rng.choice((1, 1, 2, 6))):
        place = rng.randrange(len(raw))
        if rng.random() < 0.6:
            raw[place] = rng.randrange(256)
        else:
            other = others[rng.randrange(len(others))]
            start = rng.randrange(len(other))
            raw[place : place + rng.randrange(20)] = other[start : start + rng.randrange(1, 40)]
    return bytes(raw)
