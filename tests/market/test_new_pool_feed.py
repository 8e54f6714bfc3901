"""NewPoolFeed: every new pool once, under lost, doubled and cut notifications and nodes that fail."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.chain.node import Commitment, ConfirmedTransaction, SignatureInfo
from pumpswap.chain.streams import (
    ChainStream,
    Connected,
    Disconnected,
    LogsSeen,
    LogsWatch,
    SlotSeen,
    SlotWatchdog,
    StreamEndpoint,
    StreamOptions,
    StreamParts,
    StreamRecord,
)
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.clock import ManualClock, SystemClock
from pumpswap.errors import EndpointDown, UsageError
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.server import LocalServer, ServerOptions
from pumpswap.market.new_pool_feed import NewPoolFeed, NewPoolOptions
from pumpswap.market.new_pools import NewPool, PoolOrigin, migration_authority
from tests.market.graduating import Founders
from tests.market.test_chain_feed_live import NOTICES
from tests.market.test_new_pools import creation, from_wallet, logs_of, migration
from tests.support.material import requires_material

CREATED = logs_of(creation(), migration())
OWN = logs_of(from_wallet())
SWAP = ("Program log: nothing new",)
CUT = ("Program log: much", "Log truncated")


@dataclass
class Script:
    """A stream that tells these records, and a node that knows these transactions."""

    records_told: Sequence[StreamRecord]
    known: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)  # listed, and not given
    failures: int = 0  # of the next history questions
    asked: list[str] = field(default_factory=list)

    async def records(self) -> AsyncGenerator[StreamRecord, None]:
        for record in self.records_told:
            yield record

    async def signatures_for(self, address: Pubkey, *, until: str | None = None, **_: Any) -> tuple[SignatureInfo, ...]:
        self.asked.append("history")
        if self.failures:
            self.failures -= 1
            raise EndpointDown("the node is down")
        lines = sorted(self.known.items(), key=lambda item: -item[1][0])
        return tuple(SignatureInfo(signature, slot, None) for signature, (slot, _) in lines if signature != until)

    async def transaction(self, signature: str, *_: Any) -> ConfirmedTransaction | None:
        self.asked.append(signature)
        if signature in self.hidden:
            return None
        slot, logs = self.known[signature]
        return ConfirmedTransaction(signature, slot, None, None, 0, (), (), (), (), (), (), logs, 0)

    async def accounts(self, *_: Any, **__: Any) -> Any:
        self.asked.append("accounts")
        raise EndpointDown("accounts are not the subject here")


class Unlisted(Script):
    """A node whose history lags behind its transactions."""

    async def signatures_for(self, *args: Any, **options: Any) -> tuple[SignatureInfo, ...]:
        return ()


async def run(script: Script, **options: Any) -> tuple[list[NewPool], NewPoolFeed]:
    node: Any = script
    feed = NewPoolFeed(
        script, node, AMM_PROGRAM, Warnings(ManualClock(1)), NewPoolOptions(**({"judge_limit": 1} | options))
    )
    return [pool async for pool in feed.pools()], feed


def seen(signature: str, logs: tuple[str, ...], slot: int = 100) -> LogsSeen:
    return LogsSeen(slot, signature, None, logs)


def slots(*numbers: int) -> list[SlotSeen]:
    return [SlotSeen(number, number - 1, number - 32) for number in numbers]


pytestmark = pytest.mark.asyncio


async def test_a_notified_pool_is_told_at_once_and_once() -> None:
    script = Script([Connected("one"), *slots(99), seen("a", OWN), seen("a", OWN), *slots(101), seen("b", OWN, 102)])
    pools, feed = await run(script)
    assert [(pool.signature, pool.slot, pool.origin) for pool in pools] == [("a", 100, PoolOrigin.PERMISSIONLESS)]
    assert feed.counts.duplicates == 1 and feed.counts.pools == 1
    assert "a" not in script.asked


async def test_a_migration_in_the_logs_needs_no_transaction_and_stays_unverified_without_its_curve() -> None:
    pools, _ = await run(Script([Connected("one"), seen("a", CREATED)]))
    assert [(pool.origin, pool.is_migration) for pool in pools] == [(PoolOrigin.UNVERIFIED, True)]
    assert pools[0].reason == "its accounts cannot be read: accounts are not the subject here"


async def test_a_cut_log_is_no_answer_the_transaction_is() -> None:
    script = Unlisted([Connected("one"), *slots(99), seen("a", CUT)], {"a": (100, CREATED)})
    pools, _ = await run(script)
    assert [pool.signature for pool in pools] == ["a"] and script.asked == ["a", "accounts"]


async def test_a_creation_by_the_pump_program_without_its_migration_is_looked_up() -> None:
    half = logs_of(creation())
    pools, _ = await run(Unlisted([Connected("one"), *slots(99), seen("a", half)], {"a": (100, CREATED)}))
    assert [(pool.signature, pool.is_migration) for pool in pools] == [("a", True)]


async def test_what_no_notification_told_comes_from_history_after_a_reconnection() -> None:
    class Growing(Script):
        async def records(self) -> AsyncGenerator[StreamRecord, None]:
            yield Connected("one")
            yield SlotSeen(100, 99, 60)
            yield Disconnected("one", "gone")
            self.known["a"] = 105, OWN
            yield Connected("two")

    script = Growing([], {"old": (50, SWAP)})
    pools, feed = await run(script)
    assert [(pool.signature, pool.slot) for pool in pools] == [("a", 105)]
    assert feed.counts.filled == 1 and "old" not in script.asked


async def test_a_lost_notification_is_found_within_the_idle_slots() -> None:
    class Losing(Script):
        async def records(self) -> AsyncGenerator[StreamRecord, None]:
            yield Connected("one")
            yield SlotSeen(100, 99, 60)
            self.known["a"] = 101, OWN
            for slot in range(101, 126):
                yield SlotSeen(slot, slot - 1, slot - 32)

    script = Losing([])
    pools, _ = await run(script, idle_slots=20)
    assert [pool.signature for pool in pools] == ["a"]
    assert script.asked.count("history") == 4  # to begin, when connected, with the first slot, when idle


async def test_a_node_that_is_down_delays_and_hides_nothing() -> None:
    class Failing(Script):
        async def records(self) -> AsyncGenerator[StreamRecord, None]:
            self.failures, self.known["a"] = 3, (100, OWN)
            yield Connected("one")
            for slot in range(100, 110):
                yield SlotSeen(slot, slot - 1, slot - 32)

    pools, feed = await run(Failing([]))
    assert [pool.signature for pool in pools] == ["a"]
    assert feed.counts.failed_audits == 3


async def test_accounts_that_cannot_be_read_delay_a_pool_for_some_slots_only() -> None:
    records = [Connected("one"), *slots(99), seen("a", CREATED), *slots(101, 101, 102, 103, 104, 105)]
    told, _ = await run(Unlisted(records), judge_limit=4)
    assert [pool.reason for pool in told] == ["its accounts cannot be read: accounts are not the subject here"]
    script = Unlisted(records[:-3])
    assert (await run(script, judge_limit=4))[0] == [] and script.asked.count("accounts") == 3


async def test_a_transaction_that_no_node_has_is_given_up_loudly_and_not_asked_for_twice_in_a_slot() -> None:
    records: list[StreamRecord] = [Connected("one"), *slots(99), seen("a", CUT)]
    for slot in range(100, 115):
        records += [*slots(slot), seen(f"swap {slot}", SWAP, slot), seen(f"other {slot}", SWAP, slot)]
    script = Script(records, hidden={"a"})
    pools, feed = await run(script, missing_limit=10)
    assert pools == [] and feed.counts.unreadable == 1
    assert script.asked.count("a") == 10


async def test_a_transaction_that_is_known_by_a_cut_log_only_is_counted_and_warned_about() -> None:
    script = Unlisted([Connected("one"), *slots(99), seen("a", CUT)], {"a": (100, CUT)})
    pools, feed = await run(script)
    assert pools == [] and feed.counts.unreadable == 1


async def test_an_event_that_nobody_knows_is_counted() -> None:
    odd = (f"Program {AMM_PROGRAM} invoke [1]", "Program data: AAAAAAAAAAA=", f"Program {AMM_PROGRAM} success")
    script = Unlisted([Connected("one"), *slots(99), seen("a", CUT)], {"a": (100, odd)})
    pools, feed = await run(script)
    assert pools == [] and (feed.counts.unknown, feed.counts.unreadable) == (1, 0)


async def test_a_failed_transaction_makes_no_pool() -> None:
    failed = LogsSeen(100, "a", {"InstructionError": [0, "Custom"]}, OWN)
    pools, feed = await run(Script([Connected("one"), failed]))
    assert pools == [] and feed.counts.transactions == 1


async def test_processed_is_refused() -> None:
    with pytest.raises(UsageError, match="processed"):
        await run(Script([]), commitment=Commitment.PROCESSED)


async def listen(founders: Founders, address: Pubkey, faults: FaultPlan) -> tuple[list[NewPool], NewPoolFeed]:
    """A feed over real sockets while pools are made; ends when nothing more can come."""
    chain, clock = founders.chain, SystemClock()
    warnings, told = Warnings(clock), list[NewPool]()
    node = LocalNode(chain, faults=faults)
    async with LocalServer(chain, ServerOptions(slot_ms=0), faults=faults).serve() as urls:
        parts = StreamParts(
            clock, random.Random(1), SlotWatchdog(node, clock, warnings, stale_after_slots=50), warnings
        )
        options = StreamOptions(first_pause_seconds=0.002, longest_pause_seconds=0.01)
        stream = ChainStream([StreamEndpoint("local", urls.ws)], [LogsWatch(address)], parts, options)
        feed = NewPoolFeed(stream, node, address, warnings, NewPoolOptions(idle_slots=10))

        async def read() -> None:
            async with aclosing(feed.pools()) as pools:
                async for pool in pools:
                    told.append(pool)

        reading = asyncio.ensure_future(read())
        while not stream.connections:
            await asyncio.sleep(0.002)
        await _make_pools(founders, chain)
        expected = founders.graduates if address != AMM_PROGRAM else set(founders.made)
        for _ in range(400):
            if {pool.address for pool in told} >= expected:
                break
            chain.advance()
            await asyncio.sleep(0.004)
        assert not reading.done()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    return told, feed


async def _make_pools(founders: Founders, chain: LocalChain) -> None:
    for number in range(24):
        if founders.rng.random() < 0.4:
            founders.graduate()
        else:
            founders.anybody(index=number)
        for _ in range(founders.rng.randrange(1, 5)):
            chain.advance()
            await asyncio.sleep(0.004)


def trouble(faults: FaultPlan, first: int) -> None:
    """Everything goes wrong while pools are made, and for a while after."""
    faults.add(*(replace(fault, first_slot=first, last_slot=first + 70) for fault in NOTICES))
    faults.add(
        Fault(FaultKind.RATE_LIMITED, methods=frozenset({"getTransaction"}), per_mille=300, last_slot=first + 70)
    )


@requires_material("chain", "programs")
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_p20_on_the_practice_chain_every_pool_is_told_once_and_graduates_are_told_apart(seed: int) -> None:
    founders, faults = Founders.on_new_chain(seed), FaultPlan(seed=seed)
    trouble(faults, founders.chain.slot + 1)
    told, feed = await listen(founders, AMM_PROGRAM, faults)
    addresses = [pool.address for pool in told]
    assert sorted(addresses, key=bytes) == sorted(founders.made, key=bytes)
    assert {pool.address for pool in told if pool.is_migration} == founders.graduates
    for pool in told:
        wanted = PoolOrigin.GRADUATED if pool.address in founders.graduates else PoolOrigin.PERMISSIONLESS
        assert pool.origin is wanted
    assert feed.counts.unreadable == feed.counts.unknown == 0 and len(faults.fired) > 5


@requires_material("chain", "programs")
async def test_the_account_of_migrations_shows_the_graduates_only() -> None:
    founders = Founders.on_new_chain(5)
    authority = await migration_authority(LocalNode(founders.chain))
    told, feed = await listen(founders, authority, FaultPlan())
    assert {pool.address for pool in told} == founders.graduates and len(told) == len(founders.graduates)
    assert {pool.origin for pool in told} == {PoolOrigin.GRADUATED}
    assert feed.counts.transactions == len(founders.graduates)
