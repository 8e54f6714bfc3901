"""RunHeader: what is known about a run besides its books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pumpswap.storage.documents import load_mapping
from pumpswap.storage.tables import StoredRow

__all__ = ["RunHeader", "header_of"]


@dataclass(frozen=True, slots=True)
class RunHeader:
    """``finished_ns`` and ``summary`` are None while the run goes on, and for ever when it was interrupted.

    ``wallet`` and ``network`` (genesis hash) are those of a live run, else None.
    """

    run_id: int
    kind: str
    started_ns: int
    finished_ns: int | None
    seed: int | None
    settings: Mapping[str, object]
    summary: Mapping[str, object] | None
    wallet: str | None = None
    network: str | None = None


def header_of(row: StoredRow) -> RunHeader:
    """The header of a row of ``pumpswap_runs``."""
    return RunHeader(
        run_id=row.run_id,
        kind=row.kind,
        started_ns=row.started_ns,
        finished_ns=row.finished_ns,
        seed=None if row.seed is None else int(row.seed),
        settings=load_mapping(row.settings),
        summary=None if row.summary is None else load_mapping(row.summary),
        wallet=row.wallet,
        network=row.network,
    )
