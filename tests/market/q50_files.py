"""Writing and reading Q50 files in tests."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from pumpswap.errors import BadInput
from pumpswap.market.q50_file import Q50Reading, read_q50
from pumpswap.model import Q50Frame
from tests.support.q50 import REQUIRED, published_frame

FRAME = published_frame(60)
FLAT = FRAME.reset_index()


def as_file(folder: Path, held: Any, name: str = "frame.pkl") -> Path:
    """A file of the form that its name says."""
    path = folder / name
    if name.endswith(".parquet"):
        pl.DataFrame({column: held[column].tolist() for column in held}).write_parquet(path)
    elif name.endswith(".csv"):
        path.write_text(held if isinstance(held, str) else held.to_csv(index=False))
    else:
        path.write_bytes(pickle.dumps(held))
    return path


def read(folder: Path, held: Any, name: str = "frame.pkl", **options: Any) -> Q50Reading:
    return read_q50(as_file(folder, held, name), **options)


def refused(folder: Path, held: Any, name: str = "frame.pkl", **options: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read(folder, held, name, **options)
    assert caught.value.hint
    assert str(folder / name) in caught.value.what
    return caught.value


def same_rows(frame: Q50Frame, source: pd.DataFrame = FRAME) -> bool:
    series = frame.chosen()
    return all(list(series.column(name)) == source[name].tolist() for name in REQUIRED)
