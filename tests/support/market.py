"""Small exact markets for the tests of the rooms above the AMM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import Pool, PoolState, current_schedule
from pumpswap.amm.addresses import WSOL_MINT, lp_mint, pool_address, pool_authority
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.engine import Engine, EngineParts
from pumpswap.execution.paper import PaperVenue
from pumpswap.market.book import PoolBook
from pumpswap.model import MarketUpdate, PoolSnapshot, RunObserver, Side, Signal
from pumpswap.settings import Settings

START_NS = 1_793_577_600 * NS_PER_SECOND  # 2026-11-02
SOL = 10**9


def mint(number: int) -> Pubkey:
    """A mint like any other; its pool is canonical."""
    return Pubkey.from_bytes(bytes([number]) * 32)


def graduate(number: int = 1, **changes: Any) -> PoolState:
    """The state of a fresh canonical graduate."""
    base = mint(number)
    creator = pool_authority(base)
    address = pool_address(0, creator, base, WSOL_MINT)
    figures = {"base_reserve": 206_900_000_000_000, "quote_vault": 84_990_359_057, "base_supply": 10**15}
    fields = {name: changes.pop(name) for name in list(changes) if name in Pool.FIELDS}
    account = Pool(
        **{
            "pool_bump": 255,
            "index": 0,
            "creator": creator,
            "base_mint": base,
            "quote_mint": WSOL_MINT,
            "lp_mint": lp_mint(address),
            "pool_base_token_account": base,
            "pool_quote_token_account": base,
            "lp_supply": 4_193_388_282_604,
            "coin_creator": base,
            **fields,
        }
    )
    return PoolState(pool=account, address=address, **{**figures, **changes})


def at(seconds: float) -> int:
    """Nanoseconds of a moment after the start."""
    return START_NS + int(seconds * NS_PER_SECOND)


def moved(state: PoolState, percent: int) -> PoolState:
    """The same liquidity at a price changed by ``percent``."""
    quote = int(Decimal(state.quote_vault) * (Decimal(100 + percent) / 100).sqrt())
    base = state.quote_vault * state.base_reserve // quote
    return PoolState(state.pool, state.address, base, quote, state.base_supply)


def snapshot(state: PoolState, seconds: float, *, name: str = "TEST") -> PoolSnapshot:
    """A collector's row about a pool."""
    address = str(state.address)
    return PoolSnapshot(
        pool_id=f"solana_{address}",
        pool=address,
        dex="pumpswap",
        at_ns=at(seconds),
        name=name,
        base_mint=str(state.pool.base_mint),
        quote_mint=str(WSOL_MINT),
    )


def seen(state: PoolState, seconds: float, *, scored: bool = False, name: str = "TEST") -> MarketUpdate:
    """An update with a state, and a snapshot to score when ``scored``."""
    told = snapshot(state, seconds, name=name) if scored else None
    return MarketUpdate(at(seconds), str(state.address), state, told)


def always(score: float, side: Side = Side.LONG) -> Any:
    """A signaller that says the same of every snapshot."""

    def signaller(row: PoolSnapshot, _history: object) -> Signal:
        return Signal(row.pool, row.at_ns, side, score, score / 100, "test", mint=row.base_mint, name=row.name)

    return signaller


def settings(**sections: Any) -> Settings:
    """Default settings with some sections changed: ``settings(risk={"max_position_sol": "2"})``."""
    return Settings(**sections)


def engine(signaller: Any = None, chosen: Settings | None = None, observers: Iterable[RunObserver] = ()) -> Engine:
    """A paper engine on an empty book."""
    used = chosen or settings()
    book = PoolBook()
    venue = PaperVenue(
        book, used.paper, lambda _: current_schedule(), max_state_age_seconds=used.risk.max_state_age_seconds
    )
    parts = EngineParts(book, venue, signaller or always(90.0), lambda _: current_schedule(), used)
    return Engine(parts, tuple(observers))


def feed(*updates: MarketUpdate) -> Iterator[MarketUpdate]:
    """Updates in order."""
    yield from updates
