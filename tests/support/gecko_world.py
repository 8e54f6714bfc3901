"""Made-up answers of GeckoTerminal and DexScreener in the shape of the real ones: the same seed, the same answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from random import Random
from typing import Any

from solders.pubkey import Pubkey

WSOL = "So11111111111111111111111111111111111111112"
WINDOWS = ("m5", "m15", "m30", "h1", "h6", "h24")
LENGTHS = {"minute": 60, "hour": 3_600, "day": 86_400}
ALLOWED = {"minute": (1, 5, 15), "hour": (1, 4, 12), "day": (1,)}
START = 1_791_400_000  # 2026-10-07


@lru_cache(100_000)
def address_of(name: str) -> str:
    """An address that belongs to ``name``."""
    return str(Pubkey.find_program_address([name.encode()[:32]], Pubkey.default())[0])


@dataclass
class GeckoWorld:
    """A market of ``pool_count`` pools as a service tells it. ``at_seconds`` is its time: move it, and figures move.

    Pools are numbered from 0, the oldest; ``newest_first`` is how the service lists them. Pool ``n`` is one minute
    younger than pool ``n - 1``.
    """

    pool_count: int = 60
    seed: int = 7
    at_seconds: int = START
    dexes: Sequence[str] = ("pumpswap", "meteora-dbc", "pumpswap", "raydium-clmm")
    traded_seconds: int = 86_400  # how far back candles and trades go
    gap_every: int = 9  # every n-th candle is missing
    calls: list[str] = field(default_factory=list)

    def random(self, *names: object) -> Random:
        """Randomness that belongs to a thing, so that its figures do not depend on what was asked before."""
        return Random(":".join(map(str, (self.seed, *names))))

    def pool_address(self, number: int) -> str:
        return address_of(f"pool {self.seed} {number}")

    def mint(self, number: int) -> str:
        return address_of(f"mint {self.seed} {number}")

    def number_of(self, address: str) -> int | None:
        """The number of a pool or of its mint."""
        for number in range(self.pool_count):
            if address in (self.pool_address(number), self.mint(number)):
                return number
        return None

    def newest_first(self) -> list[int]:
        return list(range(self.pool_count - 1, -1, -1))

    def pool(self, number: int) -> dict[str, Any]:
        """One element of ``data``."""
        random = self.random("pool", number, self.at_seconds)
        address, mint = self.pool_address(number), self.mint(number)
        price = self.price(number, self.at_seconds)
        return {
            "id": f"solana_{address}",
            "type": "pool",
            "attributes": {
                "base_token_price_usd": f"{price:.30f}",
                "base_token_price_native_currency": f"{price / 109:.30f}",
                "quote_token_price_usd": "109.018791405824464444338839778444043009152752624",
                "quote_token_price_native_currency": "1.0",
                "base_token_price_quote_token": f"{price / 109:.20f}",
                "quote_token_price_base_token": f"{109 / price:.6f}",
                "address": address,
                "name": f"Coin{number} / SOL",
                "pool_created_at": iso(self.created(number)),
                "fdv_usd": f"{price * 10**9:.10f}",
                "market_cap_usd": None,
                "price_change_percentage": {name: f"{random.uniform(-80, 200):.3f}" for name in WINDOWS},
                "transactions": {name: self.counts(random) for name in WINDOWS},
                "volume_usd": {name: f"{random.uniform(0, 500_000):.10f}" for name in WINDOWS},
                "reserve_in_usd": f"{random.uniform(10_000, 200_000):.4f}",
            },
            "relationships": {
                "base_token": {"data": {"id": f"solana_{mint}", "type": "token"}},
                "quote_token": {"data": {"id": f"solana_{WSOL}", "type": "token"}},
                "dex": {"data": {"id": self.dex(number), "type": "dex"}},
            },
        }

    def dex(self, number: int) -> str:
        return self.dexes[number % len(self.dexes)]

    def created(self, number: int) -> int:
        return START - 60 * (self.pool_count - number)

    def price(self, number: int, at_seconds: int) -> float:
        """USD per token: deterministic, moves by the minute."""
        base = self.random("price", number).uniform(1e-6, 1e-3)
        return base * (1 + 0.2 * self.random("move", number, at_seconds // 60).random())

    @staticmethod
    def counts(random: Random) -> dict[str, int]:
        buys, sells = random.randrange(2_000), random.randrange(2_000)
        return {"buys": buys, "sells": sells, "buyers": buys // 2, "sellers": sells // 2}

    def included(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """Tokens and exchanges of these pools, each once."""
        tokens = [self.token(self.mint(one), f"Coin {one}", f"C{one}", 6) for one in numbers]
        if numbers:
            tokens.append(self.token(WSOL, "Wrapped SOL", "SOL", 9))
        dexes = sorted({self.dex(one) for one in numbers})
        return tokens + [{"id": dex, "type": "dex", "attributes": {"name": dex.title()}} for dex in dexes]

    @staticmethod
    def token(mint: str, name: str, symbol: str, decimals: int) -> dict[str, Any]:
        told = {
            "address": mint,
            "name": name,
            "symbol": symbol,
            "decimals": decimals,
            "image_url": "https://example.com/image",
            "coingecko_coin_id": None,
        }
        return {"id": f"solana_{mint}", "type": "token", "attributes": told}

    def pools(self, numbers: Sequence[int]) -> dict[str, Any]:
        return {"data": [self.pool(one) for one in numbers], "included": self.included(numbers)}

    def one_pool(self, number: int) -> dict[str, Any]:
        return {"data": self.pool(number), "included": self.included([number])}

    def trades(self, number: int, most: int = 300, *, above_usd: float = 0) -> dict[str, Any]:
        """One trade in 97 seconds, the newest first; the last part of an id is the moment of the fetch."""
        newest = self.at_seconds // 97
        oldest = (self.at_seconds - min(self.traded_seconds, 86_400)) // 97
        every = (self.trade(number, one) for one in range(newest, oldest, -1))
        large = (one for one in every if float(one["attributes"]["volume_in_usd"]) > above_usd)
        return {"data": list(islice(large, most))}

    def trade(self, number: int, moment: int) -> dict[str, Any]:
        """``moment`` counts 97 seconds since 1970: the trade of that moment is always the same."""
        random = self.random("trade", number, moment)
        at_seconds, is_buy = moment * 97, random.random() < 0.55
        price = self.price(number, at_seconds)
        sol, transaction = random.uniform(0.01, 20), f"{address_of(f'tx {number} {moment}')}{'x' * 40}"
        tokens = f"{sol * 109 / price:.6f}"
        sides = [(WSOL, f"{sol:.9f}", "109.0"), (self.mint(number), tokens, f"{price:.40f}")]
        paid, got = sides if is_buy else sides[::-1]
        slot = 454_000_000 + (at_seconds - START) * 5 // 2
        told = {
            "block_number": slot,
            "block_timestamp": iso(at_seconds),
            "tx_hash": transaction,
            "tx_from_address": address_of(f"trader {random.randrange(30)}"),
            "kind": "buy" if is_buy else "sell",
            "from_token_address": paid[0],
            "to_token_address": got[0],
            "from_token_amount": paid[1],
            "to_token_amount": got[1],
            "price_from_in_usd": paid[2],
            "price_to_in_usd": got[2],
            "price_from_in_currency_token": "1.0",
            "price_to_in_currency_token": "1.0",
            "volume_in_usd": f"{sol * 109:.30f}",
        }
        return {"id": f"solana_{slot}_{transaction}_60_{self.at_seconds}", "type": "trade", "attributes": told}

    def candles(self, number: int, seconds: int, before: int | None, limit: int) -> dict[str, Any]:
        """Newest first, without every ``gap_every``-th one, back to the time when trading began."""
        end = min(before if before is not None else self.at_seconds + 1, self.at_seconds + 1)
        first = self.at_seconds - self.traded_seconds
        rows: list[list[float]] = []
        start = (end - 1) // seconds * seconds
        while start >= first and len(rows) < limit:
            if (start // seconds) % self.gap_every:
                rows.append(self.candle(number, start, seconds))
            start -= seconds
        told = {"id": "made-up", "type": "ohlcv_request_response", "attributes": {"ohlcv_list": rows}}
        sides = {"base": {"name": "Coin", "symbol": "C", "coingecko_coin_id": None, "address": self.mint(number)}}
        return {"data": told, "meta": sides | {"quote": {"name": "Wrapped SOL", "symbol": "SOL", "address": WSOL}}}

    def candle(self, number: int, start: int, seconds: int) -> list[float]:
        first, last = self.price(number, start), self.price(number, start + seconds - 1)
        volume = self.random("volume", number, start).uniform(1, 5_000)
        return [start, first, max(first, last) * 1.01, min(first, last) * 0.99, last, volume]

    def pair(self, number: int) -> dict[str, Any]:
        """The same pool as DexScreener tells it: fewer digits, JSON numbers, both sides of the liquidity."""
        pool = self.pool(number)["attributes"]
        usd, price = float(pool["reserve_in_usd"]), float(pool["base_token_price_usd"])
        windows = ("m5", "h1", "h6", "h24")
        return {
            "chainId": "solana",
            "dexId": self.dex(number),
            "url": "https://example.com/pair",
            "pairAddress": self.pool_address(number),
            "baseToken": {"address": self.mint(number), "name": f"Coin {number}", "symbol": f"C{number}"},
            "quoteToken": {"address": WSOL, "name": "Wrapped SOL", "symbol": "SOL"},
            "priceNative": f"{price / 109:.12f}",
            "priceUsd": f"{price:.10f}",
            "txns": {one: {key: pool["transactions"][one][key] for key in ("buys", "sells")} for one in windows},
            "volume": {one: round(float(pool["volume_usd"][one]), 2) for one in windows},
            "priceChange": {one: round(float(pool["price_change_percentage"][one]), 2) for one in windows},
            "liquidity": {"usd": round(usd, 2), "base": int(usd / 2 / price), "quote": round(usd / 2 / 109, 4)},
            "fdv": int(price * 10**9),
            "marketCap": int(price * 10**9),
            "pairCreatedAt": self.created(number) * 1_000,
        }


def iso(at_seconds: int) -> str:
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def dumped(told: object) -> bytes:
    return json.dumps(told).encode()
