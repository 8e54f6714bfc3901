"""The generation of swap instructions: probed once per deployment by simulation, remembered, never paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.chain.generation import UPGRADEABLE_LOADER, GenerationProbe, Generations, deployment_of, generation_for
from pumpswap.chain.node import AccountsAt, ChainAccount, Node, Simulation
from pumpswap.errors import ChainError, NotFound, ProtocolDrift
from tests.support.market import graduate

PAYER = Pubkey.from_bytes(b"p" * 32)
CODE = Pubkey.from_bytes(b"c" * 32)
V2 = bytes.fromhex("c2ab1c46684d5b2f")


class Endpoint:
    """A program that knows some discriminators, as an endpoint shows it."""

    name = "practice"

    def __init__(self, *known: int, slot: int = 7) -> None:
        self.known = known
        self.slot = slot
        self.simulations = 0
        self.err: object | None = None

    async def genesis_hash(self) -> str:
        return "genesis"

    async def accounts(self, addresses: Sequence[Pubkey], **_: Any) -> AccountsAt:
        found = {
            AMM_PROGRAM: ChainAccount(AMM_PROGRAM, UPGRADEABLE_LOADER, 1, b"\2\0\0\0" + bytes(CODE), True),
            CODE: ChainAccount(CODE, UPGRADEABLE_LOADER, 1, b"\3\0\0\0" + self.slot.to_bytes(8, "little") + b"elf"),
        }
        return AccountsAt(9, tuple(found.get(address) for address in addresses))

    async def simulate(self, raw: bytes, **_: Any) -> Simulation:
        self.simulations += 1
        asked = VersionedTransaction.from_bytes(raw).message.instructions[-1]
        generation = 2 if bytes(asked.data)[:8] == V2 else 1
        code = 3005 if generation in self.known else 101
        return Simulation(9, self.err or {"InstructionError": [1, {"Custom": code}]}, (), 100)


def probe(endpoint: Endpoint, file: Path | None = None) -> GenerationProbe:
    return GenerationProbe(cast(Node, endpoint), PAYER, file=file)


@pytest.mark.parametrize("known", [(1,), (2,), (1, 2)])
def test_what_the_program_knows_is_found_by_its_answer_to_an_empty_instruction(known: tuple[int, ...]) -> None:
    endpoint = Endpoint(*known)
    asked = probe(endpoint)
    found = asyncio.run(asked.generations())
    assert found == Generations("slot-7", frozenset(known))
    assert asyncio.run(asked.generations()) is found
    assert endpoint.simulations == 2  # once for each generation, and never again


def test_a_program_that_knows_neither_is_drift() -> None:
    with pytest.raises(ProtocolDrift):
        asyncio.run(probe(Endpoint()).generations())


def test_an_answer_that_is_not_the_programs_proves_nothing() -> None:
    endpoint = Endpoint(1, 2)
    endpoint.err = "AccountNotFound"
    with pytest.raises(ChainError):
        asyncio.run(probe(endpoint).generations())


def test_the_file_spares_the_question_until_the_program_is_deployed_anew(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "generations.json"
    assert asyncio.run(probe(Endpoint(1), file).generations()).known == {1}
    again = Endpoint(1)
    assert asyncio.run(probe(again, file).generations()).known == {1}
    assert again.simulations == 0
    upgraded = Endpoint(1, 2, slot=8)
    assert asyncio.run(probe(upgraded, file).generations()).known == {1, 2}
    assert upgraded.simulations == 2


def test_a_damaged_file_is_asked_anew_and_repaired(tmp_path: Path) -> None:
    file = tmp_path / "generations.json"
    file.write_bytes(b"{")
    assert asyncio.run(probe(Endpoint(1, 2), file).generations()).known == {1, 2}
    assert b"slot-7" in file.read_bytes()


def test_a_contradiction_is_asked_about_again() -> None:
    endpoint = Endpoint(1, 2)
    asked = probe(endpoint)
    asyncio.run(asked.generations())
    endpoint.known = (1,)
    asked.forget()
    assert asyncio.run(asked.generations()).known == {1}


def test_a_chain_without_the_program_is_named() -> None:
    with pytest.raises(NotFound):
        asyncio.run(deployment_of(cast(Node, Endpoint()), Pubkey.from_bytes(b"x" * 32)))


@pytest.mark.parametrize(
    ("cashback", "known", "setting", "expected"),
    [
        (False, {1, 2}, "auto", 2),
        (False, {1}, "auto", 1),
        (True, {1, 2}, "auto", 1),
        (False, {1, 2}, "1", 1),
        (False, {1, 2}, "2", 2),
        (True, {1, 2}, "2", 1),
    ],
)
def test_v2_is_preferred_and_cashback_pools_take_v1(
    cashback: bool, known: set[int], setting: Any, expected: int
) -> None:
    state = graduate(is_cashback_coin=cashback)
    assert generation_for(state, Generations("slot-7", frozenset(known)), setting) == expected


@pytest.mark.parametrize(("cashback", "known", "setting"), [(True, {2}, "auto"), (False, {1}, "2"), (False, {2}, "1")])
def test_what_the_program_does_not_know_is_never_sent(cashback: bool, known: set[int], setting: Any) -> None:
    with pytest.raises(ProtocolDrift):
        generation_for(graduate(is_cashback_coin=cashback), Generations("slot-7", frozenset(known)), setting)
