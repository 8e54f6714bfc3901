"""``make bench ARGS=books``: the books at 100 k, 1 M and 10 M ledger rows, on SQLite and on PostgreSQL."""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.books.filler import fill
from benchmarks.books.page import update_page
from benchmarks.books.plan import plan_of
from benchmarks.books.queries import LIMIT_MS, QUERIES, query_figures
from benchmarks.books.writes import COMMIT_LIMIT_MS, commit_figures, ingest_figures
from pumpswap.storage import open_database
from tests.support.evidence import write_evidence
from tests.support.postgres import TestServer

__all__ = ["main"]

SIZES = (100_000, 1_000_000, 10_000_000)
LEAST_INGEST = 50_000  # rows per second, SQLite
_SETTINGS = ("server_version", "shared_buffers", "fsync", "synchronous_commit", "full_page_writes", "max_wal_size")
NOTES = [
    "queries: 200 random keys each, (opening: 20), through the public readers; all in the memory cache",
    "bare_p50: the statements of the same calls through the driver alone, rows fetched as tuples",
    "commit: LiveBooks.settle of a fill with nine ledger entries until it is on the disk, 300 of them after 50",
    "ingest: run.books.append in batches of 10,000 entries with their sums, best of six; bare: the INSERT of them",
    "the tables are filled by SQL of the benchmark, with documents of about 0.9 kB a decision; a day has 1,260 trades",
]


def main(arguments: Sequence[str]) -> int:
    """Measure, print, write the evidence and the page; 1 when something takes longer than is promised."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=books", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=list(SIZES), help="ledger rows of each database")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--no-evidence", action="store_true", help="print only")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"sizes": {}}
    for rows in options.rows:
        for engine in options.engine:
            with _PLACES[engine]() as (target, measure_size):
                found, server = _measured(target, rows, measure_size)
            figures["sizes"].setdefault(str(rows), {})[engine] = found
            figures[engine] = server
            _show(rows, engine, found)
    if not options.no_evidence:
        print(f"\n{write_evidence('bench-books', figures, NOTES)}")
        print(update_page())
    missed = _missed(figures["sizes"])
    for complaint in missed:
        print(f"bench: {complaint}", file=sys.stderr)
    return 1 if missed else 0


Place = tuple[str | Path, Callable[[], tuple[int, dict[str, str]]]]


@contextmanager
def _sqlite() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="pumpswap-bench-") as folder:
        path = Path(folder) / "books.sqlite"
        yield path, lambda: (path.stat().st_size, {"version": sqlite3.sqlite_version, "synchronous": "FULL"})


@contextmanager
def _postgresql() -> Iterator[Place]:
    server = TestServer()
    try:
        url = server.fresh_database("bench")
        yield url, lambda: _server_facts(url)
    finally:
        server.stop()


_PLACES = {"sqlite": _sqlite, "postgresql": _postgresql}


def _server_facts(url: str) -> tuple[int, dict[str, str]]:
    with psycopg.connect(url) as connection:
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        shown = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in _SETTINGS}
    return (size or (0,))[0], {name: str((value or ("",))[0]) for name, value in shown.items()}


def _measured(
    target: str | Path, rows: int, measure_size: Callable[[], tuple[int, dict[str, str]]]
) -> tuple[dict[str, Any], dict[str, str]]:
    plan = plan_of(rows)
    with open_database(target) as database:
        run_id = database.start_run("live", plan.start_ns, wallet="bench", network="bench").run_id
    began = time.perf_counter()
    fill(target, run_id, plan)
    filled = time.perf_counter() - began
    size, server = measure_size()
    with open_database(target) as database:
        run = database.run(run_id)
        figures = {
            "fill_seconds": round(filled, 1),
            "megabytes": round(size / 1e6),
            "tokens": plan.tokens,
            "queries_ms": query_figures(database, target, run, plan),
            "commit_ms": commit_figures(database, target, run, plan),
            "ingest_per_second": ingest_figures(database, target, run),
        }
    return figures, server


def _show(rows: int, engine: str, figures: dict[str, Any]) -> None:
    print(f"\n{engine}, {rows:,} ledger rows, {figures['megabytes']:,} MB, filled in {figures['fill_seconds']} s")
    print(f"{'':44}{'p50 ms':>10}{'p99 ms':>10}{'rows':>8}{'bare p50':>10}")
    for name, one in figures["queries_ms"].items():
        label = QUERIES[name].label + ("" if QUERIES[name].limited else " *")
        print(f"{label:44}{one['p50']:10.2f}{one['p99']:10.2f}{one['rows']:8,}{one['bare_p50']:10.2f}")
    commit, ingest = figures["commit_ms"], figures["ingest_per_second"]
    print(f"{'commit of a fill':44}{commit['p50']:10.2f}{commit['p99']:10.2f}{'':8}{commit['bare_p50']:10.2f}")
    print(
        f"{'bulk ingest, entries per second':44}{ingest['rows_per_second']:10,}{'':18}{ingest['bare']:10,}", flush=True
    )


def _missed(sizes: dict[str, Any]) -> list[str]:
    complaints = []
    for rows, engines in sizes.items():
        for engine, figures in engines.items():
            where = f"{engine} at {int(rows):,} rows"
            for name, one in figures["queries_ms"].items():
                if QUERIES[name].limited and one["p99"] > LIMIT_MS:
                    complaints.append(f"{where}: {QUERIES[name].label} p99 {one['p99']} ms, {LIMIT_MS:g} promised")
            if figures["commit_ms"]["p50"] > COMMIT_LIMIT_MS:
                complaints.append(
                    f"{where}: a fill takes {figures['commit_ms']['p50']} ms, {COMMIT_LIMIT_MS:g} promised"
                )
            ingest = figures["ingest_per_second"]["rows_per_second"]
            if engine == "sqlite" and ingest < LEAST_INGEST:
                complaints.append(f"{where}: {ingest:,} entries per second, {LEAST_INGEST:,} promised")
    return complaints
