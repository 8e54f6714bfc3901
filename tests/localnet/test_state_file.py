"""A chain in a file: everything comes back, and a damaged file is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pumpswap.amm import buy_exact_quote
from pumpswap.amm.addresses import AMM_PROGRAM, SYSTEM_PROGRAM
from pumpswap.chain.node import ChainAccount, Commitment
from pumpswap.errors import BadInput, NotFound
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.localnet.pools import PoolSpec, create_pool, pool_state, schedule_of, wallet
from pumpswap.localnet.programs import load_programs
from tests.localnet.practice import ALICE, BOB, SOL, lamports_of, payment, program_folder, swap
from tests.support.material import requires_material


def busy_chain() -> LocalChain:
    chain = LocalChain(seed=9, confirm_after=2, slot_ms=500)
    chain.set_lamports_per_byte(700)
    chain.set_account(ChainAccount(ALICE.pubkey(), SYSTEM_PROGRAM, 100 * SOL, b""))
    for lamports in (SOL, 500 * SOL, 2 * SOL):
        chain.submit(payment(chain, lamports))
        chain.advance()
    chain.skip(2)
    chain.airdrop(BOB, SOL)
    chain.submit_at(payment(chain, 3 * SOL), chain.block_height + 2)
    return chain


def test_everything_comes_back(tmp_path: Path) -> None:
    chain = busy_chain()
    chain.save(tmp_path / "chain")
    again = LocalChain.load(tmp_path / "chain")
    assert list(again.log) == list(chain.log)
    assert again.blocks.all == chain.blocks.all
    assert again.journal.all == chain.journal.all
    assert again.genesis_hash == chain.genesis_hash
    assert (again.slot, again.block_height, again.unix_time) == (chain.slot, chain.block_height, chain.unix_time)
    assert again.svm.get_clock() == chain.svm.get_clock()
    assert again.rent(165) == chain.rent(165)
    assert {key: again.account(key) for key in chain.known} == {key: chain.account(key) for key in chain.known}
    assert again.account_at(BOB, chain.start_slot) == chain.account_at(BOB, chain.start_slot)
    assert again.account_at(BOB, chain.start_slot) != again.account(BOB)


def test_both_go_on_alike(tmp_path: Path) -> None:
    chain = busy_chain()
    chain.save(tmp_path / "chain")
    again = LocalChain.load(tmp_path / "chain")
    for one in (chain, again):
        one.advance(3)  # the delayed payment lands
        one.airdrop(BOB, SOL)
        one.roll_back(1)
        one.advance()
        one.airdrop(BOB, SOL)
    assert lamports_of(again, BOB) == lamports_of(chain, BOB) == 8 * SOL
    assert [one.signature for one in again.history(BOB)] == [one.signature for one in chain.history(BOB)]
    assert again.blocks.all == chain.blocks.all


def test_a_saved_chain_has_the_same_bytes_twice(tmp_path: Path) -> None:
    chain = busy_chain()
    chain.save(tmp_path / "one")
    LocalChain.load(tmp_path / "one").save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert not list(tmp_path.glob("*.draft"))


@requires_material("chain", "programs")
def test_programs_and_pools_work_after_loading(tmp_path: Path) -> None:
    import random

    chain = LocalChain()
    load_programs(chain, program_folder())
    state, key = create_pool(chain, PoolSpec(), random.Random(1)), wallet(chain, 10 * SOL)
    chain.save(tmp_path / "chain")
    again = LocalChain.load(tmp_path / "chain")
    quote = buy_exact_quote(state, schedule_of(again), SOL)
    receipt = again.submit(swap(again, key, state, quote, quote.limit(0)))
    assert receipt.err is None
    assert pool_state(again, state) == state.after(quote)
    assert again.programs[AMM_PROGRAM] == chain.programs[AMM_PROGRAM]
    node = LocalNode(again)
    again.advance()
    assert asyncio.run(node.transaction(receipt.signature, Commitment.CONFIRMED)) is not None


@pytest.mark.parametrize("damage", ["cut", "flipped", "other", "empty"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "chain"
    busy_chain().save(path)
    whole = path.read_bytes()
    broken = {
        "cut": whole[:-20],
        "flipped": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "other": b"pumpswap local chain 0\n" + whole[23:],
        "empty": b"",
    }
    path.write_bytes(broken[damage])
    with pytest.raises(BadInput, match=r"damaged|no saved chain") as refused:
        LocalChain.load(path)
    assert refused.value.hint


def test_a_missing_file_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no saved chain"):
        LocalChain.load(tmp_path / "none")
    with pytest.raises(BadInput, match="cannot be written"):
        LocalChain().save(tmp_path / "none" / "chain")
