"""Pools, trades and candles as a collector would have seen them, and a market to store them in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pumpswap.clock import NS_PER_SECOND, parse_utc
from pumpswap.model.collected import Cycle, FollowRule, PoolScore, SeenCandle, SeenPool, SeenToken, SeenTrade
from pumpswap.storage.collected import CollectedMarket
from pumpswap.storage.collected.market import ScoreRule

__all__ = ["AT", "HOUR", "POOL", "SOL", "candle", "cycle", "pool", "rule", "seen", "trade"]

AT = parse_utc("2026-10-08T15:30:00.250Z")
HOUR = 3_600 * NS_PER_SECOND
POOL = "2uZuTQEjcXcR1ESwMdGTpqEwM5PCekEwrSNVRPc1EhS1"
MINT = "8ZCmwpW3MtC5UpNcZf7U4HMvRNTo71syU11BDiAFpump"
SOL = SeenToken("So11111111111111111111111111111111111111112", "Wrapped SOL", "SOL", 9)


def pool(address: str = POOL, mint: str = MINT, **changes: Any) -> SeenPool:
    """A PumpSwap pool with figures of a real answer."""
    seen_pool = SeenPool(
        network="solana",
        address=address,
        dex="pumpswap",
        at_ns=AT,
        name="Gary / SOL",
        dex_name="PumpSwap",
        base=SeenToken(mint, "Gary the Cat", "Gary", 6),
        quote=SOL,
        created_ns=parse_utc("2026-10-08T13:28:26Z"),
        base_price_usd=Decimal("0.00068690435344692077"),
        base_price_native=Decimal("0.00000631017685832871"),
        quote_price_usd=Decimal("109.129394249550772"),
        quote_price_native=Decimal(1),
        reserve_usd=Decimal("73520.3799"),
        fdv_usd=Decimal("659272.511055906"),
        change_h1=Decimal("20.178"),
        change_h24=Decimal("469.481"),
        volume_h24_usd=Decimal("965515.839963246"),
        buys_h1=4160,
        sells_h1=2044,
        buys_h24=9611,
        sells_h24=5086,
    )
    return replace(seen_pool, **changes)


def cycle(number: int = 1, started_ns: int = AT) -> Cycle:
    """A round over the new pools."""
    return Cycle("solana", number, started_ns)


def scored(score: float) -> PoolScore:
    """A score without a formula behind it."""
    return PoolScore(score, "unknown", "unknown", 169.9456, 100.0, 66.5)


def rule(score: float = 80.0, watch_score: float | None = 75.0) -> ScoreRule:
    """Every pool gets this score."""
    return ScoreRule(lambda _current, _history: scored(score), 24, FollowRule(HOUR, 24 * HOUR, 75.0, watch_score))


def by_history(asked: list[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]) -> ScoreRule:
    """Notes what a score is made of."""

    def note(current: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> PoolScore:
        asked.append((current, list(history)))
        return scored(10.0)

    return ScoreRule(note, 24, FollowRule(HOUR, 24 * HOUR, 75.0))


def seen(market: CollectedMarket, *pools: SeenPool, number: int = 1, started_ns: int = AT) -> None:
    """Store pools in a round of their own."""
    market.save_pools(pools or [pool()], cycle(number, started_ns), rule())


def trade(number: int = 1, fetched: int = 1_791_473_563, **changes: Any) -> SeenTrade:
    """A purchase 15 seconds before it was fetched. The service's id ends with the time of the fetch."""
    transaction = f"5D5eYYgXbng1xmHUzGA4Zm6N6eXXCHnXdDotoLrwb36oUjKyGEmDkHqkBpwyVhZCPhueHz7iKWRYvBDPzHXMPQy{number}"
    one = SeenTrade(
        id=f"solana_454585783_{transaction}_60_{fetched}",
        slot=454_585_783,
        transaction=transaction,
        trader="DYT8RFBNpU3rW1UnTJoxQ65sbFKmrM88aAcGfiBFqK4z",
        is_buy=True,
        from_amount=Decimal("2.5"),
        to_amount=Decimal("396182.25"),
        price_usd=Decimal("109.25"),
        volume_usd=Decimal("273.125"),
        at_ns=1_791_473_548 * NS_PER_SECOND,
    )
    return replace(one, **changes)


def candle(minute: int = 0, close: str = "0.0007", **changes: Any) -> SeenCandle:
    """A minute candle; the first begins at 15:00."""
    start = parse_utc("2026-10-08T15:00:00Z") // NS_PER_SECOND + 60 * minute
    first, high, low, volume = map(Decimal, ("0.0006", "0.0008", "0.0005", "1234.5"))
    return replace(SeenCandle("1m", start, first, high, low, Decimal(close), volume), **changes)
