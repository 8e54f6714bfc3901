"""VenueTasks: the chain venue for the engine, on the engine's own event loop: one task an order, told when it is known.

An order whose fate is Unknown is told once, and then followed until the chain tells; what is still on its way when the
process ends stays stored and is resolved at the next start. An error of one order lets no other wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextvars import copy_context
from typing import Any

from pumpswap.errors import InsufficientFunds, NotRunning, PumpSwapError
from pumpswap.execution.chain_venue import ChainVenue, Executed
from pumpswap.execution.correlation import ORDER
from pumpswap.execution.live_wallet import LiveWallet
from pumpswap.model import SOL, Denied, Order, Outcome, Unknown

__all__ = ["VenueTasks"]

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0


class VenueTasks:
    """Implements ``Venue`` on a ChainVenue; make and use it on one running loop.

    ``before`` stores what an order follows from (its decision, what risk and exits remember); it is called before the
    order itself is stored, and an error of it keeps the order from being sent.
    """

    def __init__(
        self,
        core: ChainVenue,
        *,
        before: Callable[[], None] = lambda: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.core = core
        self.wallet = LiveWallet()
        self._before = before
        self._sleep = sleep
        self._tasks: dict[str, asyncio.Task[None]] = {}  # by order
        self._orders: dict[str, Order] = {}  # the same orders
        self._known: list[Executed] = []  # not told yet
        self._broken: list[BaseException] = []  # what no task should end with
        self._faults: dict[str, str] = {}  # by order: what is wrong with following or booking it
        self._news = asyncio.Event()
        self._is_closed = False

    @property
    def on_the_way(self) -> Sequence[Order]:
        """Orders without a final outcome."""
        return tuple(self._orders.values())

    def obstacle(self) -> str:
        """Why nothing should be bought: orders that cannot be followed or booked just now. Empty: nothing is wrong."""
        return "; ".join(f"order {order_id}: {what}" for order_id, what in sorted(self._faults.items()))

    def resume(self, unheard: Sequence[tuple[Order, Outcome | None]]) -> None:
        """Take over orders of earlier processes, whom the engine's desk must know: an outcome that is known is told,
        the others are followed.
        """
        for order, outcome in unheard:
            if outcome is not None:
                self._tell(Executed(outcome))
            else:
                self._faults[order.order_id] = "its fate is not known yet"
            if outcome is None or isinstance(outcome, Unknown):
                self._start(order, self._follow(order, has_told=outcome is not None))

    async def news(self) -> None:
        """Return when there is something to settle."""
        await self._news.wait()

    async def drain(self, seconds: float) -> Sequence[Order]:
        """Wait so long for what is on its way, then let go of it. Returns the orders whose fate the next start finds
        out. What has become known meanwhile is still to be settled.
        """
        self._is_closed = True
        tasks = list(self._tasks.values())
        if tasks and seconds > 0:
            await asyncio.wait(tasks, timeout=seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.on_the_way

    # ------------------------------------------------------------------------------------------ Venue

    def deposit(self, lamports: int) -> None:
        """Put lamports of the wallet under the engine's care. Raises InsufficientFunds when the books have less."""
        held = self.core.parts.books.balance(SOL)
        wanted = self.wallet.balances().get(SOL, 0) + lamports
        if wanted > held:
            raise InsufficientFunds(
                f"the wallet holds {held} lamports, not {wanted}", hint="top it up, or start with less"
            )
        self.wallet.add(SOL, lamports)

    def submit(self, order: Order, at_ns: int) -> None:
        """Send an order on its way. Raises NotRunning after ``drain``."""
        if self._is_closed:
            raise NotRunning("the live venue is closed", hint="nothing new is sent while the engine stops")
        self._start(order, self._execute(order))

    def next_landing_ns(self) -> int | None:
        """The time of the oldest outcome that was not told yet. Never waits: see ``news``."""
        return min((one.outcome.at_ns for one in self._known), default=None)

    def settle(self, until_ns: int) -> Iterator[Outcome]:
        """Every outcome that is known by now, the oldest first, also when the chain's clock is ahead of ``until_ns``.

        Raises what no order may end with: the engine must stop, the order stays stored.
        """
        self._news.clear()
        while self._known:
            first = min(self._known, key=lambda one: one.outcome.at_ns)
            self._known.remove(first)
            self.wallet.apply(first.change, first.foreign)
            yield first.outcome
        if self._broken:
            raise self._broken.pop(0)

    # ------------------------------------------------------------------------------------------ one order

    def _start(self, order: Order, work: Coroutine[Any, Any, None]) -> None:
        self._orders[order.order_id] = order
        context = copy_context()
        context.run(ORDER.set, order.order_id)  # so that whatever it logs tells whose it is
        task = asyncio.create_task(work, name=f"order {order.order_id}", context=context)
        self._tasks[order.order_id] = task
        task.add_done_callback(lambda done: self._ended(order, done))

    def _ended(self, order: Order, task: asyncio.Task[None]) -> None:
        self._tasks.pop(order.order_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken.append(error)
            self._news.set()

    async def _execute(self, order: Order) -> None:
        has_told = True
        try:
            self._before()
            executed = await self.core.execute_in_full(order)
        except PumpSwapError as error:
            self._faults[order.order_id] = error.what
            has_told = False
        else:
            self._tell(executed)
            if not isinstance(executed.outcome, Unknown):
                return
        await self._follow(order, has_told=has_told)

    async def _follow(self, order: Order, *, has_told: bool) -> None:
        """Ask until the chain and the books tell. The pauses grow: an order may be stuck for hours."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            await self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            try:
                executed = await self._asked(order)
            except PumpSwapError as error:
                self._faults[order.order_id] = error.what
                continue
            self._faults.pop(order.order_id, None)
            if not isinstance(executed.outcome, Unknown):
                self._tell(executed)
                return
            if not has_told:
                has_told = True
                self._tell(executed)

    async def _asked(self, order: Order) -> Executed:
        if not self.core.parts.books.is_stored(order.order_id):
            # Stored, then signed, then sent: of an order that was never stored no byte can be out.
            at_ns = self.core.parts.clock.now_ns()
            return Executed(Denied(order.order_id, at_ns, "not stored", "the books could not take the order"))
        return await self.core.resolve(order)

    # ------------------------------------------------------------------------------------------ telling

    def _tell(self, executed: Executed) -> None:
        if not isinstance(executed.outcome, Unknown):
            self._orders.pop(executed.outcome.order_id, None)
        self._known.append(executed)
        self._news.set()
