"""Practice transactions: plain transfers where no program is needed, and one swap where it is."""

from __future__ import annotations

from pathlib import Path

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from pumpswap.amm import Existing, PoolState, Quote, swap_instruction, swap_sequence
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import pool_state, schedule_of
from tests.support.material import material

SOL = 1_000_000_000
FEE = 5_000
ALICE = Keypair.from_seed(b"a" * 32)
BOB = Keypair.from_seed(b"b" * 32).pubkey()


def signed(key: Keypair, instructions: list[Instruction], blockhash: Hash) -> bytes:
    return bytes(VersionedTransaction(MessageV0.try_compile(key.pubkey(), instructions, [], blockhash), [key]))


def payment(chain: LocalChain, lamports: int, *, to: Pubkey = BOB, blockhash: Hash | None = None) -> bytes:
    """Alice pays; the newest hash unless another one is named."""
    step = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=to, lamports=lamports))
    return signed(ALICE, [step], blockhash or chain.blocks.newest.blockhash)


def priced_payment(chain: LocalChain, lamports: int, price: int, *, units: int = 1_000) -> bytes:
    step = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=BOB, lamports=lamports))
    steps = [set_compute_unit_limit(units), set_compute_unit_price(price), step]
    return signed(ALICE, steps, chain.blocks.newest.blockhash)


def lamports_of(chain: LocalChain, address: Pubkey) -> int:
    account = chain.account(address)
    return account.lamports if account is not None else 0


def swap(chain: LocalChain, key: Keypair, state: PoolState, quote: Quote, limit: int) -> bytes:
    """A whole signed v1 swap of this wallet."""
    state = pool_state(chain, state)
    step = swap_instruction(quote, state, schedule_of(chain), user=key.pubkey(), limit=limit, generation=1)
    existing = Existing(
        user_base=chain.account(step.accounts[5].pubkey) is not None,
        user_quote=chain.account(step.accounts[6].pubkey) is not None,
        pool_account_len=state.pool.account_len,
    )
    steps = [set_compute_unit_limit(400_000), *swap_sequence(step, state, key.pubkey(), existing)]
    return signed(key, steps, chain.blocks.newest.blockhash)


def program_folder() -> Path:
    """Where the recorded programs are; tests that need them are skipped without."""
    folder = material("chain")
    assert folder is not None
    return folder
