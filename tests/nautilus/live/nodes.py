"""Nodes in processes of their own, over a practice chain that the test serves: they may be killed, the chain stays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from pumpswap.amm import buy_exact_quote
from pumpswap.app.checks import CheckStatus
from pumpswap.app.live_check import live_check
from pumpswap.chain.balances import wallet_holdings
from pumpswap.execution.compare import balances_of
from pumpswap.localnet.pools import schedule_of, wallet
from pumpswap.sdk.connection import ChainConnection
from pumpswap.settings import load_settings
from pumpswap.storage import open_database
from pumpswap.storage.run import Run
from tests.localnet.practice import swap
from tests.sdk.world import World, world

__all__ = ["SOL", "Line", "NodeProcess", "Stage", "only_whole", "settings_file", "stage"]

SOL = 10**9

# A node takes seconds to begin: what others show too is left to the long checks.
only_whole = pytest.mark.skipif(
    os.environ.get("HYPOTHESIS_PROFILE") != "acceptance", reason="`make acceptance` plays all of it"
)
ROOT = Path(__file__).parents[3]
Line = dict[str, Any]
_ENDS = ("OrderFilled", "OrderDenied", "OrderRejected", "OrderExpired")


def settings_file(chain: World, folder: Path, **sections: Any) -> Path:
    """The settings of a node on this chain, as a user writes them."""
    base = chain.settings
    endpoint = base.chain.endpoints[0]
    assert endpoint.ws_url is not None
    run = {
        "mode": "auto", "state_poll_ms": 100, "control_ms": 50, "heartbeat_seconds": 1, "shutdown_seconds": 8,
    }  # fmt: skip
    risk = {
        "cooldown_seconds": 0, "slippage_bps": 3_000, "max_slippage_bps": 5_000, "max_round_trip_loss_bps": 2_000,
        "max_trades_per_minute": 1_000_000, "max_trades_per_hour": 1_000_000, "max_trades_per_day": 1_000_000,
        "max_daily_loss_fraction": 1, "max_drawdown_fraction": 1, "max_losses_in_a_row": 1_000,
        "breaker_failures": 1_000, "max_position_sol": "1", "max_impact_bps": 1_000,
    }  # fmt: skip
    document = {
        "data_dir": str(base.data_dir),
        "chain": {
            "network": "localnet",
            "endpoints": [
                {
                    "url": endpoint.url.get_secret_value(),
                    "ws_url": endpoint.ws_url.get_secret_value(),
                    "requests_per_second": 1_000,
                }
            ],
        },
        "sending": {"rebroadcast_ms": 200, "poll_ms": 50},
        "run": run | sections.pop("run", {}),
        "risk": risk | sections.pop("risk", {}),
        "exits": {"stop_loss_bps": 9_000, "take_profit_bps": 100_000} | sections.pop("exits", {}),
        **sections,
    }
    file = folder / "pumpswap.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


class NodeProcess:
    """Use ``start``, then ``tell`` it what to do and wait ``until`` it has said something."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.lines: list[Line] = []
        self.errors: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()

    async def begin(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-W", "default::RuntimeWarning", "-m", "tests.nautilus.live.node_process",
            json.dumps(self.spec),
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, limit=2**24,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self._readers = [asyncio.ensure_future(self._read_lines()), asyncio.ensure_future(self._read_errors())]

    async def until(self, wanted: Callable[[Line], bool], seconds: float = 120.0) -> Line:
        """The first line so far, or to come, for which this is true; it is taken."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for place, line in enumerate(self.lines):
                        if wanted(line):
                            del self.lines[place]
                            return line
                    if self._process is not None and self._process.returncode is not None and self._readers[0].done():
                        raise AssertionError(f"the node has ended: {self.story()}")
                    self._news.clear()
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), 0.5)
        except TimeoutError:
            raise AssertionError(f"the node has not said it: {self.story()}") from None

    async def event(self, name: str, client_order_id: str | None = None, seconds: float = 120.0) -> Line:
        """The next order event of this name. An order that ended otherwise is told at once, with the reason."""

        def is_it(line: Line) -> bool:
            if line["kind"] != "order" or client_order_id not in (None, line["id"]):
                return False
            ended = line["event"] in _ENDS and name in (*_ENDS, "OrderAccepted") and client_order_id is not None
            assert not ended or line["event"] == name, f"instead of {name}: {line}; {self.story()}"
            return bool(line["event"] == name)

        return await self.until(is_it, seconds)

    def tell(self, verb: str, **given: Any) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write((json.dumps({"do": verb, **given}) + "\n").encode())

    async def state(self) -> Line:
        self.tell("state")
        return await self.until(lambda line: line["kind"] == "state")

    async def calm(self) -> Line:
        """Its state as soon as no feed of it is at fault: entries are refused until then."""
        async with asyncio.timeout(60):
            while (told := await self.state())["books"]["faults"]:
                await asyncio.sleep(0.2)
            return told

    async def stop(self) -> Line:
        """In order; what it believed at the end."""
        self.tell("stop")
        told = await self.until(lambda line: line["kind"] == "stopped")
        await self.ended()
        assert self._process is not None and self._process.returncode == 0, self.story()
        return told

    async def ended(self) -> None:
        assert self._process is not None
        async with asyncio.timeout(60):
            await self._process.wait()
            await asyncio.gather(*self._readers)

    async def kill(self) -> None:
        """As the machine would: nothing is said, nothing is closed."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
        await self.ended()

    def story(self) -> str:
        told = [line for line in self.lines if line["kind"] not in ("quote", "trade")]
        return "\n".join([*(json.dumps(line)[:600] for line in told[-12:]), *self.errors[-25:]])

    async def _read_lines(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for raw in self._process.stdout:
            text = raw.decode(errors="replace").strip()
            if text.startswith('{"kind"'):
                self.lines.append(json.loads(text))
            else:
                self.errors.append(text)
            self._news.set()

    async def _read_errors(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        async for raw in self._process.stderr:
            self.errors.append(raw.decode(errors="replace").rstrip())


@dataclass
class Stage:
    """A practice chain with the settings of nodes on it, and every node that was started, so that none is left."""

    chain: World
    file: Path
    mode: str
    nodes: list[NodeProcess] = field(default_factory=list)

    @property
    def pool(self) -> str:
        return str(self.chain.pools[0].address)

    async def start(self, *, is_ready: bool = True, **more: Any) -> NodeProcess:
        """A node; ``more`` goes into its specification."""
        seed = {"seed": bytes(self.chain.key)[:32].hex()} if self.mode == "live" else {}
        node = NodeProcess({"settings": str(self.file), "mode": self.mode, "pools": [self.pool], **seed, **more})
        self.nodes.append(node)
        await node.begin()
        if is_ready:
            await node.until(lambda line: line["kind"] == "ready")
        return node

    async def check(self, told: Line, *, is_now: bool = True) -> None:
        """What Nautilus believes, our ledger and, with money, the wallet on the chain are one; ``is_now``: the chain is
        still as it was when this was told.
        """
        books = told["books"]
        held = {one["pool"]: one["units"] for one in told["positions"] if one["open"]}
        assert held == books["held"], told
        assert told["account"]["SOL"] == books["cash"] == books["ledger"]["SOL"], told
        assert {mint: units for mint, units in told["tokens"].items() if units} == {
            mint: units for mint, units in books["ledger"].items() if mint != "SOL"
        }, told
        if self.mode == "live" and is_now:
            async with ChainConnection(load_settings(self.file)) as connection:
                holdings = await wallet_holdings(connection.node, self.chain.key.pubkey())
            assert {asset: units for asset, units in balances_of(holdings).items() if units} == books["ledger"]

    def run(self) -> Run:
        """The stored books, read while nobody writes or beside somebody."""
        database = open_database(load_settings(self.file).database_target)
        header = [one for one in database.runs() if one.kind == self.mode][-1]
        return database.run(header.run_id)

    async def stored(self, find: Callable[[Run], Any]) -> Any:
        """What is in the books, as soon as it is: they are written a moment after Nautilus has heard of it."""
        async with asyncio.timeout(10):
            while (found := find(self.run())) is None:
                await asyncio.sleep(0.05)
            return found

    async def command(self, *arguments: str) -> None:
        """``pumpswap`` at another terminal."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pumpswap", "--config", str(self.file), *arguments,
            cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()

    def others_buy(self, lamports: int) -> None:
        """Somebody else buys from the pool."""
        chain = self.chain
        friend = wallet(chain.chain, lamports + 2 * SOL)
        quote = buy_exact_quote(chain.now(), schedule_of(chain.chain), lamports)
        receipt = chain.chain.submit(swap(chain.chain, friend, chain.now(), quote, 1))
        assert receipt.has_landed and receipt.err is None, receipt


@asynccontextmanager
async def stage(folder: Path, mode: str, **sections: Any) -> AsyncIterator[Stage]:
    """For ``live`` the wallet has passed its check, as its owner makes it."""
    async with world(folder) as chain:
        made = Stage(chain, settings_file(chain, folder, **sections), mode)
        if mode == "live":
            async with ChainConnection(load_settings(made.file)) as connection:
                checks = live_check(connection, chain.signer(), SOL // 100, chain.pools[0].address)
                assert not [one async for one in checks if one.status is CheckStatus.FAILED]
        try:
            yield made
        finally:
            for node in made.nodes:
                await node.kill()
