"""``pumpswap db``: care of the database that holds the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from pumpswap.cli.asking import confirm
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from pathlib import Path

    from pumpswap.storage.maintenance import DowngradePlan, Finding

__all__ = ["check", "database_argument", "db", "downgrade", "size_text", "target_of", "upgrade", "vacuum"]

_HERE, _FILES, _HOST = "pumpswap.cli.db", "pumpswap.cli.db_backup", "pumpswap.cli.db_attach"
_BOOKS = "books"
_UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))

db = LazyGroup(
    "db",
    entries={
        "check": Entry(f"{_HERE}:check", "is the database sound, do its books agree?"),
        "backup": Entry(f"{_FILES}:backup", "one moment of the books in one file, while trading"),
        "restore": Entry(f"{_FILES}:restore", "books from a backup, into SQLite or PostgreSQL"),
        "upgrade": Entry(f"{_HERE}:upgrade", "bring the tables forward to this version"),
        "downgrade": Entry(f"{_HERE}:downgrade", "take the tables back, after showing what that drops"),
        "vacuum": Entry(f"{_HERE}:vacuum", "give unused space back"),
        "attach": Entry(f"{_HOST}:attach", "use your collector's database: adds tables, keys"),
        "detach": Entry(f"{_HOST}:detach", "take back what attach has added, export first"),
    },
    help=(
        "The database that holds the books: a SQLite file in the data folder, or the PostgreSQL server of "
        "settings.database.url.\n\n"
        "DATABASE is a path or a postgresql:// URL; without it, the database of the settings."
    ),
    examples=[
        Example("pumpswap db check", "before and after anything that worries you", needs=_BOOKS),
        Example("pumpswap db backup books.zip", "also while a trader is running", needs=_BOOKS),
        Example("pumpswap db restore books.zip postgresql://user@host/books", "from SQLite to a server", needs=_BOOKS),
    ],
)

database_argument = click.argument("database", required=False)


@command(
    "check",
    help=(
        "Check the database: its revision, its file or server, and that the books in it agree with themselves at this "
        "moment. It may be used while a trader writes. Nothing is changed.\n\n"
        "Exit code 0: nothing is wrong (warnings are no failures). Exit code 1: something is; the hint says what to do."
    ),
    examples=[
        Example("pumpswap db check", needs=_BOOKS),
        Example("pumpswap db check --json", "for a monitor", needs=_BOOKS),
    ],
)
@database_argument
@pass_output
def check(out: Output, database: str | None) -> None:
    from pumpswap.app.checks import Check as Shown
    from pumpswap.app.checks import CheckStatus, worst_code
    from pumpswap.cli.checks_view import check_json, show_check
    from pumpswap.storage.maintenance import check as look

    def shown(finding: Finding) -> Shown:
        return Shown(finding.name, CheckStatus(finding.status.value), finding.text, finding.hint)

    checks = []
    for finding in look(target_of(out, database)):
        checks.append(shown(finding))
        if not out.json:
            show_check(out, checks[-1])
    code = worst_code(checks)
    if out.json:
        out.emit("db_check", {"healthy": code == 0, "checks": [check_json(each) for each in checks]})
    if code:
        click.get_current_context().exit(code)


@command(
    "upgrade",
    help=(
        "Bring the tables forward to this version, all or nothing; in an empty database, make them. Every command that "
        "opens the books does the same: this one only does it now, and says so."
    ),
    examples=[Example("pumpswap db upgrade"), Example("pumpswap db upgrade", "the second time: nothing to do")],
)
@database_argument
@pass_output
def upgrade(out: Output, database: str | None) -> None:
    from pumpswap.storage import migrate
    from pumpswap.storage.maintenance import upgrade as bring_forward

    place, before = bring_forward(target_of(out, database))
    if out.json:
        out.emit("db_upgrade", {"database": place, "before": before, "after": migrate.HEAD})
    elif before == migrate.HEAD:
        out.show(f"{place}: at revision {before}, the newest", keep_lines=True)
    else:
        out.show(f"{place}: from {before or 'nothing'} to revision {migrate.HEAD}", keep_lines=True)


@command(
    "downgrade",
    help=(
        "Take the tables back to REVISION, for an older pumpswap; 'base' removes all of them. What would be dropped is "
        "shown, then you are asked. Take a backup first. The next command of this version brings them forward again, "
        "without what was dropped."
    ),
    examples=[
        Example("pumpswap db downgrade 0002", "asks before it drops anything", needs="books and a terminal"),
        Example("pumpswap db downgrade base --yes", "remove all our tables", needs=_BOOKS),
    ],
)
@click.argument("revision")
@database_argument
@pass_output
def downgrade(out: Output, revision: str, database: str | None) -> None:
    from pumpswap.app.host import nobody_trading
    from pumpswap.cli.run_result import settings_for
    from pumpswap.storage.maintenance import downgrade as take_back
    from pumpswap.storage.maintenance import plan_downgrade

    target = target_of(out, database)
    plan = plan_downgrade(target, revision)
    confirm(out, "downgrade", "Drop all this now?", lambda: _show_downgrade(out, plan))
    with nobody_trading(settings_for(out), target):
        plan = take_back(target, revision)
    if out.json:
        dropped = {"tables": _counts(plan.tables), "columns": _counts(plan.columns)}
        out.emit("db_downgrade", {"database": plan.place, "before": plan.before, "after": plan.after} | dropped)
    else:
        out.show(f"{plan.place}: from revision {plan.before} to {plan.after}", keep_lines=True)


@command(
    "vacuum",
    help=(
        "Give back the space that removed rows have left.\n\n"
        "SQLite: the file is rewritten; it is locked meanwhile and needs as much free disk again, so do it while "
        "nothing trades. PostgreSQL: nobody is held up; the space is used again by the server."
    ),
    examples=[Example("pumpswap db vacuum", needs=_BOOKS)],
)
@database_argument
@pass_output
def vacuum(out: Output, database: str | None) -> None:
    from pumpswap.storage.maintenance import vacuum as clean

    sizes = clean(target_of(out, database))
    if out.json:
        measured = {"before_bytes": str(sizes.before_bytes), "after_bytes": str(sizes.after_bytes)}
        out.emit("db_vacuum", {"database": sizes.place} | measured)
    else:
        out.show(
            f"{sizes.place}: {size_text(sizes.before_bytes)} before, {size_text(sizes.after_bytes)} after",
            keep_lines=True,
        )


# ---------------------------------------------------------------- shared with backup and restore


def target_of(out: Output, database: str | None) -> str | Path:
    """The named database, or that of the settings."""
    from pumpswap.cli.run_result import settings_for

    return database if database is not None else settings_for(out).database_target


def size_text(size_bytes: int) -> str:
    """``12.3 MB``; bytes below a thousand as they are."""
    for unit, name in _UNITS:
        if size_bytes >= unit:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes} bytes"


def _show_downgrade(out: Output, plan: DowngradePlan) -> None:
    lines = [f"{plan.place}: from revision {plan.before} to {plan.after}. This would drop", ""]
    lines += [f"  table   {name:<28} {count:>10,} rows" for name, count in plan.tables.items()]
    lines += [f"  column  {name:<28} {count:>10,} filled" for name, count in plan.columns.items()]
    out.show("\n".join(lines), keep_lines=True)


def _counts(counts: Any) -> dict[str, str]:
    return {name: str(count) for name, count in counts.items()}
