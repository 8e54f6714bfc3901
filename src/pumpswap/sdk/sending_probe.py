"""SendingProbe: could a transaction of this wallet be built and simulated right now? Asked again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from pumpswap.chain.compute import preflight
from pumpswap.chain.node import Node
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.chain.transaction import ComputeBudget, build_message
from pumpswap.errors import PumpSwapError

__all__ = ["SendingProbe"]

_EVERY_SECONDS = 5.0
_BUDGET = ComputeBudget(10_000)


class SendingProbe:
    """Asks for what every order needs: a block-hash, the program's settings, a simulation (0 lamports to itself).

    ``obstacle`` tells what the last look has found; nothing is signed, sent or paid.
    """

    def __init__(
        self,
        node: Node,
        schedules: ScheduleCache,
        wallet: Pubkey,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._node = node
        self._schedules = schedules
        self._wallet = wallet
        self._sleep = sleep
        self._obstacle = "nobody has looked yet"

    def obstacle(self) -> str:
        """Why no order could be sent; empty: nothing is in the way."""
        return self._obstacle

    async def look(self) -> str:
        """Look once; what ``obstacle`` tells from now on."""
        try:
            blockhash = await self._node.latest_blockhash()
            await self._schedules.current()
            nothing = transfer(TransferParams(from_pubkey=self._wallet, to_pubkey=self._wallet, lamports=0))
            message = build_message([nothing], self._wallet, blockhash.blockhash, _BUDGET)
            found = await preflight(self._node, message)
        except PumpSwapError as error:
            self._obstacle = error.what
        else:
            failure = found.failure
            self._obstacle = "" if failure is None else f"the simplest transaction would fail: {failure.text}"
        return self._obstacle

    async def run(self) -> None:
        """Look every few seconds, for ever."""
        while True:
            await self.look()
            await self._sleep(_EVERY_SECONDS)
