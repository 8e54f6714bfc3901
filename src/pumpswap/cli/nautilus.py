"""``pumpswap nautilus``: the adapter for NautilusTrader."""

from __future__ import annotations

from pathlib import Path

import click

from pumpswap.cli.lazy import Entry, Example, LazyGroup, command
from pumpswap.cli.output import Output, pass_output

__all__ = ["catalog", "check", "nautilus"]

_HERE = "pumpswap.cli.nautilus"
_NEEDS = "NautilusTrader"

nautilus = LazyGroup(
    "nautilus",
    entries={
        "check": Entry(f"{_HERE}:check", "can this installation trade in NautilusTrader?"),
        "catalog": Entry(f"{_HERE}:catalog", "a recording as a catalog of NautilusTrader"),
    },
    help=(
        "PumpSwap as a venue of NautilusTrader: the same engine, gate, books and alerts under Nautilus' own objects, "
        "in back-test, on paper and live.\n\n"
        "It needs NautilusTrader in this environment: pip install 'pumpswap[nautilus]'."
    ),
    examples=[
        Example("pumpswap nautilus check", "version, precision, what it can do", needs=_NEEDS),
        Example("pumpswap nautilus catalog export/ catalog/", "for a BacktestNode", needs=_NEEDS),
    ],
)


@command(
    "check",
    help=(
        "Check that NautilusTrader is here in a version that the adapter knows, how exact its numbers are, that the "
        "adapter loads, and what it would trade on; and say what the adapter can do.\n\n"
        "Exit code: 0 when nothing failed (warnings are no failures), 4 without NautilusTrader or with a version that "
        "is not supported."
    ),
    examples=[
        Example("pumpswap nautilus check", needs=_NEEDS),
        Example("pumpswap --json nautilus check", "for scripts", needs=_NEEDS),
    ],
)
@pass_output
def check(out: Output) -> None:
    from pumpswap.app.checks import worst_code
    from pumpswap.cli.checks_view import check_json, show_check
    from pumpswap.cli.run_result import settings_for
    from pumpswap.nautilus.check import CAPABILITIES, examine, installed_version

    checks = []
    for one in examine(settings_for(out)):
        checks.append(one)
        if not out.json:
            show_check(out, one)
    code = worst_code(checks)
    if out.json:
        told = {
            "healthy": code == 0,
            "nautilus_trader": installed_version(),
            "checks": [check_json(one) for one in checks],
            "capabilities": dict(CAPABILITIES),
        }
        out.emit("nautilus-check", told)
    elif not code:
        out.show("")
        for name, text in CAPABILITIES.items():
            out.show(f"{name:<14} {text}")
    if code:
        click.get_current_context().exit(code)


@command(
    "catalog",
    help=(
        "Write a recording (a host export, a tape, a database, a lake) as a catalog of NautilusTrader into FOLDER, "
        "which must not hold one yet: instruments, quote and trade ticks, status, swaps and exact states.\n\n"
        "Call pumpswap.nautilus.register_catalog(FOLDER) before anything reads it: a catalog forgets the decimals of "
        "tokens, and of SOL."
    ),
    examples=[Example("pumpswap nautilus catalog export/ catalog/", needs=_NEEDS)],
)
@click.argument("source")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@pass_output
def catalog(out: Output, source: str, folder: Path) -> None:
    from pumpswap.cli.progress import progress
    from pumpswap.cli.run_result import settings_for
    from pumpswap.nautilus import Tape, write_catalog

    tape = Tape(settings_for(out).nautilus.lamports("quote_sol"))
    with progress(out) as tell:
        written = write_catalog(source, folder, tape, tell=lambda done: tell("translating updates", done, None))
    if out.json:
        told = {
            "folder": str(written.folder),
            "instruments": written.instruments,
            "rows": written.rows,
            "updates": written.updates,
            "first_ns": written.first_ns,
            "last_ns": written.last_ns,
            "left_out": written.left_out,
        }
        out.emit("nautilus-catalog", told)
        return
    rows = ", ".join(f"{count:,} {name}" for name, count in written.rows.items())
    out.show(f"{written.folder}: {written.instruments} instruments of {written.updates:,} updates, {rows}")
    for pool, reason in written.left_out.items():
        out.show(f"left out {pool}: {reason}")
