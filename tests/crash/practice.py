"""A practice chain with a bad network, and a wallet whose process is killed on it again and again."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Any

import httpx2
from solders.keypair import Keypair

from pumpswap.localnet.process import LocalnetOptions, RunningLocalnet, start_process
from pumpswap.model import Unknown
from pumpswap.sdk import ChainConnection, Trader
from pumpswap.settings import Settings
from tests.clients.our_sdk import practice_signer
from tests.crash.trader_judge import CrashFailure, CrashRun, judge
from tests.support.material import ROOT, material

__all__ = ["SLOT_MS", "SOL", "Ground", "Victim", "practice_ground", "rpc"]

SLOT_MS = 40
SOL = 10**9
# Per mille of sends that meet it, and how: the network's part in the mischief.
_FAULTS = (("drop_before", 80, 0), ("drop_after", 60, 0), ("false_error", 60, 0), ("false_ok", 40, 0), ("delay", 60, 5))


@dataclass
class Victim:
    """A child process; ``lines`` is what it has said when it is dead, without what was heard before."""

    output: IO[str]
    lines: list[str] = field(default_factory=list)

    def hear(self, line: str, failure: str) -> None:
        """Wait for this line; CrashFailure with ``failure`` when another one comes."""
        if self.output.readline() != f"{line}\n":
            raise CrashFailure(failure)


@dataclass
class Ground:
    """``pools`` are as the practice chain tells them, all priced in SOL."""

    localnet: RunningLocalnet
    wallet: Keypair
    pools: list[dict[str, Any]]
    folder: Path
    rng: Random
    run: CrashRun = field(default_factory=CrashRun)

    def kill(
        self,
        settings: Settings,
        kills: int,
        life: Callable[[Ground], None],
        progress: Callable[[int], None],
        and_judge: Callable[[Trader], None] = lambda _: None,
    ) -> CrashRun:
        """``kills`` lives in a bad network, each judged by the next start in a good one; then also by ``and_judge``.

        Raises CrashFailure at the first thing that is not as it must be.
        """
        for _ in range(kills):
            for kind, per_mille, amount in _FAULTS:
                if self.rng.random() < 0.7:
                    rpc(self.localnet, "localnet_fault", {"kind": kind, "perMille": per_mille, "amount": amount})
            life(self)
            rpc(self.localnet, "localnet_clearFaults")
            asyncio.run(self._settle_and_judge(settings, and_judge))
            self.run.kills += 1
            progress(self.run.kills)
        return self.run

    @contextmanager
    def victim(self, module: str, **told: Any) -> Iterator[Victim]:
        """A process that is told where to trade, and is killed at the end of the block."""
        command = [sys.executable, "-m", module]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None and process.stdout is not None
        victim = Victim(process.stdout)
        where = {
            "http_url": self.localnet.http_url,
            "ws_url": self.localnet.ws_url,
            "folder": str(self.folder),
            "wallet": bytes(self.wallet)[:32].hex(),
        }
        process.stdin.write(json.dumps(where | told) + "\n")
        process.stdin.flush()
        try:
            yield victim
        finally:
            process.kill()
            victim.lines = process.stdout.read().splitlines()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self.run.outcomes.update(line.split()[0] for line in victim.lines if line != "open")

    async def _settle_and_judge(self, settings: Settings, and_judge: Callable[[Trader], None]) -> None:
        """The next start: resolve, then compare with the chain."""
        async with ChainConnection(settings) as connection:
            trader = await Trader.open(connection, practice_signer(self.wallet))
            try:
                self.run.open_attempts_found += len(trader.resolved)
                unknown = [order.order_id for order, outcome in trader.resolved if isinstance(outcome, Unknown)]
                if unknown:
                    raise CrashFailure(f"still unknown although the endpoint is well: {unknown}")
                await judge(trader, self.run)
                and_judge(trader)
            finally:
                await trader.aclose()


@contextmanager
def practice_ground(name: str, seed: int) -> Iterator[Ground]:
    """A fresh chain with four pools and a wallet of 60 SOL; the same ones for the same name and seed."""
    programs = material("chain")
    assert programs is not None, "the caller should have skipped"
    rng = Random(f"{name} {seed}")
    wallet = Keypair.from_seed(rng.randbytes(32))
    options = LocalnetOptions(programs=programs, slot_ms=SLOT_MS, seed=seed, test_methods=True)
    with tempfile.TemporaryDirectory() as folder, start_process(options) as localnet:
        rpc(localnet, "requestAirdrop", str(wallet.pubkey()), 60 * SOL)
        yield Ground(localnet, wallet, rpc(localnet, "localnet_market", 4), Path(folder), rng)


def rpc(localnet: RunningLocalnet, method: str, *parameters: object) -> Any:
    """One call of the practice chain's own."""
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
    answer = httpx2.post(localnet.http_url, json=call, timeout=120).json()
    assert "error" not in answer, answer
    return answer["result"]
