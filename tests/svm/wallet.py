"""A wallet that trades by whole sequences: it owns SOL, and makes and closes its token accounts as it goes."""

from __future__ import annotations

import random

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction

from pumpswap.amm import (
    Existing,
    Quote,
    buy_exact_base,
    buy_exact_quote,
    sell_exact_base,
    swap_instruction,
    swap_sequence,
)
from tests.svm.chain import SIGNATURE_FEE, Chain, Failure, Receipt
from tests.svm.market import Market, write_tokens
from tests.svm.trade_accounts import PLACES, TradeAccounts

LAMPORTS = 10**13
PACKET_LIMIT = 1_232
_PRIORITY_MICRO_LAMPORTS, _COMPUTE_LIMIT = 25_000, 400_000
NETWORK_FEE = SIGNATURE_FEE + _PRIORITY_MICRO_LAMPORTS * _COMPUTE_LIMIT // 1_000_000


class Wallet:
    """A fresh wallet in one pool. It holds SOL, and of a side that is not SOL what a trade would need."""

    def __init__(self, chain: Chain, market: Market, rng: random.Random) -> None:
        self.chain, self.market = chain, market
        self.user = Keypair.from_seed(rng.randbytes(32))
        self.schedule = chain.schedule()
        config, pool = self.schedule.global_config, market.pool
        recipient = config.protocol_recipients(is_mayhem_mode=pool.is_mayhem_mode)[0]
        self.who = TradeAccounts.of(market.state, self.key, recipient, config.buyback_fee_recipients[0])
        market.write(chain)
        chain.fund(self.key, LAMPORTS)
        self.who.write_fee_accounts(chain, market.state, missing=frozenset(PLACES))

    @property
    def key(self) -> Pubkey:
        return self.user.pubkey()

    def hold(self, side: str, units: int) -> None:
        """Gives the wallet a token account of a side that is not SOL."""
        state, pool = self.market.state, self.market.pool
        if side == "base":
            write_tokens(self.chain, self.who.user_base, pool.base_mint, self.key, units, state.base_token_program)
        else:
            write_tokens(self.chain, self.who.user_quote, pool.quote_mint, self.key, units, state.quote_token_program)

    def existing(self) -> Existing:
        return Existing(
            user_base=self.chain.account(self.who.user_base) is not None,
            user_quote=self.chain.account(self.who.user_quote) is not None,
            pool_account_len=self.market.pool.account_len,
        )

    def send(self, instructions: list[Instruction]) -> Receipt | Failure:
        limits = [set_compute_unit_limit(_COMPUTE_LIMIT), set_compute_unit_price(_PRIORITY_MICRO_LAMPORTS)]
        everything = [*limits, *instructions]
        blockhash = self.chain.svm.latest_blockhash()
        message = Message.new_with_blockhash(everything, self.key, blockhash)
        assert len(bytes(Transaction([self.user], message, blockhash))) <= PACKET_LIMIT
        return self.chain.send(everything, self.user)

    def swap(self, quote: Quote, *, slippage_bps: int = 100, keep_wsol: bool = False) -> Receipt | Failure:
        state = self.market.state
        limit = quote.limit(slippage_bps)
        swap = swap_instruction(quote, state, self.schedule, user=self.key, limit=limit, generation=1)
        return self.send(swap_sequence(swap, state, self.key, self.existing(), keep_wsol=keep_wsol))


def thousandth(name: str, market: Market, wallet: Wallet) -> Quote:
    """A quote over a thousandth of the pool."""
    state, schedule = market.state, wallet.schedule
    if name == "buy":
        return buy_exact_base(state, schedule, state.base_reserve // 1_000)
    if name == "buy_exact_quote_in":
        return buy_exact_quote(state, schedule, state.quote_vault // 1_000)
    return sell_exact_base(state, schedule, state.base_reserve // 1_000)
