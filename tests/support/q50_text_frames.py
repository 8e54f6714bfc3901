"""Frames of texts, written by pandas with and without pyarrow, and what is in them.

``python tests/support/q50_text_frames.py FOLDER [PROTOCOL …]`` needs pandas alone: run by the Python of any
environment, it writes one pickle for each protocol, named after who wrote it.
"""

from __future__ import annotations

import gzip
import pickle
import sys
from pathlib import Path

import pandas as pd

ROWS = 6
TEXTS: dict[str, list[str | None]] = {
    "regime": ["low", None, "", "high", "medium", "low"],
    "note": ["é", "€uro", "", None, "🥞 swap", "plain"],
    "blank": [""] * ROWS,
    "nothing": [None] * ROWS,
    "kind": ["a", "b", None, "a", "b", "ü"],
}
NUMBERS = [0.5, -0.25, 0.125, 1.0, 2.0, -4.0]
INSTRUMENTS = ["BTC", "BTC", "BTC", "ÉTH", "ÉTH", "ÉTH"]


def text_frame(dtype: str | None = None) -> pd.DataFrame:
    """The texts above in a frame indexed by texts, cut out of a longer one so that its arrays do not begin at 0.

    ``dtype`` is that of the columns; without one pandas chooses.
    """
    rows = range(-2, ROWS + 3)
    columns = {name: [values[row % ROWS] for row in rows] for name, values in TEXTS.items()}
    frame = pd.DataFrame({name: pd.Series(values, dtype=dtype) for name, values in columns.items()})
    frame["kind"] = frame["kind"].astype("category")
    frame.insert(0, "q50", [NUMBERS[row % ROWS] for row in rows])
    frame["instrument"] = [INSTRUMENTS[row % ROWS] for row in rows]
    return frame.iloc[2 : ROWS + 2].set_index("instrument")


def chosen_dtype() -> str | None:
    """That of pyarrow where pandas would not choose it by itself."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return None
    return None if int(pd.__version__.split(".")[0]) > 2 else "string[pyarrow]"


def writer() -> str:
    """Who writes here."""
    try:
        import pyarrow
    except ImportError:
        return f"pandas-{pd.__version__}"
    return f"pandas-{pd.__version__}-pyarrow-{pyarrow.__version__}"


def main(folder: Path, protocols: list[int]) -> None:
    if pd.__version__.startswith(("2.1", "2.2", "2.3")):
        pd.set_option("future.infer_string", True)  # names and index as pandas 3 makes them
    for protocol in protocols:
        raw = pickle.dumps(text_frame(chosen_dtype()), protocol)
        (folder / f"{writer()}-protocol-{protocol}.pkl.gz").write_bytes(gzip.compress(raw, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(protocol) for protocol in sys.argv[2:]] or [pickle.HIGHEST_PROTOCOL])
