"""What ``pumpswap tune`` prints: what held where it was not fitted, why that may be luck, and only then the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pumpswap.cli.books_view import books_table, coloured, short_sol, time_at
from pumpswap.cli.evidence_view import luck_table, verdict_text
from pumpswap.cli.formats import counted, printable
from pumpswap.research.significance.evidence import Evidence
from pumpswap.research.significance.told import luck_rows

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from pumpswap.app.tuning import Tuned
    from pumpswap.cli.output import Output
    from pumpswap.storage.backtests import StoredSweep

__all__ = ["listed_json", "show_list", "show_tuned", "stored_json", "tuned_json"]

_LISTED = 8  # of the best trials, and of values of one setting, for people


def tuned_json(done: Tuned) -> dict[str, Any]:
    """A search that has just ended."""
    from pumpswap.app.tuning_store import outcome_json

    spec = done.spec
    told: dict[str, Any] = {
        "search": str(done.sweep_id),
        "computed_by": done.computed_by,
        "resumed_trials": done.resumed,
    }
    told["engine_because"] = list(done.why_engine)
    return {**told, "database": done.database, **_spec_json(spec), **_with_cautions(spec, outcome_json(done.outcome))}


def stored_json(row: StoredSweep) -> dict[str, Any]:
    """A stored search that is finished."""
    spec = msgspec.json.decode(row.spec)
    told = {"search": str(row.sweep_id), "name": row.name, "key": row.key, "made_by": row.version}
    return {**told, **_spec_json(spec), **_with_cautions(spec, row.summary or {})}


def listed_json(rows: Sequence[tuple[StoredSweep, int]]) -> list[dict[str, Any]]:
    """Searches, the newest first."""
    return [
        {
            "search": str(row.sweep_id),
            "name": row.name,
            "key": row.key,
            "method": row.method,
            "history_sha256": row.data_sha256,
            "made_by": row.version,
            "stored_trials": stored,
            "finished": row.finished_ns is not None,
            "started_ns": str(row.started_ns),
            "verdict": _verdict_of(row),
        }
        for row, stored in rows
    ]


def show_list(out: Output, rows: Sequence[tuple[StoredSweep, int]]) -> None:
    """For people."""
    if not rows:
        out.show("No search was made yet.")
        return
    table = _table(">search", "begun", "strategy", "method", ">trials", "verdict", ">test SOL", "name")
    for row, stored in rows:
        spec = msgspec.json.decode(row.spec)
        net = None if row.summary is None else int(str(row.summary["test_lamports"]))
        table.add_row(
            str(row.sweep_id),
            time_at(row.started_ns),
            spec["backtest"]["strategy"]["name"],
            row.method,
            str(stored),
            _verdict_of(row) or "interrupted",
            "" if net is None else coloured(short_sol(net, signed=True), net),
            printable(row.name),
        )
    out.show(table)


def show_tuned(out: Output, told: Mapping[str, Any]) -> None:
    """A search in full."""
    evidence = told["evidence"]
    outside = evidence["out_of_sample"]
    out.show(
        f"Search {told['search']}: {counted(told['trials'], 'trial')} of {told['strategy']} on {told['source']}"
        f" by {told['method']}, best by {told['objective']}",
        "",
    )
    if told.get("engine_because"):
        out.say(f"Computed by the engine, not by the kernel: {'; '.join(told['engine_because'])}.\n")
    net = int(told["test_lamports"])
    out.show(
        verdict_text(
            f"Out of sample: {short_sol(net, signed=True)} SOL in {counted(outside['rounds'], 'round')},"
            f" {counted(len(told['folds']), 'test window')}: ",
            evidence["verdict"],
        ),
        *(f"  · {reason}" for reason in evidence["reasons"]),
        "",
    )
    out.show(_folds_table(told["folds"]), "")
    if luck_rows(found := msgspec.convert(evidence, Evidence, strict=False)):
        out.show(luck_table(found), "")
    if told["final"] is not None:
        out.show(f"All of the history would choose (in sample, {_sol(told['final_lamports'])} SOL):")
        out.show(*(f"  {key} = {value}" for key, value in told["final"].items()), "")
    parts: list[RenderableType] = [_values_table(told["values"]), ""]
    out.show(*parts)
    out.show("Best in sample, which says little:", _best_table(told["best"][:_LISTED]))
    out.say(
        f"\nNext:\n  pumpswap tune report {told['search']}\n  pumpswap backtest run {told['source']} --set KEY=VALUE"
    )


# ---------------------------------------------------------------------------------------------- parts


def _table(*names: str) -> Table:
    """``>``: a column of figures."""
    table = books_table()
    for name in names:
        table.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left")
    return table


def _folds_table(folds: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = _table("test window", "its training chose", ">training SOL", ">test SOL", ">rounds")
    for one in folds:
        since, until = (time_at(int(one[name])).removesuffix(" UTC") for name in ("since_ns", "until_ns"))
        chosen = "nothing: too few rounds" if one["params"] is None else _params_text(one["params"])
        test = int(one["test_lamports"])
        table.add_row(
            f"{since} to {until[11:] if since[:10] == until[:10] else until}",
            chosen,
            "" if one["train_lamports"] is None else _sol(one["train_lamports"]),
            coloured(short_sol(test, signed=True), test),
            str(one["rounds"]),
        )
    return table


def _values_table(values: Sequence[Mapping[str, Any]]) -> RenderableType:
    """A plateau is worth more than a peak; a range that was drawn from has too many values to be shown."""
    table = _table("setting", "value", ">trials", ">median SOL", ">best SOL")
    counts: dict[str, int] = {}
    for one in values:
        counts[one["key"]] = counts.get(one["key"], 0) + 1
    for one in values:
        if counts[one["key"]] <= _LISTED:
            numbers = (str(one["trials"]), _sol(one["median_lamports"]), _sol(one["best_lamports"]))
            table.add_row(one["key"], one["value"], *numbers)
    for key, count in counts.items():
        if count > _LISTED:
            table.add_row(key, f"{count} values", "", "", "")
    return table


def _best_table(best: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = _table(">trial", ">net SOL", ">drawdown SOL", ">rounds", "set")
    for one in best:
        fall = _sol(one["max_drawdown_lamports"], signed=False)
        table.add_row(
            str(one["number"]), _sol(one["net_lamports"]), fall, str(one["rounds"]), _params_text(one["params"])
        )
    return table


def _params_text(params: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in params.items())


def _sol(lamports: str, *, signed: bool = True) -> str:
    return short_sol(int(lamports), signed=signed)


def _spec_json(spec: Mapping[str, Any]) -> dict[str, Any]:
    backtest = spec["backtest"]
    return {
        "strategy": backtest["strategy"]["name"],
        "source": backtest["source"]["name"],
        "history_sha256": backtest["chronicle"],
        "space": spec["space"],
        "method": spec["method"],
        "objective": spec["objective"],
        "seed": spec["seed"],
        "impact": backtest["impact"],
    }


def _with_cautions(spec: Mapping[str, Any], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """What must not be overlooked, beside the figures."""
    cautions = []
    if outcome["refused"]:
        cautions.append(
            f"{outcome['refused']} combinations were left out, the settings refuse them: {outcome['refused_why']}"
        )
    if outcome["trials"] > 1:
        cautions.append(
            f"the best of {outcome['trials']} trials looks good by being the best: only what is out of sample counts"
        )
    for reason, count in dict(outcome["handed_over"]).items():
        cautions.append(f"{count} trials were computed by the engine, not by the kernel: {reason}")
    return {**outcome, "cautions": cautions}


def _verdict_of(row: StoredSweep) -> str | None:
    evidence = None if row.summary is None else row.summary.get("evidence")
    return str(evidence["verdict"]) if isinstance(evidence, dict) else None
