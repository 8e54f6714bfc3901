"""A Q50 frame on a screen and in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from pumpswap.cli.books_view import books_table, duration_text, iso_time, time_at
from pumpswap.cli.formats import age_text, printable
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Side
from pumpswap.signals.regimes import Regime

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from pumpswap.app.q50_inspection import Q50Inspection, SeriesFacts
    from pumpswap.cli.output import Output
    from pumpswap.signals.q50_signal import Q50Decision

__all__ = ["decision_json", "inspection_json", "show_decision", "show_inspection"]

_MOST = 12


def show_inspection(out: Output, found: Q50Inspection) -> None:
    """The file for people: what it is, how it is spread, what passes."""
    parts: list[RenderableType] = [*_headlines(found), ""]
    if len(found.facts) > 1:
        parts += [_instruments(found), ""]
    parts += [_flags(found), "", _sizes(found), "", *_threshold(found), "", _rules(found)]
    out.show(*parts)


def _headlines(found: Q50Inspection) -> list[RenderableType]:
    reading, chosen = found.reading, found.chosen
    name = printable(chosen.instrument) if chosen.instrument else "without the name of an instrument"
    span = f"{time_at(chosen.first_ns)} to {time_at(chosen.last_ns)}"
    newest = age_text((found.now_ns - chosen.last_ns) // NS_PER_SECOND)
    spacing = duration_text(chosen.spacing_ns // NS_PER_SECOND) if chosen.spacing_ns else "one row only"
    lines = [f"Q50 frame ({reading.form}), {name}: {chosen.rows:,} rows", f"{span} ({newest}), every {spacing}"]
    if chosen.gaps:
        longest = duration_text(chosen.longest_gap_ns // NS_PER_SECOND)
        lines.append(f"{chosen.gaps:,} gaps, {chosen.missing_rows:,} rows missing in them, the longest {longest}")
    else:
        lines.append("No gap")
    if reading.dropped:
        told = ", ".join(f"{count:,} ({reason})" for reason, count in sorted(reading.dropped.items()))
        lines.append(f"Rows left out: {told}")
    if reading.repeated:
        lines.append(f"Rows that occurred again, word for word: {reading.repeated:,}")
    if reading.computed:
        lines.append(f"Computed by the rules, from past rows only: {len(reading.computed)} columns")
    return [*lines, *(f"{note[0].upper()}{note[1:]}" for note in map(printable, reading.notes))]


def _instruments(found: Q50Inspection) -> Table:
    table = books_table()
    table.add_column("instrument", no_wrap=True, overflow="ellipsis")
    table.add_column("rows", justify="right")
    table.add_column("from", no_wrap=True)
    table.add_column("to", no_wrap=True)
    for each in found.facts[:_MOST]:
        row = (f"{each.rows:,}", time_at(each.first_ns)[:16], time_at(each.last_ns)[:16])
        table.add_row(Text(printable(each.instrument or "no name")), *row)
    if len(found.facts) > _MOST:
        table.add_row(f"and {len(found.facts) - _MOST:,} more")
    return table


def _flags(found: Q50Inspection) -> Table:
    rows = found.chosen.rows
    table = books_table()
    table.add_column("rows that are")
    table.add_column("count", justify="right")
    table.add_column("share", justify="right")
    for name, count in found.flags.items():
        table.add_row(name.replace("_", " "), f"{count:,}", _share(count, rows))
    table.add_section()
    origin = "" if found.has_side else ", from tradeable and q50"
    for side in Side:
        count = found.sides.get(side, 0)
        table.add_row(f"side {side.value}{origin}", f"{count:,}", _share(count, rows))
    return table


def _sizes(found: Q50Inspection) -> Table:
    table = books_table()
    table.add_column("of all rows, up to", no_wrap=True)
    for name in ("|q50|", "vol_risk"):
        table.add_column(name, justify="right", no_wrap=True, min_width=10)
    for share, strength in found.abs_q50.items():
        label = {50: "half", 100: "the largest"}.get(share, f"{share} %")
        table.add_row(label, _short(strength), _short(found.vol_risk[share]))
    return table


def _threshold(found: Q50Inspection) -> list[RenderableType]:
    calibration = found.calibration
    if found.threshold is None or found.threshold_range is None:
        return [f"No threshold and no regime: {found.chosen.rows:,} rows, a warm-up of {calibration.warm_up:,}"]
    low, high = map(_short, found.threshold_range)
    shares = calibration.shares()
    told = ", ".join(
        f"{regime.value} {_share(shares[regime], 1)} (size × {calibration.rules.multipliers[regime]:g})"
        for regime in Regime
    )
    return [
        f"Threshold of |q50| now: {_short(found.threshold)}; between {low} and {high} since the warm-up",
        f"Regimes after the warm-up of {calibration.warm_up:,} rows: {told}",
    ]


def _rules(found: Q50Inspection) -> Table:
    table = books_table()
    table.add_column("rule", no_wrap=True)
    table.add_column("rows that pass", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("what it asks for")
    for each in found.rules:
        table.add_row(each.name, f"{each.rows:,}", _share(each.rows, found.chosen.rows), each.rule)
    return table


def show_decision(out: Output, decision: Q50Decision) -> None:
    """One moment for people."""
    colour = {Side.LONG: "green", Side.SHORT: "red", Side.HOLD: "yellow"}[decision.side]
    head = Text.assemble(f"{time_at(decision.at_ns)}: ", (decision.side.value, f"bold {colour}"))
    out.show(head, *(Padding(Text(printable(reason)), (0, 0, 0, 2)) for reason in decision.reasons))


# ----------------------------------------------------------------------------------------------- for scripts


def inspection_json(found: Q50Inspection) -> dict[str, Any]:
    """All figures."""
    reading = found.reading
    return {
        "form": reading.form,
        "sha256": reading.digest,
        "rows_in_file": str(reading.rows_in_file),
        "dropped": {reason: str(count) for reason, count in reading.dropped.items()},
        "repeated": str(reading.repeated),
        "computed_columns": list(reading.computed),
        "notes": list(reading.notes),
        "instruments": [_facts_json(each) for each in found.facts],
        "chosen": _facts_json(found.chosen),
        "rows_that_are": {name: str(count) for name, count in found.flags.items()},
        "has_side": found.has_side,
        "sides": {side.value: str(found.sides.get(side, 0)) for side in Side},
        "abs_q50_percentiles": _percentiles(found.abs_q50),
        "vol_risk_percentiles": _percentiles(found.vol_risk),
        "warm_up": str(found.calibration.warm_up),
        "threshold": found.threshold,
        "threshold_range": None if found.threshold_range is None else list(found.threshold_range),
        "regimes": {
            regime.value: {"share": share, "size_multiplier": found.calibration.rules.multipliers[regime]}
            for regime, share in found.calibration.shares().items()
        },
        "rules": [{"name": each.name, "rule": each.rule, "rows": str(each.rows)} for each in found.rules],
    }


def decision_json(decision: Q50Decision) -> dict[str, Any]:
    """One moment."""
    row = decision.row
    figures = ("q10", "q50", "q90", "vol_raw", "vol_risk", "prob_up")
    return {
        "at": iso_time(decision.at_ns),
        "side": decision.side.value,
        "reasons": list(decision.reasons),
        "instrument": row.instrument if row else None,
        "row_at": iso_time(row.at_ns) if row else None,
        "age_ns": None if decision.age_ns is None else str(decision.age_ns),
        "row": {name: getattr(row, name) for name in figures} if row else None,
        "threshold": decision.threshold,
        "rank": decision.rank,
        "regime": decision.regime.value if decision.regime else None,
        "regime_multiplier": decision.regime_multiplier,
        "expected_value": decision.expected_value,
    }


def _facts_json(facts: SeriesFacts) -> dict[str, Any]:
    return {
        "instrument": facts.instrument,
        "rows": str(facts.rows),
        "first": iso_time(facts.first_ns),
        "last": iso_time(facts.last_ns),
        "spacing_ns": str(facts.spacing_ns),
        "gaps": str(facts.gaps),
        "missing_rows": str(facts.missing_rows),
        "longest_gap_ns": str(facts.longest_gap_ns),
    }


def _percentiles(figures: Mapping[int, float]) -> dict[str, float]:
    return {str(share): value for share, value in figures.items()}


def _share(count: float, rows: int) -> str:
    return f"{count / rows:.1%}".replace("%", " %") if rows else "0 %"


def _short(value: float) -> str:
    return f"{value:.2g}" if 0 < value < 1e-4 else f"{value:.3g}"
