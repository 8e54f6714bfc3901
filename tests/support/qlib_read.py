"""Read a dataset with the real QLib and print it as JSON. Run by the Python of .venv-qlib, which has no pumpswap."""

from __future__ import annotations

import json
import sys


def main(folder: str, freq: str, fields: list[str]) -> None:
    import qlib
    from qlib.constant import REG_US
    from qlib.data import D

    # One process is enough, and a fork of a large one is slow.
    qlib.init(provider_uri=folder, region=REG_US, kernels=1, logging_level=40)
    spans = D.list_instruments(D.instruments(market="all"), freq=freq)
    frame = D.features(sorted(spans), [f"${field}" for field in fields], freq=freq, disk_cache=0)
    rows = [
        [symbol, str(moment), [None if value != value else float(value) for value in values]]
        for (symbol, moment), values in zip(frame.index, frame.to_numpy(), strict=True)
    ]
    said = {
        "version": qlib.__version__,
        "calendar": [str(moment) for moment in D.calendar(freq=freq)],
        "instruments": {name: [[str(start), str(end)] for start, end in found] for name, found in spans.items()},
        "dtypes": sorted({str(dtype) for dtype in frame.dtypes}),
        "rows": rows,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3].split(","))
