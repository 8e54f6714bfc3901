"""``pumpswap data``: the history of the market in files. Its commands over one lake: list, verify, compact."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pumpswap.cli.asking import confirm
from pumpswap.cli.formats import counted
from pumpswap.cli.lazy import Entry, Example, LazyGroup, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH
from pumpswap.clock import format_utc
from pumpswap.errors import NotFound

if TYPE_CHECKING:
    from pumpswap.market.lake import Lake
    from pumpswap.market.lake.overview import Covered, Holding
    from pumpswap.market.lake.ranges import Range
    from pumpswap.market.lake.verify import Verification

__all__ = ["compact", "data", "lake_of", "lake_options", "list_", "verify"]

_F = TypeVar("_F", bound=Callable[..., Any])
_HERE, _EXPORT, _QLIB = "pumpswap.cli.data", "pumpswap.cli.data_export", "pumpswap.cli.data_qlib"
NEEDS = "a lake"
_MOST_LINES = 10

data = LazyGroup(
    "data",
    entries={
        "list": Entry(f"{_HERE}:list_", "what the lake holds, what is complete, where the holes are"),
        "verify": Entry(f"{_HERE}:verify", "is every byte of the lake as it was written?"),
        "download": Entry("pumpswap.cli.data_download:download", "candles of pools from GeckoTerminal"),
        "backfill": Entry("pumpswap.cli.data_chain:backfill", "swaps of a pool out of the chain's history"),
        "record": Entry("pumpswap.cli.data_chain:record", "swaps and states from the chain, from now on"),
        "export": Entry(f"{_EXPORT}:export", "rows as CSV, JSON lines or Parquet"),
        "bars": Entry(f"{_EXPORT}:bars", "bars of swaps by time, by trades or by volume"),
        "compact": Entry(f"{_HERE}:compact", "merge small files; what is in the lake stays the same"),
        "export-qlib": Entry(f"{_QLIB}:export_qlib", "market data as a dataset of QLib"),
        "check-qlib": Entry(f"{_QLIB}:check_qlib", "is a dataset of QLib sound?"),
    },
    help=(
        "The lake: swaps, states of pools, candles and snapshots in Parquet files, each row once.\n\n"
        "It is in the folder 'lake' of the data folder, or where lake.folder of the settings says. It needs the extra "
        "'data': pip install 'pumpswap[data]'."
    ),
    examples=[
        Example("pumpswap data list", "what there is"),
        Example("pumpswap data bars --seconds 60 --output bars.csv", "one-minute bars of every pool", needs=NEEDS),
    ],
)


def lake_options(callback: _F) -> _F:
    """``--lake`` and ``--network``."""
    folder = option(
        "--lake", "folder", type=PATH, metavar="DIR", help="The lake's folder. Default: that of the settings."
    )
    network = option("--network", default="solana", show_default=True, metavar="NAME", help="Which network's rows.")
    return folder(network(callback))


def lake_of(out: Output, folder: Path | None, network: str) -> Lake:
    """The named lake, or that of the settings. Raises NotFound where none is."""
    from pumpswap.market.lake import is_lake

    lake = _place(out, folder, network)
    if not is_lake(lake.folder):
        raise NotFound(f"there is no lake at {lake.folder}", hint="pumpswap data download fills one; --lake names one")
    return lake


@command(
    "list",
    help=(
        "List what the lake holds: rows, days and sizes by kind; then what a download or a recording claims to have "
        "completely, and the holes in it.\n\n"
        "A claim is about every pool, or about one: --pool shows those of one. Where nothing is claimed, rows may be "
        "there, and others missing."
    ),
    examples=[
        Example("pumpswap data list"),
        Example("pumpswap data list --pool POOL --json", "what is complete of one pool", needs=NEEDS),
    ],
)
@option("--pool", metavar="POOL", help="Claims and holes of this pool.")
@lake_options
@pass_output
def list_(out: Output, pool: str | None, folder: Path | None, network: str) -> None:
    from pumpswap.market.lake.overview import coverage_of, holdings_of

    lake = _place(out, folder, network)
    holdings, claims = holdings_of(lake), list(coverage_of(lake, pool))
    damage = lake.manifest().damage
    if damage:
        out.warn(f"the manifest is damaged: {damage[0]}; see pumpswap data verify")
    if out.json:
        told = {"holdings": [_holding_json(one) for one in holdings], "covered": [_covered_json(one) for one in claims]}
        out.emit("data_list", {"lake": str(lake.folder), "network": network, **told})
    elif not holdings and not claims:
        out.show(f"Nothing is in the lake {lake.folder} yet.", keep_lines=True)
        out.say("Next: pumpswap data download, or data record")
    else:
        out.show(_table(holdings))
        out.show("", *_claims_text(claims, pool, network), f"in {lake.folder}", keep_lines=True)


@command(
    "verify",
    help=(
        "Check the lake: every file against its digest, its rows against the rules (columns, order, ranges), no row "
        "twice, no file that nobody listed, no line of the list lost. A single flipped bit is found and its file "
        "named.\n\n"
        "--fast compares digests only. --repair puts files that cannot be read into the folder 'quarantine', after "
        "asking; their rows are gone from the lake, and what they covered counts as a gap again, so that a download "
        "fills it. Exit code 1: something is wrong."
    ),
    examples=[
        Example("pumpswap data verify", needs=NEEDS),
        Example("pumpswap data verify --fast --json", "digests only, for a nightly check", needs=NEEDS),
    ],
)
@option("--fast", is_flag=True, help="Compare digests only; rows are not read.")
@option("--repair", is_flag=True, help="Put aside what cannot be read, after showing it and asking.")
@lake_options
@pass_output
def verify(out: Output, fast: bool, repair: bool, folder: Path | None, network: str) -> None:
    import click

    from pumpswap.cli.progress import progress
    from pumpswap.market.lake.verify import verify as check

    lake = lake_of(out, folder, network)
    total = len(lake.manifest().files)
    with progress(out) as tell:
        done = 0

        def file_done(_file: object) -> None:
            nonlocal done
            done += 1
            tell("files", done, total)

        result = check(lake, bytes_only=fast, progress=file_done)
    repaired = _repaired(out, lake, result) if repair and result.repairable else []
    if out.json:
        out.emit("data_verify", _verify_json(lake, result, repaired))
    else:
        _show_verification(out, lake, result, repaired, fast=fast)
    if len(repaired) < len(result.findings):
        click.get_current_context().exit(1)


@command(
    "compact",
    help=(
        "Merge the small files of every day. A writer does this by itself when a day has more than 16 of them; after "
        "a long recording it makes reading a little faster. Rows and their order stay the same; the old files are "
        "deleted ten minutes later, so that nobody who reads them is disturbed."
    ),
    examples=[Example("pumpswap data compact", needs=NEEDS)],
)
@lake_options
@pass_output
def compact(out: Output, folder: Path | None, network: str) -> None:
    from pumpswap.market.lake import LakeWriter

    lake = lake_of(out, folder, network)
    with LakeWriter(lake) as writer:
        gone = writer.compact()
        files = len(writer.lake_files())
    if out.json:
        out.emit("data_compact", {"lake": str(lake.folder), "merged_files": gone, "files": files})
    else:
        out.show(f"{counted(gone, 'file')} fewer, {files:,} left in {lake.folder}", keep_lines=True)


def _place(out: Output, folder: Path | None, network: str) -> Lake:
    from pumpswap.cli.run_result import settings_for
    from pumpswap.market.lake import Lake

    return Lake(folder or settings_for(out).lake_folder, network)


def _repaired(out: Output, lake: Lake, result: Verification) -> list[str]:
    from pumpswap.market.lake import LakeWriter
    from pumpswap.market.lake.verify import repair

    lines = [f"  {finding.path}: {finding.text}" for finding in result.repairable]
    plan = "\n".join(["These files would be put aside; their rows are then gone from the lake:", "", *lines])
    confirm(out, "data verify --repair", "Put them aside now?", lambda: out.show(plan, keep_lines=True))
    with LakeWriter(lake) as writer:
        return repair(writer, result)


def _show_verification(out: Output, lake: Lake, result: Verification, repaired: list[str], *, fast: bool) -> None:
    from pumpswap.cli.db import size_text

    sizes = (counted(result.files, "file"), counted(result.rows, "row"), size_text(result.bytes))
    head = f"{', '.join(sizes)} in {lake.folder}"
    lines = [head]
    if result.is_good:
        rest = "; rows were not read" if fast else ", and no row is there twice"
        lines.append(f"Every byte is as it was written{rest}.")
    for finding in result.findings:
        mark = "put aside" if finding.path in repaired else "✗"
        lines += [f"{mark} {finding.path}", f"  {finding.problem.value}: {finding.text}"]
    lines += [f"note: {note}" for note in result.notes]
    out.show("\n".join(lines), keep_lines=True)
    if repaired:
        out.say("Next: pumpswap data list shows the gaps; pumpswap data download fills them")
    elif result.repairable:
        out.say("Next: pumpswap data verify --repair puts aside what cannot be read; then download or record it again")


def _verify_json(lake: Lake, result: Verification, repaired: list[str]) -> dict[str, Any]:
    return {
        "lake": str(lake.folder),
        "is_good": result.is_good,
        "files": result.files,
        "rows": str(result.rows),
        "size_bytes": str(result.bytes),
        "findings": [{"path": one.path, "problem": one.problem.value, "text": one.text} for one in result.findings],
        "repaired": repaired,
        "notes": result.notes,
    }


def _table(holdings: Iterable[Holding]) -> Any:
    from pumpswap.cli.books_view import books_table
    from pumpswap.cli.db import size_text

    table = books_table()
    for name in ("network", "kind"):
        table.add_column(name, no_wrap=True)
    for name in ("rows", "files", "days", "size"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("from", "to"):
        table.add_column(name, no_wrap=True)
    for one in holdings:
        first, last = format_utc(one.first_ns)[:10], format_utc(one.last_ns)[:10]
        counts = (f"{one.rows:,}", f"{one.files:,}", f"{one.days:,}", size_text(one.bytes))
        table.add_row(one.network, one.kind, *counts, first, last)
    return table


def _claims_text(claims: list[Covered], pool: str | None, network: str) -> list[str]:
    if not claims:
        return [f"Nothing of the network {network} is claimed to be complete."]
    lines: list[str] = []
    for one in claims:
        if pool is not None or not one.pool:
            lines += [_claim_name(one), *_ranges_text(one)]
    single = [one for one in claims if one.pool]
    if pool is None and single:
        pools = len({one.pool for one in single})
        torn = len({one.pool for one in single if one.holes})
        lines.append(f"Claims about {counted(pools, 'single pool')}, {torn:,} with holes; --pool shows one.")
    return lines


def _claim_name(one: Covered) -> str:
    what = f"{one.kind} {one.timeframe}" if one.timeframe else one.kind
    return f"{what} of {one.pool or 'every pool'}"


def _ranges_text(one: Covered) -> list[str]:
    """What is complete and what is missing, in order of time."""
    every = [(*edges, "complete") for edges in one.ranges] + [(*edges, "missing ") for edges in one.holes]
    lines = [f"  {word}  {format_utc(start)} to {format_utc(end)}" for start, end, word in sorted(every)]
    more = [f"  and {len(lines) - _MOST_LINES:,} more: see --json"] if len(lines) > _MOST_LINES else []
    return lines[:_MOST_LINES] + more


def _holding_json(one: Holding) -> dict[str, Any]:
    return {
        "network": one.network,
        "kind": one.kind,
        "files": one.files,
        "rows": str(one.rows),
        "size_bytes": str(one.bytes),
        "days": one.days,
        "first_ns": str(one.first_ns),
        "last_ns": str(one.last_ns),
    }


def _covered_json(one: Covered) -> dict[str, Any]:
    def ranges(some: Iterable[Range]) -> list[dict[str, str]]:
        return [{"start_ns": str(start), "end_ns": str(end)} for start, end in some]

    named = {"kind": one.kind, "pool": one.pool, "timeframe": one.timeframe}
    return {**named, "ranges": ranges(one.ranges), "holes": ranges(one.holes)}
