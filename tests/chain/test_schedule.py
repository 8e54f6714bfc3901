"""ScheduleCache: read once, again when old or proved wrong, and never served when it cannot be read."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from pumpswap.amm.addresses import AMM_FEE_CONFIG, GLOBAL_CONFIG, PUMP_PROGRAM
from pumpswap.amm.schedules import current_schedule
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import EndpointDown, NotFound, ProtocolDrift
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from tests.chain.practice import practice_chain
from tests.chain.test_pools import Counting

pytestmark = pytest.mark.asyncio


async def test_it_is_read_in_one_call_and_again_on_time() -> None:
    chain, clock = practice_chain(), ManualClock(10**18)
    chain.advance(3)
    node = Counting(chain)
    cache = ScheduleCache(node, clock, 300)
    first, second = await asyncio.gather(cache.current(), cache.current())
    assert node.calls == 1 and first is second
    assert first.fee_config == current_schedule().fee_config
    assert first.global_config == current_schedule().global_config
    clock.advance_to(10**18 + 299 * NS_PER_SECOND)
    await cache.current()
    assert node.calls == 1
    clock.advance_to(10**18 + 300 * NS_PER_SECOND)
    await cache.current()
    assert node.calls == 2 and cache.drift == ()


async def test_p13_an_error_about_recipients_makes_it_read_again() -> None:
    chain = practice_chain()
    chain.advance(3)
    cache = ScheduleCache(LocalNode(chain), ManualClock(), 300)
    before = await cache.current()
    recipients = before.global_config.buyback_fee_recipients
    account = chain.account(GLOBAL_CONFIG)
    assert account is not None
    swapped = account.data[:643] + bytes(recipients[1]) + account.data[675:]
    chain.set_account(replace(account, data=swapped))
    chain.advance(3)
    assert (await cache.current()).global_config.buyback_fee_recipients[0] == recipients[0]
    cache.invalidate("6053")
    assert (await cache.current()).global_config.buyback_fee_recipients[0] == recipients[1]


async def test_an_unknown_length_is_loud_once_and_drift(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    chain = practice_chain()
    account = chain.account(AMM_FEE_CONFIG)
    assert account is not None
    chain.set_account(replace(account, data=account.data + bytes(7)))
    chain.advance(3)
    cache = ScheduleCache(LocalNode(chain), ManualClock(), 300)
    await cache.current()
    cache.invalidate("test")
    await cache.current()
    assert cache.drift == (f"FeeConfig has {len(account.data) + 7} bytes",)
    assert [one.message for one in caplog.records].count("protocol-drift") == 1


async def test_what_cannot_be_read_is_not_served() -> None:
    chain, clock = practice_chain(), ManualClock()
    chain.advance(3)
    node = LocalNode(chain)
    cache = ScheduleCache(node, clock, 300)
    await cache.current()
    node.is_down = True
    await cache.current()
    clock.advance_to(301 * NS_PER_SECOND)
    with pytest.raises(EndpointDown):
        await cache.current()
    with pytest.raises(NotFound):
        await ScheduleCache(LocalNode(LocalChain()), clock, 300).current()
    account = chain.account(GLOBAL_CONFIG)
    assert account is not None
    chain.set_account(replace(account, owner=PUMP_PROGRAM))
    chain.advance(3)
    with pytest.raises(ProtocolDrift):
        await ScheduleCache(LocalNode(chain), clock, 300).current()
