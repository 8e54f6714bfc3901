"""The file of a backup: a ZIP with JSON lines for each table, and a manifest that says what must be in them.

Any tool reads it: the first line of ``unzip -p FILE pumpswap_runs.jsonl`` is the first run.
"""

from __future__ import annotations

import hashlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from pumpswap.errors import BadInput, NotFound, StorageError
from pumpswap.storage.migrate import HEAD, REVISIONS

__all__ = ["BackupFile", "BackupWriter", "Manifest", "StoredTable", "is_backup"]

FORMAT = "pumpswap.backup"
VERSION = 1
_MANIFEST = "manifest.json"
# Half the time of the usual level, for a tenth more bytes.
_LEVEL = 3
# What zipfile says of bytes that were changed: a flipped bit may ask for a password or for another compression.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, msgspec.MsgspecError),
    *(EOFError, KeyError, OSError, RuntimeError, ValueError),
)
_HINT = "take another copy of it, or an older backup; nothing was changed"


class StoredTable(msgspec.Struct, frozen=True):
    """What the lines of one table are: values in the order of ``columns``; SHA-256 over all bytes."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. ``created`` is UTC; ``engine`` is where it was taken, and restores to either."""

    format: str
    version: int
    created: str
    pumpswap: str
    engine: str
    revision: str
    tables: tuple[StoredTable, ...]

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


class BackupWriter:
    """Writes the tables one after the other, then the manifest. Use as a context."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)
        self._tables: list[StoredTable] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add_table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write all rows of a table."""
        digest, count = hashlib.sha256(), 0
        encoder = msgspec.json.Encoder()
        with self._zip.open(_member(name), "w", force_zip64=True) as stream:
            for row in rows:
                line = encoder.encode(row) + b"\n"
                digest.update(line)
                stream.write(line)
                count += 1
        self._tables.append(StoredTable(name, tuple(columns), count, digest.hexdigest()))

    def finish(self, *, created: str, pumpswap: str, engine: str, revision: str) -> Manifest:
        """Write the manifest: at the end of the context the file is complete."""
        manifest = Manifest(FORMAT, VERSION, created, pumpswap, engine, revision, tuple(self._tables))
        self._zip.writestr(_MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        return manifest


class BackupFile:
    """A backup that is read. Use as a context.

    Raises NotFound when there is no such file, BadInput when it is no backup, is damaged, or is of a form that this
    version does not know; StorageError when a newer version of this package has made it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise NotFound(f"there is no backup {path}", hint="name the file that db backup has written")
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest = msgspec.json.decode(self._zip.read(_MANIFEST), type=Manifest)
        except _DAMAGE as error:
            raise BadInput(f"{path} is no backup of pumpswap, or is damaged: {error}", hint=_HINT) from None
        if (self.manifest.format, self.manifest.version) != (FORMAT, VERSION):
            raise BadInput(f"{path} is a backup of a form that this version does not know", hint="upgrade pumpswap")
        if self.manifest.revision not in REVISIONS:
            raise StorageError(
                f"the backup has revision {self.manifest.revision}, this version of pumpswap knows it up to {HEAD}",
                hint="a newer pumpswap has made it: upgrade pumpswap; nothing was changed",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def rows(self, table: StoredTable) -> Iterator[list[Any]]:
        """Values of every row. Raises BadInput, at the end at the latest, when they are not what was written."""
        digest, count = hashlib.sha256(), 0
        decoder = msgspec.json.Decoder(list[str | bool | None])
        try:
            with self._zip.open(_member(table.name)) as stream:
                for line in stream:
                    digest.update(line)
                    count += 1
                    row = decoder.decode(line)
                    if len(row) != len(table.columns):
                        raise BadInput(f"row {count} of {table.name} in {self.path} has another length", hint=_HINT)
                    yield row
        except _DAMAGE as error:
            raise BadInput(f"{table.name} in {self.path} is damaged: {error}", hint=_HINT) from None
        if (count, digest.hexdigest()) != (table.rows, table.sha256):
            raise BadInput(f"{table.name} in {self.path} is not what was written", hint=_HINT)

    def verify(self) -> None:
        """Read everything. Raises BadInput for the first thing that is not what the manifest says."""
        for table in self.manifest.tables:
            for _ in self.rows(table):
                pass


def is_backup(path: Path) -> bool:
    """Whether a file is a backup of ours, of whatever version: so that nothing else is ever overwritten."""
    try:
        with zipfile.ZipFile(path) as archive:
            return bool(msgspec.json.decode(archive.read(_MANIFEST))["format"] == FORMAT)
    except (TypeError, *_DAMAGE):
        return False


def _member(table: str) -> str:
    return f"{table}.jsonl"
