"""PumpSwapTradingExecutor: the class that a host's code calls with a signal, and that answers with a dictionary."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from random import SystemRandom
from types import TracebackType
from typing import Any, Self

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import canonical_pool
from pumpswap.clock import NS_PER_SECOND, Clock, ManualClock, SystemClock
from pumpswap.engine.repeats import RepeatedRefusals
from pumpswap.errors import KeyLocked, NotRunning
from pumpswap.model import Intent, Position, ScreenReport, TradeSide
from pumpswap.sdk.executor.answers import ExecutionResult
from pumpswap.sdk.executor.call_memory import CallMemory
from pumpswap.sdk.executor.config import HostConfig, settings_of_config
from pumpswap.sdk.executor.desk_views import mark_now
from pumpswap.sdk.executor.exit_check import ExitCheck
from pumpswap.sdk.executor.faults import safe_text
from pumpswap.sdk.executor.live_room import LiveRoom
from pumpswap.sdk.executor.one_call import OneCall, mode_obstacle
from pumpswap.sdk.executor.paper_room import OF_A_BOOK, PAPER, PaperRoom, PaperRoomParts, Wait
from pumpswap.sdk.executor.pool_states import BookStates, ChainStates, PoolStates
from pumpswap.sdk.executor.position_view import position_view
from pumpswap.sdk.executor.room import Room
from pumpswap.sdk.executor.signal_reader import ReadSignal, Told, read_signal
from pumpswap.sdk.executor.sizes import PositionSize
from pumpswap.sdk.executor.wishes import signal_of
from pumpswap.sdk.screening import ScreenSource
from pumpswap.sdk.trader import LimitedSigner, Trader
from pumpswap.storage.database import Database, open_database

__all__ = ["PumpSwapTradingExecutor"]

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.05


class PumpSwapTradingExecutor:
    """Signals in, dictionaries out: docs/executor.md has the table of all answers.

        async with PumpSwapTradingExecutor(config) as executor:
            result = await executor.execute_q50_signal(signal_data)

    On paper unless ``live=True`` and an unlocked ``signer`` are given. ``config`` is nothing (``pumpswap.yaml``), our
    settings, or a mapping with the plan's sections. ``states`` tells pools; without it the configured endpoints do.
    ``clock`` is the time of everything; ``wait`` returns when it has reached a moment (ns): what the paper venue's
    latency takes. Making one connects and opens nothing. No ``execute_…`` ever raises.
    """

    def __init__(
        self,
        config: HostConfig = None,
        *,
        live: bool = False,
        signer: LimitedSigner | None = None,
        states: PoolStates | None = None,
        clock: Clock | None = None,
        wait: Wait | None = None,
    ) -> None:
        """Raises ConfigError for unusable settings, KeyLocked for ``live`` without a signer."""
        if live and signer is None:
            raise KeyLocked(
                "live trading needs an unlocked wallet", hint="pass signer=pumpswap.wallet.unlock(…), or leave live out"
            )
        self.settings = settings_of_config(config)
        self.clock = clock or SystemClock()
        self._signer = signer if live else None
        self._random = SystemRandom() if clock is None else None
        self._chain = ChainStates(self.settings, self.clock)
        self._states = states or self._chain
        self.wait = wait or _waiting_on(self.clock)
        self._opening = asyncio.Lock()
        self._database: Database | None = None
        self._room: Room | None = None
        self._screens: ScreenSource | None = None
        self._memory = CallMemory(RepeatedRefusals(self.settings.run.repeat_refusal_seconds))

    @property
    def is_live(self) -> bool:
        """Whether real money is traded."""
        return self._signer is not None

    @property
    def current_room(self) -> Room | None:
        """Where it trades, when that is open."""
        return self._room

    @property
    def books_kind(self) -> str:
        """The kind of the books that it trades on, where it trades on paper."""
        return OF_A_BOOK if isinstance(self._states, BookStates) else PAPER

    # ------------------------------------------------------------------------------------------ opening

    async def open(self) -> Self:
        """Open the books, and resolve what earlier processes left open. Harmless when open.

        Raises StorageError, LedgerMismatch; live also KeyLocked, ConfigError, ChainError.
        """
        await self.room()
        return self

    async def room(self) -> Room:
        """Where this executor trades; opened when it is needed first, and again after a fault."""
        async with self._opening:
            if self._room is None:
                if self._signer is None:
                    return self._paper_room()
                trader = await Trader.open(await self._chain.connection(), self._signer)
                self._room = LiveRoom(trader, self._states)
            return self._room

    def room_now(self) -> Room:
        """The same for whoever cannot wait. Raises NotRunning for a live one that is not open."""
        if self._room is None and self._signer is not None:
            raise NotRunning("the live executor is not open", hint="await executor.open() first")
        return self._paper_room() if self._room is None else self._room

    def _paper_room(self) -> Room:
        if self._room is None:
            if self._database is None:
                self._database = open_database(self.settings.database_target)
            parts = PaperRoomParts(
                settings=self.settings,
                states=self._states,
                clock=self.clock,
                wait=self.wait,
                database=self._database,
                random=self._random,
                screen=self._screen if self.settings.risk.require_screen else None,
            )
            self._room = PaperRoom(parts)
        return self._room

    async def _screen(self, state: PoolState) -> ScreenReport | None:
        """The report of a token, from the configured endpoints; None without any: then the gate refuses it."""
        if self._screens is None:
            if not self.settings.chain.endpoints:
                return None
            connection = await self._chain.connection()
            self._screens = ScreenSource(connection.node, self.clock, self.settings.screen, reader=connection.reader)
        return await self._screens.screen(state.pool.base_mint, state.address)

    async def close(self) -> None:
        """Close books and connections. Harmless when closed."""
        await self.drop_room()
        database, self._database = self._database, None
        if database is not None:
            database.close()
        self._screens = None  # it asks through the connection
        await self._chain.aclose()

    async def drop_room(self) -> None:
        """Let the books go; the next call takes up what is stored. After a fault in them."""
        room, self._room = self._room, None
        if room is not None:
            await room.aclose()

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.close()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # ------------------------------------------------------------------------------------------ executing

    async def execute_q50_signal(self, signal_data: Mapping[str, Any]) -> ExecutionResult:
        """Buy, sell or do nothing, as the signal says, and tell what became of it.

        **Never repeat a call whose status is unknown.** A signal that has traded does not trade again, also after a
        restart, as long as it carries a ``signal_id`` or a ``timestamp``.
        """
        return await OneCall(self, self._memory, signal_data).answer()

    async def execute_trading_signal(self, signal_data: Mapping[str, Any]) -> ExecutionResult:
        """The plan's workflow: only a signal that is tradeable, where PumpSwap is available, is sized, executed and
        tracked; ``position`` is what is held afterwards, valued, or the round that a sale has closed.
        """
        return await OneCall(self, self._memory, signal_data, is_workflow=True).answer(self._work)

    async def _work(self, signal_data: Mapping[str, Any]) -> ExecutionResult:
        await self.prepare(signal_data)
        size = self.calculate_position_size(signal_data)
        _log.info("position-size", extra={"sol": size})
        result = await OneCall(self, self._memory, signal_data, is_workflow=True).answer()
        if result["status"] == "executed":
            try:
                result["position"] = await self.update_position_tracking(result) or result["position"]
            except Exception as failed:  # the trade is booked; only its valuation is missing
                reason = safe_text(failed, self.settings)
                _log.warning("position-not-valued", extra={"pool": result["pair_address"], "reason": reason})
        return result

    # ------------------------------------------------------------------------------------------ sizing

    async def prepare(self, signal_data: Mapping[str, Any]) -> None:
        """Read the pool of a signal, so that ``calculate_position_size`` knows it. Never raises for a signal."""
        try:
            signal = read_signal(signal_data, self.settings, self.clock.now_ns())
            room = await self.room()
            await room.screen(await room.refresh(str(signal.pool or signal.mint)))
        except Exception as failed:  # of whoever tells the pools too: the execution says what is the matter
            _log.info("not-prepared", extra={"reason": safe_text(failed, self.settings)})

    def calculate_position_size(self, signal_data: Mapping[str, Any]) -> float:
        """SOL that the signal would buy for now, by every limit; 0 for anything that must not be bought."""
        return self.explain_position_size(signal_data).sol

    def explain_position_size(self, signal_data: Mapping[str, Any]) -> PositionSize:
        """The same with every step. The pool is that of the last ``prepare`` or execution: nothing is read here."""
        try:
            signal = read_signal(signal_data, self.settings, self.clock.now_ns())
            if signal.side.value != "long":
                return PositionSize(0, reasons=("the signal sells",))
            room, state = self.room_now(), self.known_state(signal)
            if state is None:
                return PositionSize(0, reasons=("no state of this pool is known: await prepare(signal_data) first",))
            pool_name, mint = str(state.address), str(state.pool.base_mint)
            now_ns = self.clock.now_ns()
            found = signal_of(signal, pool_name, mint, self.settings)
            intent = Intent(TradeSide.BUY, pool_name, mint, now_ns, "how much", replace(found, at_ns=now_ns))
            return PositionSize.of(room.preview(intent))
        except Told as told:
            return PositionSize(0, reasons=(told.text,))
        except Exception as failed:
            return PositionSize(0, reasons=(safe_text(failed, self.settings),))

    def known_state(self, signal: ReadSignal) -> PoolState | None:
        """The pool that a signal is about, as it was read last; None when it was not, or the room is closed."""
        pool = signal.pool or (None if signal.mint is None else canonical_pool(signal.mint))
        return None if self._room is None else self._room.desk.parts.book.state(str(pool))

    # ------------------------------------------------------------------------------------------ positions

    async def update_position_tracking(self, result: object) -> dict[str, object] | None:
        """Value the position that a result is about, at its pool as it is now; None when nothing is held of it.

        The trade itself is booked already, exactly once: calling this twice, or not at all, changes no amount.
        Raises what reading the pool raises.
        """
        pool = result.get("pair_address") if isinstance(result, Mapping) else None
        if not isinstance(pool, str):
            return None
        room = await self.room()
        position = room.desk.parts.keeper.portfolio.positions.open_round(pool)
        if position is None:
            return None
        await room.refresh(pool)
        return self._view(room, position)

    async def positions(self, *, refresh: bool = True) -> list[dict[str, object]]:
        """Everything that is held, valued. A pool that cannot be read keeps its last value, with the obstacle."""
        room = await self.room()
        views: list[dict[str, object]] = []
        for position in room.desk.parts.keeper.portfolio.positions.open_positions():
            obstacle = ""
            if refresh:
                try:
                    await room.refresh(position.pool)
                except Exception as failed:  # of whoever tells the pools: the others are valued all the same
                    obstacle = safe_text(failed, self.settings)
            views.append(self._view(room, position) | ({"obstacle": obstacle} if obstacle else {}))
        return views

    async def check_exits(self) -> list[ExecutionResult]:
        """Read the pools of all that is held, and sell where the rules of ``exits`` say so: stop-loss, take-profit and
        the others. Call it every few seconds; the answers are of the sales, and of positions that nobody can watch.

        In analysis mode nothing is sold. Raises what opening the books raises.
        """
        mode = self.settings.run.mode
        if mode == "analysis":
            return []
        return await ExitCheck(self, self._memory).answers(mode_obstacle(mode) if self.is_live else "")

    def _view(self, room: Room, position: Position) -> dict[str, object]:
        state = room.desk.parts.book.state(position.pool)
        mark = mark_now(room, position, self.clock.now_ns())
        room.desk.parts.keeper.portfolio.mark(mark)
        return position_view(position, state, mark, self.settings.exits)


def _waiting_on(clock: Clock) -> Wait:
    """How to wait for a moment of a clock: a clock that its owner moves is moved, the machine's is slept on."""

    async def move(until_ns: int) -> None:
        if isinstance(clock, ManualClock):
            clock.advance_to(until_ns)

    async def sleep(until_ns: int) -> None:
        while (left_ns := until_ns - clock.now_ns()) > 0:
            seconds = left_ns / NS_PER_SECOND
            await asyncio.sleep(seconds if isinstance(clock, SystemClock) else min(seconds, _POLL_SECONDS))

    return move if isinstance(clock, ManualClock) else sleep
