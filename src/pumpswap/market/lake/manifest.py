"""Manifest: which files the lake consists of, and what is covered. A file that it does not list does not exist.

JSON lines. A line is one commit: files that come, files that go, ranges that are now complete; all of it or nothing.
Every line carries its number and a digest over itself and the line before, so that a line that is changed, lost or
swapped is noticed. A last line without its end was never finished: the writer died in it, and it does not count.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from pumpswap.errors import BadInput, StorageError
from pumpswap.market.lake.columns import SCHEMA_VERSION
from pumpswap.market.lake.ranges import Range, missing_from, united

__all__ = ["Commit", "Coverage", "LakeFile", "Manifest", "sync_folder"]

NAME = "manifest.jsonl"
_START = "0" * 32
_LONG = 1_000


class LakeFile(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet file. ``path`` is relative to the lake; ranges are those of its rows, both ends in."""

    path: str
    kind: str
    network: str
    date: str
    rows: int
    bytes: int
    sha256: str
    min_ns: int
    max_ns: int
    min_height: int
    max_height: int
    schema: int = SCHEMA_VERSION


class Coverage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A claim that rows of ``kind`` from ``start_ns`` until before ``end_ns`` are all here.

    ``pool`` empty: of every pool. ``timeframe`` is that of candles. ``source`` says who claims it.
    """

    kind: str
    network: str
    start_ns: int
    end_ns: int
    pool: str = ""
    timeframe: str = ""
    source: str = ""


class Commit(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. ``at_ns`` is when it was written: files that go stay on disk for a while, for readers."""

    number: int
    at_ns: int = 0
    add: tuple[LakeFile, ...] = ()
    remove: tuple[str, ...] = ()
    cover: tuple[Coverage, ...] = ()
    uncover: tuple[Coverage, ...] = ()
    lost: tuple[Coverage, ...] = ()


class _Line(msgspec.Struct, frozen=True):
    commit: msgspec.Raw
    check: str


@dataclass
class Manifest:
    """What the commits add up to. ``damage`` says, line by line, what cannot be trusted; reading goes on past it."""

    folder: Path
    files: dict[str, LakeFile] = field(default_factory=dict)
    coverage: list[Coverage] = field(default_factory=list)
    lost: list[Coverage] = field(default_factory=list)  # what was covered once and is not any more
    removed: dict[str, int] = field(default_factory=dict)  # since when
    damage: list[str] = field(default_factory=list)
    is_cut: bool = False
    commits: int = 0
    _lines: int = 0
    _check: str = _START
    _good_bytes: int = 0

    @property
    def path(self) -> Path:
        """The manifest's own file."""
        return self.folder / NAME

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a lake; empty where there is none yet. Raises StorageError when the file cannot be read."""
        manifest = cls(folder)
        try:
            content = manifest.path.read_bytes()
        except FileNotFoundError:
            return manifest
        except OSError as failed:
            raise StorageError(f"{manifest.path} cannot be read: {failed.strerror}", hint="check its owner") from None
        # Not splitlines: a carriage return is damage, and no end of a line.
        *lines, rest = content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            manifest._take(number, line)
        manifest.is_cut = bool(rest)
        manifest._good_bytes = len(content) - len(rest)
        return manifest

    def require_whole(self) -> None:
        """Raises BadInput when a line is damaged: nothing is written to a lake whose list of files is not sure."""
        if self.damage:
            raise BadInput(
                f"{self.path}: {self.damage[0]}",
                hint="pumpswap data verify names what is wrong; restore the manifest from a copy",
            )

    def append(
        self,
        at_ns: int,
        add: Iterable[LakeFile] = (),
        remove: Iterable[str] = (),
        cover: Iterable[Coverage] = (),
        *,
        uncover: Iterable[Coverage] = (),
    ) -> Commit:
        """One commit, on disk when this returns. Only the one writer may call it. Raises StorageError."""
        commit = Commit(self.commits + 1, at_ns, tuple(add), tuple(remove), tuple(cover), tuple(uncover))
        check, line = _line(commit, self._check)
        try:
            self._write(line)
        except OSError as failed:
            hint = "free some space; nothing of this commit counts, its rows can be added again"
            raise StorageError(f"{self.path} cannot be written: {failed.strerror}", hint=hint) from None
        self._check, self._good_bytes, self.is_cut = check, self._good_bytes + len(line), False
        self._apply(commit)
        return commit

    @property
    def is_long(self) -> bool:
        """Whether most lines tell of what is gone."""
        return self._lines > _LONG and self._lines > 4 * len(self.files)

    def shorten(self, at_ns: int) -> None:
        """Begin the manifest anew with one commit that says what all of them add up to. A crash leaves the old one."""
        commit = Commit(
            self.commits + 1,
            at_ns,
            add=tuple(self.files.values()),
            remove=tuple(self.removed),
            cover=tuple(_united(self.coverage)),
            lost=tuple(_united(self.lost)),
        )
        check, line = _line(commit, _START)
        aside = self.path.with_name(f"{NAME}.tmp")
        with aside.open("wb") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, self.path)
        sync_folder(self.folder)
        self.coverage, self.lost, self._lines = [], [], 0
        self._check, self._good_bytes, self.is_cut = check, len(line), False
        self._apply(commit)

    def _write(self, line: bytes) -> None:
        is_new = self.commits == 0 and not self.path.exists()
        if not is_new and (not self.path.exists() or self.path.stat().st_size < self._good_bytes):
            hint = "somebody has removed or cut it while this process was writing: restore it from a copy"
            raise StorageError(f"{self.path} is not what it was", hint=hint)
        with self.path.open("xb" if is_new else "r+b") as file:
            # What a killed writer left of its last line is overwritten.
            file.truncate(self._good_bytes)
            file.seek(self._good_bytes)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self.folder)

    def _take(self, number: int, line: bytes) -> None:
        try:
            told = msgspec.json.decode(line, type=_Line)
            commit = msgspec.json.decode(told.commit, type=Commit)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.damage.append(f"line {number} cannot be read")
            self._check = _START
            return
        body = bytes(told.commit)
        if told.check != _digest(self._check, body):
            lost = commit.number != self.commits + 1
            self.damage.append(
                f"line {number} is commit {commit.number}, expected was {self.commits + 1}: lines are lost or swapped"
                if lost
                else f"line {number} (commit {commit.number}) was changed, or the line before it"
            )
        self._check = told.check
        self._apply(commit)

    def _apply(self, commit: Commit) -> None:
        self.commits = commit.number
        self._lines += 1
        for path in commit.remove:
            self.files.pop(path, None)
            self.removed[path] = commit.at_ns
        for file in commit.add:
            self.files[file.path] = file
            self.removed.pop(file.path, None)
        for lost in commit.uncover:
            self.lost += [part for claim in self.coverage for part in _within(claim, lost)]
            self.coverage = [part for claim in self.coverage for part in _without(claim, lost)]
        self.coverage.extend(commit.cover)
        self.lost.extend(commit.lost)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _within(claim: Coverage, lost: Coverage) -> list[Coverage]:
    """What of a claim is in ``lost``, of every pool."""
    start, end = max(claim.start_ns, lost.start_ns), min(claim.end_ns, lost.end_ns)
    if (claim.kind, claim.network) != (lost.kind, lost.network) or start >= end:
        return []
    return [msgspec.structs.replace(claim, start_ns=start, end_ns=end)]


def _without(claim: Coverage, lost: Coverage) -> list[Coverage]:
    """What a claim still holds when ``lost`` is gone, of every pool."""
    if (claim.kind, claim.network) != (lost.kind, lost.network):
        return [claim]
    rest = missing_from([(lost.start_ns, lost.end_ns)], claim.start_ns, claim.end_ns)
    return [msgspec.structs.replace(claim, start_ns=start, end_ns=end) for start, end in rest]


def _united(claims: Iterable[Coverage]) -> Iterator[Coverage]:
    """The same claims in as few as possible."""
    groups: dict[Coverage, list[Range]] = {}
    for claim in claims:
        about = msgspec.structs.replace(claim, start_ns=0, end_ns=0)
        groups.setdefault(about, []).append((claim.start_ns, claim.end_ns))
    for about, ranges in groups.items():
        for start, end in united(ranges):
            yield msgspec.structs.replace(about, start_ns=start, end_ns=end)


def _line(commit: Commit, before: str) -> tuple[str, bytes]:
    """The digest of a commit, and its line."""
    body = msgspec.json.encode(commit)
    check = _digest(before, body)
    return check, msgspec.json.encode(_Line(msgspec.Raw(body), check)) + b"\n"


def _digest(before: str, body: bytes) -> str:
    return hashlib.sha256(before.encode() + body).hexdigest()[:32]
