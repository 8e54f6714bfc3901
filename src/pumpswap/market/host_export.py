"""HostExport: a folder exported from the host's database, replayed as one market in time order."""

from __future__ import annotations

from pathlib import Path

from pumpswap.errors import BadInput, NotFound
from pumpswap.market.candle_file import CandleFile
from pumpswap.market.recording import Recording
from pumpswap.market.snapshot_file import SnapshotFile
from pumpswap.market.trade_file import TradeFile

__all__ = ["HostExport"]

SNAPSHOTS_FILE = "new_pools_history.csv"
TRADES_FILE = "trades.csv"
CANDLES_FILE = "ohlcv_data.csv"


class HostExport(Recording):
    """Snapshots, trades and one-minute candles of all pools. Everything is read and checked when it is opened.

    ``snapshots`` names another file of snapshots in the same folder, for example an older export.
    Raises NotFound for a missing folder or file, BadInput (with file, line and column) for one that cannot be read.
    """

    def __init__(self, path: Path, *, snapshots: str = SNAPSHOTS_FILE) -> None:
        _check_folder(path, (snapshots, TRADES_FILE, CANDLES_FILE))
        self.path = path
        seen = SnapshotFile(path / snapshots)
        trades, candles = TradeFile(path / TRADES_FILE), CandleFile(path / CANDLES_FILE)
        super().__init__(str(path), seen.snapshots, trades, candles, skipped=seen.skipped)


def _check_folder(path: Path, names: tuple[str, ...]) -> None:
    if not path.exists():
        raise NotFound(f"{path} does not exist", hint="pass the folder of a host export")
    if not path.is_dir():
        raise BadInput(f"{path} is no folder", hint="pass the folder that holds new_pools_history.csv")
    missing = [name for name in names if not (path / name).is_file()]
    if missing:
        raise NotFound(
            f"{path} has no {', '.join(missing)}",
            hint=f"an export holds {', '.join(names)}; a file without rows needs its line of column names",
        )
