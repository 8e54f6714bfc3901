"""The 147 recorded probes of the build: edge cases with the answer it gave, set up again and sent again."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM, ata
from pumpswap.localnet import token_bytes
from pumpswap.localnet.pool_kinds import PoolKind, QuoteKind
from tests.support.material import material
from tests.svm.chain import Chain, Failure, Receipt
from tests.svm.market import Market, Reserves, make_market, write_tokens
from tests.svm.raw_swap import buyback_tail, full_tail, pool_v2_tail, raw_swap, swap_data
from tests.svm.trade_accounts import Balances, TradeAccounts

USER_BASE, USER_QUOTE, USER_LAMPORTS = 2**60, 2**60, 10**12
COMPUTE_LIMIT = 400_000
STRANGER = Keypair.from_seed(b"a wallet that is on no list.....").pubkey()
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
_NOTHING = frozenset[str]()
_FIRST_BUY = frozenset({"accumulator"})


@dataclass(frozen=True)
class Setup:
    """What a probe's title says beyond its pool and arguments."""

    missing: frozenset[str] = _NOTHING
    recipient: int | str = 0  # a listed one by number, "unlisted", or "other list"
    buyback_index: int = 0
    user_base: int = USER_BASE
    user_quote: int = USER_QUOTE
    cashback: int = 0
    flags: int = 0
    base_account: str = "own"  # "none", "of another user", "of the user, not associated"
    pool_writable: bool = True
    transfer_fee_bps: int = 0


_TITLED = {
    "p036": Setup(buyback_index=7),
    "p045": Setup(missing=frozenset({"cashback"})),
    "p046": Setup(cashback=1233),
    "p047": Setup(missing=frozenset({"cashback", "accumulator"})),
    "p049": Setup(recipient="unlisted"),
    "p050": Setup(recipient=5),
    "p051": Setup(recipient="other list"),
    "p052": Setup(recipient="other list"),
    "p053": Setup(recipient=4),
    "p054": Setup(pool_writable=False),
    "p055": Setup(base_account="none"),
    "p056": Setup(base_account="of another user"),
    "p057": Setup(base_account="of the user, not associated"),
    "p058": Setup(missing=_FIRST_BUY | {"protocol"}),
    "p059": Setup(missing=frozenset({"protocol"})),
    "p060": Setup(missing=_FIRST_BUY | {"creator"}),
    "p061": Setup(missing=frozenset({"creator"})),
    "p062": Setup(missing=_FIRST_BUY | {"buyback"}),
    "p063": Setup(missing=frozenset({"buyback"})),
    "p064": Setup(missing=_FIRST_BUY),
    "p065": Setup(missing=_FIRST_BUY),
    "p076": Setup(user_quote=1_000),
    "p077": Setup(user_base=0),
    "p107": Setup(missing=_FIRST_BUY),
    "p145": Setup(transfer_fee_bps=100),
    "p146": Setup(transfer_fee_bps=100),
}


@cache
def recorded_probes() -> tuple[dict[str, Any], ...]:
    """All probes; empty when the material is not here."""
    path = material("protocol", "vectors", "svm_v1.json")
    if path is None:
        return ()
    vectors = json.loads(path.read_text())
    defaults = vectors["probe_pool_defaults"]
    return tuple({**probe, "pool": {**defaults, **probe["pool"]}} for probe in vectors["probes"])


def setup_of(probe: dict[str, Any]) -> Setup:
    if probe["group"] == "disable flags":
        return Setup(flags=int(probe["title"].rpartition(" ")[2]))
    if probe["group"] == "order of checks":
        flags = 24 if "disabled" in probe["title"] else 0
        return Setup(flags=flags, recipient="unlisted" if "wrong recipient" in probe["title"] else 0)
    return _TITLED.get(probe["id"], Setup())


def kind_of(pool: dict[str, Any]) -> PoolKind:
    return PoolKind(
        "probe",
        quote=QuoteKind.USDC if pool["quote_mint"] == USDC else QuoteKind.WSOL,
        canonical=pool["is_pump_pool"],
        coin_creator=pool["has_coin_creator"],
        mayhem=pool["is_mayhem_mode"],
        cashback=pool["is_cashback_coin"],
    )


class SwapProbe:
    """One probe of a swap, on the chain and ready to be sent."""

    def __init__(self, chain: Chain, probe: dict[str, Any]) -> None:
        rng = random.Random(probe["id"])
        self.chain, self.probe, self.setup = chain, probe, setup_of(probe)
        self.user = Keypair.from_seed(rng.randbytes(32))
        self.market = self._market(probe["pool"], rng)
        self.who = self._accounts()
        self._write_user()

    @property
    def arguments(self) -> tuple[int, int]:
        """Both amounts, from the arguments or from the recorded data."""
        if "args" in self.probe:
            first, second = map(int, self.probe["args"].values())
            return first, second
        data = bytes.fromhex(self.probe["data_hex"])
        return int.from_bytes(data[8:16], "little"), int.from_bytes(data[16:24], "little")

    def send(self) -> tuple[Receipt | Failure, Balances, Balances]:
        """(answer, balances before, balances after)."""
        state = self.market.state
        before = self.who.balances(self.chain, state)
        self.chain.disable(self.setup.flags)
        try:
            outcome = self.chain.send([set_compute_unit_limit(COMPUTE_LIMIT), self._instruction()], self.user)
        finally:
            self.chain.disable(0)
        return outcome, before, self.who.balances(self.chain, state)

    def _market(self, pool: dict[str, Any], rng: random.Random) -> Market:
        reserves = Reserves(*(int(pool[name]) for name in ("base_vault", "quote_vault", "base_supply", "lp_supply")))
        program = TOKEN_2022_PROGRAM if pool["base_token_program"] == "token-2022" else TOKEN_PROGRAM
        market = make_market(kind_of(pool), reserves, rng, base_program=program, account_len=pool["account_len"])
        market.write(self.chain)
        if self.setup.transfer_fee_bps:
            key, state = market.pool.base_mint, market.state
            mint = token_bytes.transfer_fee_mint(reserves.base_supply, 6, self.setup.transfer_fee_bps)
            self.chain.write(key, program, mint)
            vault = token_bytes.transfer_fee_account(key, state.address, reserves.base)
            self.chain.write(market.pool.pool_base_token_account, program, vault)
        return market

    def _accounts(self) -> TradeAccounts:
        config, state = self.chain.schedule().global_config, self.market.state
        mayhem, choice = state.pool.is_mayhem_mode, self.setup.recipient
        if choice == "unlisted":
            recipient = STRANGER
        elif choice == "other list":
            recipient = config.protocol_recipients(is_mayhem_mode=not mayhem)[0]
        else:
            recipient = config.protocol_recipients(is_mayhem_mode=mayhem)[int(choice)]
        wallet = config.buyback_fee_recipients[self.setup.buyback_index]
        who = TradeAccounts.of(state, self.user.pubkey(), recipient, wallet)
        if self.setup.base_account == "of another user":
            return who._replace(user_base=ata(STRANGER, state.pool.base_mint, state.base_token_program))
        if self.setup.base_account == "of the user, not associated":
            return who._replace(user_base=Pubkey.from_bytes(random.Random(2).randbytes(32)))
        return who

    def _write_user(self) -> None:
        chain, state, setup, who = self.chain, self.market.state, self.setup, self.who
        who.write_user(chain, state, base=setup.user_base, quote=setup.user_quote, lamports=USER_LAMPORTS)
        who.write_fee_accounts(chain, state, missing=setup.missing)
        if setup.cashback:
            write_tokens(
                chain, who.cashback, state.pool.quote_mint, who.accumulator, setup.cashback, state.quote_token_program
            )
        if setup.base_account == "none":
            chain.remove(who.user_base)
        elif setup.base_account == "of another user":
            write_tokens(chain, who.user_base, state.pool.base_mint, STRANGER, 0, state.base_token_program)
        if setup.transfer_fee_bps:
            account = token_bytes.transfer_fee_account(state.pool.base_mint, who.user, setup.user_base)
            chain.write(who.user_base, state.base_token_program, account)

    def _instruction(self) -> Instruction:
        name, probe = self.probe["ix"], self.probe
        data = bytes.fromhex(probe["data_hex"]) if "data_hex" in probe else swap_data(name, *self.arguments)
        if "track_volume true" in probe["title"]:
            data += b"\x01"
        built = raw_swap(name, data, self.market.state, self.who, self._tail())
        if self.setup.pool_writable:
            return built
        pool = AccountMeta(built.accounts[0].pubkey, False, False)
        return Instruction(built.program_id, built.data, [pool, *built.accounts[1:]])

    def _tail(self) -> Sequence[AccountMeta]:
        """The recorded description of the remaining accounts, as accounts."""
        state, who, name = self.market.state, self.who, self.probe["ix"]
        charges = state.pool.has_coin_creator
        own = buyback_tail(who.buyback_wallet, who.buyback)
        wallets = self.chain.schedule().global_config.buyback_fee_recipients
        other = buyback_tail(wallets[0], self._quote_account(wallets[1]))
        unlisted = buyback_tail(STRANGER, self._quote_account(STRANGER))
        tails: dict[str, Sequence[AccountMeta]] = {
            "full": full_tail(name, state, who, charges_creator=charges),
            "none": [],
            "buyback_only": own,
            "buyback": own,
            "pool_v2": pool_v2_tail(state.pool.base_mint),
            "pool_v2, buyback": [*pool_v2_tail(state.pool.base_mint), *own],
            "buyback, pool_v2": [*own, *pool_v2_tail(state.pool.base_mint)],
            "wrong pool_v2, buyback": [*pool_v2_tail(STRANGER), *own],
            "pool_v2, unlisted wallet and its ATA": [*pool_v2_tail(state.pool.base_mint), *unlisted],
            "pool_v2, wallet 0, ATA of wallet 1": [*pool_v2_tail(state.pool.base_mint), *other],
            "pool_v2, buyback with read-only ATA": [
                *pool_v2_tail(state.pool.base_mint),
                *buyback_tail(who.buyback_wallet, who.buyback, writable=False),
            ],
            "pool_v2, buyback, extra": [*pool_v2_tail(state.pool.base_mint), *own, AccountMeta(STRANGER, False, False)],
        }
        return tails[self.probe["tail"]]

    def _quote_account(self, owner: Pubkey) -> Pubkey:
        state = self.market.state
        address = ata(owner, state.pool.quote_mint, state.quote_token_program)
        write_tokens(self.chain, address, state.pool.quote_mint, owner, 0, state.quote_token_program)
        return address
