"""Who trades with the books in a host's database: they must not be taken away under a live trader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import inspect, select

from pumpswap.storage.claim import Claim
from pumpswap.storage.host.connect import open_host
from pumpswap.storage.tables import RUNS

__all__ = ["claimed", "live_wallets"]

_WHAT = "looking for traders"


def live_wallets(target: str | Path) -> list[tuple[str, str]]:
    """Wallet and network of every live run that is not finished. Changes nothing."""
    query = select(RUNS.c.wallet, RUNS.c.network).where(RUNS.c.wallet.is_not(None), RUNS.c.finished_ns.is_(None))
    with open_host(target, _WHAT) as engine, engine.connect() as connection:
        found = inspect(connection)
        # Older revisions have no live runs.
        has_wallets = found.has_table(RUNS.name) and "wallet" in {one["name"] for one in found.get_columns(RUNS.name)}
        if not has_wallets:
            return []
        return sorted({(row.wallet, row.network or "") for row in connection.execute(query)})


@contextmanager
def claimed(target: str | Path, names: Iterable[str]) -> Iterator[None]:
    """The sole right to write under these names, on any machine, until the block is left.

    Raises StorageError when somebody has one of them. SQLite has no such rights: see ``Claim``.
    """
    with open_host(target, _WHAT) as engine, ExitStack() as held:
        for name in names:
            held.callback(Claim(engine, name).release)
        yield
