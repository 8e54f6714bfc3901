"""The real QLib opens our exports and returns every value that was written, and NaN at every hole."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.research.qlib.export import ExportResult
from pumpswap.research.qlib.row_kind import RowKind
from pumpswap.research.qlib.sources import open_source
from tests.acceptance.check import Check, Findings, Progress
from tests.research.qlib.readback import Comparison, compare_with_qlib
from tests.research.qlib.synthetic import synthetic_source
from tests.research.qlib.world import export
from tests.support.environments import environment_problem
from tests.support.material import material

POOLS, HOURS, UPDATES = 200, 24 * 14, 12

Make = Callable[[Path], ExportResult]


def run(seed: int, progress: Progress) -> Findings:
    """Write datasets from every source that is here, and have QLib read them."""
    datasets = {**_synthetic(seed), **_recorded()}
    findings = Findings({"datasets": {}})
    findings.table.append(f"{'dataset':<38}{'symbols':>8}{'bars':>8}{'values':>11}{'holes':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, make) in enumerate(datasets.items(), 1):
            out = Path(folder, f"dataset-{number}")
            result = make(out)
            compared = compare_with_qlib(out, result.frequency)
            findings.figures["pyqlib"] = compared.version
            findings.figures["datasets"][name] = _figures(result, compared)
            findings.table.append(
                f"{name:<38}{result.symbols:>8,}{result.bars:>8,}{compared.values:>11,}{compared.holes:>11,}"
            )
            findings.failures += [f"{name}: {failure}" for failure in compared.failures]
            progress(number, len(datasets))
    if len(datasets) == len(_synthetic(seed)):
        findings.notes.append("the real export is not here: synthetic data only")
    return findings


def _figures(result: ExportResult, compared: Comparison) -> dict[str, Any]:
    return {
        "symbols": result.symbols,
        "bars": result.bars,
        "values_equal": compared.values,
        "holes_that_are_nan": compared.holes,
        "renamed": len(result.renamed),
    }


def _synthetic(seed: int) -> dict[str, Make]:
    def source() -> Any:
        return synthetic_source(Random(seed), pools=POOLS, hours=HOURS)

    def in_updates(out: Path) -> ExportResult:
        start_ns = parse_utc("2026-10-01")
        cuts = sorted(Random(seed).sample(range(1, HOURS * 60), UPDATES))
        result = export(source(), out, end_ns=start_ns + cuts[0] * 60 * NS_PER_SECOND)
        for cut in [*cuts[1:], HOURS * 60]:
            result = export(source(), out, "update", end_ns=start_ns + cut * 60 * NS_PER_SECOND)
        return result

    return {
        "synthetic, 60min": lambda out: export(source(), out),
        f"synthetic, 60min, in {UPDATES + 1} parts": in_updates,
        "synthetic, 5min": lambda out: export(
            synthetic_source(Random(seed + 1), pools=POOLS // 10, hours=HOURS // 4), out, freq="5min"
        ),
        "synthetic, day": lambda out: export(source(), out, freq="day"),
    }


def _recorded() -> dict[str, Make]:
    folder = material("real", "host_export")
    if folder is None:
        return {}

    def make(freq: str, rows: RowKind = RowKind.AUTO, part: str = ".") -> Make:
        return lambda out: export(open_source(folder / part, rows), out, freq=freq)  # type: ignore[arg-type]

    return {
        "host's snapshots, 60min": make("60min"),
        "host's candles, 1min": make("1min", RowKind.CANDLES),
        "host's candles, 15min": make("15min", RowKind.CANDLES),
        "host's QLib CSV, 60min": make("60min", part="qlib_csv"),
        "host's QLib CSV, day": make("day", part="qlib_csv"),
    }


QLIB_EXPORT = Check(
    "qlib", "the real QLib reads our exports back, value by value", partial(environment_problem, "qlib"), run
)
