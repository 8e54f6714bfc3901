"""The lake: ten million swaps written, verified, and read into one-minute bars, against pandas and SQLite."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.figures import Figures
from pumpswap.market.lake import Lake, LakeReader, LakeWriter
from pumpswap.market.lake.bars import BarRule, bars_in_pieces
from pumpswap.market.lake.verify import verify
from pumpswap.model import Swap

__all__ = ["measure"]

ROWS = 10_000_000
PEER_ROWS = 1_000_000
OBJECT_ROWS = 200_000
CHUNK = 250_000
POOLS = 2_000
DAYS = 4
SECOND = 10**9
START = 1_793_577_600 * SECOND  # 2026-11-02
MINUTE = 60 * SECOND
MEMORY_MB = 4_000

_LETTERS = np.frombuffer(b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", dtype=np.uint8)


def measure() -> Figures:
    """Every stage in a process of its own, so that its peak of memory is its own too."""
    folder = Path(tempfile.mkdtemp(prefix="lake-bench-"))
    try:
        told = {name: _stage(name, folder) for name in STAGES}
    finally:
        shutil.rmtree(folder)
    write, check, bars = told["write"], told["verify"], told["bars"]
    figures: dict[str, Any] = {"rows": ROWS, "pools": POOLS, "days": DAYS, "stages": told}
    figures["write_rows_per_s"] = round(ROWS / write["seconds"])
    figures["verify_rows_per_s"] = round(ROWS / check["seconds"])
    figures["bars_rows_per_s"] = round(ROWS / bars["seconds"])
    figures["bars_against_pandas"] = round(told["pandas"]["seconds"] / bars["seconds"], 2)
    sqlite = told["sqlite"]
    figures["write_against_sqlite"] = round(figures["write_rows_per_s"] / (PEER_ROWS / sqlite["write_seconds"]), 2)
    figures["bars_against_sqlite"] = round(figures["bars_rows_per_s"] / (PEER_ROWS / sqlite["bars_seconds"]), 2)
    figures["size_against_sqlite"] = round((write["bytes"] / ROWS) / (sqlite["bytes"] / PEER_ROWS), 2)
    peak = max(told[name]["peak_mb"] for name in ("write", "verify", "bars"))
    whole = write["seconds"] + check["seconds"] + bars["seconds"]
    return Figures(
        title=f"The lake: {ROWS:,} swaps of {POOLS:,} pools in {DAYS} days",
        table=_table(figures, told),
        figures=figures,
        promises=[
            (
                "the volume of all bars is the volume of all swaps, to the last lamport",
                bars["volume"] == write["volume"],
            ),
            ("every file verified, no row twice", check["is_good"] and check["rows"] == ROWS),
            (f"never more than {MEMORY_MB:,} MB of memory (it was {peak:,})", peak < MEMORY_MB),
            (f"written, verified and read within 5 minutes (it was {whole:.0f} s)", whole < 300),
        ],
        notes=[
            "Swaps are made up: signatures of 88 random characters, amounts over six orders of magnitude, no events.",
            "Writing counts everything: sorting, compression, digests, fsync, looking for rows that are here already.",
            "pandas groups the same rows into the same bars, in floats, from the same files.",
            f"SQLite stores and groups {PEER_ROWS:,} of the rows, with an index over pool and time; rates are per row.",
        ],
    )


def _table(figures: dict[str, Any], told: dict[str, Any]) -> list[str]:
    lines = [f"  {'stage':<34}{'seconds':>9}{'rows/s':>12}{'peak MB':>9}"]
    rows = (
        ("written, each row once", "write", ROWS),
        ("verified: digests, rules, duplicates", "verify", ROWS),
        ("into exact one-minute bars", "bars", ROWS),
        ("  pandas, the same bars in floats", "pandas", ROWS),
        ("one pool of all days, as records", "one_pool", told["one_pool"]["rows"]),
        ("written from Swap objects", "objects", OBJECT_ROWS),
    )
    for text, name, count in rows:
        one = told[name]
        lines.append(f"  {text:<36}{one['seconds']:>7.2f}{count / one['seconds']:>12,.0f}{one['peak_mb']:>9,}")
    size = told["write"]["bytes"]
    against = (figures[f"{name}_against_sqlite"] for name in ("write", "bars", "size"))
    lines += [
        f"  on disk: {size / 1e6:,.0f} MB in {told['write']['files']} files, {size / ROWS:.0f} bytes per swap",
        f"  bars: {told['bars']['bars']:,}; {figures['bars_against_pandas']}x the speed of pandas",
        "  against SQLite: writes {}x, bars {}x as fast, {} of the size".format(*against),
    ]
    return lines


def chunks(rows: int) -> Iterator[pl.DataFrame]:
    """Swaps in time order, a quarter of a million at a time. The same every time."""
    chance = np.random.default_rng(7)
    pools = np.array([f"Pool{number:040d}" for number in range(POOLS)])
    weights = 1 / np.arange(1, POOLS + 1) ** 0.8  # a few pools make most of the trades
    weights /= weights.sum()
    step = DAYS * 86_400 * SECOND // ROWS
    for first in range(0, rows, CHUNK):
        count = min(CHUNK, rows - first)
        number = np.arange(first, first + count)
        at_ns = START + number * step // SECOND * SECOND
        which = chance.choice(POOLS, size=count, p=weights)
        quote = np.exp(chance.normal(19, 2, count)).astype(np.uint64) + np.uint64(1)
        price = np.exp(chance.normal(-10, 0.05, count)) * (1 + which)
        base = (quote / price).astype(np.uint64) + np.uint64(1)
        letters = _LETTERS[chance.integers(0, 58, size=(count, 88), dtype=np.uint8)]
        yield pl.DataFrame(
            {
                "pool": pl.Series(pools[which].tolist(), dtype=pl.String),
                "at_ns": at_ns,
                "slot": (number * step // 400_000_000 + 380_000_000).astype(np.uint64),
                "signature": pl.Series(letters.view("S88").ravel().tolist(), dtype=pl.Binary).cast(pl.String),
                "index": np.zeros(count, dtype=np.uint32),
                "position": (number % 4096).astype(np.uint32),
                "is_buy": chance.random(count) < 0.5,
                "base_units": base,
                "quote_units": quote,
                "trader": pl.Series(pools[chance.integers(0, POOLS, count)].tolist(), dtype=pl.String),
            }
        )


def _write(folder: Path) -> dict[str, Any]:
    lake, spent, volume = Lake(folder / "lake"), 0.0, 0
    with LakeWriter(lake, flush_rows=CHUNK) as writer:
        for frame in chunks(ROWS):
            volume += int(frame.get_column("quote_units").cast(pl.Int128).sum())
            before = perf_counter()
            writer.add_frame("swaps", frame)
            spent += perf_counter() - before
    files = lake.files("swaps")
    size = sum(file.bytes for file in files)
    return {"seconds": spent, "volume": str(volume), "bytes": size, "files": len(files)}


def _verify(folder: Path) -> dict[str, Any]:
    before = perf_counter()
    result = verify(Lake(folder / "lake"))
    return {"seconds": perf_counter() - before, "is_good": result.is_good, "rows": result.rows}


def _bars(folder: Path) -> dict[str, Any]:
    before = perf_counter()
    volume = bars = 0
    for piece in bars_in_pieces(LakeReader(Lake(folder / "lake")), BarRule(seconds=60)):
        volume += int(piece.get_column("quote_units").sum())
        bars += piece.height
    return {"seconds": perf_counter() - before, "volume": str(volume), "bars": bars}


def _pandas(folder: Path) -> dict[str, Any]:
    before = perf_counter()
    columns = ("pool", "at_ns", "slot", "position", "base_units", "quote_units")
    rows = LakeReader(Lake(folder / "lake")).swaps().select(columns).collect()
    frame = pd.DataFrame({name: rows.get_column(name).to_numpy() for name in columns if name != "pool"})
    frame["pool"] = pd.Categorical(rows.get_column("pool").to_list())
    frame = frame.sort_values(["pool", "at_ns", "slot", "position"])
    frame["price"] = frame["quote_units"] / frame["base_units"]
    frame["minute"] = frame["at_ns"] // MINUTE
    grouped = frame.groupby(["pool", "minute"], observed=True)
    bars = grouped.agg(
        open=("price", "first"), high=("price", "max"), low=("price", "min"), close=("price", "last"),
        volume=("quote_units", "sum"), trades=("price", "size"),
    )  # fmt: skip
    return {"seconds": perf_counter() - before, "bars": len(bars)}


def _one_pool(folder: Path) -> dict[str, Any]:
    before = perf_counter()
    rows = sum(1 for _ in LakeReader(Lake(folder / "lake")).read_swaps(f"Pool{POOLS // 2:040d}"))
    return {"seconds": perf_counter() - before, "rows": rows}


def _objects(folder: Path) -> dict[str, Any]:
    chance = random.Random(3)
    swaps = [
        Swap(f"Pool{n % 50}", START + n * SECOND // 30, n % 2 == 0, chance.randrange(1, 2**40), chance.randrange(2**36),
             "Trader", f"Signature{n:080d}", 380_000_000 + n // 12)
        for n in range(OBJECT_ROWS)
    ]  # fmt: skip
    before = perf_counter()
    with LakeWriter(Lake(folder / "objects")) as writer:
        writer.add("swaps", swaps)
    return {"seconds": perf_counter() - before}


def _sqlite(folder: Path) -> dict[str, Any]:
    path = folder / "peer.sqlite"
    names = ("pool", "at_ns", "slot", "signature", "position", "is_buy", "base_units", "quote_units", "trader")
    spent = 0.0
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute(f"CREATE TABLE swaps ({', '.join(names)}, PRIMARY KEY (signature)) WITHOUT ROWID")
        database.execute("CREATE INDEX by_pool ON swaps (pool, at_ns)")
        for frame in chunks(PEER_ROWS):
            rows = frame.select(names).rows()
            before = perf_counter()
            database.executemany(f"INSERT OR IGNORE INTO swaps VALUES ({', '.join('?' * len(names))})", rows)
            database.commit()
            spent += perf_counter() - before
        before = perf_counter()
        query = (
            "SELECT pool, at_ns / 60000000000 AS minute, max(quote_units * 1.0 / base_units), "
            "min(quote_units * 1.0 / base_units), sum(quote_units), count(*) FROM swaps GROUP BY pool, minute"
        )
        bars = sum(1 for _ in database.execute(query))
        bars_seconds = perf_counter() - before
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    return {"seconds": spent, "write_seconds": spent, "bars_seconds": bars_seconds, "bars": bars, "bytes": size}


STAGES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "write": _write,
    "verify": _verify,
    "bars": _bars,
    "pandas": _pandas,
    "one_pool": _one_pool,
    "objects": _objects,
    "sqlite": _sqlite,
}


def _stage(name: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.signals.lake", name, str(folder)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ))
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def _main(name: str, folder: Path) -> None:
    told = STAGES[name](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    told["peak_mb"] = used.ru_maxrss // 1024
    told["cpu_seconds"] = round(used.ru_utime + used.ru_stime, 2)  # start and making the rows included
    print(json.dumps(told))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
