"""A stream outlives its connections, changes endpoints, and knows when it is blind."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence

import pytest
from solders.pubkey import Pubkey

from pumpswap.chain.node import Commitment, Height
from pumpswap.chain.streams import (
    AccountWatch,
    ChainStream,
    Connected,
    Disconnected,
    LogsSeen,
    LogsWatch,
    SignatureSeen,
    SignatureWakes,
    SignatureWatch,
    SlotSeen,
    SlotWatch,
    SlotWatchdog,
    StreamEndpoint,
    StreamOptions,
    StreamParts,
    StreamRecord,
    Watch,
)
from pumpswap.chain.streams.socket import SocketOptions
from pumpswap.chain.streams.warnings import Warnings
from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.errors import ConfigError, EndpointDown, NotServed
from tests.chain.ws_server import Session, scripted

ADDRESS = Pubkey.from_bytes(b"\x03" * 32)
ONE, TWO, THREE = (StreamEndpoint(name, f"ws://{name}") for name in ("one", "two", "three"))
OPTIONS = StreamOptions(check_seconds=2.0)


class ScriptedSocket:
    """Gives out records; then ends, or waits for an abort."""

    def __init__(self, records: Sequence[StreamRecord], *, stays: bool = False) -> None:
        self.malformed = 0
        self.subscribed: list[Watch] = []
        self.ended: list[Watch] = []
        self.is_closed = False
        self._records = list(records)
        self._stays = stays
        self._aborted = asyncio.Event()
        self._reason = "connection lost"

    async def subscribe(self, watches: Sequence[Watch]) -> None:
        self.subscribed += watches

    async def unsubscribe(self, watch: Watch) -> None:
        self.ended.append(watch)

    async def next(self) -> StreamRecord:
        if self._records:
            return self._records.pop(0)
        if self._stays:
            await self._aborted.wait()
        raise EndpointDown(self._reason)

    def abort(self, reason: str) -> None:
        self._reason = reason
        self._aborted.set()

    async def close(self) -> None:
        self.is_closed = True


class Net:
    """Endpoints with scripted connections, a clock, and sleeps that are only written down."""

    def __init__(self, *connections: ScriptedSocket | EndpointDown | NotServed) -> None:
        self.connections = list(connections)
        self.opened: list[str] = []
        self.pauses: list[float] = []
        self.clock = ManualClock(10**18)
        self.warnings = Warnings(self.clock)
        self.slot = 0
        self.is_down = False
        self.checks = asyncio.Semaphore(0)
        self.watchdog = SlotWatchdog(self, self.clock, self.warnings, stale_after_slots=50)

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        assert commitment is Commitment.PROCESSED
        if self.is_down:
            raise EndpointDown("all endpoints are down")
        return Height(self.slot, self.slot)

    async def open(self, endpoint: StreamEndpoint, options: SocketOptions) -> ScriptedSocket:
        self.opened.append(endpoint.name)
        if not self.connections:
            await asyncio.Event().wait()
        found = self.connections.pop(0)
        if isinstance(found, ScriptedSocket):
            return found
        raise found

    async def sleep(self, seconds: float) -> None:
        if seconds == OPTIONS.check_seconds:
            await self.checks.acquire()
            return
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def stream(
        self, *watches: Watch, endpoints: Sequence[StreamEndpoint] = (ONE,), options: StreamOptions = OPTIONS
    ) -> ChainStream:
        parts = StreamParts(self.clock, random.Random(5), self.watchdog, self.warnings, self.sleep, self.open)
        return ChainStream(endpoints, watches, parts, options)


async def some(records: AsyncIterator[StreamRecord], number: int) -> list[StreamRecord]:
    return [await anext(records) for _ in range(number)]


def down() -> EndpointDown:
    return EndpointDown("no websocket connection")


@pytest.mark.asyncio
async def test_p20_a_broken_connection_is_told_and_everything_is_subscribed_again() -> None:
    first, second = ScriptedSocket([SlotSeen(5, 4, 0)]), ScriptedSocket([SlotSeen(9, 8, 0)], stays=True)
    net = Net(first, second)
    stream = net.stream(LogsWatch(ADDRESS), AccountWatch(ADDRESS), LogsWatch(ADDRESS))
    records = stream.records()
    assert await some(records, 5) == [
        Connected("one"),
        SlotSeen(5, 4, 0),
        Disconnected("one", "connection lost"),
        Connected("one"),
        SlotSeen(9, 8, 0),
    ]
    assert first.subscribed == second.subscribed == [SlotWatch(), LogsWatch(ADDRESS), AccountWatch(ADDRESS)]
    assert first.is_closed
    await records.aclose()
    assert second.is_closed


@pytest.mark.asyncio
async def test_pauses_double_up_to_a_limit_with_jitter_from_the_given_chance() -> None:
    net = Net(*(down() for _ in range(12)))
    records = net.stream().records()
    task = asyncio.ensure_future(anext(records))
    while len(net.opened) < 13:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    rng = random.Random(5)
    expected = [min(0.25 * 2**number, 30.0) * (1 + rng.random()) / 2 for number in range(12)]
    assert net.pauses == expected
    assert max(net.pauses) <= 30
    assert all(pause >= 0.125 for pause in net.pauses)


@pytest.mark.asyncio
async def test_p19_after_repeated_failures_the_next_endpoint_is_taken_and_after_the_last_the_first() -> None:
    net = Net(*(down() for _ in range(5)), ScriptedSocket([], stays=True))
    records = net.stream(endpoints=(ONE, TWO, THREE)).records()
    assert await some(records, 1) == [Connected("three")]
    assert net.opened == ["one", "one", "two", "two", "three", "three"]
    await records.aclose()
    net = Net(*(down() for _ in range(6)), ScriptedSocket([], stays=True))
    records = net.stream(endpoints=(ONE, TWO, THREE)).records()
    assert await some(records, 1) == [Connected("one")]
    await records.aclose()


@pytest.mark.asyncio
async def test_an_endpoint_that_refuses_a_subscription_counts_as_failed() -> None:
    class Refusing(ScriptedSocket):
        async def subscribe(self, watches: Sequence[Watch]) -> None:
            raise NotServed("refuses a subscription")

    refusing = [Refusing([]), Refusing([])]
    net = Net(*refusing, ScriptedSocket([], stays=True))
    records = net.stream(endpoints=(ONE, TWO)).records()
    assert await some(records, 1) == [Connected("two")]
    assert all(one.is_closed for one in refusing)
    await records.aclose()


@pytest.mark.asyncio
async def test_a_connection_that_breaks_at_once_is_not_tried_again_without_pauses() -> None:
    net = Net(*(ScriptedSocket([SlotSeen(number, 0, 0)]) for number in range(4)), ScriptedSocket([], stays=True))
    records = net.stream().records()
    await some(records, 13)
    assert [round(pause, 3) > 0 for pause in net.pauses] == [True] * 4
    assert net.pauses[3] > net.pauses[0] * 2
    await records.aclose()


@pytest.mark.asyncio
async def test_a_connection_that_held_clears_the_count() -> None:
    net = Net(*(down() for _ in range(5)), ScriptedSocket([SlotSeen(1, 0, 0)]), ScriptedSocket([], stays=True))
    records = net.stream().records()
    await some(records, 2)
    net.clock.advance_to(net.clock.now_ns() + 11 * NS_PER_SECOND)
    await some(records, 2)
    assert net.pauses[-1] <= 0.25
    await records.aclose()


@pytest.mark.asyncio
async def test_p19_a_stream_behind_the_chain_is_stale_and_moves_to_the_next_endpoint() -> None:
    net = Net(
        ScriptedSocket([SlotSeen(1_000, 999, 0)], stays=True), ScriptedSocket([SlotSeen(1_051, 1, 0)], stays=True)
    )
    net.slot = 1_000
    stream = net.stream(endpoints=(ONE, TWO))
    records = stream.records()
    assert net.watchdog.is_stale
    assert await some(records, 2) == [Connected("one"), SlotSeen(1_000, 999, 0)]
    assert not net.watchdog.is_stale
    net.slot = 1_051
    net.checks.release()
    assert await some(records, 1) == [Disconnected("one", "stale: 51 slots behind the chain")]
    assert net.watchdog.is_stale
    assert await some(records, 1) == [Connected("two")]
    assert net.watchdog.is_stale  # until its own first slot
    await some(records, 1)
    assert not net.watchdog.is_stale
    await records.aclose()
    assert net.watchdog.is_stale


@pytest.mark.asyncio
async def test_p19_silence_is_stale_only_when_nobody_knows_whether_the_chain_goes_on() -> None:
    net = Net()
    dog = net.watchdog
    dog.connected()
    dog.saw(100)
    net.slot = 100
    for _ in range(5):
        net.clock.advance_to(net.clock.now_ns() + 15 * NS_PER_SECOND)
        assert await dog.check() == ""  # the chain stands still, so does the stream
    assert not dog.is_stale
    net.is_down = True
    net.clock.advance_to(net.clock.now_ns() + 15 * NS_PER_SECOND)
    assert await dog.check() == ""
    net.clock.advance_to(net.clock.now_ns() + 15 * NS_PER_SECOND)
    assert "silent" in await dog.check()
    assert dog.is_stale
    dog.saw(101)
    assert not dog.is_stale


@pytest.mark.parametrize(("lag", "stale"), [(50, False), (51, True)])
def test_the_limit_of_staleness_is_exact(lag: int, stale: bool) -> None:
    dog = SlotWatchdog(None, ManualClock(), Warnings(ManualClock()), stale_after_slots=50)
    dog.connected()
    dog.saw(1_000)
    dog.knows(1_000 + lag)
    assert (dog.lag_slots, dog.is_stale) == (lag, stale)


@pytest.mark.asyncio
async def test_subscriptions_can_be_added_and_ended_while_it_runs() -> None:
    first = ScriptedSocket([], stays=True)
    second = ScriptedSocket([SignatureSeen(7, "sig", None)])
    third = ScriptedSocket([], stays=True)
    net = Net(first, second, third)
    stream = net.stream()
    await stream.watch(LogsWatch(ADDRESS))
    records = stream.records()
    await some(records, 1)
    await stream.watch(SignatureWatch("sig"))
    await stream.watch(SignatureWatch("sig"))
    await stream.unwatch(LogsWatch(ADDRESS))
    assert first.subscribed == [SlotWatch(), LogsWatch(ADDRESS), SignatureWatch("sig")]
    assert first.ended == [LogsWatch(ADDRESS)]
    stream.reconnect("it swallows notifications")
    assert await some(records, 5) == [
        Disconnected("one", "it swallows notifications"),
        Connected("one"),
        SignatureSeen(7, "sig", None),
        Disconnected("one", "connection lost"),
        Connected("one"),
    ]
    assert second.subscribed == [SlotWatch(), SignatureWatch("sig")]
    assert third.subscribed == [SlotWatch()]  # a signature is told once
    await records.aclose()


@pytest.mark.asyncio
async def test_a_closed_stream_ends() -> None:
    net = Net(ScriptedSocket([], stays=True))
    stream = net.stream()
    records = stream.records()
    await some(records, 1)
    await stream.close()
    assert [record async for record in records] == [Disconnected("one", "closed")]


@pytest.mark.asyncio
async def test_a_sender_is_woken_by_its_signature_even_when_it_gave_up_waiting_before() -> None:
    class Told(ScriptedSocket):
        def tell(self, record: StreamRecord) -> None:
            self._records.append(record)
            self._aborted.set()

        async def next(self) -> StreamRecord:
            while not self._records:
                self._aborted.clear()
                await self._aborted.wait()
            return self._records.pop(0)

    socket = Told([])
    net = Net(socket)
    wakes = SignatureWakes(net.stream(), limit=2)
    running = asyncio.ensure_future(wakes.run())
    while not net.opened:
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wakes.wake("a"), 0.01)
    waiting = asyncio.ensure_future(wakes.wake("a"))
    other = asyncio.ensure_future(wakes.wake("b"))
    await asyncio.sleep(0)
    assert socket.subscribed == [SlotWatch(), SignatureWatch("a"), SignatureWatch("b")]
    socket.tell(SignatureSeen(5, "stranger", None))
    socket.tell(SignatureSeen(6, "a", {"InstructionError": [0, {"Custom": 6004}]}))
    await waiting
    await wakes.wake("a")
    assert not other.done()
    for signature in ("c", "d"):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wakes.wake(signature), 0.01)
    assert socket.ended == [SignatureWatch("b")]  # "a" had ended by itself
    for task in (other, running):
        task.cancel()
    await asyncio.gather(other, running, return_exceptions=True)
    assert socket.is_closed


def test_a_stream_needs_an_endpoint() -> None:
    with pytest.raises(ConfigError, match="no endpoint"):
        Net().stream(endpoints=())


def test_p19_a_dead_endpoint_does_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    warnings = Warnings(clock, every_seconds=60)
    with caplog.at_level(logging.WARNING):
        for _ in range(13_000):
            warnings.tell("down", "the endpoint is down")
            warnings.tell("other", "something else")
            clock.advance_to(clock.now_ns() + NS_PER_SECOND // 100)
    assert warnings.counts["down"] == 13_000
    lines = [record.getMessage() for record in caplog.records if "endpoint" in record.getMessage()]
    assert lines == [
        "the endpoint is down",
        "the endpoint is down (and 5999 times more since the last such line)",
        "the endpoint is down (and 5999 times more since the last such line)",
    ]


@pytest.mark.asyncio
async def test_over_real_sockets_a_stream_comes_back_after_a_cut_and_a_closed_connection() -> None:
    def telling(slot: int, *, breaks: bool) -> object:
        async def script(session: Session) -> None:
            await session.confirm_all(2)
            value = {"signature": f"sig{slot}", "err": None, "logs": ["a"]}
            await session.notify("logs", 2, {"context": {"slot": slot}, "value": value})
            await asyncio.sleep(0.05)
            await (session.break_off() if breaks else session.close())

        return script

    net = Net()
    parts = StreamParts(net.clock, random.Random(1), net.watchdog, net.warnings)
    options = StreamOptions(first_pause_seconds=0.01)
    async with scripted(telling(1, breaks=True), telling(2, breaks=False), telling(3, breaks=True)) as endpoint:  # type: ignore[arg-type]
        records = ChainStream([endpoint], [LogsWatch(ADDRESS)], parts, options).records()
        told = await some(records, 8)
        await records.aclose()
    assert [record for record in told if isinstance(record, LogsSeen)] == [
        LogsSeen(slot, f"sig{slot}", None, ("a",)) for slot in (1, 2, 3)
    ]
    reasons = [record.reason for record in told if isinstance(record, Disconnected)]
    assert [reason.split(": ")[1] for reason in reasons] == ["connection lost", "connection closed with code 1011"]
