"""``pumpswap db attach`` and ``pumpswap db detach``: our tables in the database of somebody else's collector."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.asking import confirm, is_agreed
from pumpswap.cli.chain_options import chain_options, chain_settings
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from pumpswap.app.host import PairCheck
    from pumpswap.settings import Settings
    from pumpswap.storage.host.detach import Attached, Detached
    from pumpswap.storage.host.plan import Plan

__all__ = ["attach", "detach"]

_NEEDS = "a host's database"
_SHOWN = 20

_dry_run = option("--dry-run", is_flag=True, help="Print the SQL that would run, and change nothing.")


@command(
    "attach",
    help=(
        "Bring the database of your collector forward: our tables, pools.pumpswap_pair_address, and keys that let your "
        "collector delete what it likes. DATABASE is a postgresql:// URL or the path of a SQLite file.\n\n"
        "It may be repeated: what is there stays as it is, what is new is filled. 'db detach' takes everything back. "
        "With an endpoint, the pair addresses are compared with the chain."
    ),
    examples=[
        Example("pumpswap db attach postgresql://user@host/gecko --dry-run", "the SQL, and nothing else", needs=_NEEDS),
        Example("pumpswap db attach gecko.db", "do it", needs=_NEEDS),
        Example("pumpswap db attach gecko.db --verify --url URL", "and ask the chain", needs="a host and an endpoint"),
    ],
)
@click.argument("database")
@_dry_run
@option(
    "--verify/--no-verify",
    default=None,
    help="Compare pair addresses with the chain. Default: if the settings have an endpoint.",
)
@chain_options
@pass_output
def attach(
    out: Output,
    database: str,
    dry_run: bool,
    verify: bool | None,
    urls: tuple[str, ...],
    ws_url: str | None,
    network: str | None,
) -> None:
    from pumpswap.clock import SystemClock
    from pumpswap.storage.host.attach import attach as attach_host

    settings = chain_settings(out, urls, ws_url, network)
    plan = attach_host(database, SystemClock().now_ns(), dry_run=dry_run)
    if not out.json:
        _show_sql(out, plan) if dry_run else _show_plan(out, plan)
    check, cleared = None, 0
    if not dry_run and verify is not False and (verify or settings.chain.endpoints):
        check = _checked(out, settings, database, must=bool(verify))
        cleared = 0 if check is None else _clear(out, database, check)
    if out.json:
        out.emit("db_attach", _plan_json(plan) | {"verified": _check_json(check, cleared)})


@command(
    "detach",
    help=(
        "Export our tables, then remove from your collector's database everything that 'db attach' has made, and "
        "nothing else. DATABASE is a postgresql:// URL or the path of a SQLite file.\n\n"
        "It shows what would go and asks; --yes skips the question."
    ),
    examples=[
        Example("pumpswap db detach gecko.db --dry-run", "the SQL, and nothing else", needs=_NEEDS),
        Example("pumpswap db detach gecko.db --to FOLDER", needs=_NEEDS),
    ],
)
@click.argument("database")
@_dry_run
@option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="A new folder for the export; default: one in the data folder.",
)
@pass_output
def detach(out: Output, database: str, dry_run: bool, folder: Path | None) -> None:
    from pumpswap.app.host import nobody_trading
    from pumpswap.cli.run_result import settings_for
    from pumpswap.clock import SystemClock
    from pumpswap.storage.host.detach import detach as detach_host
    from pumpswap.storage.host.detach import look

    at_ns, settings = SystemClock().now_ns(), settings_for(out)
    target = folder or settings.data_dir / "exports" / f"detached-{at_ns // 1_000_000}"
    if not dry_run:
        confirm(out, "detach", "Export and remove all this now?", lambda: _show_attached(out, look(database), target))
    with nullcontext() if dry_run else nobody_trading(settings, database):
        done = detach_host(database, target, at_ns, dry_run=dry_run)
    if out.json:
        out.emit("db_detach", _plan_json(done.plan) | _export_json(done))
    elif dry_run:
        _show_sql(out, done.plan)
    else:
        _show_detached(out, done)


# ---------------------------------------------------------------- the chain


def _checked(out: Output, settings: Settings, database: str, *, must: bool) -> PairCheck | None:
    """Compare with the chain; where nobody has asked for it, a chain that does not answer is only told."""
    from pumpswap.app.host import check_pairs
    from pumpswap.cli.waiting import wait_for
    from pumpswap.errors import ChainError
    from pumpswap.sdk.connection import ChainConnection

    async def ask() -> PairCheck:
        async with ChainConnection(settings) as connection:
            return await check_pairs(connection, database)

    try:
        return wait_for(ask())
    except ChainError as error:
        if must:
            raise
        out.warn(f"pair addresses were not compared with the chain: {error.what}")
        return None


def _clear(out: Output, database: str, check: PairCheck) -> int:
    from pumpswap.app.host import clear_wrong_pairs
    from pumpswap.clock import SystemClock

    for one in check.wrong[:_SHOWN]:
        whose = "" if one.pair.is_ours else " (not filled by attach)"
        out.warn(f"{one.pair.pool_id}: {one.pair.address} is no PumpSwap pool: {one.reason}{whose}")
    if len(check.wrong) > _SHOWN:
        out.warn(f"… and {len(check.wrong) - _SHOWN} more")
    if not out.json:
        out.say(f"{check.checked:,} pair addresses compared at slot {check.slot:,}, {len(check.wrong):,} wrong.")
    if not check.ours or (out.json and not out.options.yes):
        return 0
    if not out.options.yes and not is_agreed(f"Empty the {len(check.ours)} that attach has filled?"):
        return 0
    return clear_wrong_pairs(database, check, SystemClock().now_ns())


# ---------------------------------------------------------------- output


def _show_sql(out: Output, plan: Plan) -> None:
    """A script: what it says in words is a comment."""
    lines = [f"-- {plan.host}", "BEGIN;"]
    for step in plan.steps:
        state = "" if step.statements else f": {step.state.value}"
        note = f" ({step.note})" if step.note else ""
        lines += ["", f"-- {step.text}{state}{note}", *(f"{statement};" for statement in step.statements)]
    click.echo("\n".join([*lines, "", "COMMIT;"]))
    out.say("\nNothing was changed.")


def _show_plan(out: Output, plan: Plan) -> None:
    out.show(plan.host, "")
    for step in plan.steps:
        note = f": {step.note}" if step.note else ""
        out.show(f"{step.state.value:<8} {step.text}{note}", keep_lines=True)
    out.say("\nAttached." if plan.changes_anything else "\nAttached; there was nothing to do.")


def _show_attached(out: Output, attached: Attached, folder: Path) -> None:
    from rich.table import Table

    table = Table("table", "rows", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for name, rows in attached.rows.items():
        table.add_row(name, f"{rows:,}")
    columns = ", ".join(attached.columns) or "none"
    out.show(attached.host, "", "These tables are exported and dropped:", table, "", f"These columns go: {columns}")
    out.show(f"The export goes to {folder}", keep_lines=True)


def _show_detached(out: Output, done: Detached) -> None:
    if done.export is not None:
        rows = sum(done.export.rows.values())
        out.show(f"{rows:,} rows of {len(done.export.rows)} tables are in {done.export.folder}", keep_lines=True)
    out.say("Detached: the database is as it was before." + _mode_text(done))


def _mode_text(done: Detached) -> str:
    return f" Its journal mode is {done.journal_mode}." if done.journal_mode else ""


def _plan_json(plan: Plan) -> dict[str, Any]:
    steps = [
        {"name": one.name, "text": one.text, "state": one.state.value, "note": one.note, "sql": one.statements}
        for one in plan.steps
    ]
    counts = {name: str(count) for name, count in plan.counts.items()}
    return {"host": plan.host, "kept": plan.kept, "counts": counts, "steps": steps}


def _check_json(check: PairCheck | None, cleared: int) -> dict[str, Any] | None:
    if check is None:
        return None
    wrong = [
        {
            "pool_id": one.pair.pool_id,
            "pair_address": one.pair.address,
            "reason": one.reason,
            "filled_by_attach": one.pair.is_ours,
        }
        for one in check.wrong
    ]
    return {"checked": str(check.checked), "slot": str(check.slot), "wrong": wrong, "emptied": str(cleared)}


def _export_json(done: Detached) -> dict[str, Any]:
    export = None
    if done.export is not None:
        rows = {name: str(count) for name, count in done.export.rows.items()}
        export = {"folder": str(done.export.folder), "rows": rows}
    return {"export": export, "journal_mode": done.journal_mode}
