"""Q50: damaged files are a table or a refusal, and no change of the future changes a decision of the past."""

from __future__ import annotations

import io
import pickle
import random
from collections import Counter

import polars as pl

from pumpswap.errors import BadInput
from pumpswap.market.q50_forms import read_table
from pumpswap.signals.q50_signal import Q50Signaller
from tests.acceptance.check import Check, Findings, Progress
from tests.support.q50 import HOUR_NS, another_future, damaged, frame_of, mock_frame, published_frame

FILES = 40_000
FUTURES = 2_000
MOMENTS = 25
_STRIDE = 500
# Parquet is read in a process of its own first, half a second each.
_SHARES = {"pickle": 900, "CSV": 97, "Parquet": 3}


def run(seed: int, progress: Progress) -> Findings:
    """A crash of the reader would end this process, and so the check."""
    rng, failures = random.Random(seed), list[str]()
    forms = _samples()
    outcomes: Counter[str] = Counter()
    for number in range(FILES):
        form = rng.choices(list(_SHARES), list(_SHARES.values()))[0]
        raw = damaged(rng.choice(forms[form]), forms[form], rng)
        outcome = _outcome(raw, form)
        outcomes[f"{form}, {outcome}"] += 1
        if outcome == "something else":
            failures.append(f"{form} number {number} of seed {seed}")
        if number % _STRIDE == 0:
            progress(number, FILES + FUTURES)
    compared, sides = 0, Counter[str]()
    frame = frame_of(600, seed)
    series, before = frame.chosen(), Q50Signaller(frame)
    for number in range(FUTURES):
        cut = rng.randrange(1, len(series) - 1)
        after = Q50Signaller(another_future(series, cut, rng))
        for _ in range(MOMENTS):
            at_ns = rng.randrange(series.times_ns[0], series.times_ns[cut] + HOUR_NS)
            ours = before.decide(at_ns)
            compared += 1
            sides[ours.side.value] += 1
            if after.decide(at_ns) != ours:
                failures.append(f"at {at_ns} with another future after row {cut}")
        if number % _STRIDE == 0:
            progress(FILES + number, FILES + FUTURES)
    figures = {
        "damaged_files": FILES,
        "outcomes": dict(sorted(outcomes.items())),
        "futures": FUTURES,
        "decisions_compared": compared,
        "sides": dict(sides),
        "differences": len(failures),
    }
    table = [f"{name:<36} {count:>7,}" for name, count in (*sorted(outcomes.items()), ("decisions compared", compared))]
    notes = ["damage: changed bytes, and pieces of other files; pickles of protocols 2, 4 and 5"]
    return Findings(figures, table, failures, notes)


def _samples() -> dict[str, list[bytes]]:
    frames = (published_frame(20), mock_frame(20), published_frame(20).reset_index())
    tables: dict[str, list[bytes]] = {"pickle": [pickle.dumps(each, kind) for each in frames for kind in (2, 4, 5)]}
    flat = pl.DataFrame({name: frames[2][name].tolist() for name in frames[2]})
    parquet = io.BytesIO()
    flat.write_parquet(parquet)
    return tables | {"Parquet": [parquet.getvalue()], "CSV": [flat.write_csv().encode()]}


def _outcome(raw: bytes, form: str) -> str:
    try:
        table = read_table(raw, is_pickle=form == "pickle")
    except BadInput as error:
        return "refused" if error.hint else "something else"
    held = [*table.columns.values(), *(values for _name, values in table.index)]
    return "read" if all(len(values) == table.rows for values in held) else "something else"


Q50_FRAMES = Check("q50-frames", f"{FILES:,} damaged Q50 files, {FUTURES:,} changed futures", lambda: None, run)
