"""Is the lake what was written? Bytes against digests, rows against the rules, files against the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from pumpswap.errors import StorageError
from pumpswap.market.lake.columns import KINDS, Kind
from pumpswap.market.lake.data import collected, pl, scanned
from pumpswap.market.lake.frames import extent, polars_schema
from pumpswap.market.lake.lake import DAY_NS, Lake, day_of
from pumpswap.market.lake.manifest import LakeFile, Manifest
from pumpswap.market.lake.part import TEMPORARY, is_sound, sha256_of
from pumpswap.market.lake.quarantine import QUARANTINE
from pumpswap.market.lake.writer import LakeWriter, is_being_written

__all__ = ["Finding", "Problem", "Verification", "repair", "verify"]

_HASH = "__hash__"


class Problem(Enum):
    """What is wrong; the value is for scripts."""

    MANIFEST = "manifest"
    MISSING = "missing"
    CUT = "cut"
    CHANGED = "changed"
    SWAPPED = "swapped"
    UNREADABLE = "unreadable"
    COLUMNS = "columns"
    ROWS = "rows"
    RANGE = "range"
    ORDER = "order"
    DUPLICATES = "duplicates"
    ORPHAN = "orphan"


_REPAIRABLE = frozenset(
    {Problem.MISSING, Problem.CUT, Problem.CHANGED, Problem.SWAPPED, Problem.UNREADABLE, Problem.ORPHAN}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``path`` is relative to the lake."""

    path: str
    problem: Problem
    text: str


@dataclass(slots=True)
class Verification:
    """``findings`` empty: everything that the manifest lists is there, whole, and each row once.

    ``notes`` are harmless: what a killed writer left, what is in quarantine, what waits for its deletion.
    """

    files: int = 0
    rows: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def repairable(self) -> list[Finding]:
        """Findings of files that cannot be read as they are; see ``repair``."""
        return [one for one in self.findings if one.problem in _REPAIRABLE]

    def find(self, path: str, problem: Problem, text: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(path, problem, text))


def verify(lake: Lake, *, bytes_only: bool = False, progress: Callable[[LakeFile], None] | None = None) -> Verification:
    """Check the whole folder, every network. ``bytes_only`` leaves out what needs the rows: faster, less thorough.

    A writer may be at work meanwhile: what it replaces and adds is no finding, and is not looked at.
    ``progress`` is called after every file. Raises StorageError when a file cannot be opened at all.
    """
    manifest, result = lake.manifest(), Verification()
    for line in manifest.damage:
        result.find(manifest.path.name, Problem.MANIFEST, line)
    if manifest.is_cut:
        result.notes.append("the last line of the manifest was never finished: a writer was killed; it does not count")
    digests = {file.sha256: file.path for file in manifest.files.values()}
    sound: list[LakeFile] = []
    for path, file in sorted(manifest.files.items()):
        result.files, result.rows, result.bytes = result.files + 1, result.rows + file.rows, result.bytes + file.bytes
        if _bytes_are_good(lake.folder, file, digests, result) and (
            bytes_only or _rows_are_good(lake.folder / path, file, result)
        ):
            sound.append(file)
        if progress is not None:
            progress(file)
    if not bytes_only:
        for group in _overlapping([file for file in sound if (lake.folder / file.path).exists()]):
            _find_duplicates(lake.folder, group, result)
    _find_strangers(lake, result)
    _forget_replaced(lake, result)
    return result


def repair(writer: LakeWriter, verification: Verification) -> list[str]:
    """Put aside what cannot be read, so that the rest can; answers the paths. Their rows are gone from the lake, and
    what they covered counts as a gap again. Other findings stay: they need a decision. Those that are not so any more
    are passed over: since the verification a writer, or the owner of the lake, may have been here.
    """
    manifest = writer.lake.manifest()
    paths = [finding.path for finding in verification.repairable if _is_still_so(writer.lake.folder, finding, manifest)]
    for path in paths:
        writer.discard(path)
    return paths


def _is_still_so(folder: Path, finding: Finding, manifest: Manifest) -> bool:
    file = manifest.files.get(finding.path)
    if finding.problem is Problem.ORPHAN:
        return file is None and finding.path not in manifest.removed
    return file is not None and (finding.problem is Problem.UNREADABLE or not is_sound(folder, file))


def _bytes_are_good(folder: Path, file: LakeFile, digests: dict[str, str], result: Verification) -> bool:
    path = folder / file.path
    try:
        size = path.stat().st_size
        digest = sha256_of(path)
    except FileNotFoundError:
        result.find(file.path, Problem.MISSING, f"the file is not there; it had {file.rows:,} rows")
        return False
    except OSError as failed:
        raise StorageError(f"{path} cannot be read: {failed.strerror}", hint="check its owner, or the disk") from None
    if digest == file.sha256:
        return True
    if digest in digests:
        result.find(file.path, Problem.SWAPPED, f"it holds what {digests[digest]} should hold")
    elif size < file.bytes:
        result.find(file.path, Problem.CUT, f"{size:,} of {file.bytes:,} bytes are left")
    else:
        result.find(file.path, Problem.CHANGED, "its bytes are not those that were written")
    return False


def _rows_are_good(path: Path, file: LakeFile, result: Verification) -> bool:
    """Bytes that are as written can still have been written wrongly."""
    before = len(result.findings)
    kind = KINDS.get(file.kind)
    try:
        frame = scanned(path).collect()
    except (pl.exceptions.PolarsError, OSError) as broken:
        result.find(file.path, Problem.UNREADABLE, f"it is no Parquet file: {str(broken).splitlines()[0][:120]}")
        return False
    if kind is None or dict(frame.schema) != polars_schema(kind):
        result.find(file.path, Problem.COLUMNS, f"its columns are not those of {file.kind} in schema {file.schema}")
        return False
    if frame.height != file.rows:
        result.find(file.path, Problem.ROWS, f"it has {frame.height:,} rows, {file.rows:,} are listed")
    elif frame.height:
        _check_ranges(kind, frame, file, result)
    nulls = [one.name for one in kind.columns if not one.may_be_null and frame.get_column(one.name).null_count()]
    if nulls:
        result.find(file.path, Problem.COLUMNS, f"{', '.join(nulls)} is null in some rows")
    keys = frame.select(kind.order)
    if not keys.equals(keys.sort(*kind.order)):
        result.find(file.path, Problem.ORDER, f"its rows are not sorted by {', '.join(kind.order)}")
    return len(result.findings) == before


def _check_ranges(kind: Kind, frame: pl.DataFrame, file: LakeFile, result: Verification) -> None:
    times, heights = extent(frame, kind.time), extent(frame, kind.height)
    if times != (file.min_ns, file.max_ns) or heights != (file.min_height, file.max_height):
        result.find(file.path, Problem.RANGE, f"{kind.time} or {kind.height} is not in the range that is listed")
    days = {day_of(at_ns // DAY_NS * DAY_NS) for at_ns in times}
    if days != {file.date} or f"/date={file.date}/" not in file.path:
        result.find(file.path, Problem.RANGE, f"rows of {' and '.join(sorted(days))} in a file of {file.date}")


def _overlapping(files: list[LakeFile]) -> Iterator[list[LakeFile]]:
    """Files that may hold the same row: of one kind and network, with ranges that touch."""
    ordered = sorted(files, key=lambda file: (file.kind, file.network, file.min_height))
    group: list[LakeFile] = []
    highest = -1
    for file in ordered:
        same = group and (file.kind, file.network) == (group[0].kind, group[0].network)
        if not same or file.min_height > highest:
            if group:
                yield group
            group, highest = [], -1
        group.append(file)
        highest = max(highest, file.max_height)
    if group:
        yield group


def _find_duplicates(folder: Path, group: list[LakeFile], result: Verification) -> None:
    """Keys that occur twice. Digests of 8 bytes choose candidates, so that memory stays small; keys decide."""
    kind = KINDS[group[0].kind]
    key = pl.struct(kind.key)
    hashes = [collected(scanned(folder / file.path).select(key.hash().alias(_HASH))).to_series() for file in group]
    every = pl.concat(hashes)
    suspects = every.filter(every.is_duplicated()).unique()
    if suspects.is_empty():
        return
    candidates = pl.concat(
        collected(
            scanned(folder / file.path)
            .select(*kind.key, key.hash().alias(_HASH), pl.lit(file.path).alias("__path__"))
            .filter(pl.col(_HASH).is_in(suspects.implode()))
        )
        for file in group
    )
    twice = candidates.filter(candidates.select(kind.key).is_duplicated())
    for path, rows in sorted(twice.partition_by("__path__", as_dict=True).items()):
        named = ", ".join(str(value) for value in rows.select(kind.key).row(0))
        text = f"{rows.height:,} rows occur again, here or in another file; the first is {named}"
        result.find(str(path[0]), Problem.DUPLICATES, text)


def _find_strangers(lake: Lake, result: Verification) -> None:
    """Files that no commit lists. The folder is read before the list: a writer lists a file after it is there."""
    folder = lake.folder
    paths = sorted(folder.rglob("*"))
    manifest = lake.manifest()
    coming = f"{manifest.commits + 1:08d}-"
    aside = waiting = 0
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.name.endswith(TEMPORARY):
            result.notes.append(f"{name}: half a file of a killed writer, or of one that is at work; it does not count")
        elif name.startswith(f"{QUARANTINE}/"):
            aside += 1
        elif path.suffix == ".parquet" and name not in manifest.files:
            if name in manifest.removed:
                waiting += 1
            elif path.name.startswith(coming) and is_being_written(folder):
                result.notes.append(f"{name}: a writer is at work on it")
            else:
                result.find(name, Problem.ORPHAN, "no commit lists it: the manifest has lost a line, or a writer died")
    if aside:
        result.notes.append(f"files in {QUARANTINE}, which nothing reads: {aside}")
    if waiting:
        result.notes.append(f"replaced files that a later writer will delete: {waiting}")


def _forget_replaced(lake: Lake, result: Verification) -> None:
    """Files that are missing since a writer has put their rows into others."""
    listed = lake.manifest().files
    gone = [one for one in result.findings if one.problem is Problem.MISSING and one.path not in listed]
    if gone:
        result.findings = [one for one in result.findings if one not in gone]
        result.notes.append(f"files that a writer has replaced meanwhile, not looked at: {len(gone)}")
