"""What `pumpswap report compare` shows: the causes, the chances that one has missed, execution, the largest pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from pumpswap.analytics.drift import Cause, Drift, DriftRound, DriftSide, Pair
from pumpswap.analytics.performance.estimate import Estimate
from pumpswap.analytics.tear_sheet.execution import Execution, Spread
from pumpswap.app.drift import Comparison
from pumpswap.cli.books_view import books_table, coloured, duration_text, iso_time, run_json, short_sol, time_at
from pumpswap.cli.formats import counted, printable
from pumpswap.cli.output import Output
from pumpswap.clock import NS_PER_SECOND
from pumpswap.storage.history import MINT_PREFIX

__all__ = ["comparison_json", "show_comparison"]

_MOST_PAIRS = 8
_MOST_REASONS = 6
_SIDES = ("first", "second")


def show_comparison(out: Output, found: Comparison, within_seconds: int) -> None:
    """For people."""
    drift = found.drift
    out.show(Text(f"First: {drift.first.label}. Second: {drift.second.label}.", "bold"), _together(drift), "")
    out.show(_sums(drift), "")
    out.show(_causes(drift), "", _chances(drift, within_seconds))
    if drift.pairs:
        out.show(_per_pair(drift.per_pair))
    if found.missed_by_second:
        out.show(f"Why the second has not taken what the first has: {_reasons(found.missed_by_second)}.")
    if found.missed_by_first:
        out.show(f"Why the first has not taken what the second has: {_reasons(found.missed_by_first)}.")
    for name, side in zip(_SIDES, (drift.first, drift.second), strict=True):
        if side.unvalued:
            out.say(f"The {name} has {counted(side.unvalued, 'open position')} without a value, counted at cost.")
    execution = _execution(drift)
    if execution is not None:
        out.show("", execution)
    if drift.pairs:
        out.show("", _largest(drift.pairs))


def _together(drift: Drift) -> str:
    if not drift.has_common_time:
        return "They were never in the market at the same time: nothing can be matched."
    seconds = (drift.until_ns - drift.since_ns) // NS_PER_SECOND
    ends = f"from {time_at(drift.since_ns)} to {time_at(drift.until_ns)}"
    return f"In the market together {ends}, {duration_text(seconds)}."


def _sums(drift: Drift) -> Table:
    table = books_table(show_header=False)
    table.add_column("run")
    table.add_column("earned", justify="right")
    for name, side in zip(_SIDES, (drift.first, drift.second), strict=True):
        table.add_row(f"the {name} has earned", _gain(side.gain_lamports, unit=True))
    table.add_row("difference", _gain(drift.difference_lamports, unit=True))
    return table


def _causes(drift: Drift) -> Table:
    table = books_table()
    table.add_column("difference by cause")
    table.add_column("SOL", justify="right")
    table.add_column("of it", justify="right")
    whole = drift.difference_lamports
    for cause, lamports in drift.parts.items():
        if lamports:
            table.add_row(cause.value, _gain(lamports), _share_of(lamports, whole))
    if not any(drift.parts.values()):
        table.add_row("none: they have done the same", "0", "")
    return table


def _share_of(lamports: int, whole: int) -> str:
    """Nothing where it rounds to nothing."""
    share = round(100 * lamports / whole) if whole else 0
    return f"{share:+,} %".replace("-", "−") if share else ""


def _chances(drift: Drift, within_seconds: int) -> str:
    both, first, second = len(drift.pairs), len(drift.only_first), len(drift.only_second)
    told = f"{counted(both, 'chance')} taken by both (opened within {duration_text(within_seconds)} of each other)"
    return f"{told}, {first:,} by the first only, {second:,} by the second only."


def _per_pair(found: Estimate) -> str:
    assert found.value is not None
    mean = f"{short_sol(round(found.value), signed=True)} SOL"
    if found.low is None or found.high is None:
        return f"Difference of the one pair: {mean}."
    low, high = (short_sol(round(end), signed=True) for end in (found.low, found.high))
    chance = "chance alone explains it" if found.low <= 0 <= found.high else "that is more than chance"
    return f"Mean difference of a pair: {mean} (95 % between {low} and {high}): {chance}."


def _reasons(missed: Mapping[str, int]) -> str:
    shown = [f"{printable(reason)} ({count:,})" for reason, count in list(missed.items())[:_MOST_REASONS]]
    left = sum(list(missed.values())[_MOST_REASONS:])
    return ", ".join([*shown, f"others ({left:,})"] if left else shown)


def _execution(drift: Drift) -> Table | None:
    first, second = drift.first.execution, drift.second.execution
    if first is None or second is None or not first.fills + second.fills:
        return None
    table = books_table()
    table.add_column("execution")
    for name in _SIDES:
        table.add_column(name, justify="right")
    rows: list[tuple[str, Sequence[str]]] = [
        ("orders filled", [f"{one.fills:,}" for one in (first, second)]),
        ("orders that traded nothing", [f"{one.failed:,}" for one in (first, second)]),
        ("slippage of buys, mean", [_share(one.buys) for one in (first, second)]),
        ("slippage of sales, mean", [_share(one.sells) for one in (first, second)]),
        ("price impact, mean", [_share(one.impact) for one in (first, second)]),
        ("decision to confirmation, median", [_seconds(one.landing, 50) for one in (first, second)]),
        ("decision to confirmation, 95 of 100 within", [_seconds(one.landing, 95) for one in (first, second)]),
    ]
    for name, values in rows:
        table.add_row(name, *values)
    return table


def _share(found: Spread | None) -> str:
    return "none" if found is None else f"{found.mean:+.3%}".replace("-", "−")


def _seconds(found: Spread | None, percentile: int) -> str:
    return "none" if found is None else f"{found.percentiles[percentile]:.2f} s".replace("-", "−")


def _largest(pairs: Sequence[Pair]) -> Table:
    table = books_table()
    table.add_column("largest differences, in SOL", no_wrap=True, overflow="ellipsis")
    for name in (*_SIDES, "difference"):
        table.add_column(name, justify="right")
    table.add_column("mostly", no_wrap=True)
    for pair in sorted(pairs, key=lambda one: -abs(one.difference_lamports))[:_MOST_PAIRS]:
        gains = (_gain(pair.first.gain_lamports), _gain(pair.second.gain_lamports))
        cause = max(pair.parts, key=lambda one: abs(pair.parts[one]))
        told = cause.value if pair.parts[cause] else ""
        table.add_row(Text(_name(pair.first)), *gains, _gain(pair.difference_lamports), told)
    return table


def _name(one: DriftRound) -> str:
    return printable(one.name) or one.mint[:MINT_PREFIX]


def _gain(lamports: int, *, unit: bool = False) -> Text:
    return coloured(short_sol(lamports, signed=True) + (" SOL" if unit else ""), lamports)


# ---------------------------------------------------------------------------------------------- for scripts


def comparison_json(found: Comparison, within_seconds: int) -> dict[str, Any]:
    """For ``--json``: every pair and every round without one."""
    drift = found.drift
    return {
        "first": run_json(found.headers[0]) | _side_json(drift.first),
        "second": run_json(found.headers[1]) | _side_json(drift.second),
        "within_seconds": within_seconds,
        "common_time": {"since": iso_time(drift.since_ns), "until": iso_time(drift.until_ns)}
        if drift.has_common_time
        else None,
        "difference_lamports": str(drift.difference_lamports),
        "causes_lamports": _parts_json(drift.parts),
        "per_pair_lamports": drift.per_pair.to_json(),
        "pairs": [
            {
                "first": _round_json(pair.first),
                "second": _round_json(pair.second),
                "difference_lamports": str(pair.difference_lamports),
                "causes_lamports": _parts_json(pair.parts),
            }
            for pair in drift.pairs
        ],
        "only_first": [_round_json(one) for one in drift.only_first],
        "only_second": [_round_json(one) for one in drift.only_second],
        "missed_by_first": dict(found.missed_by_first),
        "missed_by_second": dict(found.missed_by_second),
    }


def _parts_json(parts: Mapping[Cause, int]) -> dict[str, str]:
    return {cause.name.lower(): str(lamports) for cause, lamports in parts.items()}


def _side_json(side: DriftSide) -> dict[str, Any]:
    return {
        "in_market_since": iso_time(side.first_ns),
        "in_market_until": iso_time(side.last_ns),
        "earned_lamports": str(side.gain_lamports),
        "idle_lamports": str(side.idle_lamports),
        "rounds": len(side.rounds),
        "open_without_value": side.unvalued,
        "execution": None if side.execution is None else _execution_json(side.execution),
    }


def _execution_json(found: Execution) -> dict[str, Any]:
    spreads = {"slippage_of_buys": found.buys, "slippage_of_sales": found.sells}
    spreads |= {"impact": found.impact, "landing_seconds": found.landing}
    return {
        "fills": found.fills,
        "failed": found.failed,
        "fill_rate": found.fill_rate,
        **{name: None if one is None else one.to_json() for name, one in spreads.items()},
        "failures": [
            {"side": one.side.value, "status": one.status, "reason": one.reason, "count": one.count}
            for one in found.failures
        ],
    }


def _round_json(one: DriftRound) -> dict[str, Any]:
    return {
        "name": one.name,
        "pool": one.pool,
        "mint": one.mint,
        "opened_at": iso_time(one.opened_ns),
        "closed_at": iso_time(one.closed_ns),
        "spent_lamports": str(one.spent_lamports),
        "bought_units": str(one.bought_units),
        "received_lamports": str(one.received_lamports),
        "value_lamports": str(one.value_lamports),
        "venue_fee_lamports": str(one.venue_fee_lamports),
        "transaction_cost_lamports": str(one.cost_lamports),
        "earned_lamports": str(one.gain_lamports),
        "exit": one.exit_kind or None,
    }
