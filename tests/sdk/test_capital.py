"""What a wallet's owner puts in or takes out while somebody trades is neither gain nor loss, and counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from pumpswap.chain.node import AccountsAt, Node
from pumpswap.chain.pools import PoolReader
from pumpswap.localnet.pools import wallet
from pumpswap.model import RiskState
from pumpswap.sdk import PumpSwapSDK
from tests.localnet.practice import signed
from tests.sdk.test_trader import SOL, in_world, remembered
from tests.sdk.world import World, trader_of
from tests.support.material import requires_material

pytestmark = requires_material("chain", "programs")


def pay(chain: World, lamports: int) -> None:
    """Into the wallet, or out of it."""
    if lamports > 0:
        chain.pay_in(lamports)
        return
    friend = wallet(chain.chain, SOL)
    step = transfer(TransferParams(from_pubkey=chain.key.pubkey(), to_pubkey=friend.pubkey(), lamports=-lamports))
    receipt = chain.chain.submit(signed(chain.key, [step], chain.chain.blocks.newest.blockhash))
    assert receipt.err is None, receipt
    chain.chain.advance(40)


class WaitingNode:
    """Tells nothing of one pool until it may."""

    def __init__(self, node: Node, pool: Pubkey) -> None:
        self._node, self._pool = node, pool
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    async def accounts(self, addresses: Sequence[Pubkey], **more: Any) -> AccountsAt:
        if self._pool in addresses:
            self.is_asked.set()
            await self.may_answer.wait()
        return await self._node.accounts(addresses, **more)


async def trade_around(chain: World, sdk: PumpSwapSDK, lamports: int) -> None:
    """The money moves and is booked while a buy waits for the pool of what is held."""
    trader = trader_of(sdk)
    node: Any = WaitingNode(trader.connection.node, chain.pools[0].address)
    trader.connection.reader = PoolReader(node)
    trading = asyncio.create_task(sdk.buy(chain.mint(1), "0.1"))
    await node.is_asked.wait()
    pay(chain, lamports)
    before = trader.books.portfolio.cash
    comparing = asyncio.create_task(trader.reconcile())
    while trader.books.portfolio.cash == before:
        await asyncio.sleep(0.01)
    node.may_answer.set()
    assert (await trading)["status"] == "filled"
    await comparing


@pytest.mark.parametrize("moved", [50 * SOL, -30 * SOL])
def test_money_that_moves_while_a_buy_is_decided_locks_nothing(tmp_path: Path, moved: int) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            assert (await sdk.buy(chain.mint(0), "0.5"))["status"] == "filled"
            await trade_around(chain, sdk, moved)
            trader_of(sdk).desk.measure()
            state = trader_of(sdk).desk.parts.risk.state
            assert (state.day_is_lost, state.is_drawn_down) == (False, False)
            assert abs(state.day_start_lamports - (50 * SOL + moved)) < SOL // 2
            assert abs(state.peak_lamports - (50 * SOL + moved)) < SOL // 2

    asyncio.run(in_world(tmp_path, story))


def test_money_that_an_order_finds_counts_in_that_moment(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            trader = trader_of(sdk)
            assert (await sdk.buy(chain.mint(0), "0.5"))["status"] == "filled"
            pay(chain, 20 * SOL)
            await trader.books.reconcile(trader.connection.node)  # as the venue does it when the books are short
            assert abs(trader.desk.parts.risk.state.day_start_lamports - 70 * SOL) < SOL // 2
            assert trader.desk.measure().put_in_lamports == 70 * SOL == trader.books.run.earned.put_in_lamports()

    asyncio.run(in_world(tmp_path, story))


def test_what_was_moved_is_stored_with_the_rest_of_the_memory_or_heard_again(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            trader, states = trader_of(sdk), trader_of(sdk).books.run.states
            assert (await sdk.buy(chain.mint(0), "0.5"))["status"] == "filled"
            stored, known = remembered(sdk), states.load("capital")
            trader.desk.parts.risk.fault("a part", "has told something that is not stored")
            pay(chain, 20 * SOL)
            await trader.wallet.reconcile()
            assert (remembered(sdk), states.load("capital")) == (stored, known), "nothing is stored by itself"
            # here the process ends
        async with chain.sdk() as sdk:
            after = remembered(sdk)
            assert abs(after.day_start_lamports - 70 * SOL) < SOL // 2
        async with chain.sdk() as sdk:
            assert remembered(sdk) == after, "once"

    asyncio.run(in_world(tmp_path, story))


def test_what_is_held_in_the_pool_of_a_buy_is_valued_anew(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            trader = trader_of(sdk)
            assert (await sdk.buy(chain.mint(0), "0.5"))["status"] == "filled"
            portfolio = trader.books.portfolio
            (position,) = portfolio.positions.open_positions()
            old = portfolio.marks[position.pool]
            portfolio.mark(replace(old, value_lamports=20 * SOL))  # what it was worth before it fell
            await sdk.buy(chain.mint(0), "0.1")
            assert trader.desk.parts.risk.state.peak_lamports < 51 * SOL

    asyncio.run(in_world(tmp_path, story))


def test_faults_of_a_process_that_is_gone_refuse_nothing_by_hand(tmp_path: Path) -> None:
    async def story(chain: World) -> None:
        async with chain.sdk() as sdk:
            states = trader_of(sdk).books.run.states
            left = states.risk() or RiskState()
            faults = (("feed states", "nothing was heard from it yet"), ("shutdown", "the engine is being stopped"))
            states.save_risk(replace(left, faults=faults), 1)
        async with chain.sdk() as sdk:
            assert (await sdk.buy(chain.mint(0), "0.1"))["status"] == "filled"

    asyncio.run(in_world(tmp_path, story))
