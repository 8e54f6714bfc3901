"""A week of a thousand pools, as GeckoTerminal would tell it: every figure is a sum that can be checked by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx2
from solders.pubkey import Pubkey

from tests.support.gecko_world import START, WSOL, iso

__all__ = ["GeckoWeek"]

HOUR = 3_600
_PAGE = 20


@dataclass
class GeckoWeek:
    """Pool ``n`` appears in hour ``n // 200`` of the week; each tenth one scores well, so that its candles count.

    In hour ``h`` pool ``n`` has a reserve of ``1000 + n`` USD (a million more where it scores well) and ``h + 1`` buys
    in the last hour. Candles are of five minutes, closes are their own number, volumes 2 USD.
    """

    pool_count: int = 1_000
    started: int = START // HOUR * HOUR
    at_seconds: int = START // HOUR * HOUR
    requests: int = 0
    _numbers: dict[str, int] = field(default_factory=dict)
    _pools: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in range(self.pool_count):
            names = (f"week pool {number}", f"week mint {number}")
            pool, mint = (str(Pubkey.find_program_address([one.encode()], Pubkey.default())[0]) for one in names)
            self._pools.append((pool, mint))
            self._numbers[pool] = number

    @property
    def hour(self) -> int:
        return (self.at_seconds - self.started) // HOUR

    @staticmethod
    def scores_well(number: int) -> bool:
        return number % 10 == 0

    def transport(self) -> httpx2.AsyncBaseTransport:
        """For ``SourceParts``."""
        return httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests += 1
        path = request.url.path.partition("/networks/solana/")[2]
        params = request.url.params
        if path == "new_pools":
            first = (int(params["page"]) - 1) * _PAGE
            newest = range(min((self.hour + 1) * 200, self.pool_count) - 1, self.hour * 200 - 1, -1)
            told: Any = self._list([*newest][first : first + _PAGE])
        elif path.startswith("pools/multi/"):
            told = self._list([self._numbers[one] for one in path.removeprefix("pools/multi/").split(",")])
        elif path.endswith("/trades"):
            told = {"data": []}
        elif "/ohlcv/" in path:
            told = self._candles(int(params["limit"]))
        else:
            number = self._numbers[path.removeprefix("pools/")]
            told = {"data": self._pool(number), "included": self._included([number])}
        return httpx2.Response(200, content=json.dumps(told).encode())

    def _list(self, numbers: list[int]) -> dict[str, Any]:
        return {"data": [self._pool(one) for one in numbers], "included": self._included(numbers)}

    def _included(self, numbers: list[int]) -> list[dict[str, Any]]:
        tokens = [(self._pools[one][1], f"Coin {one}", 6) for one in numbers] + [(WSOL, "Wrapped SOL", 9)]
        told = [
            {
                "id": f"solana_{mint}",
                "type": "token",
                "attributes": {"address": mint, "name": name, "symbol": name[:20], "decimals": decimals},
            }
            for mint, name, decimals in tokens
        ]
        return [*told, {"id": "pumpswap", "type": "dex", "attributes": {"name": "PumpSwap"}}]

    def _pool(self, number: int) -> dict[str, Any]:
        address, mint = self._pools[number]
        well = self.scores_well(number)
        windows = ("m5", "h1", "h6", "h24")
        counts = {"buys": self.hour + 1, "sells": 400 if well else 0, "buyers": 1, "sellers": 1}
        return {
            "id": f"solana_{address}",
            "type": "pool",
            "attributes": {
                "base_token_price_usd": f"0.{number + 1:08d}",
                "base_token_price_native_currency": "0.000001",
                "quote_token_price_usd": "100.0",
                "quote_token_price_native_currency": "1.0",
                "address": address,
                "name": f"Coin {number} / SOL",
                "pool_created_at": iso(self.started),
                "fdv_usd": "1000.0",
                "market_cap_usd": None,
                "price_change_percentage": dict.fromkeys(windows, "60.0" if well else "0.1"),
                "transactions": dict.fromkeys(windows, counts),
                "volume_usd": dict.fromkeys(windows, "9000000.0" if well else "1.0"),
                "reserve_in_usd": f"{1_000 + number + (1_000_000 if well else 0)}.25",
            },
            "relationships": {
                "base_token": {"data": {"id": f"solana_{mint}", "type": "token"}},
                "quote_token": {"data": {"id": f"solana_{WSOL}", "type": "token"}},
                "dex": {"data": {"id": "pumpswap", "type": "dex"}},
            },
        }

    def _candles(self, limit: int) -> dict[str, Any]:
        newest = (self.at_seconds - self.started) // 300
        rows = []
        for number in range(newest, max(newest - limit, -1), -1):
            price = number + 1
            rows.append([self.started + number * 300, price, price, price, price, 2.0])
        side = {"name": "Coin", "symbol": "C", "coingecko_coin_id": None, "address": WSOL}
        told = {"id": "week", "type": "ohlcv_request_response", "attributes": {"ohlcv_list": rows}}
        return {"data": told, "meta": {"base": side, "quote": side}}
