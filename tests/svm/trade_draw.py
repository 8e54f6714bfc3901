"""Random trades: pools of every kind, reserves over all fee tiers, sizes from dust to the whole pool."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum

from solders.pubkey import Pubkey

from pumpswap.amm import FeeSchedule, PoolState
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, TOKEN_PROGRAM
from pumpswap.localnet.pool_kinds import PoolKind, QuoteKind, allowed_account_lengths
from tests.svm.market import Reserves
from tests.svm.trade_accounts import PLACES

U64_MAX = 2**64 - 1
MAYHEM_SUPPLY = 10**15
USER_BASE = 2**62
USER_QUOTE = 2**61  # as lamports of a wrapped-SOL account this leaves room for the rent reserve
SLIPPAGES_BPS = (0, 0, 0, 0, 1, 50, 100, 500, 2_500, 10_000)


class Action(Enum):
    """The four quotes. The last one is sent as a sell of the base it asks for."""

    BUY_BASE = "buy"
    BUY_QUOTE = "buy_exact_quote_in"
    SELL_BASE = "sell"
    SELL_QUOTE = "sell for quote"


@dataclass(frozen=True)
class Setting:
    """What an episode of trades in one pool starts from."""

    kind: PoolKind
    reserves: Reserves
    base_program: Pubkey
    account_len: int
    recipient_index: int
    buyback_index: int
    trades: int


@dataclass(frozen=True)
class Order:
    """One trade to try. ``missing`` are the accounts that the trade may have to create."""

    action: Action
    size: int
    slippage_bps: int
    track_volume: bool
    missing: frozenset[str]


def draw_setting(kind: PoolKind, schedule: FeeSchedule, rng: random.Random) -> Setting:
    """A pool and an episode of 1 to 8 trades."""
    # A pool of wrapped SOL as base has no mint of ours to put under Token-2022.
    programs = (TOKEN_PROGRAM,) if kind.wsol_base else (TOKEN_PROGRAM, TOKEN_2022_PROGRAM)
    return Setting(
        kind=kind,
        reserves=_reserves(kind, schedule, rng),
        base_program=rng.choice(programs),
        account_len=rng.choice(allowed_account_lengths(kind)),
        recipient_index=rng.randrange(8),
        buyback_index=rng.randrange(8),
        trades=min(int(rng.paretovariate(1.0)), 8),
    )


def draw_order(state: PoolState, rng: random.Random) -> Order:
    """A trade on the present state of the pool."""
    action = rng.choice(tuple(Action))
    share = rng.choice((0.0, 0.05, 0.3, 1.0))
    return Order(
        action=action,
        size=_size(action, state, rng),
        slippage_bps=rng.choice(SLIPPAGES_BPS),
        track_volume=rng.random() < 0.5,
        missing=frozenset(place for place in PLACES if rng.random() < share),
    )


def _reserves(kind: PoolKind, schedule: FeeSchedule, rng: random.Random) -> Reserves:
    base, quote = _vaults(rng)
    fees = schedule.fee_config
    tiers = fees.stable_fee_tiers if kind.quote is QuoteKind.USDC else fees.fee_tiers
    at = rng.randrange(len(tiers))
    floor = tiers[at].market_cap_lamports_threshold
    ceiling = tiers[at + 1].market_cap_lamports_threshold if at + 1 < len(tiers) else floor * 50
    # Half of the pools sit on an edge: thresholds are inclusive, and one unit below is the tier before.
    market_cap = rng.choice((floor, max(floor - 1, 0), rng.randint(floor, ceiling), rng.randint(floor, ceiling)))
    if kind.mayhem:
        # Mayhem pools are tiered by a fixed supply, so here the reserves decide.
        base = _log_uniform(rng, 10**10, 10**15)
        return Reserves(base, max(-(-market_cap * base // MAYHEM_SUPPLY), 1), _log_uniform(rng, 1, 10**16))
    return Reserves(base, quote, min(-(-market_cap * base // quote), U64_MAX))


def _vaults(rng: random.Random) -> tuple[int, int]:
    shape = rng.random()
    if shape < 0.6:  # graduates: 206.9 million coins against 85 SOL, moved by trading
        move = rng.lognormvariate(0, 1.5)
        return int(206_900_000_000_000 / move), int(84_990_359_057 * move)
    if shape < 0.95:
        return _log_uniform(rng, 1_000, 10**17), _log_uniform(rng, 1_000, 10**17)
    return _log_uniform(rng, 1, 10_000), _log_uniform(rng, 1, 10_000)


def _size(action: Action, state: PoolState, rng: random.Random) -> int:
    base, quote = state.base_reserve, state.quote_vault
    shape = rng.random()
    if shape < 0.08:
        return rng.randint(0, 25)
    if shape < 0.14:
        edge = quote if action in (Action.BUY_QUOTE, Action.SELL_QUOTE) else base
        return max(edge + rng.randint(-2, 2), 0)
    if action is Action.BUY_BASE:
        return max(int(base * _fraction(rng, 9, 0)), 1)
    if action is Action.BUY_QUOTE:
        return min(max(int(quote * _fraction(rng, 10, 3)), 1), USER_QUOTE)
    if action is Action.SELL_BASE:
        return min(max(int(base * _fraction(rng, 10, 3)), 1), USER_BASE)
    return max(int(quote * _fraction(rng, 9, 0)), 1)


def _fraction(rng: random.Random, down: float, up: float) -> float:
    """Heavy-tailed: as often a millionth as a tenth."""
    return 10 ** rng.uniform(-down, up)


def _log_uniform(rng: random.Random, low: int, high: int) -> int:
    return max(low, min(high, int(low * (high / low) ** rng.random())))
