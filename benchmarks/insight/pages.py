"""Every page and every list of the API over 100,000 trades and 10,000 open positions: time at the port, and memory."""

from __future__ import annotations

import json
import re
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.insight.dashboard_process import RunningDashboard, running_dashboard
from benchmarks.insight.large_books import (
    HOT_MINT,
    HOT_POOL,
    HOT_TRADES,
    OPEN_POSITIONS,
    RUNS,
    TRADES,
    large_books,
)

__all__ = ["measure"]

LIMIT_MS = 300.0
MOST_MEGABYTES = 400.0
ROUNDS = 20
_DEEP = "before=1792000000000000000-99999999"  # in the middle of the time; lists by number: see below
_PAGES = ("/", "/?period=day", "/positions", "/positions?before=1-52000", "/positions?closed=1",
          f"/positions?closed=1&{_DEEP}", "/decisions", f"/decisions?{_DEEP}", "/decisions?accepted=true",
          "/decisions?side=sell", "/decisions?policy=liquidity", f"/decisions?address={HOT_POOL}",
          f"/decisions?address={HOT_MINT}&accepted=true&side=sell", "/orders", "/orders?before=1-50000",
          "/orders?status=denied", "/ledger", "/ledger?kind=tip", "/pools", f"/pools?{_DEEP}", f"/pools/{HOT_POOL}",
          "/decisions/refused", "/signals", f"/signals?{_DEEP}", "/alerts", "/alerts?before=1-15000",
          "/alerts?unseen=1", "/health", "/settings", "/reports", "/ask/exits-only", "/ask/close-all",
          "/ask/resume")  # fmt: skip
_LISTS = ("overview", "positions", "positions?closed=true", "decisions", "decisions?policy=liquidity", "orders",
          "execution", "pools", f"pools/{HOT_POOL}", "signals", "alerts", "health", "settings", "runs")  # fmt: skip


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
        "books": {
            "trades": plan.trades,
            "decisions": plan.decisions,
            "open_positions": OPEN_POSITIONS,
            "trades_of_one_pool_today": HOT_TRADES,
            "other_runs": RUNS,
        },
    }
    promises = [
        (f"slowest page p95 {slowest[1]:.0f} ms, {LIMIT_MS:g} promised", slowest[1] <= LIMIT_MS),
        (f"memory {last:.0f} MB, {MOST_MEGABYTES:g} promised", last <= MOST_MEGABYTES),
    ]
    notes = [
        f"{TRADES:,} trades, {plan.decisions:,} decisions, {OPEN_POSITIONS:,} open positions, all in the memory cache",
        f"beside them {HOT_TRADES:,} trades of today in one pool, and {RUNS} older runs; nothing was analysed",
        f"{ROUNDS} requests of each, one after the other, a connection for each, from request to last byte",
        "processor: milliseconds of one core that the dashboard itself has worked for a request, on the average",
    ]
    return Figures("The dashboard over large books", table, figures, promises, notes)


def _singles(dashboard: RunningDashboard) -> list[str]:
    """A decision that led to a trade in the hot pool, another one, and its pool."""
    hot = f"/api/v1/decisions?accepted=true&size=1&address={HOT_POOL}"
    newest = json.loads(dashboard.get(hot))["rows"]["items"][0]
    older = json.loads(dashboard.get(f"/api/v1/decisions?accepted=true&size=1&{_DEEP}"))["rows"]["items"][0]
    found = [f"decisions/{newest['decision_id']}", f"decisions/{older['decision_id']}", f"pools/{older['pool']}"]
    return [f"{start}{one}" for start in ("/", "/api/v1/") for one in found]


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
    """With names that do not change from run to run."""
    said = way.replace(HOT_POOL, "HOT").replace(HOT_MINT, "HOT").replace(_DEEP, "before=…")
    return re.sub(r"/decisions/(dh?)\w+", lambda found: f"/decisions/{'HOT' if found[1] == 'dh' else '…'}",
                  re.sub(r"/pools/\d\w+", "/pools/…", said))  # fmt: skip
