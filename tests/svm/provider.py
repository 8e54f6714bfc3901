"""A liquidity provider: LP mint, three token accounts, and what is on them."""

from __future__ import annotations

from typing import NamedTuple

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM
from pumpswap.amm.instructions.liquidity import LiquidityAccounts
from pumpswap.localnet import token_bytes
from tests.svm.chain import Chain
from tests.svm.market import supply_of, units_of, write_tokens

LP_DECIMALS = 9


class Holdings(NamedTuple):
    """Token units by place, and the LP mint's supply."""

    user_base: int
    user_quote: int
    user_lp: int
    base_vault: int
    quote_vault: int
    lp_mint_supply: int
    user_lamports: int


class Provider:
    """One provider in one pool."""

    def __init__(self, chain: Chain, state: PoolState, user: Keypair) -> None:
        self.chain, self.state, self.user = chain, state, user
        self.accounts = LiquidityAccounts.associated(state, user.pubkey())

    @property
    def key(self) -> Pubkey:
        return self.user.pubkey()

    def write(self, *, base: int, quote: int, lp: int, lamports: int) -> None:
        """Full pockets, and an LP mint whose supply is the pool's; the pool itself is its authority."""
        chain, state, pool, own = self.chain, self.state, self.state.pool, self.accounts
        chain.fund(self.key, lamports)
        write_tokens(chain, own.user_base, pool.base_mint, self.key, base, state.base_token_program)
        write_tokens(chain, own.user_quote, pool.quote_mint, self.key, quote, state.quote_token_program)
        write_tokens(chain, own.user_lp, pool.lp_mint, self.key, lp, TOKEN_2022_PROGRAM)
        mint = token_bytes.mint(max(pool.lp_supply, lp), LP_DECIMALS, authority=state.address)
        chain.write(pool.lp_mint, TOKEN_2022_PROGRAM, mint)

    def holdings(self) -> Holdings:
        chain, pool, own = self.chain, self.state.pool, self.accounts
        return Holdings(
            user_base=units_of(chain, own.user_base),
            user_quote=units_of(chain, own.user_quote),
            user_lp=units_of(chain, own.user_lp),
            base_vault=units_of(chain, pool.pool_base_token_account),
            quote_vault=units_of(chain, pool.pool_quote_token_account),
            lp_mint_supply=supply_of(chain, pool.lp_mint),
            user_lamports=chain.lamports(self.key),
        )
