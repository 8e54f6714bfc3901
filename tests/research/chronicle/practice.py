"""A practice chain with every kind of pool, on which bots trade and a provider adds, takes and extends."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM
from pumpswap.amm.instructions.liquidity import LiquidityAccounts, deposit, extend_account, withdraw
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet import token_bytes
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.market import MarketBots
from pumpswap.localnet.pool_kinds import KINDS, PoolKind, allowed_account_lengths
from pumpswap.localnet.pools import PoolSpec, fund_tokens, pool_state
from pumpswap.localnet.programs import load_programs
from pumpswap.units import U64_MAX
from tests.support.material import material

__all__ = ["Practice", "practised"]

_PLENTY = 2**60
_LAMPORTS = 10**12
_ENOUGH_LEN = 245  # shorter accounts take no liquidity in this build


@dataclass
class Practice:
    """The chain, its pools, and what their accounts held at the end of every slot."""

    chain: LocalChain
    bots: MarketBots
    provider: Keypair
    truth: dict[str, dict[int, PoolState]] = field(default_factory=dict)
    liquidity: int = 0  # deposits, withdrawals and extensions that the program took

    def now(self) -> list[PoolState]:
        return [pool_state(self.chain, state) for state in self.bots.pools]

    def note(self) -> None:
        """Remember the states at the end of the current slot."""
        for state in self.now():
            self.truth.setdefault(str(state.address), {})[state.slot] = state

    def provide(self, rng: random.Random) -> None:
        """One deposit, withdrawal or extension, of whatever size; some are refused."""
        state = pool_state(self.chain, rng.choice(self.bots.pools))
        who = LiquidityAccounts.associated(state, self.provider.pubkey())
        units = max(int(state.pool.lp_supply * 10 ** rng.uniform(-6, -1)), 1)
        kind = rng.randrange(5)
        if kind < 2:
            self._send(deposit(state, who, units, U64_MAX, U64_MAX))
        elif kind < 4:
            self._send(withdraw(state, who, units, 0, 0))
        else:
            self._send(extend_account(state.address, self.provider.pubkey()))

    def _send(self, instruction: Instruction) -> None:
        key = self.provider.pubkey()
        message = MessageV0.try_compile(key, [instruction], [], self.chain.blocks.newest.blockhash)
        receipt = self.chain.submit(bytes(VersionedTransaction(message, [self.provider])))
        self.liquidity += receipt.has_landed and receipt.err is None


def practised(slots: int, seed: int) -> Practice:
    folder = material("chain")
    assert folder is not None
    rng = random.Random(seed)
    chain = LocalChain(seed=seed)
    load_programs(chain, folder)
    specs = [PoolSpec(kind.name, account_len=rng.choice(_long_enough(kind))) for kind in KINDS]
    bots = MarketBots(chain, rng, specs=specs, trades_per_slot=4)
    made = Practice(chain, bots, Keypair.from_seed(rng.randbytes(32)))
    _outfit(made)
    chain.advance(40)
    made.note()
    for _ in range(slots):
        bots.step()
        made.provide(rng)
        made.note()
        chain.advance()
    chain.advance(2)
    return made


def _long_enough(kind: PoolKind) -> list[int]:
    return [length for length in allowed_account_lengths(kind) if length >= _ENOUGH_LEN]


def _outfit(made: Practice) -> None:
    """Everything that a provider needs, and LP mints whose supply is the pools' own."""
    chain, key = made.chain, made.provider.pubkey()
    chain.set_account(ChainAccount(key, SYSTEM_PROGRAM, _LAMPORTS, b""))
    for state in made.bots.pools:
        pool: Pubkey = state.pool.lp_mint
        mint = token_bytes.mint(state.pool.lp_supply + _PLENTY, 9, authority=state.address)
        chain.set_account(ChainAccount(pool, TOKEN_2022_PROGRAM, _LAMPORTS, mint))
        fund_tokens(chain, key, pool, TOKEN_2022_PROGRAM, _PLENTY)
        fund_tokens(chain, key, state.pool.base_mint, state.base_token_program, _PLENTY)
        fund_tokens(chain, key, state.pool.quote_mint, state.quote_token_program, _PLENTY)
