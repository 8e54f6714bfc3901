"""The accounts of one trader in one pool, and what is on them."""

from __future__ import annotations

from typing import NamedTuple

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, TokenAccount
from pumpswap.amm.addresses import (
    AMM_PROGRAM,
    WSOL_MINT,
    ata,
    creator_vault_ata,
    creator_vault_authority,
    user_volume_accumulator,
)
from tests.svm.chain import Chain
from tests.svm.market import units_of, write_tokens

ACCUMULATOR_LEN = 137
PLACES = ("protocol", "creator", "cashback", "buyback", "accumulator")  # what a v1 trade may create
_ACCUMULATOR_DISCRIMINATOR = bytes.fromhex("56ff700e66359afa")


class Balances(NamedTuple):
    """Token units by place. Places that do not exist hold 0; ``missing`` names those that can be created by a trade."""

    user_base: int
    user_quote: int
    base_vault: int
    quote_vault: int
    protocol: int
    creator: int
    cashback: int
    buyback: int
    user_lamports: int
    missing: frozenset[str]


class TradeAccounts(NamedTuple):
    """Addresses. ``creator`` is the creator vault's token account, ``cashback`` that of the user's accumulator."""

    user: Pubkey
    user_base: Pubkey
    user_quote: Pubkey
    recipient: Pubkey
    protocol: Pubkey
    creator: Pubkey
    accumulator: Pubkey
    cashback: Pubkey
    buyback_wallet: Pubkey
    buyback: Pubkey

    @classmethod
    def of(cls, state: PoolState, user: Pubkey, recipient: Pubkey, buyback_wallet: Pubkey) -> TradeAccounts:
        pool, program = state.pool, state.quote_token_program
        accumulator = user_volume_accumulator(user)
        return cls(
            user=user,
            user_base=ata(user, pool.base_mint, state.base_token_program),
            user_quote=ata(user, pool.quote_mint, program),
            recipient=recipient,
            protocol=ata(recipient, pool.quote_mint, program),
            creator=creator_vault_ata(pool.coin_creator, pool.quote_mint, program),
            accumulator=accumulator,
            cashback=ata(accumulator, pool.quote_mint, program),
            buyback_wallet=buyback_wallet,
            buyback=ata(buyback_wallet, pool.quote_mint, program),
        )

    def creatable(self) -> dict[str, Pubkey]:
        """What a v1 trade may create at the user's cost."""
        return {place: getattr(self, place) for place in PLACES}

    def write_user(self, chain: Chain, state: PoolState, *, base: int, quote: int, lamports: int) -> None:
        pool = state.pool
        chain.fund(self.user, lamports)
        write_tokens(chain, self.user_base, pool.base_mint, self.user, base, state.base_token_program)
        write_tokens(chain, self.user_quote, pool.quote_mint, self.user, quote, state.quote_token_program)

    def write_fee_accounts(self, chain: Chain, state: PoolState, *, missing: frozenset[str]) -> None:
        """Empty fee accounts, but for the ``missing`` ones, which are taken off the chain."""
        owners = {
            "protocol": self.recipient,
            "creator": creator_vault_authority(state.pool.coin_creator),
            "cashback": self.accumulator,
            "buyback": self.buyback_wallet,
        }
        for place, owner in owners.items():
            address = getattr(self, place)
            if place in missing:
                chain.remove(address)
            else:
                write_tokens(chain, address, state.pool.quote_mint, owner, 0, state.quote_token_program)
        if "accumulator" in missing:
            chain.remove(self.accumulator)
        else:
            data = _ACCUMULATOR_DISCRIMINATOR + bytes(self.user)
            chain.write(self.accumulator, AMM_PROGRAM, data.ljust(ACCUMULATOR_LEN, b"\0"))

    def balances(self, chain: Chain, state: PoolState) -> Balances:
        places = self.creatable()
        return Balances(
            user_base=units_of(chain, self.user_base),
            user_quote=units_of(chain, self.user_quote),
            base_vault=units_of(chain, state.pool.pool_base_token_account),
            quote_vault=units_of(chain, state.pool.pool_quote_token_account),
            protocol=units_of(chain, self.protocol),
            creator=units_of(chain, self.creator),
            cashback=units_of(chain, self.cashback),
            buyback=units_of(chain, self.buyback),
            user_lamports=chain.lamports(self.user),
            missing=frozenset(name for name, address in places.items() if chain.account(address) is None),
        )

    def lamports(self, chain: Chain, state: PoolState) -> int:
        """Lamports of everything that a trade can touch: only the network fee may leave this circle."""
        addresses = {
            self.user, self.user_base, self.user_quote, state.address, *self.creatable().values(),
            state.pool.pool_base_token_account, state.pool.pool_quote_token_account,
        }  # fmt: skip
        return sum(chain.lamports(address) for address in addresses)

    def unbacked(self, chain: Chain, state: PoolState) -> list[Pubkey]:
        """Wrapped-SOL accounts whose lamports are not rent reserve + amount. There must be none, ever."""
        pool = state.pool
        fees = (self.protocol, self.creator, self.cashback, self.buyback)
        base_side = (self.user_base, pool.pool_base_token_account) if pool.base_mint == WSOL_MINT else ()
        quote_side = (self.user_quote, pool.pool_quote_token_account, *fees) if pool.quote_mint == WSOL_MINT else ()
        return [address for address in (*base_side, *quote_side) if not _is_backed(chain, address)]


def _is_backed(chain: Chain, address: Pubkey) -> bool:
    account = chain.account(address)
    if account is None:
        return True
    held = TokenAccount.decode(bytes(account.data))
    return held.is_native is not None and account.lamports == held.is_native + held.amount
