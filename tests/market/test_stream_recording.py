"""A recording of a stream replays bit for bit."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path

import msgspec
import pytest
from solders.pubkey import Pubkey

from pumpswap.chain.node import ChainAccount, SignatureInfo
from pumpswap.chain.streams import AccountChanged, Connected, Disconnected, LogsSeen, SignatureSeen, SlotSeen
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.chain_feed import scope_of
from pumpswap.market.feed_inputs import FeedInput, HistorySeen, PoolRead, TransactionMissing, TransactionSeen
from pumpswap.market.stream_recording import StreamRecorder, StreamRecording
from pumpswap.model import MarketUpdate
from tests.market.feed_world import EVERYTHING, POOLS, World
from tests.market.test_swaps_of import BUY, confirmed
from tests.support.market import graduate

KEY = Pubkey.from_bytes(b"\x06" * 32)
EVERY_INPUT: tuple[FeedInput, ...] = (
    HistorySeen(0, ((SignatureInfo("a", 5, None, 1_790_000_000),), ()), is_start=True),
    Connected("one"),
    PoolRead.of(graduate(slot=9)),
    SlotSeen(7, 6, 1),
    LogsSeen(7, "b", None, ("Program x", 'with "quotes" and é')),
    LogsSeen(7, "c", {"InstructionError": [0, {"Custom": 6004}]}, ()),
    AccountChanged(7, ChainAccount(KEY, KEY, 2**64 - 1, bytes(range(256)), executable=True)),
    SignatureSeen(7, "b", "AccountInUse"),
    HistorySeen(8, ((SignatureInfo("b", 7, None), SignatureInfo("c", 7, {"x": 1})), ())),
    TransactionMissing("d"),
    TransactionSeen.of(confirmed(BUY)),
    TransactionSeen.of(confirmed(BUY, instructions=())),
    Disconnected("one", "connection lost"),
)


def recorded(path: Path, seed: int, pools: tuple[Pubkey, ...] = ()) -> list[MarketUpdate]:
    world = World(seed, EVERYTHING, first_transactions=3)
    with StreamRecorder(path, scope_of(pools)) as recorder:
        updates = asyncio.run(world.listen(world.feed(pools, recorder=recorder)))
        assert recorder.written > 100
    assert [update.swap for update in updates if len(pools) == 0] == (world.swaps() if not pools else [])
    return updates


@pytest.mark.parametrize("name", ["stream.jsonl", "stream.jsonl.gz"])
@pytest.mark.parametrize("pools", [(), POOLS[:2]])
def test_a_recorded_feed_replays_to_the_same_updates_at_the_same_times(
    tmp_path: Path, name: str, pools: tuple[Pubkey, ...]
) -> None:
    for seed in range(3):
        path = tmp_path / f"{seed}-{name}"
        updates = recorded(path, seed, pools)
        replay = StreamRecording(path)
        assert len(updates) > 30
        assert list(replay.updates()) == updates
        assert list(replay.updates()) == updates
        assert not replay.is_cut


@pytest.mark.parametrize("name", ["stream.jsonl", "stream.jsonl.gz"])
def test_recording_a_replay_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    first, second = tmp_path / "first" / name, tmp_path / "second" / name
    for path in (first, second):
        path.parent.mkdir()
    recorded(first, 5)
    replay = StreamRecording(first)
    with StreamRecorder(second, replay.scope) as recorder:
        for one in replay.inputs():
            recorder.write(one.at_ns, one.entry)
    assert second.read_bytes() == first.read_bytes()


def test_the_same_feed_gives_the_same_file(tmp_path: Path) -> None:
    recorded(tmp_path / "a.jsonl.gz", 6)
    recorded(tmp_path / "b.jsonl.gz", 6)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_every_kind_of_input_survives_the_file_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl"
    with StreamRecorder(path, scope_of()) as recorder:
        for at_ns, entry in enumerate(EVERY_INPUT):
            recorder.write(at_ns, entry)
    found = list(StreamRecording(path).inputs())
    assert [one.entry for one in found] == list(EVERY_INPUT)
    assert [one.at_ns for one in found] == list(range(len(EVERY_INPUT)))
    read = next(one.entry for one in found if isinstance(one.entry, PoolRead))
    assert read.state() == graduate(slot=9)


@pytest.mark.parametrize("name", ["stream.jsonl", "stream.jsonl.gz"])
def test_a_recording_that_was_cut_by_a_crash_is_good_up_to_the_cut(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    recorded(path, 7)
    whole = list(StreamRecording(path).inputs())
    path.write_bytes(path.read_bytes()[:-40])
    replay = StreamRecording(path)
    left = list(replay.inputs())
    assert replay.is_cut
    assert left == whole[: len(left)]
    assert len(left) > 10


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl"
    path.write_text("mine")
    with pytest.raises(BadInput, match="exists already"):
        StreamRecorder(path, scope_of())
    assert path.read_text() == "mine"


def test_files_that_are_no_recordings_are_named_errors(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        StreamRecording(tmp_path / "none.jsonl")
    with pytest.raises(BadInput, match="cannot be written"):
        StreamRecorder(tmp_path / "none" / "stream.jsonl", scope_of())
    other = tmp_path / "other.jsonl"
    for content in (b"", b"{}\n", b"id,price\n1,2\n"):
        other.write_bytes(content)
        with pytest.raises(BadInput, match="no recording"):
            StreamRecording(other)
    not_gzip = tmp_path / "other.jsonl.gz"
    not_gzip.write_bytes(b"abc\n")
    with pytest.raises(BadInput, match="cannot be read"):
        StreamRecording(not_gzip)
    header = {"format": "pumpswap stream", "version": 2, "scope": {"addresses": []}}
    other.write_bytes(msgspec.json.encode(header) + b"\n")
    with pytest.raises(BadInput, match="version 2"):
        StreamRecording(other)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl.gz"
    recorded(path, 8)
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    lines[4] = b'{"at_ns":1,"entry":{"type":"nothing"}}\n'
    path.write_bytes(gzip.compress(b"".join(lines)))
    with pytest.raises(BadInput, match="line 5"):
        list(StreamRecording(path).inputs())
