"""What happened to a pool between two moments that a source does not tell, out of what it does tell of both.

Only what reproduces every figure counts as an explanation; a rest that fits nothing is a gift to the vaults, and where
not even that is possible there is no explanation.
"""

from __future__ import annotations

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule
from pumpswap.amm.acting import acted_state
from pumpswap.amm.acts import BoostBurn, Deposit, PoolAct, PoolChange, SweepFees, VaultGift, Withdraw
from pumpswap.amm.codec import ZERO_KEY, Record
from pumpswap.amm.events import BuyEvent, FeeBucket, SellEvent
from pumpswap.errors import TradeRefused
from pumpswap.market.swaps_of import generation_of, reserves_after
from pumpswap.model import Swap

__all__ = ["PoolSeen", "explain", "seen_after", "seen_before", "seen_of"]

_MOST_BOOSTS = 16  # between two trades


class PoolSeen(Record, frozen=True):
    """What a source tells of a pool at one moment. None: it does not tell it."""

    base_reserve: int
    quote_vault: int
    virtual_quote_reserves: int
    base_supply: int | None = None
    coin_creator: Pubkey | None = None
    creator_fees: int | None = None
    lp_supply: int | None = None


def seen_before(event: BuyEvent | SellEvent) -> PoolSeen:
    """What an event tells of its pool before the trade."""
    unclaimed: int | None = event.creator_fee_unclaimed
    if generation_of(event) == 2:
        unclaimed = event.creator_fee_unclaimed - event.coin_creator_fee
    elif not unclaimed:
        unclaimed = None  # zero, or an event older than the field
    return PoolSeen(
        event.pool_base_token_reserves,
        event.pool_quote_token_reserves,
        event.virtual_quote_reserves,
        event.base_supply or None,
        None if event.coin_creator == ZERO_KEY else event.coin_creator,
        unclaimed,
    )


def seen_after(swap: Swap) -> PoolSeen:
    """What the event of a swap tells of its pool after it. Raises UsageError for a swap without an event."""
    reserves, event = reserves_after(swap), swap.event
    unclaimed = None if event is None else event.creator_fee_unclaimed or None
    supply = None if event is None else event.base_supply or None
    return PoolSeen(
        reserves.base_reserve, reserves.quote_vault, reserves.virtual_quote_reserves, supply, None, unclaimed
    )


def seen_of(state: PoolState) -> PoolSeen:
    """What a whole state tells."""
    pool = state.pool
    return PoolSeen(
        state.base_reserve,
        state.quote_vault,
        pool.virtual_quote_reserves,
        state.base_supply,
        pool.coin_creator,
        pool.creator_fees,
        pool.lp_supply,
    )


def explain(state: PoolState, seen: PoolSeen) -> tuple[PoolAct, ...] | None:
    """The acts that lead from ``state`` to what was seen later, in an order that does; () when nothing happened, None
    when nothing explains it: trades are missing in between.
    """
    acts: list[PoolAct] = []

    def take(found: PoolAct) -> bool:
        nonlocal state
        try:
            state = acted_state(state, current_schedule(), found)  # none of these acts pays a fee
        except TradeRefused:
            return False
        acts.append(found)
        return True

    sweeps = _sweeps(state, seen)
    if sweeps is None or not all(take(act) for act in sweeps):
        return None
    base, quote = seen.base_reserve - state.base_reserve, seen.quote_vault - state.quote_vault
    if base or quote:
        moved = _moved(state, base, quote, seen)
        if moved is None or not all(take(act) for act in moved):
            return None
    burned = 0 if seen.base_supply is None else seen.base_supply - state.base_supply
    creator = None if seen.coin_creator in (None, state.pool.coin_creator) else seen.coin_creator
    if (burned or creator is not None) and not take(PoolChange(coin_creator=creator, supply_change=burned)):
        return None
    return tuple(acts)


def _sweeps(state: PoolState, seen: PoolSeen) -> tuple[PoolAct, ...] | None:
    """What moved the virtual reserves: fees that were paid out, else the beginning of a boost."""
    pool, paid = state.pool, seen.virtual_quote_reserves - state.pool.virtual_quote_reserves
    if paid == 0:
        return ()
    if paid < 0:
        return None
    protocol, creator = SweepFees(FeeBucket.PROTOCOL), SweepFees(FeeBucket.CREATOR)
    found: list[tuple[PoolAct, ...]] = []
    if paid == pool.creator_fees:
        found.append((creator,))
    if paid == pool.protocol_fees:
        found.append((protocol,))
    if paid == pool.fees_owed:
        found.append((protocol, creator))
    if seen.creator_fees is not None:
        # Where both buckets held the same, what the creator is owed tells them apart.
        left = [acts for acts in found if (0 if creator in acts else pool.creator_fees) == seen.creator_fees]
        found = left or found
    if found:
        return found[0]
    return None if pool.is_boosted else (PoolChange(virtual_quote_change=paid),)


def _moved(state: PoolState, base: int, quote: int, seen: PoolSeen) -> tuple[PoolAct, ...] | None:
    """What changed both vaults so."""
    if base < 0 < quote:
        # A boost burns what it buys: where the supply has not fallen by as much, somebody bought.
        supply = seen.base_supply
        is_burned = state.pool.is_boosted if supply is None else state.base_supply - supply >= -base
        return _boosts(state, -base, quote) if is_burned else None
    if base > 0 and quote > 0:
        units = _deposited(state, base, quote, seen.lp_supply)
        return (Deposit(units) if units else VaultGift(base, quote),)
    if base < 0 and quote < 0:
        units = _withdrawn(state, -base, -quote, seen.lp_supply)
        return (Withdraw(units),) if units else None
    return (VaultGift(base, quote),) if base >= 0 and quote >= 0 else None


def _boosts(state: PoolState, burned: int, quote: int) -> tuple[PoolAct, ...] | None:
    """One boost, or several at once: each of them buys for one unit of quote less than it spends, so that they leave a
    little more base behind than a single one.
    """
    try:
        left = state.after_boost(quote)[1] - burned
    except TradeRefused:
        return None
    if left == 0:
        return (BoostBurn(quote),)
    worth = state.base_reserve // state.effective_quote_reserve + 1
    if not 0 < left <= _MOST_BOOSTS * worth:
        return None
    return BoostBurn(quote), PoolChange(supply_change=left), VaultGift(left, 0)


def _deposited(state: PoolState, base: int, quote: int, lp_supply: int | None) -> int:
    """LP units that cost exactly this, both sides rounded up; 0 when none do."""
    supply, real = state.pool.lp_supply, state.real_quote_reserve
    if min(supply, real, state.base_reserve) <= 0:
        return 0
    least = max((base - 1) * supply // state.base_reserve, (quote - 1) * supply // real) + 1
    most = min(base * supply // state.base_reserve, quote * supply // real)
    return _chosen(least, most, None if lp_supply is None else lp_supply - supply)


def _withdrawn(state: PoolState, base: int, quote: int, lp_supply: int | None) -> int:
    """LP units that pay exactly this, both sides rounded down; 0 when none do."""
    supply, real = state.pool.lp_supply, state.real_quote_reserve
    if min(supply, real, state.base_reserve) <= 0:
        return 0
    least = max(-(-base * supply // state.base_reserve), -(-quote * supply // real))
    most = min(((base + 1) * supply - 1) // state.base_reserve, ((quote + 1) * supply - 1) // real)
    return _chosen(least, min(most, supply), None if lp_supply is None else supply - lp_supply)


def _chosen(least: int, most: int, told: int | None) -> int:
    if told is not None:
        return told if least <= told <= most else 0
    return most if 0 < least <= most else 0
