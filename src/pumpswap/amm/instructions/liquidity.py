"""``create_pool``, ``deposit``, ``withdraw``, ``extend_account`` (PROTOCOL 3.7)."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import (
    ASSOCIATED_TOKEN_PROGRAM,
    GLOBAL_CONFIG,
    SYSTEM_PROGRAM,
    TOKEN_2022_PROGRAM,
    TOKEN_PROGRAM,
    ata,
    lp_mint,
    pool_address,
)
from pumpswap.amm.codec import ZERO_KEY, Record
from pumpswap.amm.instructions.metas import READ, SIGN, WRITE, WRITE_SIGN, amm_instruction, u64
from pumpswap.amm.state import PoolState

__all__ = ["LiquidityAccounts", "NewPool", "create_pool", "create_pool_data", "deposit", "extend_account", "withdraw"]

CREATE_POOL = "e992d18ecf6840bc"


class LiquidityAccounts(Record, frozen=True):
    """The provider and its three token accounts; ``user_lp`` is the associated Token-2022 account of the LP mint."""

    user: Pubkey
    user_base: Pubkey
    user_quote: Pubkey
    user_lp: Pubkey

    @classmethod
    def associated(cls, state: PoolState, user: Pubkey) -> LiquidityAccounts:
        """The user's associated accounts."""
        pool = state.pool
        base = ata(user, pool.base_mint, state.base_token_program)
        quote = ata(user, pool.quote_mint, state.quote_token_program)
        return cls(user, base, quote, ata(user, pool.lp_mint, TOKEN_2022_PROGRAM))


class NewPool(Record, frozen=True):
    """A pool to create. For a pool of one's own only the first six fields matter: creator settings on a permissionless
    pool are refused (6028).
    """

    index: int
    creator: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    base_token_program: Pubkey = TOKEN_PROGRAM
    quote_token_program: Pubkey = TOKEN_PROGRAM
    coin_creator: Pubkey = ZERO_KEY
    is_mayhem_mode: bool = False
    is_cashback_coin: bool | None = False
    creator_fee_bps: int | None = 0
    can_edit_creator_fee: bool | None = False
    is_holder_reward: bool | None = False

    @property
    def address(self) -> Pubkey:
        """Where the pool will be."""
        return pool_address(self.index, self.creator, self.base_mint, self.quote_mint)


def extend_account(account: Pubkey, user: Pubkey) -> Instruction:
    """Grows an account to the current layout at the user's cost; a second call does nothing."""
    return amm_instruction("ea66c2cb96483ee5", b"", ((account, WRITE), (user, WRITE_SIGN), (SYSTEM_PROGRAM, READ)))


def deposit(state: PoolState, who: LiquidityAccounts, lp_out: int, max_base: int, max_quote: int) -> Instruction:
    """Deposit for exactly ``lp_out`` LP units. A pool account shorter than today's needs extend_account first."""
    return _liquidity("f223c68952e1f2b6", u64(lp_out, max_base, max_quote), state, who)


def withdraw(state: PoolState, who: LiquidityAccounts, lp_in: int, min_base: int, min_quote: int) -> Instruction:
    """Withdrawal of exactly ``lp_in`` LP units; same remark as ``deposit``."""
    return _liquidity("b712469c946da122", u64(lp_in, min_base, min_quote), state, who)


def _liquidity(discriminator: str, arguments: bytes, state: PoolState, who: LiquidityAccounts) -> Instruction:
    pool = state.pool
    accounts = (
        (state.address, WRITE),
        (GLOBAL_CONFIG, READ),
        (who.user, SIGN),
        (pool.base_mint, READ),
        (pool.quote_mint, READ),
        (pool.lp_mint, WRITE),
        (who.user_base, WRITE),
        (who.user_quote, WRITE),
        (who.user_lp, WRITE),
        (pool.pool_base_token_account, WRITE),
        (pool.pool_quote_token_account, WRITE),
        (TOKEN_PROGRAM, READ),
        (TOKEN_2022_PROGRAM, READ),
    )
    return amm_instruction(discriminator, arguments, accounts)


def create_pool_data(new: NewPool, base_in: int, quote_in: int) -> bytes:
    """Arguments of ``create_pool``. The last four are plain bytes without an Option tag and may be left out from the
    end (None): OptionBool and OptionU64 are newtypes, pitfall 28.
    """
    data = new.index.to_bytes(2, "little") + u64(base_in, quote_in) + bytes(new.coin_creator)
    data += bytes([new.is_mayhem_mode])
    for value, size in (
        (new.is_cashback_coin, 1),
        (new.creator_fee_bps, 8),
        (new.can_edit_creator_fee, 1),
        (new.is_holder_reward, 1),
    ):
        if value is None:
            break
        data += int(value).to_bytes(size, "little")
    return data


def create_pool(
    new: NewPool, base_in: int, quote_in: int, *, user_base: Pubkey | None = None, user_quote: Pubkey | None = None
) -> Instruction:
    """Creates the pool; its two vaults (associated accounts of the pool) must exist already."""
    pool = new.address
    lp = lp_mint(pool)
    accounts = (
        (pool, WRITE),
        (GLOBAL_CONFIG, READ),
        (new.creator, WRITE_SIGN),
        (new.base_mint, READ),
        (new.quote_mint, READ),
        (lp, WRITE),
        (user_base or ata(new.creator, new.base_mint, new.base_token_program), WRITE),
        (user_quote or ata(new.creator, new.quote_mint, new.quote_token_program), WRITE),
        (ata(new.creator, lp, TOKEN_2022_PROGRAM), WRITE),
        (ata(pool, new.base_mint, new.base_token_program), WRITE),
        (ata(pool, new.quote_mint, new.quote_token_program), WRITE),
        (SYSTEM_PROGRAM, READ),
        (TOKEN_2022_PROGRAM, READ),
        (new.base_token_program, READ),
        (new.quote_token_program, READ),
        (ASSOCIATED_TOKEN_PROGRAM, READ),
    )
    return amm_instruction(CREATE_POOL, create_pool_data(new, base_in, quote_in), accounts)
