"""One signal, executed once: of a pool's newest stored row, or as somebody else has written it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import SecretStr

from pumpswap.app.books import open_store
from pumpswap.clock import NS_PER_SECOND, Clock, format_utc
from pumpswap.errors import ChainError, NotFound, ProtocolDrift, UsageError
from pumpswap.market.history import SnapshotHistory
from pumpswap.market.host_database import HostDatabase
from pumpswap.market.identifiers import bare_address
from pumpswap.model import PoolSnapshot
from pumpswap.sdk.executor import BookStates, ExecutionResult, PoolStates, PositionSize, PumpSwapTradingExecutor
from pumpswap.sdk.executor.paper_room import OF_A_BOOK, PAPER
from pumpswap.sdk.trader import LimitedSigner
from pumpswap.settings import DatabaseSettings, Settings
from pumpswap.signals import PoolFacts, PumpSwapSignalAnalyzer

__all__ = ["DryRun", "SignalCall", "check_signal", "exit_code_of", "require_name", "signal_of_row"]

_EXIT_CODES = {"executed": 0, "hold": 0, "skipped": 7, "rejected": 7, "unknown": 9}
_ERROR_CODES = {
    "invalid_signal_data": 2,
    "invalid_mint_address": 2,
    "invalid_position_size": 2,
    "invalid_sell_amount": 2,
    "pair_not_found": 3,
    "settings_unusable": 4,
    "pool_data_unavailable": 11,
    "protocol_drift": 12,
    "wallet_locked": 13,
    "insufficient_balance": 10,
    "slippage_exceeded": 8,
    "transaction_failed": 8,
    "not_sent": 7,
}


_PAIRS = ("pool_id", "pair_address", "pumpswap_pair_address")
_NAMING = ("address", "id", "base_token_address", "base_token_id", "mint_address")


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a signal would do now. ``fresh_books``: nobody trades on paper yet, so new books were assumed."""

    signal: Mapping[str, Any]
    size: PositionSize
    fresh_books: bool


@dataclass(frozen=True, slots=True)
class SignalCall:
    """How signals are executed. ``signer`` None: on paper. ``states`` tells pools and fees."""

    settings: Settings
    states: PoolStates
    clock: Clock
    signer: LimitedSigner | None = None

    async def execute(self, signal: Mapping[str, Any]) -> ExecutionResult:
        """Through the executor: gate, order, outcome, books. Never raises for what becomes of the signal.

        A live call is the owner's word for this one trade: ``run.mode`` need not be auto; but analysis orders nothing.
        """
        settings, live = self.settings, self.signer is not None
        if live and settings.run.mode != "analysis":
            settings = settings.model_copy(update={"run": settings.run.model_copy(update={"mode": "auto"})})
        parts: dict[str, Any] = {"states": self.states, "clock": self.clock}
        async with PumpSwapTradingExecutor(settings, live=live, signer=self.signer, **parts) as executor:
            if "pumpswap_available" in signal:
                return await executor.execute_trading_signal(signal)
            return await executor.execute_q50_signal(signal)

    async def look(self, signal: Mapping[str, Any]) -> DryRun:
        """What it would buy, by every limit. Nothing is ordered, and no books are made."""
        kind = OF_A_BOOK if isinstance(self.states, BookStates) else PAPER
        with _books_to_look_at(self.settings, kind) as (settings, fresh):
            async with PumpSwapTradingExecutor(settings, states=self.states, clock=self.clock) as executor:
                await executor.prepare(signal)
                return DryRun(signal, executor.explain_position_size(signal), fresh)


def exit_code_of(result: Mapping[str, Any]) -> int:
    """0 executed or nothing to do, 7 refused by a rule, 8 by the chain, 9 unknown; of errors what they are."""
    return _EXIT_CODES.get(str(result["status"]), _ERROR_CODES.get(str(result["error"]), 1))


def check_signal(signal: Mapping[str, Any], pool_id: str | None) -> dict[str, Any]:
    """A signal that somebody has written, about the pool that was asked for. Raises UsageError for another one's."""
    found = dict(signal)
    if pool_id is None:
        return found
    named = [found.get(key) for key in _PAIRS if found.get(key)]
    if any(bare_address(str(each)) != bare_address(pool_id) for each in named):
        raise UsageError(
            "the signal is about another pool than --pool-id", hint="leave --pool-id out, or name its pool"
        )
    return found if named else {**found, "pool_id": pool_id}


def require_name(signal: Mapping[str, Any]) -> None:
    """Raises UsageError for a signal about nothing."""
    if not any(signal.get(key) for key in (*_PAIRS, *_NAMING)):
        raise UsageError(
            "the signal names neither a pool nor a coin",
            hint="its key pair_address names the pool, base_token_address the coin; or add --pool-id",
        )


async def signal_of_row(
    settings: Settings, source: str | Path, pool_id: str, states: PoolStates, clock: Clock
) -> dict[str, Any]:
    """The signal of a pool's newest row in a host's or a collector's database, with what PumpSwap says about it now.

    A pool that cannot be read keeps its base score, and is not tradeable. Raises NotFound for a pool without a row.
    """
    snapshot, history = _newest(settings, source, pool_id)
    analyzer = PumpSwapSignalAnalyzer(
        {"auto_watchlist_threshold": settings.signals.min_score}, settings=settings.feasibility
    )
    base = analyzer.analyze_pool_signals(snapshot.metrics, [earlier.metrics for earlier in history])
    facts, why = None, ""
    try:
        state, observed_ns = await states.state(snapshot.pool)
        facts = PoolFacts(state, await states.schedule(), observed_ns, None, data_source="chain")
    except (ChainError, NotFound, ProtocolDrift) as failed:
        why = failed.what
    result = analyzer.enhance(base, facts, unavailable=why)
    signal = result.as_dict()
    if settings.signals.score == "base":
        signal["signal_score"] = signal["final_signal_score"] = base.signal_score
    signal |= {
        "source": f"{settings.signals.score}-score",
        "pool_id": pool_id,
        "pair_address": snapshot.pool,
        "dex_id": snapshot.dex,
        "name": snapshot.name,
        # As the settings' own signaller would say it: below the threshold there is no direction to follow.
        "side": result.side.value if signal["signal_score"] >= settings.signals.min_score else "hold",
        "timestamp": f"{format_utc(snapshot.at_ns).replace(' ', 'T')}Z",
        "snapshot_age_seconds": (clock.now_ns() - snapshot.at_ns) // NS_PER_SECOND,
    }
    if snapshot.base_mint:
        signal["base_token_address"] = snapshot.base_mint
    return signal


def _newest(settings: Settings, source: str | Path, pool_id: str) -> tuple[PoolSnapshot, list[PoolSnapshot]]:
    history = SnapshotHistory(settings.signals.history_hours)
    database = HostDatabase(source)
    newest: PoolSnapshot | None = None
    hint = "collect it first (`pumpswap collect`), or name the database with --database"
    try:
        for snapshot in database.snapshots(bare_address(pool_id)):
            history.add(snapshot)
            newest = snapshot
    except NotFound as missing:
        raise NotFound(f"no row of this pool: {missing.what}", hint=hint) from None
    if newest is None:
        raise NotFound(f"{database.location} has no row of this pool", hint=hint)
    return newest, history.before(newest)


@contextmanager
def _books_to_look_at(settings: Settings, kind: str) -> Iterator[tuple[Settings, bool]]:
    """The paper books that go on, or new ones aside, which are gone afterwards."""
    with open_store(settings) as database:
        goes_on = database is not None and database.open_paper(kind) is not None
    if goes_on:
        yield settings, False
        return
    with TemporaryDirectory(prefix="pumpswap-") as folder:
        url = SecretStr(f"sqlite:///{folder}/look.sqlite")
        yield settings.model_copy(update={"database": DatabaseSettings(url=url)}), True
