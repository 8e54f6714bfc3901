"""Pools made on a practice chain by the real programs: graduates of the Pump program, and everybody's own."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import BondingCurve, Existing
from pumpswap.amm.addresses import (
    AMM_EVENT_AUTHORITY,
    AMM_PROGRAM,
    ASSOCIATED_TOKEN_PROGRAM,
    GLOBAL_CONFIG,
    PUMP_EVENT_AUTHORITY,
    PUMP_GLOBAL,
    PUMP_PROGRAM,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    WSOL_MINT,
    ata,
    bonding_curve,
    canonical_pool,
    lp_mint,
    pool_authority,
)
from pumpswap.amm.instructions.liquidity import NewPool
from pumpswap.amm.instructions.sequences import create_pool_sequence
from pumpswap.chain.node import ChainAccount
from pumpswap.localnet import token_bytes
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import fund_tokens
from pumpswap.localnet.programs import load_programs
from tests.chain.practice import signed
from tests.support.material import material

RENT_SYSVAR = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
MIGRATE = bytes.fromhex("9beae792ec9ea21e")
CURVE_TOKENS = 206_900_000_000_000
CURVE_LAMPORTS = 85_005_359_057
MIGRATED_LAMPORTS = 84_990_359_056  # without the migration fee (PROTOCOL 2.7)


@dataclass
class Founders:
    """A chain with the real programs and somebody who makes pools on it. ``made`` are their addresses, in order."""

    chain: LocalChain
    rng: random.Random
    user: Keypair
    made: list[Pubkey] = field(default_factory=list)
    graduates: set[Pubkey] = field(default_factory=set)

    @classmethod
    def on_new_chain(cls, seed: int = 3) -> Founders:
        folder = material("chain")
        assert folder is not None
        chain, rng = LocalChain(seed=seed), random.Random(seed)
        load_programs(chain, folder)
        user = Keypair.from_seed(rng.randbytes(32))
        for address in (user.pubkey(), migration_account(chain)):
            chain.set_account(ChainAccount(address, SYSTEM_PROGRAM, 10**15, b""))
        if chain.account(WSOL_MINT) is None:
            chain.set_account(ChainAccount(WSOL_MINT, TOKEN_PROGRAM, chain.rent(82), token_bytes.mint(0, 9)))
        chain.advance(3)
        return cls(chain, rng, user)

    def coin(self, program: Pubkey = TOKEN_PROGRAM) -> Pubkey:
        """A new coin."""
        mint = Pubkey.from_bytes(self.rng.randbytes(32))
        self.chain.set_account(ChainAccount(mint, program, self.chain.rent(82), token_bytes.mint(10**15, 6)))
        return mint

    def graduate(self, program: Pubkey = TOKEN_PROGRAM) -> Pubkey:
        """A coin with a finished curve, migrated by the Pump program; the address of its pool."""
        coin = self.coin(program)
        self.write_curve(coin, complete=True, program=program)
        self._send(migrate(coin, program, self.user.pubkey(), migration_account(self.chain)))
        return self._made(canonical_pool(coin), is_graduate=True)

    def write_curve(self, coin: Pubkey, *, complete: bool, program: Pubkey = TOKEN_PROGRAM) -> None:
        """A bonding curve with what it holds at the end."""
        creator = Pubkey.from_bytes(self.rng.randbytes(32))
        curve = BondingCurve(279_900_000_000_000, 115_005_359_057, 0, CURVE_LAMPORTS, 10**15, complete, creator)
        data, address = curve.encode(), bonding_curve(coin)
        lamports = self.chain.rent(len(data)) + CURVE_LAMPORTS
        self.chain.set_account(ChainAccount(address, PUMP_PROGRAM, lamports, data))
        fund_tokens(self.chain, address, coin, program, CURVE_TOKENS)

    def anybody(self, index: int = 0) -> Pubkey:
        """A pool of a new coin from a wallet; its address."""
        user, coin = self.user.pubkey(), self.coin()
        new = NewPool(
            index=index,
            creator=user,
            base_mint=coin,
            quote_mint=WSOL_MINT,
            base_token_program=TOKEN_PROGRAM,
            quote_token_program=TOKEN_PROGRAM,
        )
        fund_tokens(self.chain, user, coin, TOKEN_PROGRAM, 10**12)
        self._send(*create_pool_sequence(new, 10**12, 10**9, Existing(user_base=True)))
        return self._made(new.address, is_graduate=False)

    def _made(self, address: Pubkey, *, is_graduate: bool) -> Pubkey:
        self.made.append(address)
        if is_graduate:
            self.graduates.add(address)
        return address

    def _send(self, *instructions: Instruction) -> None:
        limit = set_compute_unit_limit(1_000_000 + self.rng.randrange(100_000))
        receipt = self.chain.submit(signed(self.chain, self.user, limit, *instructions))
        assert receipt.err is None, self.chain.transaction(receipt.signature)


def migration_account(chain: LocalChain) -> Pubkey:
    account = chain.account(PUMP_GLOBAL)
    assert account is not None
    return Pubkey.from_bytes(account.data[113:145])


def migrate(coin: Pubkey, program: Pubkey, user: Pubkey, authority: Pubkey) -> Instruction:
    """The Pump program's ``migrate``, with accounts as in recorded ones."""
    curve, pool, owner = bonding_curve(coin), canonical_pool(coin), pool_authority(coin)
    lp = lp_mint(pool)
    changed = {
        authority,
        curve,
        user,
        pool,
        owner,
        lp,
        *(ata(one, coin, program) for one in (curve, owner, pool)),
        *(ata(one, WSOL_MINT, TOKEN_PROGRAM) for one in (owner, pool)),
        ata(owner, lp, TOKEN_2022_PROGRAM),
    }
    keys = [
        PUMP_GLOBAL,
        authority,
        coin,
        curve,
        ata(curve, coin, program),
        user,
        SYSTEM_PROGRAM,
        TOKEN_PROGRAM,
        AMM_PROGRAM,
        pool,
        owner,
        ata(owner, coin, program),
        ata(owner, WSOL_MINT, TOKEN_PROGRAM),
        GLOBAL_CONFIG,
        WSOL_MINT,
        lp,
        ata(owner, lp, TOKEN_2022_PROGRAM),
        ata(pool, coin, program),
        ata(pool, WSOL_MINT, TOKEN_PROGRAM),
        TOKEN_2022_PROGRAM,
        ASSOCIATED_TOKEN_PROGRAM,
        AMM_EVENT_AUTHORITY,
        PUMP_EVENT_AUTHORITY,
        PUMP_PROGRAM,
        RENT_SYSVAR,
    ]
    return Instruction(PUMP_PROGRAM, MIGRATE, [AccountMeta(key, key == user, key in changed) for key in keys])
