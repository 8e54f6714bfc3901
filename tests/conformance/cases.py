"""Random pools and amounts from a seed: heavy-tailed, every pool kind, edges included.

Nothing here uses the package under test: accounts are packed by the layout table, addresses come from the SDK.
"""

from __future__ import annotations

import base64
import math
import struct
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from solders.pubkey import Pubkey

from tests.conformance.node import Oracle

__all__ = ["EXACT_SLIPPAGES", "U64_MAX", "Cases", "PoolCase"]

U64_MAX = 2**64 - 1
# Percentages whose factor the SDK's float arithmetic represents exactly, in both directions (4.6).
EXACT_SLIPPAGES = (0, 1, 2, 5, 10, 15, 25, 50, 99, 100)

ZERO_KEY = "11111111111111111111111111111111"
WSOL = "So11111111111111111111111111111111111111112"
NATIVE_2022 = "9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXejP"
USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
TOTAL_SUPPLY = 10**15
# Market caps at which the schedule changes: SOL tiers in lamports, stable tiers in micro-USDC.
THRESHOLDS = {
    WSOL: [420_000_000_000, 1_470_000_000_000, 4_420_000_000_000, 29_470_000_000_000, 98_240_000_000_000],
    USDC: [59_000_000_000, 300_000_000_000, 900_000_000_000, 20_000_000_000_000],
}
POOL_LENGTHS = (211, 243, 244, 245, 261, 270, 271, 287, 300, 301)
_POOL = struct.Struct("<8sBH32s32s32s32s32s32sQ32s??16sQ??QQ")


@dataclass(frozen=True)
class PoolCase:
    """A pool as both sides will see it: ``fields`` are the Pool account's, by IDL name."""

    fields: dict[str, Any]
    address: str
    base_reserve: int
    quote_vault: int
    supply: int
    base_token_program: str
    quote_token_program: str
    global_config: str
    fee_config: str
    account_len: int

    @property
    def fees_owed(self) -> int:
        return int(self.fields["protocol_fees"] + self.fields["creator_fees"])

    @property
    def effective(self) -> int:
        return int(self.quote_vault + self.fields["virtual_quote_reserves"])

    @property
    def real(self) -> int:
        return self.quote_vault - self.fees_owed

    def account(self) -> bytes:
        """Bytes of the Pool account, ``account_len`` long."""
        f = self.fields
        keys = [bytes(Pubkey.from_string(f[name])) for name in _KEYS]
        raw = _POOL.pack(
            bytes.fromhex("f19a6d0411b16dbc"), f["pool_bump"], f["index"], *keys[:6], f["lp_supply"], keys[6],
            f["is_mayhem_mode"], f["is_cashback_coin"], f["virtual_quote_reserves"].to_bytes(16, "little", signed=True),
            f["creator_fee_bps"], f["can_edit_creator_fee"], f["is_holder_reward"], f["protocol_fees"],
            f["creator_fees"],
        )  # fmt: skip
        assert not any(raw[self.account_len :]), "this length cannot hold these fields"
        return raw[: self.account_len].ljust(self.account_len, b"\0")

    def sdk_input(self, slippage: int, **amount: int) -> dict[str, Any]:
        """Input of the SDK's quote functions.

        SDK 1.20.0 is older than the fee buckets: it takes the vault for real liquidity. What it means by its two
        arguments is the real reserve and what is virtual beyond it, so that is what it gets; E is the same.
        """
        f = self.fields
        return {
            **{name: str(value) for name, value in amount.items()},
            "slippage": slippage,
            "base_reserve": str(self.base_reserve),
            "quote_reserve": str(self.real),
            "virtual_quote_reserves": str(self.effective - self.real),
            "base_mint_supply": str(self.supply),
            **{name: f[name] for name in ("base_mint", "creator", "coin_creator", "quote_mint", "is_mayhem_mode")},
            "creator_fee_bps": str(f["creator_fee_bps"]),
            "global_config": self.global_config,
            "fee_config": self.fee_config,
        }

    def described(self) -> dict[str, Any]:
        """Everything needed to repeat a case."""
        return {
            "account": base64.b64encode(self.account()).decode(), "address": self.address,
            "base_reserve": self.base_reserve, "quote_vault": self.quote_vault, "supply": self.supply,
            "base_token_program": self.base_token_program, "quote_token_program": self.quote_token_program,
            "global_config": self.global_config, "fee_config": self.fee_config,
            "fields": self.fields,
        }  # fmt: skip


_KEYS = (
    "creator", "base_mint", "quote_mint", "lp_mint", "pool_base_token_account", "pool_quote_token_account",
    "coin_creator",
)  # fmt: skip


class Cases:
    """A stream of random cases. The same seed gives the same stream."""

    def __init__(self, random: Random, oracle: Oracle) -> None:
        self.random = random
        self._oracle = oracle

    def chance(self, share: float) -> bool:
        """True in this share of the calls."""
        return self.random.random() < share

    def key(self) -> str:
        """A random address (not necessarily on the curve: nothing here signs)."""
        return str(Pubkey.from_bytes(self.random.randbytes(32)))

    def spread(self, low: int, high: int) -> int:
        """Log-uniform between two bounds: every order of magnitude is equally likely."""
        if high <= low:
            return low
        return min(max(int(math.exp(self.random.uniform(math.log(max(low, 1)), math.log(high)))), low), high)

    def address(self, name: str, **args: Any) -> str:
        """A derived address, from the SDK."""
        return str(self._oracle.ask("address", name=name, args=args))

    def pool(self, *, tradable: bool = False) -> PoolCase:
        """A random pool; ``tradable`` leaves out the empty ones."""
        rng = self.random
        mint, base_program = self.key(), rng.choice([TOKEN, TOKEN_2022])
        quote_mint, quote_program = self._quote_side()
        canonical = self.chance(0.8)
        if not canonical and quote_mint != WSOL and self.chance(0.2):
            mint, base_program = WSOL, TOKEN  # the inverse pools of the permissionless world
        creator = self.address("pump_pool_authority", mint=mint) if canonical else self.key()
        index = 0 if canonical else rng.choice([0, 1, 2, 255, 65535])
        pool = self.address("pool", index=index, creator=creator, base_mint=mint, quote_mint=quote_mint)
        mayhem = self.chance(0.12)
        fields = {
            "pool_bump": rng.randrange(256),
            "index": index,
            "creator": creator,
            "base_mint": mint,
            "quote_mint": quote_mint,
            "lp_mint": self.address("lp_mint", pool=pool),
            "pool_base_token_account": self.address("ata", mint=mint, owner=pool, token_program=base_program),
            "pool_quote_token_account": self.address("ata", mint=quote_mint, owner=pool, token_program=quote_program),
            "lp_supply": 100,
            # A permissionless pool cannot have a coin creator, yet both sides must treat such bytes alike.
            "coin_creator": self.key() if self.chance(0.8 if canonical else 0.15) else ZERO_KEY,
            "is_mayhem_mode": mayhem,
            "is_cashback_coin": not mayhem and self.chance(0.15),
            "virtual_quote_reserves": 0,
            "creator_fee_bps": self._creator_fee(),
            "can_edit_creator_fee": False,
            "is_holder_reward": self.chance(0.1),
            "protocol_fees": 0,
            "creator_fees": 0,
        }
        base, vault, supply = self._reserves(quote_mint)
        fields["lp_supply"] = (
            self.spread(100, 10**15) if self.chance(0.2) else min(100 + math.isqrt(base * vault), U64_MAX)
        )
        case = PoolCase(
            fields, pool, base, vault, supply, base_program, quote_program,
            "off" if self.chance(0.1) else "on", "sep2026" if self.chance(0.1) else "oct2026", 301,
        )  # fmt: skip
        case = self._with_virtual(case)
        case = self._at_threshold(case) if self.chance(0.1) else case
        if not tradable and self.chance(0.03):
            case = rng.choice([replace(case, base_reserve=0), self._drained(case), self._worthless(case)])
        return replace(case, account_len=self._account_len(case))

    def _quote_side(self) -> tuple[str, str]:
        pick = self.random.random()
        if pick < 0.6:
            return WSOL, TOKEN
        if pick < 0.75:
            return USDC, TOKEN
        if pick < 0.8:
            return NATIVE_2022, TOKEN_2022
        return self.key(), self.random.choice([TOKEN, TOKEN_2022])

    def _creator_fee(self) -> int:
        if self.chance(0.8):
            return 0
        return self.spread(301, 12_000) if self.chance(0.05) else self.random.randint(1, 300)

    def _reserves(self, quote_mint: str) -> tuple[int, int, int]:
        rng, pick = self.random, self.random.random()
        supply = TOTAL_SUPPLY if self.chance(0.5) else self.spread(1, 10**17)
        if pick < 0.5:  # somewhere after a graduation
            unit = 85 * 10**9 if quote_mint == WSOL else 12 * 10**9
            factor = math.exp(rng.gauss(0, 2))
            return max(int(206_900_000_000_000 / factor), 1), max(int(unit * factor), 1), supply
        if pick < 0.7:  # dust pools
            return self.spread(1, 10**5), self.spread(1, 10**5), self.spread(1, 10**7)
        if pick < 0.75:  # the largest figures that fit
            return self.spread(2**55, U64_MAX), self.spread(2**55, 2**61), self.spread(1, U64_MAX)
        return self.spread(1, 2**60), self.spread(1, 2**58), supply

    def _with_virtual(self, case: PoolCase) -> PoolCase:
        """Boosted pools (V > 0), fee buckets (V < 0), both, neither."""
        boost = 0
        if self.chance(0.35):
            share = 0.2069 if self.chance(0.5) else self.random.random() * 3
            boost = int(case.quote_vault * share)
        fields = dict(case.fields)
        if self.chance(0.3):
            owed = self.spread(1, case.quote_vault) if self.chance(0.5) else case.quote_vault // 1000
            part = self.random.randint(0, owed)
            fields |= {"protocol_fees": part, "creator_fees": owed - part}
            boost -= owed
        elif self.chance(0.1):
            boost = -self.random.randint(
                0, case.quote_vault - 1
            )  # not a state of the chain; signed arithmetic all the same
        fields["virtual_quote_reserves"] = boost
        return replace(case, fields=fields)

    def _at_threshold(self, case: PoolCase) -> PoolCase:
        """Base supply such that the market cap lies on, or one step beside, a tier's threshold."""
        thresholds = THRESHOLDS.get(case.fields["quote_mint"])
        if not thresholds or case.effective <= 0:
            return case
        exact = -(-self.random.choice(thresholds) * case.base_reserve // case.effective)
        return replace(case, supply=min(max(exact + self.random.choice([-1, 0, 0, 1]), 1), U64_MAX))

    def _drained(self, case: PoolCase) -> PoolCase:
        """A boosted pool whose real quote is gone."""
        fields = dict(case.fields, virtual_quote_reserves=self.spread(1, 10**12) - case.fees_owed)
        return replace(case, quote_vault=case.fees_owed, fields=fields)

    def _worthless(self, case: PoolCase) -> PoolCase:
        """E = 0."""
        return replace(case, fields=dict(case.fields, virtual_quote_reserves=-case.quote_vault))

    def _account_len(self, case: PoolCase) -> int:
        """A historic length that can hold the fields."""
        full = replace(case, account_len=301).account()
        used = len(full.rstrip(b"\0"))
        return self.random.choice([length for length in POOL_LENGTHS if length >= used])

    def amount(self, function: str, case: PoolCase) -> int:
        """A request that suits an SDK quote function, sometimes impossible."""
        base, reserve = max(case.base_reserve, 1), max(case.effective, 1)
        whole, edges = {
            "buyBaseInput": (base, [base - 1, base, base + 1]),
            "buyQuoteInput": (reserve * 20, [reserve, U64_MAX]),
            "sellBaseInput": (base * 20, [base, U64_MAX]),
            "sellQuoteInput": (reserve, [case.real - 1, case.real, case.real + 1, reserve - 1]),
        }[function]
        pick = self.random.random()
        if pick < 0.12:
            amount = self.random.randint(0, 40)
        elif pick < 0.2:
            amount = self.random.choice(edges)
        elif pick < 0.45:
            amount = self.random.randint(1, whole)
        else:
            amount = self.spread(1, whole)
        return min(max(amount, 0), U64_MAX)

    def usual_amount(self, function: str, case: PoolCase) -> int:
        """A request that should succeed: for building instructions."""
        share = self.spread(10**3, 10**8) / 10**9
        reserve = case.base_reserve if function in ("buyBaseInput", "sellBaseInput") else min(case.effective, case.real)
        return max(int(reserve * share), 1)
