"""Practice chains with PumpSwap's settings on them, for reading tests."""

from __future__ import annotations

import random
from collections.abc import Sequence

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_FEE_CONFIG, AMM_PROGRAM, FEES_PROGRAM, GLOBAL_CONFIG
from pumpswap.amm.schedules import current_schedule
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import PoolSpec, create_pool


def practice_chain(seed: int = 7) -> LocalChain:
    """A chain with today's GlobalConfig and FeeConfig, without programs: enough to read."""
    chain = LocalChain(seed=seed)
    schedule = current_schedule()
    config, fees = schedule.global_config.encode(), schedule.fee_config.encode()
    chain.set_account(ChainAccount(GLOBAL_CONFIG, AMM_PROGRAM, chain.rent(len(config)), config))
    chain.set_account(ChainAccount(AMM_FEE_CONFIG, FEES_PROGRAM, chain.rent(len(fees)), fees))
    return chain


def pools_of_all_kinds(chain: LocalChain, kinds: Sequence[str]) -> list[PoolState]:
    """One pool of each kind, settled: confirmed reads see it."""
    rng = random.Random(11)
    made = [
        create_pool(chain, PoolSpec(kind=kind, base_units=2 * 10**14 + number, quote_lamports=10**10 + number), rng)
        for number, kind in enumerate(kinds)
    ]
    chain.advance(3)
    return made


def signed(chain: LocalChain, payer: Keypair, *instructions: Instruction) -> bytes:
    """A v0 transaction on the newest block-hash."""
    blockhash: Hash = chain.blockhash().blockhash
    message = MessageV0.try_compile(payer.pubkey(), list(instructions), [], blockhash)
    return bytes(VersionedTransaction(message, [payer]))
