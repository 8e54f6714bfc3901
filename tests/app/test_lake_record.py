"""What a recording claims and what it does not: after something unreadable, in a second that may go on, stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from solders.pubkey import Pubkey

from pumpswap.amm.events import SweepPoolFeeEvent
from pumpswap.app.lake_record import LakeTap, Recorded, Recording, RecordOptions
from pumpswap.clock import NS_PER_SECOND
from pumpswap.localnet.process import LocalnetOptions, start_process
from pumpswap.market.lake import Coverage, Lake, LakeReader, LakeWriter
from pumpswap.market.sequencer import FeedCounts
from pumpswap.model import MarketUpdate, SeenAct
from pumpswap.sdk import ChainConnection
from pumpswap.settings import ChainSettings, EndpointSettings, Settings
from tests.market.lake.rows import MIDNIGHT, swap
from tests.support.material import material, requires_material

T = TypeVar("T")


def second(number: int) -> int:
    return MIDNIGHT + number * NS_PER_SECOND


def heard(number: int, pool: str = "Pool1", *, at: int | None = None) -> MarketUpdate:
    """A swap in its own transaction, in the second ``at``."""
    trade = swap(number, pool, at_ns=second(number if at is None else at))
    return MarketUpdate(trade.at_ns, pool, swap=trade)


def test_a_claim_ends_before_the_second_of_the_last_swap_and_begins_after_that_of_the_first(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        tap = LakeTap(writer, ["Pool1"], {})
        for number in (3, 5, 9):
            tap.take(heard(number))
        tap.flush(FeedCounts())
        assert lake.covered("swaps", "Pool1") == [(second(4), second(9))]
        tap.take(heard(10, at=9))
        tap.take(heard(12))
        tap.flush(FeedCounts())
    assert lake.covered("swaps", "Pool1") == [(second(4), second(12))]
    assert tap.recorded.stored_swaps == 5


def test_a_recording_that_goes_on_claims_from_where_the_last_one_ended(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        writer.cover(Coverage(kind="swaps", network="solana", start_ns=second(0), end_ns=second(2), pool="Pool1"))
        tap = LakeTap(writer, ["Pool1", "Pool2"], {"Pool1": second(2)})
        for number, pool in ((6, "Pool1"), (7, "Pool2"), (9, "Pool2"), (11, "Pool1")):
            tap.take(heard(number, pool))
        tap.flush(FeedCounts())
    assert lake.covered("swaps", "Pool1") == [(second(0), second(11))]
    assert lake.covered("swaps", "Pool2") == [(second(7), second(9))]  # everything after the first second was heard


def test_what_is_no_trade_is_recorded_in_its_place_and_claimed_too(tmp_path: Path) -> None:
    lake = Lake(tmp_path)

    def act(number: int, slot: int) -> MarketUpdate:
        event = SweepPoolFeeEvent(timestamp=second(number) // NS_PER_SECOND, amount=number)
        seen = SeenAct("Pool1", second(number), slot, f"Act{number}", 0, 0, event)
        return MarketUpdate(seen.at_ns, "Pool1", act=seen)

    with LakeWriter(lake) as writer:
        tap = LakeTap(writer, ["Pool1"], {})
        slot = swap(3).slot
        same = [replace(swap(number), slot=slot, at_ns=second(3)) for number in (3, 4)]
        tap.take(act(3, slot))
        tap.take(MarketUpdate(second(3), "Pool1", swap=same[0]))
        tap.take(act(4, slot))
        tap.take(MarketUpdate(second(3), "Pool1", swap=same[1]))
        tap.take(act(5, slot + 1))
        tap.take(heard(9))
        tap.flush(FeedCounts())
    assert tap.recorded.acts == 3
    assert lake.covered("acts", "Pool1") == lake.covered("swaps", "Pool1") == [(second(4), second(9))]
    reader = LakeReader(lake)
    places = reader.acts().sort("at_ns").collect()["position"].to_list()
    # Before the first trade of the slot, before the second, and in a slot of its own.
    assert places == [0, 1, 0]
    assert reader.swaps().sort("at_ns", "position").collect()["position"].to_list()[:2] == [0, 1]


def test_every_pool_is_one_claim(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        tap = LakeTap(writer, [], {})
        for number, pool in ((1, "Pool1"), (4, "Pool2"), (8, "Pool3")):
            tap.take(heard(number, pool))
        tap.flush(FeedCounts())
    assert lake.covered("swaps") == [(second(2), second(8))]
    assert lake.covered("swaps", "Pool7") == [(second(2), second(8))]


def test_what_could_not_be_read_leaves_a_gap(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with LakeWriter(lake) as writer:
        tap = LakeTap(writer, ["Pool1"], {"Pool1": second(0)})
        tap.take(heard(5))
        tap.flush(FeedCounts())
        tap.take(heard(7))
        tap.flush(FeedCounts(unreadable=1))
        tap.take(heard(12))
        tap.flush(FeedCounts(unreadable=1))
    assert lake.covered("swaps", "Pool1") == [(second(0), second(5)), (second(8), second(12))]
    assert lake.gaps("swaps", "Pool1") == [(second(5), second(8))]
    assert tap.recorded.broken_claims == 1
    assert LakeReader(lake).swaps().collect().height == 3  # what was heard is kept all the same


def test_a_claim_never_reaches_over_what_could_not_be_read_after_the_last_swap(tmp_path: Path) -> None:
    """What is missing may come after the last swap that was heard, or before swaps that are told only later."""
    lake = Lake(tmp_path)
    missing = FeedCounts(unreadable=1, misread_slot=swap(13).slot)
    with LakeWriter(lake) as writer:
        tap = LakeTap(writer, ["Pool1", "Pool2"], {"Pool1": second(0), "Pool2": second(0)})
        tap.take(heard(5))
        tap.flush(FeedCounts())
        tap.take(heard(7))
        tap.flush(missing)
        for number in (12, 16):
            tap.take(heard(number))
        tap.flush(missing)
        for number, pool in ((20, "Pool1"), (22, "Pool2")):
            tap.take(heard(number, pool))
        tap.flush(missing)
    assert lake.covered("swaps", "Pool1") == [(second(0), second(5)), (second(17), second(20))]
    assert lake.covered("swaps", "Pool2") == [(second(17), second(22))]


def on_chain(url: str, lake: Lake, work: Callable[[ChainConnection, LakeWriter], Awaitable[T]]) -> T:
    async def run() -> T:
        endpoint = EndpointSettings(url=url, requests_per_second=1_000)  # type: ignore[arg-type]
        settings = Settings(chain=ChainSettings(network="localnet", endpoints=(endpoint,)))
        async with ChainConnection(settings) as connection:
            with LakeWriter(lake) as writer:
                return await work(connection, writer)

    return asyncio.run(run())


@requires_material("chain", "programs")
def test_stopped_before_it_began_it_ends_at_once(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "localnet")
    with start_process(LocalnetOptions(programs=material("chain"), market=1, slot_ms=50)) as running:

        async def stopped(connection: ChainConnection, writer: LakeWriter) -> Recorded:
            stop = asyncio.Event()
            stop.set()
            recording = Recording(connection, writer, [Pubkey.default()], RecordOptions())
            return await recording.run(stop, lambda *_: None)

        assert on_chain(running.http_url, lake, stopped) == Recorded()
    assert lake.manifest().files == {}
