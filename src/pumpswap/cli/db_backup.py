"""``pumpswap db backup`` and ``pumpswap db restore``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.asking import confirm
from pumpswap.cli.db import database_argument, size_text, target_of
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from pumpswap.storage.maintenance import RestorePlan

__all__ = ["backup", "restore"]

_BACKUP = "a backup"


@command(
    "backup",
    help=(
        "Write one moment of the books to the file PATH, also while a trader writes. It is a ZIP of JSON lines that "
        "restores to SQLite and to PostgreSQL, whichever it was taken from; only tables of pumpswap are in it.\n\n"
        "It is read again before it takes its name; a backup of before under that name stays until then. Keys and "
        "passwords are not in the database: copy the wallets' files too."
    ),
    examples=[
        Example("pumpswap db backup books.zip", "of the database of the settings", needs="books"),
        Example("pumpswap db backup books.zip postgresql://user@host/books", "of another one", needs="a server"),
    ],
)
@click.argument("path", type=click.Path(path_type=Path))
@database_argument
@pass_output
def backup(out: Output, path: Path, database: str | None) -> None:
    from pumpswap.clock import SystemClock
    from pumpswap.storage.maintenance import write_backup

    done = write_backup(target_of(out, database), path, SystemClock().now_ns())
    manifest = done.manifest
    if out.json:
        found = {"database": done.source, "path": str(done.path), "size_bytes": str(done.size_bytes)}
        out.emit("db_backup", found | {"created": manifest.created, "revision": manifest.revision} | _tables(manifest))
        return
    out.show(f"{done.path}: {manifest.rows:,} rows of {done.source}, {size_text(done.size_bytes)}", keep_lines=True)
    out.say("Written, and read again without a difference.")


@command(
    "restore",
    help=(
        "Make the books of the backup PATH those of a database, SQLite or PostgreSQL. The way from one to the other: "
        "back up, restore to the new one, set database.url.\n\n"
        "The database must hold no books, or --replace must be given: then what would be removed is shown, and you are "
        "asked. Stop every trader first. All or nothing: a backup that is damaged, or of a newer version, changes "
        "nothing; one of an older version is brought forward. Tables of your collector are not touched; afterwards "
        "'db attach' fills what it adds again."
    ),
    examples=[
        Example("pumpswap db restore books.zip", "into an empty database", needs=_BACKUP),
        Example("pumpswap db restore books.zip --replace", "shows what goes, and asks", needs=_BACKUP),
        Example("pumpswap db restore books.zip postgresql://user@host/books", "to a server", needs=_BACKUP),
    ],
)
@click.argument("path", type=click.Path(path_type=Path))
@database_argument
@option("--replace", is_flag=True, help="Remove the books that are there, after showing them and asking.")
@pass_output
def restore(out: Output, path: Path, database: str | None, replace: bool) -> None:
    from pumpswap.app.host import nobody_trading
    from pumpswap.cli.run_result import settings_for
    from pumpswap.storage.maintenance import plan_restore
    from pumpswap.storage.maintenance import restore as bring_back

    target = target_of(out, database)
    held: AbstractContextManager[None] = nullcontext()
    if replace:
        plan = plan_restore(target, path)
        if plan.removed:
            confirm(out, "restore --replace", "Replace these books now?", lambda: _show_plan(out, plan))
            held = nobody_trading(settings_for(out), target)
    with held:
        done = bring_back(target, path, replace=replace)
    if out.json:
        removed = {name: str(count) for name, count in done.removed.items()}
        found = {"database": done.place, "path": str(path), "created": done.manifest.created, "removed": removed}
        out.emit("db_restore", found | _tables(done.manifest))
        return
    out.show(f"{done.place}: {done.manifest.rows:,} rows restored, as of {done.manifest.created} UTC", keep_lines=True)
    out.say("Next: pumpswap db check, then pumpswap reconcile")


def _show_plan(out: Output, plan: RestorePlan) -> None:
    manifest = plan.manifest
    lines = [
        f"{plan.place} holds books. They would be removed:",
        "",
        *(f"  {name:<28} {count:>10,} rows" for name, count in plan.removed.items()),
        "",
        f"and replaced by {manifest.rows:,} rows of a backup of {manifest.created} UTC ({manifest.engine}).",
    ]
    out.show("\n".join(lines), keep_lines=True)


def _tables(manifest: Any) -> dict[str, dict[str, str]]:
    return {"tables": {table.name: str(table.rows) for table in manifest.tables}}
