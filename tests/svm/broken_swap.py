"""A valid swap of ours on a canonical pool, and ways to break exactly one thing in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, buy_exact_base, buy_exact_quote, sell_exact_base, swap_instruction
from pumpswap.localnet.pool_kinds import PoolKind
from tests.svm.chain import Chain, Failure, Receipt
from tests.svm.market import Reserves, make_market
from tests.svm.trade_accounts import TradeAccounts

GRADUATE = Reserves(base=206_900_000_000_000, quote=84_990_359_057, base_supply=10**15)
STRANGER = Keypair.from_seed(b"a wallet that has no part in it.").pubkey()
_COMPUTE_LIMIT = 400_000
_COMMON = (
    "pool", "user", "global_config", "base_mint", "quote_mint", "user_base_token_account", "user_quote_token_account",
    "pool_base_token_account", "pool_quote_token_account", "protocol_fee_recipient",
    "protocol_fee_recipient_token_account", "base_token_program", "quote_token_program", "system_program",
    "associated_token_program", "event_authority", "program", "coin_creator_vault_ata", "coin_creator_vault_authority",
)  # fmt: skip
_BUY_ONLY = ("global_volume_accumulator", "user_volume_accumulator")
_CLOSING = ("fee_config", "fee_program", "pool_v2", "buyback_wallet", "buyback_token_account")


class BrokenSwap:
    """Two pools of one kind, a trader of the first, and its swap instruction by our builder."""

    def __init__(self, chain: Chain, name: str, kind: PoolKind) -> None:
        rng = random.Random(f"{name} {kind.name}")
        self.chain, self.name = chain, name
        self.user = Keypair.from_seed(rng.randbytes(32))
        self.market, self.other = (make_market(kind, GRADUATE, rng) for _ in range(2))
        self.schedule = chain.schedule()
        config = self.schedule.global_config
        recipient = config.protocol_recipients(is_mayhem_mode=kind.mayhem)[0]
        for market in (self.other, self.market):
            market.write(chain)
            self.who = TradeAccounts.of(market.state, self.user.pubkey(), recipient, config.buyback_fee_recipients[0])
            self.who.write_user(chain, market.state, base=2**60, quote=2**60, lamports=10**12)
            self.who.write_fee_accounts(chain, market.state, missing=frozenset())
        self.right = self._build(self.market.state)
        self.of_other_pool = self._build(self.other.state)

    @property
    def roles(self) -> tuple[str, ...]:
        return _COMMON + (() if self.name == "sell" else _BUY_ONLY) + _CLOSING

    def account(self, role: str) -> Pubkey:
        return self.right.accounts[self.roles.index(role)].pubkey

    def replaced(self, role: str, key: Pubkey) -> list[AccountMeta]:
        """The accounts with another key in one role."""
        return self._changed(role, lambda meta: AccountMeta(key, meta.is_signer, meta.is_writable))

    def from_other_pool(self, role: str) -> list[AccountMeta]:
        """The accounts with one taken from the other pool's swap."""
        return self.replaced(role, self.of_other_pool.accounts[self.roles.index(role)].pubkey)

    def read_only(self, role: str) -> list[AccountMeta]:
        return self._changed(role, lambda meta: AccountMeta(meta.pubkey, meta.is_signer, False))

    def cut(self, count: int) -> list[AccountMeta]:
        """The accounts without the last ``count``."""
        return list(self.right.accounts[:-count])

    def send(self, accounts: Sequence[AccountMeta] | None = None) -> Receipt | Failure:
        chosen = self.right.accounts if accounts is None else accounts
        instruction = Instruction(self.right.program_id, self.right.data, list(chosen))
        return self.chain.send([set_compute_unit_limit(_COMPUTE_LIMIT), instruction], self.user)

    def _changed(self, role: str, change: Callable[[AccountMeta], AccountMeta]) -> list[AccountMeta]:
        at = self.roles.index(role)
        accounts = list(self.right.accounts)
        accounts[at] = change(accounts[at])
        return accounts

    def _build(self, state: PoolState) -> Instruction:
        quotes = {
            "buy": lambda: buy_exact_base(state, self.schedule, 10**9),
            "buy_exact_quote_in": lambda: buy_exact_quote(state, self.schedule, 10**6),
            "sell": lambda: sell_exact_base(state, self.schedule, 10**9),
        }
        quote = quotes[self.name]()
        return swap_instruction(
            quote, state, self.schedule, user=self.user.pubkey(), limit=quote.limit(100), generation=1
        )
