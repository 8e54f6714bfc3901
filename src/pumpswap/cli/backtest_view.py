"""What the commands about back-tests print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from rich.text import Text

from pumpswap.cli.books_view import books_table, coloured, short_sol, time_at
from pumpswap.cli.evidence_view import short_json, show_worth, worth_cells, worth_json
from pumpswap.cli.formats import counted, printable, sol_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.research.backtest.figures import LIMITS, Group, Row, groups_of
from pumpswap.research.backtest.result import BacktestResult
from pumpswap.research.significance.evidence import Evidence

if TYPE_CHECKING:
    from rich.table import Table

    from pumpswap.app.backtest import BacktestOutcome, OtherLanding
    from pumpswap.app.backtest_runs import Repetition
    from pumpswap.cli.output import Output
    from pumpswap.research.chronicle.verify import Explained
    from pumpswap.storage.backtests import StoredBacktest

__all__ = [
    "listed_json",
    "outcome_json",
    "repetition_json",
    "reported_json",
    "show_list",
    "show_outcome",
    "show_repetition",
    "show_results",
]

Numbered = Sequence[tuple[int, BacktestResult]]
Worth = Mapping[int, Evidence]  # by run; without those that an older version has stored


# ---------------------------------------------------------------------------------------------- for people


def show_outcome(out: Output, done: BacktestOutcome, page: Path | None) -> None:
    """What was just run."""
    chronicle, ran = done.chronicle, [(one.run_id, one.backtest.result) for one in done.ran]
    begin, end = chronicle.span_ns
    out.say("Play money. Nothing here can spend money.\n")
    what = counted(chronicle.identity.steps, "step"), counted(chronicle.identity.pools, "pool")
    span = f"{time_at(begin).removesuffix(' UTC')} to {time_at(end)}"
    out.show(f"History {chronicle.identity.sha256[:16]}: {what[0]} of {what[1]}, {span}")
    if done.explained is not None:
        out.show(_explained_text(done.explained))
    out.show("")
    show_results(out, ran, worth_of(done), is_full=False)
    if done.other_landing is not None:
        out.show("", _landing_text(done.other_landing, ran[0][1]))
    if chronicle.assumptions:
        out.say("\nAssumed:")
        for sentence in chronicle.assumptions:
            out.say(f"  · {sentence}")
    out.say(f"\nBooks   {done.database}, {' and '.join(f'run {run_id}' for run_id, _ in ran)}")
    if page is not None:
        out.say(f"Page    {page}")
    first = ran[0][0]
    more = f"\n  pumpswap backtest compare {first} {ran[1][0]}" if len(ran) > 1 else ""
    out.say(f"\nNext:\n  pumpswap backtest repeat {first}\n  pumpswap backtest report {first}{more}")


def show_results(out: Output, ran: Numbered, worth: Worth, *, is_full: bool = True) -> None:
    """One or two results side by side, and what they are worth: in a line each, or with every test."""
    results = [result for _, result in ran]
    out.show(_headline(results[0]), "")
    show_worth(out, [(result.spec.impact, worth.get(run_id)) for run_id, result in ran], is_full=is_full)
    for group in groups_of(results):
        out.show(_table(group, results), "")
    refused = results[0].summary["refused_by_policy"]
    if refused:
        most = list(refused.items())[:6]
        out.show("Refused by: " + ", ".join(f"{name} {count}" for name, count in most), "")
    spec = results[0].spec
    out.show(
        f"Orders land {counted(spec.latency_slots, 'slot')} after the decision, {spec.landing} in their slot;"
        f" seed {spec.seed}, key {spec.key}."
    )
    out.show("", "What this cannot know:", *(f"  · {sentence}" for sentence in LIMITS))


def worth_of(done: BacktestOutcome) -> Worth:
    """What was just run is worth."""
    return {one.run_id: one.evidence for one in done.ran if one.evidence is not None}


def show_list(out: Output, rows: Sequence[StoredBacktest], worth: Worth) -> None:
    """The newest first."""
    if not rows:
        out.show("No back-test was made yet.")
        out.say("Next: pumpswap backtest run simulated --strategy momentum")
        return
    table = books_table()
    figures = ("run", "net SOL", "fills", "PSR", "DSR", "twin")
    for name in ("run", "name", "strategy", "history", "impact", *figures[1:5], "verdict", "version", "twin"):
        table.add_column(name, justify="right" if name in figures else "left")
    for row in rows:
        summary = _summary_of(row)
        net = int(summary["equity_change_lamports"])
        table.add_row(
            str(row.run_id),
            printable(row.name),
            printable(row.strategy),
            row.data_sha256[:8],
            row.impact,
            coloured(short_sol(net, signed=True), net),
            str(summary["orders"]["filled"]),
            *worth_cells(worth.get(row.run_id)),
            f"{row.version} {row.engine_sha256[:6]}",
            "" if row.twin_run_id is None else str(row.twin_run_id),
        )
    out.show(table)
    out.say(
        "PSR, DSR: probability that the Sharpe ratio is above 0, and above what the best of all tries on that history"
        " would show by luck."
    )


def show_repetition(out: Output, found: Repetition) -> None:
    """Equal, or what is not."""
    if found.is_equal:
        ledger = "its books were not kept" if found.ledger_bytes is None else f"ledger {found.ledger_bytes:,} bytes"
        size = len(found.stored.result.encode())
        out.show(f"Equal: the result to {size:,} bytes, {ledger}; {found.result_sha256[:16]}.")
    elif found.is_equal is None:
        out.show("It cannot be repeated: what decided it is not what it was.")
    else:
        out.show(f"Not equal: the result was {found.stored.result_sha256[:16]}, it is {found.result_sha256[:16]} now.")
    for one in found.differences:
        out.show(f"  {one.what}: {one.then or '–'} then, {one.now or '–'} now")
    shown = found.differing[:_MOST_DIFFERING]
    for text in shown:
        out.show(f"  {printable(text)}")
    if len(found.differing) > len(shown):
        out.show(f"  and {len(found.differing) - len(shown)} more: --json has all")
    if found.is_equal is None:
        out.say("Name where it is now with --source, --strategy or --frame, or run it anew.")


_MOST_DIFFERING = 12


def _headline(result: BacktestResult) -> Text:
    net, start = result.net_lamports, int(result.summary["start_lamports"])
    verb = "Earned" if net > 0 else "Lost" if net < 0 else "Nothing earned, nothing lost:"
    share = net / start if start else 0.0
    line = Text(f"{verb} {sol_text(abs(net))} ({share:+.2%})", style="bold green" if net > 0 else "bold red")
    closed, spec = counted(int(result.summary["positions"]["closed"]), "round"), result.spec
    line.append(f" on {sol_text(start)} of play money, {spec.impact}, with {spec.strategy.name}: {closed} closed.", "")
    return line


def _table(group: Group, results: Sequence[BacktestResult]) -> Table:
    table = books_table()
    table.add_column(group.title, min_width=34)
    for result in results:
        table.add_column(result.spec.impact, justify="right", min_width=18)
    for row in group.rows:
        table.add_row(row.label, *(_value(row, value) for value in row.values))
    return table


def _value(row: Row, value: int | str) -> Text | str:
    if isinstance(value, str):
        return value
    if row.kind == "count":
        return f"{value:,}"
    if row.kind == "sol":
        return short_sol(value)
    return coloured(short_sol(value, signed=True), value)


def _landing_text(other: OtherLanding, result: BacktestResult) -> str:
    more = other.net_lamports - result.net_lamports
    net, change = short_sol(other.net_lamports, signed=True), short_sol(more, signed=True)
    return f"Landing {other.landing} instead of {result.spec.landing}: net {net} SOL ({change}), {other.fills} fills."


def _explained_text(explained: Explained) -> str:
    parts = [f"{explained.exact:,} steps follow exactly"]
    if explained.adjusted:
        parts.append(f"{explained.adjusted:,} with an unexplained remainder")
    if explained.told:
        parts.append(f"{explained.told:,} are only told by their result, or rest on an assumed pool")
    if explained.unknown:
        parts.append(f"{explained.unknown:,} are of pools whose state nobody has told")
    return f"Verified: {', '.join(parts)}."


# ---------------------------------------------------------------------------------------------- for scripts


def outcome_json(done: BacktestOutcome, page: Path | None) -> dict[str, Any]:
    """Everything of what was just run."""
    chronicle, explained, other = done.chronicle, done.explained, done.other_landing
    begin, end = chronicle.span_ns
    verified = None
    if explained is not None:
        names = ("exact", "adjusted", "told", "unknown", "rates_unexplained", "differing")
        verified = {name: getattr(explained, name) for name in names}
    return {
        "source": chronicle.location,
        "data_sha256": chronicle.identity.sha256,
        "steps": chronicle.identity.steps,
        "pools": chronicle.identity.pools,
        "since_ns": str(begin),
        "until_ns": str(end),
        "seconds": (end - begin) // NS_PER_SECOND,
        "counts": dict(chronicle.counts),
        "verified": verified,
        "assumptions": list(chronicle.assumptions),
        "other_landing": None
        if other is None
        else {"landing": other.landing, "net_lamports": str(other.net_lamports), "fills": other.fills},
        "database": done.database,
        **reported_json([(one.run_id, one.backtest.result) for one in done.ran], worth_of(done), page),
    }


def reported_json(ran: Numbered, worth: Worth, page: Path | None) -> dict[str, Any]:
    """The results as they are stored, and what they cannot know."""
    return {
        "results": [
            {
                "run_id": str(run_id),
                "impact": result.spec.impact,
                "key": result.spec.key,
                "net_lamports": str(result.net_lamports),
                "result_sha256": result.sha256,
                "evidence": worth_json(worth.get(run_id)),
                "result": msgspec.to_builtins(result),
            }
            for run_id, result in ran
        ],
        "limits": list(LIMITS),
        "html": None if page is None else str(page),
    }


def listed_json(rows: Sequence[StoredBacktest], worth: Worth) -> list[dict[str, Any]]:
    """One object for each back-test."""
    return [
        {
            "run_id": str(row.run_id),
            "twin_run_id": None if row.twin_run_id is None else str(row.twin_run_id),
            "name": row.name,
            "strategy": row.strategy,
            "impact": row.impact,
            "key": row.key,
            "data_sha256": row.data_sha256,
            "version": row.version,
            "engine_sha256": row.engine_sha256,
            "ledger_sha256": row.ledger_sha256,
            "result_sha256": row.result_sha256,
            "net_lamports": _summary_of(row)["equity_change_lamports"],
            **short_json(worth.get(row.run_id)),
        }
        for row in rows
    ]


def repetition_json(found: Repetition) -> dict[str, Any]:
    """Equal or not, and why not."""
    return {
        "run_id": str(found.stored.run_id),
        "is_equal": found.is_equal,
        "result_sha256": {"then": found.stored.result_sha256, "now": found.result_sha256 or None},
        "result_bytes": len(found.stored.result.encode()),
        "ledger_bytes": found.ledger_bytes,
        "differences": [
            {"what": one.what, "then": one.then, "now": one.now, "prevents": one.prevents} for one in found.differences
        ],
        "differing": list(found.differing),
    }


def _summary_of(row: StoredBacktest) -> Mapping[str, Any]:
    summary: Mapping[str, Any] = msgspec.json.decode(row.result)["summary"]
    return summary
