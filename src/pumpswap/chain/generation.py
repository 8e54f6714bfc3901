"""Which swap instructions a program knows, found out by simulation, never by a paid failure (PROTOCOL 3.1).

An Anchor program looks at the discriminator first: one that it does not know is answered with 101, any other complaint
means that it does. So an instruction without accounts is enough, and says nothing about any pool.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, preferred_generation
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.chain.compute import custom_code
from pumpswap.chain.node import ChainAccount, Node
from pumpswap.chain.transaction import ComputeBudget, build_message, unsigned_bytes
from pumpswap.errors import ChainError, NotFound, ProtocolDrift

__all__ = ["FALLBACK_CODES", "Generations", "GenerationProbe", "deployment_of", "generation_for"]

UPGRADEABLE_LOADER = Pubkey.from_string("BPFLoaderUpgradeab1e11111111111111111111111")
FALLBACK_CODES = frozenset({101, 6079, 6080})  # unknown instruction, cashback coin, mayhem pool: all ask for v1
_UNKNOWN_INSTRUCTION = 101
_PROBES = {1: bytes.fromhex("c62e1552b4d9e870"), 2: bytes.fromhex("c2ab1c46684d5b2f")}
_NO_AMOUNTS = bytes(16)
_PROBE_BUDGET = ComputeBudget(50_000)

Setting = Literal["auto", "1", "2"]


@dataclass(frozen=True, slots=True)
class Generations:
    """What one deployment of the program knows. ``deployment`` names it: an upgrade has another name."""

    deployment: str
    known: frozenset[int]


def generation_for(state: PoolState, known: Generations, setting: Setting = "auto") -> int:
    """The generation to trade a pool with: the setting, else v2 where program and pool allow it, else v1.

    Cashback coins know v1 only, whatever the setting says. Raises ProtocolDrift when the program does not know it.
    """
    chosen = preferred_generation(state)
    if setting != "auto":
        chosen = min(chosen, int(setting))
    if chosen not in known.known:
        chosen = 1 if setting == "auto" and 1 in known.known else chosen
    if chosen not in known.known:
        raise ProtocolDrift(
            f"the program of deployment {known.deployment} does not know swap instructions of generation {chosen}",
            hint="set sending.generation to auto, or upgrade pumpswap",
        )
    return chosen


class GenerationProbe:
    """Asks once per deployment and remembers: in memory, and in ``file`` when one is given.

    ``payer`` is any account that has lamports; nothing is signed or paid.
    """

    def __init__(self, node: Node, payer: Pubkey, *, program: Pubkey = AMM_PROGRAM, file: Path | None = None) -> None:
        self._node = node
        self._payer = payer
        self._program = program
        self._file = file
        self._found: Generations | None = None

    async def generations(self) -> Generations:
        """What the program knows. Raises ChainError when the endpoint cannot say, ProtocolDrift when it knows none."""
        if self._found is None:
            deployment = await deployment_of(self._node, self._program)
            key = f"{await self._node.genesis_hash()}/{self._program}/{deployment}"
            known = self._remembered(key) or await self._ask()
            self._remember(key, known)
            self._found = Generations(deployment, known)
        return self._found

    def forget(self) -> None:
        """Ask again next time: the program has answered as if it had been upgraded."""
        self._found = None

    async def _ask(self) -> frozenset[int]:
        known = frozenset({number for number, probe in _PROBES.items() if await self._knows(probe)})
        if not known:
            raise ProtocolDrift(
                f"program {self._program} knows none of the swap instructions of this version",
                hint="stop trading and upgrade pumpswap",
            )
        return known

    async def _knows(self, discriminator: bytes) -> bool:
        bare = Instruction(self._program, discriminator + _NO_AMOUNTS, [])
        message = build_message([bare], self._payer, Hash.default(), _PROBE_BUDGET)
        answer = await self._node.simulate(unsigned_bytes(message))
        code = custom_code(answer.err)
        if code is None:
            raise ChainError(
                f"{self._node.name} did not run the probe of the program: {answer.err}",
                hint="the wallet needs some SOL before anything can be simulated for it",
            )
        return code != _UNKNOWN_INSTRUCTION

    def _remembered(self, key: str) -> frozenset[int] | None:
        if self._file is None or not self._file.is_file():
            return None
        try:
            stored = msgspec.json.decode(self._file.read_bytes(), type=dict[str, list[int]])
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None  # a cache: asking again repairs it
        known = frozenset(stored.get(key, ()))
        return known if known and known <= set(_PROBES) else None

    def _remember(self, key: str, known: frozenset[int]) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(self._file.name + ".new")
        fresh.write_bytes(msgspec.json.encode({key: sorted(known)}))
        fresh.replace(self._file)


async def deployment_of(node: Node, program: Pubkey) -> str:
    """A name of the program's present code: the slot of its deployment, or a hash where there is no such slot.

    Raises NotFound when there is no such program on this chain.
    """
    (account,) = (await node.accounts([program])).accounts
    if account is None:
        raise NotFound(f"there is no program {program} on this chain", hint="check the network of the endpoint")
    if account.owner != UPGRADEABLE_LOADER or len(account.data) < 36:
        return _digest(account)
    (code,) = (await node.accounts([Pubkey.from_bytes(account.data[4:36])])).accounts
    if code is None or len(code.data) < 12:
        return _digest(account)
    return f"slot-{int.from_bytes(code.data[4:12], 'little')}"


def _digest(account: ChainAccount) -> str:
    return f"hash-{hashlib.sha256(account.data).hexdigest()[:16]}"
