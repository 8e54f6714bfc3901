"""Lake: a folder with the history of the market, in Parquet files by kind, network and day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, UsageError
from pumpswap.market.lake.columns import SCHEMA_VERSION, kind_of
from pumpswap.market.lake.manifest import Coverage, LakeFile, Manifest
from pumpswap.market.lake.ranges import Range, missing_from, united

__all__ = ["DAY_NS", "Lake", "day_of", "is_lake"]

DAY_NS = 86_400 * NS_PER_SECOND


class Lake:
    """A lake is only a place: it may be empty, or not be there yet. Reading it needs no lock.

    ``network`` is the one that is read and written; a folder may hold several.
    """

    def __init__(self, folder: Path, network: str = "solana") -> None:
        if not network or any(not (sign.isalnum() or sign in "-_") for sign in network):
            raise UsageError(f"{network!r} is no name of a network", hint="for example solana")
        self.folder, self.network = folder, network

    def manifest(self) -> Manifest:
        """What is here now. Raises StorageError when the manifest cannot be read."""
        return Manifest.read(self.folder)

    def files(
        self, kind: str, *, start_ns: int | None = None, end_ns: int | None = None, manifest: Manifest | None = None
    ) -> list[LakeFile]:
        """Files of ``kind`` that have rows from ``start_ns`` until before ``end_ns``, by time.

        Raises BadInput when one was written by a later version.
        """
        kind_of(kind)
        listed = (manifest or self.manifest()).files.values()
        chosen = [
            file
            for file in listed
            if file.kind == kind
            and file.network == self.network
            and (start_ns is None or file.max_ns >= start_ns)
            and (end_ns is None or file.min_ns < end_ns)
        ]
        for file in chosen:
            if file.schema > SCHEMA_VERSION:
                raise BadInput(
                    f"{file.path} has schema {file.schema}, known is {SCHEMA_VERSION}", hint="upgrade pumpswap"
                )
        return sorted(chosen, key=lambda file: (file.date, file.min_ns, file.path))

    def covered(self, kind: str, pool: str = "", *, timeframe: str = "") -> list[Range]:
        """Ranges that a download or a recording claims to have completely: of ``pool``, or with "" of every pool."""
        claims = self._about(self.manifest().coverage, kind, pool, timeframe)
        return united((one.start_ns, one.end_ns) for one in claims)

    def gaps(
        self,
        kind: str,
        pool: str = "",
        *,
        timeframe: str = "",
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> list[Range]:
        """Holes between ``start_ns`` and ``end_ns``; without them between the first and the last moment that was ever
        claimed.
        """
        manifest = self.manifest()
        claims = self._about(manifest.coverage, kind, pool, timeframe)
        ever = [*claims, *self._about(manifest.lost, kind, pool, timeframe)]
        if not ever and (start_ns is None or end_ns is None):
            return []
        start = min(one.start_ns for one in ever) if start_ns is None else start_ns
        end = max(one.end_ns for one in ever) if end_ns is None else end_ns
        return missing_from(((one.start_ns, one.end_ns) for one in claims), start, end)

    def _about(self, claims: Iterable[Coverage], kind: str, pool: str, timeframe: str) -> list[Coverage]:
        kind_of(kind)
        return [
            one
            for one in claims
            if one.kind == kind
            and one.network == self.network
            and one.pool in ("", pool)
            and one.timeframe in ("", timeframe)
        ]


def day_of(at_ns: int) -> str:
    """``2026-11-26``: the day in UTC."""
    return datetime.fromtimestamp(at_ns // NS_PER_SECOND, UTC).strftime("%Y-%m-%d")


def is_lake(folder: Path) -> bool:
    """Whether a folder holds a lake."""
    return Manifest(folder).path.is_file()
