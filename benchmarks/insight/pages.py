"""Every page and every list of the API over 100,000 trades and 10,000 open positions: time at the port, and memory."""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.insight.dashboard_process import RunningDashboard, running_dashboard
from benchmarks.insight.large_books import OPEN_POSITIONS, TRADES, large_books

__all__ = ["measure"]

LIMIT_MS = 300.0
MOST_MEGABYTES = 400.0
ROUNDS = 20
_PAGES = ("/", "/?period=day", "/positions", "/positions?closed=1", "/decisions", "/decisions?accepted=true",
          "/decisions?policy=liquidity", "/orders", "/orders?status=denied", "/pools", "/signals", "/alerts", "/health",
          "/settings", "/reports")  # fmt: skip
_LISTS = ("overview", "positions", "positions?closed=true", "decisions", "decisions?policy=liquidity", "orders",
          "execution", "pools", "signals", "alerts", "health", "settings", "runs")  # fmt: skip


def measure() -> Figures:
    """Percentiles by page; the memory after the first round of all, and after the last."""
    with tempfile.TemporaryDirectory(prefix="pumpswap-insight-") as folder:
        plan = large_books(Path(folder, "pumpswap.sqlite"))
        with running_dashboard(Path(folder)) as dashboard:
            ways = [*_PAGES, *_singles(dashboard), *(f"/api/v1/{name}" for name in _LISTS)]
            for way in ways:
                dashboard.get(way)
            first = dashboard.megabytes()
            rows = {way: _timed(dashboard, way) for way in ways}
            last = dashboard.megabytes()
    pages = {way: row for way, row in rows.items() if not way.startswith("/api/")}
    slowest = max(pages.values(), key=lambda row: row[1])
    table = [f"{'':<40}{'p50 ms':>10}{'p95 ms':>10}{'processor':>12}"]
    table += [f"{_label(way):<40}{p50:>10.1f}{p95:>10.1f}{cpu:>12.1f}" for way, (p50, p95, cpu) in rows.items()]
    table += [
        "",
        f"{'memory, after one round of all':<40}{first:>10.0f} MB",
        f"{f'after {ROUNDS} more':<40}{last:>10.0f} MB",
    ]
    figures = {
        "pages_ms": {
            _label(way): {"p50": round(p50, 1), "p95": round(p95, 1), "processor": round(cpu, 1)}
            for way, (p50, p95, cpu) in rows.items()
        },
        "memory_mb": {"first": round(first), "last": round(last)},
        "books": {"trades": plan.trades, "decisions": plan.decisions, "open_positions": OPEN_POSITIONS},
    }
    promises = [
        (f"slowest page p95 {slowest[1]:.0f} ms, {LIMIT_MS:g} promised", slowest[1] <= LIMIT_MS),
        (f"memory {last:.0f} MB, {MOST_MEGABYTES:g} promised", last <= MOST_MEGABYTES),
    ]
    notes = [
        f"{TRADES:,} trades, {plan.decisions:,} decisions, {OPEN_POSITIONS:,} open positions, all in the memory cache",
        f"{ROUNDS} requests of each, one after the other, a connection for each, from request to last byte",
        "processor: milliseconds of one core that the dashboard itself has worked for a request, on the average",
    ]
    return Figures("The dashboard over large books", table, figures, promises, notes)


def _singles(dashboard: RunningDashboard) -> list[str]:
    """A decision that led to a trade, and a pool that is held."""
    made = json.loads(dashboard.get("/api/v1/decisions?accepted=true&size=1"))["rows"]["items"][0]["decision_id"]
    pool = json.loads(dashboard.get("/api/v1/decisions?accepted=true&size=1"))["rows"]["items"][0]["pool"]
    return [f"/decisions/{made}", f"/pools/{pool}", f"/api/v1/decisions/{made}", f"/api/v1/pools/{pool}"]


def _timed(dashboard: RunningDashboard, way: str) -> tuple[float, float, float]:
    """(p50, p95, processor time of the dashboard for one request), milliseconds."""
    times, before = [], dashboard.processor_seconds()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        dashboard.get(way)
        times.append((time.perf_counter() - began) * 1_000)
    busy = (dashboard.processor_seconds() - before) * 1_000 / ROUNDS
    return _share(times, 50), _share(times, 95), busy


def _share(times: list[float], share: int) -> float:
    ordered = sorted(times)
    return ordered[max(-(-len(ordered) * share // 100) - 1, 0)]


def _label(way: str) -> str:
    return re.sub(r"/(decisions|pools)/\w+", r"/\1/…", way)
