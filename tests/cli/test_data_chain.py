"""data backfill and data record on a practice chain in a process of its own; killed, and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.market.lake import Lake, LakeReader
from pumpswap.market.reserve_chain import ReserveChain
from pumpswap.model import Swap
from tests.cli.running import SOURCE, answer, refusal, run
from tests.support.material import material, requires_material

pytestmark = requires_material("chain", "programs")


@pytest.fixture(scope="module")
def localnet() -> Iterator[RunningLocalnet]:
    with start_process(LocalnetOptions(programs=material("chain"), market=2, slot_ms=50, seed=5)) as running:
        yield running


@pytest.fixture
def chain(localnet: RunningLocalnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", str(tmp_path))
    return ("--url", localnet.http_url)


@pytest.fixture(scope="module")
def pool(localnet: RunningLocalnet) -> str:
    """A pool on which the bots trade all the time."""
    found = answer("localnet", "market", "1", "--url", localnet.http_url)
    return str(found["pools"][0]["address"])


def swaps(folder: Path, pool: str) -> list[Swap]:
    return list(LakeReader(Lake(folder / "lake", "localnet")).read_swaps(pool))


def assert_once_and_whole(found: list[Swap]) -> None:
    """No swap twice, and every one holds what the one before has left."""
    assert len({(swap.signature, swap.index) for swap in found}) == len(found)
    order = ReserveChain()
    for swap in reversed(found):
        order.older(swap)
    assert order.breaks == []
    assert order.links == len(found) - 1


def started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pumpswap", *arguments, "--json"],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def traded(chain: tuple[str, ...], more: int) -> None:
    """Wait until the bots have sent so many transactions more."""
    wanted = answer("localnet", "status", *chain)["transactions"] + more
    deadline = time.monotonic() + 240
    while (sent := answer("localnet", "status", *chain)["transactions"]) < wanted:
        assert time.monotonic() < deadline, f"{sent} of {wanted} transactions"
        time.sleep(0.1)


def wait_for_swaps(folder: Path, pool: str, count: int) -> None:
    deadline = time.monotonic() + 240
    while len(swaps(folder, pool)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(swaps(folder, pool)) >= count


def test_a_backfill_tells_what_it_has_read(chain: tuple[str, ...], pool: str, tmp_path: Path) -> None:
    traded(chain, 40)
    found = answer("data", "backfill", pool, "--page", "20", *chain)
    assert (found["breaks"], found["lost"], found["gaps"]) == ([], [], [])
    assert found["stored"] == found["swaps"] == len(swaps(tmp_path, pool)) > 0
    assert found["compared"] == found["swaps"] - 1
    assert_once_and_whole(swaps(tmp_path, pool))
    result = run("data", "backfill", pool, "--from", "1", *chain)
    assert result.exit_code == 0, result.output
    assert "new swaps, complete from" in result.stdout
    assert "neighbours compared" in result.stderr


def test_a_recording_and_the_next_one_leave_no_hole(chain: tuple[str, ...], pool: str, tmp_path: Path) -> None:
    first = answer("data", "record", pool, "--duration", "5s", *chain)
    assert first["swaps"] > 0 and first["states"] > 0 and first["closed"] == []
    traded(chain, 20)
    second = answer("data", "record", pool, "--duration", "5s", *chain)
    assert second["closed"][0]["stored"] > 0
    found = swaps(tmp_path, pool)
    assert len(found) == first["swaps"] + second["swaps"] + second["closed"][0]["stored"]
    assert_once_and_whole(found)
    listed = answer("data", "list", "--pool", pool, "--network", "localnet")
    assert [(claim["kind"], claim["holes"]) for claim in listed["covered"]] == [("acts", []), ("swaps", [])]


def test_ctrl_c_writes_what_was_heard_and_ends_with_0(chain: tuple[str, ...], pool: str, tmp_path: Path) -> None:
    process = started("data", "record", pool, "--flush", "0.2", *chain)
    wait_for_swaps(tmp_path, pool, 3)
    process.send_signal(signal.SIGINT)
    told, complained = process.communicate(timeout=120)
    assert process.returncode == 0, complained.decode()
    found = json.loads(told)
    assert found["swaps"] == len(swaps(tmp_path, pool)) >= 3
    assert_once_and_whole(swaps(tmp_path, pool))


def test_kill_9_of_a_recording_loses_nothing_that_the_next_one_does_not_find(
    chain: tuple[str, ...], pool: str, tmp_path: Path
) -> None:
    for _ in range(2):
        before = len(swaps(tmp_path, pool))
        process = started("data", "record", pool, "--flush", "0.3", *chain)
        wait_for_swaps(tmp_path, pool, before + 3)
        process.kill()
        process.communicate()
    answer("data", "record", pool, "--duration", "1s", *chain)
    assert_once_and_whole(swaps(tmp_path, pool))
    assert answer("data", "verify", "--network", "localnet")["is_good"] is True


def test_kill_9_of_a_backfill_goes_on_where_it_was(chain: tuple[str, ...], pool: str, tmp_path: Path) -> None:
    for count in (2, 5):
        process = started("data", "backfill", pool, "--page", "2", *chain)
        deadline = time.monotonic() + 240
        while len(swaps(tmp_path, pool)) < count and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.communicate()
    found = answer("data", "backfill", pool, *chain)
    assert (found["breaks"], found["gaps"]) == ([], [])
    assert_once_and_whole(swaps(tmp_path, pool))


def test_every_pool_when_none_is_named(chain: tuple[str, ...], tmp_path: Path) -> None:
    first = answer("data", "record", "--duration", "5s", *chain)
    assert first["swaps"] > 0 and first["states"] == 0
    answer("data", "record", "--duration", "1s", *chain)
    everything = list(LakeReader(Lake(tmp_path / "lake", "localnet")).read_swaps())
    assert len({swap.pool for swap in everything}) >= 2
    for name in {swap.pool for swap in everything}:
        assert_once_and_whole([swap for swap in everything if swap.pool == name])


def test_what_is_no_place_to_go_back_to(chain: tuple[str, ...], pool: str) -> None:
    error = refusal(2, "data", "backfill", pool, "--from", "yesterday", *chain)
    assert "no slot and no date" in error["what"]
