"""LakeWriter: adds rows to a lake. Killed at any moment, the lake holds what was committed, whole, each row once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pumpswap.clock import Clock, SystemClock
from pumpswap.errors import PumpSwapError, StorageError
from pumpswap.market.lake.columns import Kind, kind_of
from pumpswap.market.lake.compaction import due, merged_groups, sound, with_rows_of
from pumpswap.market.lake.data import pl
from pumpswap.market.lake.frames import conformed, frame_of
from pumpswap.market.lake.lake import DAY_NS, Lake, day_of
from pumpswap.market.lake.manifest import Coverage, LakeFile, Manifest
from pumpswap.market.lake.merging import WriteCounts, merge, near
from pumpswap.market.lake.part import TEMPORARY, is_sound, write_part
from pumpswap.market.lake.quarantine import QUARANTINE, put_aside
from pumpswap.market.lake.rows import TO_ROW, Row

__all__ = ["LakeWriter", "is_being_written"]

_LOCK = "writer.lock"
_GRACE_NS = 600_000_000_000  # a reader that was given a list of files has this long to open them
_SLOT, _POSITION = (kind_of("swaps").names.index(name) for name in ("slot", "position"))
_ACT_SLOT, _ACT_POSITION = (kind_of("acts").names.index(name) for name in ("slot", "position"))
_U32 = 2**32 - 1


class LakeWriter:
    """A context manager; leaving it commits what is still in memory, whatever the reason for leaving.

    Rows wait in memory until ``flush_rows`` of a kind are there or ``commit`` is called. There is one writer at a time;
    readers are not disturbed. ``counts`` tells what became of the rows of each kind.
    """

    def __init__(self, lake: Lake, *, flush_rows: int = 250_000, clock: Clock | None = None) -> None:
        self.lake = lake
        self.counts: dict[str, WriteCounts] = {}
        self._flush_rows = flush_rows
        self._clock = clock or SystemClock()
        self._rows: dict[str, list[Row]] = {}
        self._frames: dict[str, list[pl.DataFrame]] = {}
        self._waiting: dict[str, int] = {}
        self._covers: list[Coverage] = []
        self._manifest = Manifest(lake.folder)
        self._lock: int | None = None
        self._has_failed = False
        self._failure = ""
        self._slot, self._position = -1, 0
        self._sound: set[str] = set()

    def add(self, kind: str, rows: Iterable[Any], *, source: str = "") -> None:
        """Rows as our records: ``Swap`` for swaps, ``SeenAct`` for acts, ``PoolStateSeen`` for states, ``Candle`` and
        ``PoolSnapshot``.

        Raises AmountOutOfRange and BadInput for a row that the lake cannot hold; rows before it are kept.
        """
        kind_of(kind)
        to_row, waiting = TO_ROW[kind], self._rows.setdefault(kind, [])
        for row in rows:
            waiting.append(self._placed(kind, to_row(row, source)))
            self._waiting[kind] = self._waiting.get(kind, 0) + 1
            if self._waiting[kind] >= self._flush_rows:
                self.commit()
                waiting = self._rows.setdefault(kind, [])

    def go_on(self, slot: int, position: int) -> None:
        """The swap that is added next has this place in its slot, and what follows it in the slot comes behind."""
        self._slot, self._position = slot, position - 1

    def add_frame(self, kind: str, frame: pl.DataFrame) -> None:
        """Rows as a polars frame with the columns of the data dictionary. Raises BadInput when it has others."""
        ready = conformed(kind_of(kind), frame)
        self._frame_rows(kind_of(kind))
        self._frames.setdefault(kind, []).append(ready)
        self._waiting[kind] = self._waiting.get(kind, 0) + ready.height
        if self._waiting[kind] >= self._flush_rows:
            self.commit()

    def cover(self, claim: Coverage) -> None:
        """Claim that a range is complete; it is stored together with the rows that were added before."""
        kind_of(claim.kind)
        self._covers.append(claim)

    def commit(self) -> None:
        """Everything that was added is on disk when this returns. Raises StorageError."""
        self._held()
        self._has_failed = True  # until it is done
        try:
            self._commit_all()
        except PumpSwapError as failed:
            self._failure = f": {failed.what}"
            raise
        self._has_failed = False

    def compact(self) -> int:
        """Merge the small files of every day; answers how many files are gone. What is in the lake stays the same."""
        self.commit()
        before = len(self._manifest.files)
        for kind_name, date in sorted({(file.kind, file.date) for file in self.lake_files()}):
            self._compact(kind_of(kind_name), date, force=True)
        return before - len(self._manifest.files)

    def discard(self, path: str) -> None:
        """Take a file out of the lake and put it aside. What it had covered is a gap again."""
        self._held()
        if (self.lake.folder / path).exists():
            put_aside(self.lake.folder, path)
        file = self._manifest.files.get(path)
        if file is not None:
            lost = Coverage(kind=file.kind, network=file.network, start_ns=file.min_ns, end_ns=file.max_ns + 1)
            self._manifest.append(self._clock.now_ns(), remove=[path], uncover=[lost])

    def lake_files(self) -> list[LakeFile]:
        """Files of the writer's network, of every kind."""
        return [file for file in self._manifest.files.values() if file.network == self.lake.network]

    def __enter__(self) -> Self:
        self._take_lock()
        try:
            self._manifest = self.lake.manifest()
            self._manifest.require_whole()
            self._tidy()
            self._sweep()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            # Rows of a commit that failed are lost, and with them what was to be claimed of them.
            if not self._has_failed:
                self.commit()
        finally:
            self._release()

    def _commit_all(self) -> None:
        add: list[LakeFile] = []
        remove: list[str] = []
        for kind_name in list(self._waiting):
            kind = kind_of(kind_name)
            new, gone = self._write(kind, self._taken(kind))
            add += new
            remove += gone
        if add or remove or self._covers:
            self._manifest.append(self._clock.now_ns(), add, remove, self._covers)
            self._covers = []
        if self._manifest.is_long:
            self._manifest.shorten(self._clock.now_ns())
        for kind_name, date in sorted({(file.kind, file.date) for file in add}):
            self._compact(kind_of(kind_name), date, force=False)
        self._sweep()

    def _taken(self, kind: Kind) -> pl.DataFrame:
        """Everything that waits, in the order in which it came."""
        self._waiting.pop(kind.name, None)
        self._frame_rows(kind)
        frames = self._frames.pop(kind.name, [])
        return pl.concat(frames) if frames else frame_of(kind, [])

    def _placed(self, kind: str, row: Row) -> Row:
        """A swap's place among those of its slot is the order in which they come, an act's is that of the next swap;
        other rows need none.
        """
        if kind == "acts":
            place = self._position + 1 if row[_ACT_SLOT] == self._slot else 0
            return (*row[:_ACT_POSITION], place & _U32, *row[_ACT_POSITION + 1 :])
        if kind != "swaps":
            return row
        slot = row[_SLOT]
        self._position = self._position + 1 if slot == self._slot else 0
        self._slot = slot
        return (*row[:_POSITION], self._position & _U32, *row[_POSITION + 1 :])

    def _frame_rows(self, kind: Kind) -> None:
        rows = self._rows.pop(kind.name, [])
        if rows:
            self._frames.setdefault(kind.name, []).append(frame_of(kind, rows))

    def _write(self, kind: Kind, batch: pl.DataFrame) -> tuple[list[LakeFile], list[str]]:
        """New files of a batch, and the paths that they replace."""
        files = near(kind, batch, self.lake.files(kind.name, manifest=self._manifest))
        for file in files:
            self._require_sound(file)
        merged = merge(kind, batch, self.lake.folder, files)
        self.counts.setdefault(kind.name, WriteCounts()).add(merged.counts)
        parts: list[LakeFile] = []
        days = merged.fresh.with_columns((pl.col(kind.time) // DAY_NS).alias("__day__"))
        by_day = {key[0]: rows for key, rows in days.partition_by("__day__", as_dict=True, include_key=False).items()}
        for day, rows in sorted(by_day.items()):
            parts.append(self._part(kind, day_of(day * DAY_NS), rows, len(parts)))
        for path, keys in sorted(merged.outdated.items()):
            old = self._manifest.files[path]
            rest = with_rows_of(self.lake, [old]).join(keys, on=list(kind.key), how="anti")
            if rest.height:
                parts.append(self._part(kind, old.date, rest, len(parts)))
        return parts, sorted(merged.outdated)

    def _require_sound(self, file: LakeFile) -> None:
        """Raises StorageError for a damaged file: it cannot be known which rows are there. Looks once at each."""
        if file.path in self._sound:
            return
        if not is_sound(self.lake.folder, file):
            hint = "pumpswap data verify --repair puts it aside; then add the rows again"
            raise StorageError(f"{file.path} is damaged, and rows of its time are to be added", hint=hint)
        self._sound.add(file.path)

    def _part(self, kind: Kind, date: str, rows: pl.DataFrame, number: int) -> LakeFile:
        # The commit that will list it is in its name: what a crash leaves behind can be told from what is lost.
        return write_part(self.lake, kind, date, f"{self._manifest.commits + 1:08d}-{kind.name[:2]}{number}", rows)

    def _compact(self, kind: Kind, date: str, *, force: bool) -> None:
        files = [file for file in self.lake.files(kind.name, manifest=self._manifest) if file.date == date]
        if not due(files, force=force):
            return
        for every in merged_groups(files):
            group = sound(self.lake, every)
            if len(group) < 2:
                continue
            part = self._part(kind, date, with_rows_of(self.lake, group), 0)
            self._manifest.append(self._clock.now_ns(), [part], [file.path for file in group])

    def _tidy(self) -> None:
        """What a killed writer left: half files go, whole ones that no commit lists are put aside."""
        for path in self.lake.folder.rglob(f"*{TEMPORARY}"):
            path.unlink()
        known = self._manifest.files.keys() | self._manifest.removed.keys()
        for path in sorted(self.lake.folder.rglob("*.parquet")):
            relative = path.relative_to(self.lake.folder).as_posix()
            if relative in known or relative.startswith(QUARANTINE):
                continue
            if path.name.startswith(f"{self._manifest.commits + 1:08d}-"):
                put_aside(self.lake.folder, relative)

    def _sweep(self) -> None:
        """Files that were replaced long enough ago."""
        now = self._clock.now_ns()
        for path, since in list(self._manifest.removed.items()):
            if now - since >= _GRACE_NS:
                with suppress(FileNotFoundError):
                    (self.lake.folder / path).unlink()
                del self._manifest.removed[path]

    def _take_lock(self) -> None:
        try:
            self.lake.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.lake.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as failed:
            raise StorageError(
                f"the lake {self.lake.folder} cannot be written: {failed.strerror}", hint="choose another folder"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise StorageError(
                f"another process is writing to the lake {self.lake.folder}",
                hint="wait until it is done; reading is possible at any time",
            ) from None
        self._lock = descriptor

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _held(self) -> None:
        if self._lock is None:
            raise StorageError(
                "this writer is not open", hint="use it as a context manager: with LakeWriter(lake) as …"
            )
        if self._has_failed:
            hint = "open another one and add the rows again"
            raise StorageError(f"this writer has failed before{self._failure}", hint=hint)


def is_being_written(folder: Path) -> bool:
    """Whether a writer is at work in a lake."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
