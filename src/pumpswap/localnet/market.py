"""MarketBots: pools with liquidity and bots that trade on them, so that there is something to watch.

Every trade is a signed transaction of a bot's own wallet through the real program; some fail on their price limit, as
in life. The same chain and the same seed give the same trades.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from pumpswap.amm import (
    BuyQuote,
    Existing,
    PoolState,
    Quote,
    buy_exact_base,
    buy_exact_quote,
    sell_exact_base,
    swap_instruction,
    swap_sequence,
)
from pumpswap.amm.addresses import SYSTEM_PROGRAM, TOKEN_2022_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.node import ChainAccount
from pumpswap.errors import TradeRefused, UsageError
from pumpswap.localnet.chain import LocalChain, SubmitReceipt
from pumpswap.localnet.market_tally import MarketTally
from pumpswap.localnet.pools import PoolSpec, create_pool, fund_tokens, pool_state, schedule_of

__all__ = ["MARKET_POOLS", "BotTrade", "MarketBots"]

# All without virtual reserves, and traded through v1: every build of the program prices them the same.
MARKET_POOLS = (
    PoolSpec("graduate"),
    PoolSpec(
        "graduate", base_units=41_380_000_000_000, quote_lamports=424_951_798_395, base_program=TOKEN_2022_PROGRAM
    ),
    PoolSpec("cashback", base_units=103_450_000_000_000, quote_lamports=169_980_719_358),
    PoolSpec("mayhem"),
    PoolSpec("permissionless", base_units=500_000_000_000_000, quote_lamports=40_000_000_000),
    PoolSpec("canonical usdc", quote_lamports=17_000_000_000),
)
_START_LAMPORTS = 1_000_000_000_000
_LOW_LAMPORTS = 100_000_000_000
_START_QUOTE_UNITS = 1_000_000_000_000
_UNIT_LIMIT = 400_000
_MIN_PARTS, _MAX_PARTS = 40, 4_000  # a trade is between a fortieth and a four-thousandth of the pool
_TIGHT_ONE_IN = 10
_MAX_SLIPPAGE_BPS = 1_000


@dataclass(frozen=True, slots=True)
class BotTrade:
    """What a bot did: the quote that it asked for, and what became of it."""

    pool: Pubkey
    wallet: Pubkey
    quote: Quote
    receipt: SubmitReceipt


class MarketBots:
    """Some pools, some wallets, and trades between them. It needs the programs on the chain (``load_programs``).

    ``trades_per_slot`` is the mean. Raises NotFound without the programs' settings.
    """

    def __init__(
        self,
        chain: LocalChain,
        rng: random.Random,
        *,
        specs: Sequence[PoolSpec] = MARKET_POOLS[:3],
        bots: int = 5,
        trades_per_slot: float = 1.0,
    ) -> None:
        if not specs or bots < 1 or trades_per_slot <= 0:
            raise UsageError("a market needs pools, bots and trades", hint="at least one of each")
        self.chain, self._rng = chain, rng
        self._trades_per_slot = trades_per_slot
        self.schedule = schedule_of(chain)
        self.pools = [create_pool(chain, spec, rng) for spec in specs]
        self._bots = [Keypair.from_seed(rng.randbytes(32)) for _ in range(bots)]
        self._sent = 0
        self.tally = MarketTally()
        self.created_unix = {state.address: chain.unix_time for state in self.pools}
        for bot in self._bots:
            self._outfit(bot)

    @property
    def wallets(self) -> tuple[Pubkey, ...]:
        return tuple(bot.pubkey() for bot in self._bots)

    def open(self, pools: int) -> list[PoolState]:
        """So many more pools, of the usual kinds in turn, on which the bots trade from now on."""
        count = len(self.pools)
        specs = [MARKET_POOLS[(count + number) % len(MARKET_POOLS)] for number in range(pools)]
        opened = [create_pool(self.chain, spec, self._rng) for spec in specs]
        self.pools += opened
        self.created_unix |= {state.address: self.chain.unix_time for state in opened}
        for bot in self._bots:
            self._outfit(bot)
        return opened

    def run(self, slots: int) -> list[BotTrade]:
        """Trade for some slots, the chain's next slot after each."""
        trades: list[BotTrade] = []
        for _ in range(slots):
            trades += self.step()
            self.chain.advance()
        return trades

    def step(self) -> list[BotTrade]:
        """Trades of the current slot."""
        whole, rest = divmod(self._trades_per_slot, 1)
        count = int(whole) + (self._rng.random() < rest)
        made = (self._one() for _ in range(count))
        return [trade for trade in made if trade is not None]

    def trade(self, pool: Pubkey, *, is_buy: bool, parts: int, slippage_bps: int = 500) -> BotTrade | None:
        """A random bot trades one ``parts``-th of a pool; None when it would be refused or the bot cannot pay."""
        old = next((state for state in self.pools if state.address == pool), None)
        if old is None:
            raise UsageError(f"{pool} is no pool of this market", hint="one of MarketBots.pools")
        bot, state = self._rng.choice(self._bots), pool_state(self.chain, old)
        quote = self._quote(bot, state, is_buy=is_buy, parts=parts)
        return self._send(bot, state, quote, quote.limit(slippage_bps)) if quote is not None else None

    def _one(self) -> BotTrade | None:
        rng = self._rng
        bot, old = rng.choice(self._bots), rng.choice(self.pools)
        self._top_up(bot)
        state = pool_state(self.chain, old)
        parts = int(_MIN_PARTS * (_MAX_PARTS / _MIN_PARTS) ** rng.random())
        quote = self._quote(bot, state, is_buy=rng.random() < 0.5, parts=parts)
        if quote is None:
            return None
        limit = quote.limit(rng.choice((50, 100, 300, _MAX_SLIPPAGE_BPS)))
        if rng.randrange(_TIGHT_ONE_IN) == 0:
            # One unit better than possible: the program refuses it, and the fee is gone.
            limit = quote.limit(0) - 1 if isinstance(quote, BuyQuote) else quote.limit(0) + 1
        return self._send(bot, state, quote, limit)

    def _quote(self, bot: Keypair, state: PoolState, *, is_buy: bool, parts: int) -> Quote | None:
        key, pool = bot.pubkey(), state.pool
        held = self._units(ata(key, pool.base_mint, state.base_token_program))
        try:
            if not is_buy and held > 0:
                return sell_exact_base(state, self.schedule, min(held, max(state.base_reserve // parts, 1)))
            offer = self._offer(state, parts)
        except TradeRefused:
            return None
        return offer if self._can_pay(bot, state, offer.limit(_MAX_SLIPPAGE_BPS)) else None

    def _send(self, bot: Keypair, state: PoolState, quote: Quote, limit: int) -> BotTrade:
        key = bot.pubkey()
        swap = swap_instruction(quote, state, self.schedule, user=key, limit=limit, generation=1)
        existing = Existing(
            user_base=self.chain.account(swap.accounts[5].pubkey) is not None,
            user_quote=self.chain.account(swap.accounts[6].pubkey) is not None,
            pool_account_len=state.pool.account_len,
        )
        self._sent += 1
        # The compute limit makes each transaction one of a kind, also when two bots' trades are the same.
        steps = [set_compute_unit_limit(_UNIT_LIMIT + self._sent % 1_000), set_compute_unit_price(self._price())]
        steps += swap_sequence(swap, state, key, existing)
        message = MessageV0.try_compile(key, steps, [], self.chain.blocks.newest.blockhash)
        receipt = self.chain.submit(bytes(VersionedTransaction(message, [bot])))
        if receipt.has_landed and receipt.err is None:
            self.tally.note(
                state.address,
                self.chain.unix_time,
                is_buy=isinstance(quote, BuyQuote),
                quote_units=quote.gross_quote,
                price_before=state.spot_price,
            )
        return BotTrade(state.address, key, quote, receipt)

    def _price(self) -> int:
        return self._rng.choice((0, 1_000, 10_000, 100_000))

    def _outfit(self, bot: Keypair) -> None:
        key = bot.pubkey()
        self.chain.set_account(ChainAccount(key, SYSTEM_PROGRAM, _START_LAMPORTS, b""))
        for state in self.pools:
            if state.pool.quote_mint != WSOL_MINT:
                fund_tokens(self.chain, key, state.pool.quote_mint, state.quote_token_program, _START_QUOTE_UNITS)

    def _top_up(self, bot: Keypair) -> None:
        account = self.chain.account(bot.pubkey())
        if account is None or account.lamports < _LOW_LAMPORTS:
            self.chain.airdrop(bot.pubkey(), _START_LAMPORTS)

    def _can_pay(self, bot: Keypair, state: PoolState, units: int) -> bool:
        if state.pool.quote_mint == WSOL_MINT:
            return True  # topped up
        return self._units(ata(bot.pubkey(), state.pool.quote_mint, state.quote_token_program)) >= units

    def _offer(self, state: PoolState, parts: int) -> BuyQuote:
        # In the exact-quote buy the limit is on what comes out: both buys are to be seen.
        if self._rng.random() < 0.5:
            return buy_exact_base(state, self.schedule, max(state.base_reserve // parts, 1))
        return buy_exact_quote(state, self.schedule, max(state.quote_vault // parts, 1))

    def _units(self, address: Pubkey) -> int:
        account = self.chain.account(address)
        return int.from_bytes(account.data[64:72], "little") if account is not None else 0
