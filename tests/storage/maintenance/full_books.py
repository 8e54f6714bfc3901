"""Books with something in every table, and what is in them, table by table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pumpswap.model import (
    Adoption,
    Alert,
    AlertLevel,
    Attempt,
    Chore,
    Command,
    CommandVerb,
    Delivery,
    EquityPoint,
    ExitKind,
    ExitState,
    Heartbeat,
    Intent,
    Mute,
    PlanKind,
    PoolPoint,
    Proposal,
    Reconciliation,
    ReconciliationStatus,
    RiskState,
    Spell,
    TradeSide,
    WhatIf,
)
from pumpswap.storage import Database, Run
from pumpswap.storage.backtests import StoredBacktest, StoredSweep, StoredTrial
from pumpswap.storage.tables import METADATA
from tests.storage import samples, stranger

__all__ = ["attempt", "fill", "stored"]


def attempt(order_id: str, number: int = 1, raw: bytes = bytes(range(256))) -> Attempt:
    return Attempt(
        order_id=order_id,
        number=number,
        signature=f"signature-{order_id}-{number}",
        raw=raw,
        blockhash="hash",
        last_valid_block_height=400_000_150,
        created_ns=samples.NS,
        created_slot=425_000_000,
        compute_unit_limit=120_000,
        compute_unit_price_micro_lamports=15_000,
    )


def fill(database: Database, target: str | Path) -> Run:
    """A run with two orders, of which one is filled; one row in everything else."""
    run = database.start_run("live", 1_000, 2**200, {"a": 1}, wallet="wallet", network="network")
    run.know_decimals(samples.MINT, 6)
    signal = replace(samples.SIGNAL, q50=0.25, regime="low")
    wish = Intent(TradeSide.BUY, samples.POOL, samples.MINT, samples.NS, "base", signal, strategy="follow-signals")
    run.save_decision(samples.decision(1, intent=wish))
    exit_ = Intent(TradeSide.SELL, "p", "m", 1, "no signal", exit=ExitKind.RUG, slippage_bps=900)
    run.save_decision(samples.decision(2, accepted=False, intent=exit_))
    run.decided.repeat("d000002", 3, 9)
    run.proposals.save(Proposal("d000001", samples.POOL, samples.MINT, "TEST", 5, 6, 7))
    run.commands.add(Command(5, CommandVerb.CLOSE, "me@here", {"what": "TEST"}))
    run.states.save_risk(RiskState(entries_ns=(5, 2**62)), 5)
    run.states.save_exits(ExitState(samples.POOL, 1, entry_product=2**120), 5)
    run.states.beat(Heartbeat(5, 4, 4711, "paper"))
    for number in (1, 2):
        run.save_order(samples.order(number))
        run.attempts.add(attempt(f"o{number:06d}"))
    with run.batch():
        run.save_outcome(samples.filled())
        run.append_entries([samples.entry(1, 2**63 - 1), samples.entry(2, 2**63 - 1), samples.entry(3, -5, asset="M")])
        run.save_position(samples.position())
        run.save_mark(samples.mark())
    run.chores.add(Chore("c000001", PlanKind.WRAP, 5, 7, ("account",)))
    run.equity.add(EquityPoint(samples.NS, 1, 2, 3))
    run.owned.adopt(Adoption(5, 3, "Pool2222", "M", 5, 0, "M / SOL"))
    run.owned.ignore("Spam1111", 5, "an advertisement")
    run.reconciliations.add(Reconciliation(9, 8, ReconciliationStatus.UNEXPLAINED, (), {"M": -(2**70)}))
    run.spells.save(Spell(4, 4, 5, is_able=False, reason="sending"))
    run.what_ifs.save(WhatIf("d000002", samples.POOL, samples.MINT, "impact", 5, 300, 6, 7, 8))
    database.pool_points(run.run_id).add([PoolPoint(samples.POOL, 5, 6, 7, 8)])
    database.deliveries.add([Delivery("me", AlertLevel.ERROR, "title", "body", 5, 6, 1, 1, 1)])
    database.mutes.add(Mute("ledger", "M", 9, 5, "me@here"))
    database.memory.save("alerts", {"number": "1"}, 5)
    database.alerts.add(Alert(5, AlertLevel.ERROR, "ledger", "M", "5 units are missing"), run.run_id)
    database.backtests.add(_tried(run.run_id))
    search = StoredSweep("k", "", "grid", "d", "0.1.0", "e", 1, 2**70, 5, "{}")
    database.backtests.add_trials(
        database.backtests.start_sweep(search), [StoredTrial(0, "test", "[]", -5, 1, 1, 7, 0.25, "kernel", b"\0\xff")]
    )
    stranger.execute(
        target,
        "INSERT INTO q50_trading_history (run_id, pool_id, timestamp, q50_signal, position_size) "
        f"VALUES ({run.run_id}, 'solana_Pool1111', 1793577600, 0.25, 0.125)",
        "INSERT INTO pumpswap_collect_cycles VALUES ('solana', 7, 1793577600000000000, 2, NULL)",
        "INSERT INTO pumpswap_collect_pools (pool_id, network, address, watched, first_seen_ns, cycle, failures,"
        " last_error) VALUES ('solana_Pool1111', 'solana', 'Pool1111', true, 5, 7, 0, '')",
    )
    return run


def _tried(run_id: int) -> StoredBacktest:
    hashes = {"data_sha256": "d", "engine_sha256": "e", "ledger_sha256": "l", "result_sha256": "r"}
    words = {"name": "", "strategy": "momentum", "impact": "naive", "version": "0.1.0", "spec": "{}", "result": "{}"}
    return StoredBacktest(run_id=run_id, key="k", twin_run_id=None, **hashes, **words)


def stored(target: str | Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table of ours, as a stranger sees it."""
    found = {}
    for table in METADATA.sorted_tables:
        rows = stranger.query(target, f"SELECT {', '.join(table.columns.keys())} FROM {table.name}")
        found[table.name] = sorted(rows, key=repr)
    return found
