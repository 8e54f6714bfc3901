"""The chain venue for the engine: orders run on an event loop in a thread of its own, the engine asks what landed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from pumpswap.chain.balances import wallet_holdings
from pumpswap.errors import InsufficientFunds, NotRunning
from pumpswap.execution.chain_venue import ChainVenue, Executed
from pumpswap.execution.live_wallet import LiveWallet
from pumpswap.model import SOL, Order, Outcome, Unknown

__all__ = ["VenueThread"]

T = TypeVar("T")


class VenueThread:
    """Implements ``Venue`` on a ChainVenue. Use as a context: entering resolves what earlier processes left open.

    The engine gets one outcome per order, and it is final: an Unknown one is followed until the chain tells, or until
    ``patience_rounds`` of resolving have passed without an answer; only then the engine is told that it is unknown.
    """

    def __init__(self, core: ChainVenue, *, patience_rounds: int = 10) -> None:
        self.core = core
        self.wallet = LiveWallet()
        self._patience_rounds = patience_rounds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="pumpswap venue", daemon=True)
        self._pending: list[Future[Executed]] = []
        self._landed: list[Executed] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self.call(self.core.resolve_open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the thread. Orders that are still on their way stay stored, and are resolved at the next start."""
        if self._thread.is_alive():
            self.call(_cancel_others())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the venue's loop and wait for it. Raises NotRunning when the venue is not open."""
        if not self._thread.is_alive():
            work.close()
            raise NotRunning("the live venue is not open", hint="use it as a context: with VenueThread(core) as venue")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    # ------------------------------------------------------------------------------------------ Venue

    def deposit(self, lamports: int) -> None:
        """Put lamports of the wallet under the engine's care. Raises InsufficientFunds when the chain has less."""
        held = self.call(wallet_holdings(self.core.parts.node, self.core.parts.wallet)).sol_lamports
        wanted = self.wallet.balances().get(SOL, 0) + lamports
        if wanted > held:
            raise InsufficientFunds(
                f"the wallet holds {held} lamports, not {wanted}", hint="top it up, or start with less"
            )
        self.wallet.add(SOL, lamports)

    def submit(self, order: Order, at_ns: int) -> None:
        """Send an order on its way."""
        if not self._thread.is_alive():
            raise NotRunning("the live venue is not open", hint="use it as a context: with VenueThread(core) as venue")
        self._pending.append(asyncio.run_coroutine_threadsafe(self._follow(order), self._loop))

    def next_landing_ns(self) -> int | None:
        """The time of the next outcome; waits until there is one. None when nothing is on its way."""
        self._collect()
        if not self._landed and self._pending:
            self._landed.append(self._pending.pop(0).result())
            self._collect()
        return min((one.outcome.at_ns for one in self._landed), default=None)

    def settle(self, until_ns: int) -> Iterator[Outcome]:
        """Outcomes that are known by now and have happened by ``until_ns``. An order's error is raised here."""
        while True:
            self._collect()
            due = [one for one in self._landed if one.outcome.at_ns <= until_ns]
            if not due:
                return
            first = min(due, key=lambda one: one.outcome.at_ns)
            self._landed.remove(first)
            self.wallet.apply(first.change, first.foreign)
            yield first.outcome

    def _collect(self) -> None:
        done = [future for future in self._pending if future.done()]
        failed = [future for future in done if future.exception() is not None]
        self._landed += [future.result() for future in done if future not in failed]
        self._pending = [future for future in self._pending if future not in done or future in failed]
        if failed:  # one at a time, after everything that has come to an end is kept
            self._pending.remove(failed[0])
            failed[0].result()

    async def _follow(self, order: Order) -> Executed:
        executed = await self.core.execute_in_full(order)
        for _ in range(self._patience_rounds):
            if not isinstance(executed.outcome, Unknown):
                break
            executed = await self.core.resolve(order)
        return executed


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
