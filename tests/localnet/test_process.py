"""The practice chain as a process: endpoints, signals, saved chains, and what it says when it cannot start."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.errors import ConfigError, NotFound, NotRunning
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import FaultPlan
from pumpswap.localnet.pools import pool_state
from pumpswap.localnet.process import LocalnetOptions, make_chain, start_process
from pumpswap.localnet.programs import load_programs
from pumpswap.localnet.rpc_node import ServedChain
from pumpswap.localnet.server import LocalServer, ServerOptions
from tests.localnet.practice import program_folder
from tests.localnet.wire import NEW, NOW, SOL, run, served
from tests.support.material import requires_material

needs_programs = requires_material("chain", "programs")
STILL = 3_600_000  # milliseconds to the next slot: only localnet_advance moves it


def ask(url: str, method: str, *params: Any) -> Any:
    said = httpx2.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}).json()
    assert "error" not in said, said
    return said["result"]


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pumpswap.localnet", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@needs_programs
def test_two_endpoints_serve_one_chain_of_which_one_lags() -> None:
    options = LocalnetOptions(
        programs=program_folder(), slot_ms=STILL, seed=9, test_methods=True, lags=(10,), start_unix=1_750_000_000
    )
    with start_process(options) as running:
        first, second = (urls.http for urls in running.urls)
        assert running.http_url == first != second
        assert ask(first, "getGenesisHash") == ask(second, "getGenesisHash")
        ask(first, "requestAirdrop", str(NEW.pubkey()), SOL)
        balances = []
        for slots in (0, 9, 1):
            if slots:
                ask(first, "localnet_advance", slots)
            assert ask(first, "getSlot", NOW) - ask(second, "getSlot", NOW) == 10
            balances.append(ask(second, "getBalance", str(NEW.pubkey()), NOW)["value"])
        assert ask(first, "getBalance", str(NEW.pubkey()), NOW)["value"] == SOL
        assert balances == [0, 0, SOL]
        ask(second, "localnet_lag", 0)
        assert ask(first, "getSlot", NOW) == ask(second, "getSlot", NOW)
        assert ask(first, "getBlockTime", ask(first, "getSlot", NOW)) >= 1_750_000_000
    assert running.stop() == 0  # once more is harmless
    with pytest.raises(httpx2.ConnectError):
        ask(first, "getHealth")


@needs_programs
def test_a_saved_chain_goes_on_with_the_same_slot_balances_history_and_pools(tmp_path: Path) -> None:
    saved = tmp_path / "chain"
    options = LocalnetOptions(
        programs=program_folder(), market=2, slot_ms=STILL, save_state=saved, test_methods=True, seed=4
    )
    key = str(NEW.pubkey())
    with start_process(options) as first:
        ask(first.http_url, "requestAirdrop", key, 2 * SOL)
        ask(first.http_url, "localnet_advance", 45)
        before = {
            name: ask(first.http_url, name, *params)
            for name, params in (
                ("getSlot", [NOW]),
                ("getBlockHeight", [NOW]),
                ("getBalance", [key]),
                ("getSignaturesForAddress", [key]),
                ("getLatestBlockhash", []),
                ("getGenesisHash", []),
            )
        }
        status = ask(first.http_url, "localnet_status")
        assert first.stop() == 0
    assert len(before["getSignaturesForAddress"]) == 1
    with start_process(LocalnetOptions(load_state=saved, slot_ms=STILL)) as second:
        after = {
            name: ask(second.http_url, name, *([NOW] if name in ("getSlot", "getBlockHeight") else []))
            for name in ("getSlot", "getBlockHeight", "getLatestBlockhash", "getGenesisHash")
        }
        after |= {name: ask(second.http_url, name, key) for name in ("getBalance", "getSignaturesForAddress")}
        assert after == before
        again = ask(second.http_url, "localnet_status")
        for same in ("transactions", "pools", "programs", "unixTime", "slot"):
            assert again[same] == status[same]
        assert (status["botPools"], again["botPools"]) == (2, 0)


def served_chain(chain: LocalChain) -> ServedChain:
    return ServedChain(chain, faults=FaultPlan(), name="local", slot_ms=0, test_methods=False)


def reserves(chain: LocalChain, pools: list[PoolState]) -> list[tuple[int, int]]:
    states = (pool_state(chain, each) for each in pools)
    return [(each.base_reserve, each.quote_vault) for each in states]


@needs_programs
def test_a_market_on_a_chain_that_has_pools_adds_others_and_leaves_those_as_they_are(tmp_path: Path) -> None:
    chain = LocalChain(seed=3)
    load_programs(chain, program_folder())
    node = served_chain(chain)
    old = [*node.open_market(2)]
    node.advance(30)
    moved = reserves(chain, old)
    assert moved != [(each.base_reserve, each.quote_vault) for each in old]
    chain.save(tmp_path / "chain")
    loaded = LocalChain.load(tmp_path / "chain")
    again = served_chain(loaded)
    new = again.open_market(2)
    assert {each.address for each in new}.isdisjoint(each.address for each in old)
    assert reserves(loaded, old) == moved
    assert again.pool_count() == 4


@needs_programs
def test_the_same_seed_opens_the_same_market_and_trades_alike() -> None:
    def life(seed: int) -> tuple[list[Pubkey], list[tuple[int, int]], int]:
        chain = make_chain(LocalnetOptions(programs=program_folder(), seed=seed, start_unix=1_750_000_000))
        node = served_chain(chain)
        pools = [*node.open_market(3)]
        node.advance(20)
        return [each.address for each in pools], reserves(chain, pools), len(chain.log)

    first, again, other = life(6), life(6), life(7)
    assert first == again
    assert first[2] >= 15
    assert set(first[0]).isdisjoint(other[0])


def test_a_chain_that_cannot_go_on_ends_its_server_with_what_stopped_it() -> None:
    class Broken:
        pools: tuple[PoolState, ...] = ()

        def open(self, pools: int) -> tuple[PoolState, ...]:
            return ()

        def step(self) -> object:
            raise ConfigError("the bots are broken", hint="repair them")

    async def story() -> None:
        server = LocalServer(LocalChain(), ServerOptions(slot_ms=1))
        server.node.market = Broken()
        with pytest.raises(ConfigError, match="bots are broken"):
            async with server.serve():
                await asyncio.Event().wait()  # as a command would, until it is told to end

    run(story())


def test_without_programs_it_ends_with_code_3_and_the_remedy(tmp_path: Path) -> None:
    for arguments in ([], ["--programs", str(tmp_path)]):
        ended = started(*arguments)
        assert (ended.returncode, ended.stdout) == (3, "")
        assert "localnet pull" in ended.stderr
        assert "Traceback" not in ended.stderr
    with pytest.raises(NotRunning, match="ended without a word") as refused:
        start_process(LocalnetOptions(programs=tmp_path), stderr=subprocess.DEVNULL)
    assert refused.value.hint == "look at its stderr"


@needs_programs
def test_bad_options_end_it_with_one_clear_line(tmp_path: Path) -> None:
    async def story() -> None:
        async with served() as (_, _client, urls):
            port = urls.http.rpartition(":")[2]
            ended = await asyncio.to_thread(started, "--programs", str(program_folder()), "--port", port)
            assert (ended.returncode, ended.stdout) == (4, "")
            assert (
                ended.stderr == f"pumpswap: port {port} or {int(port) + 1} is in use; choose another one with --port\n"
            )

    run(story())
    (tmp_path / "broken").write_bytes(b"no chain")
    ended = started("--load-state", str(tmp_path / "broken"))
    assert ended.returncode == 1
    assert ended.stderr.startswith("pumpswap: ")
    assert "Traceback" not in ended.stderr
    lagging = started("--programs", str(program_folder()), "--lag", "241")
    assert lagging.returncode == 2
    assert "lag from 0 to 240" in lagging.stderr


@needs_programs
def test_the_clock_of_a_new_chain_is_that_of_the_machine() -> None:
    before = SystemClock().now_ns() // NS_PER_SECOND
    chain = make_chain(LocalnetOptions(programs=program_folder()))
    assert before <= chain.unix_time <= SystemClock().now_ns() // NS_PER_SECOND
    assert chain.unix_time == chain.time_of(chain.slot)


def test_slots_that_a_busy_machine_misses_have_no_blocks_and_their_time_passes() -> None:
    async def held_up() -> tuple[int, int]:
        chain = LocalChain(slot_ms=10)
        async with LocalServer(chain, ServerOptions(slot_ms=10)).serve():
            slot, height = chain.slot, chain.block_height
            time.sleep(0.3)  # the loop is what is held up
            while chain.slot < slot + 30:
                await asyncio.sleep(0.001)
            return chain.slot - slot, chain.block_height - height

    slots, blocks = asyncio.run(held_up())
    assert slots >= 30
    assert blocks < slots - 20


def test_a_folder_that_is_not_there_is_named_in_full(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=str(tmp_path / "nowhere")):
        load_programs(LocalChain(), tmp_path / "nowhere")
    with pytest.raises(NotFound, match=f"pump_amm is not in {tmp_path}/programs"):
        load_programs(LocalChain(), tmp_path)
