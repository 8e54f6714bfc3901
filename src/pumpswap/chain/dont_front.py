"""Sandwiches: a marker that block builders respect, and a check afterwards of what was traded around us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from pumpswap.model import Swap

__all__ = ["DONT_FRONT", "Sandwich", "detect_sandwich", "with_marker"]

DONT_FRONT = Pubkey.from_string("jitodontfront111111111111111111111111111111")


@dataclass(frozen=True, slots=True)
class Sandwich:
    """Who traded in front of us and back behind us in one slot.

    ``front_units`` is the base that was moved in front of our trade and back, ``profit_lamports`` what the other side
    took out of both trades together, price differences of the base they kept or added left out.
    """

    trader: str
    front_signatures: tuple[str, ...]
    back_signatures: tuple[str, ...]
    front_units: int
    profit_lamports: int


def with_marker(swap: Instruction) -> Instruction:
    """The swap with the read-only marker behind its accounts; the program ignores extra ones (PROTOCOL 3.3).

    The block engine then refuses bundles in which this transaction is not the first.
    """
    marker = AccountMeta(DONT_FRONT, is_signer=False, is_writable=False)
    return Instruction(swap.program_id, swap.data, [*swap.accounts, marker])


def detect_sandwich(ours: Swap, slot: Sequence[Swap]) -> Sandwich | None:
    """Whether somebody sandwiched ``ours``. ``slot`` are all swaps of its slot in the order of execution, ours too.

    A sandwich is one trader (or two wallets with the same base units) that trades our way in front of us, and the
    other way behind us, in the same pool. None when there is none, or when ours is not among ``slot``.
    """
    in_pool = [swap for swap in slot if swap.pool == ours.pool]
    places = [number for number, swap in enumerate(in_pool) if swap.signature == ours.signature]
    if not places:
        return None
    front = [swap for swap in in_pool[: places[0]] if swap.is_buy == ours.is_buy and swap.trader != ours.trader]
    back = [swap for swap in in_pool[places[-1] + 1 :] if swap.is_buy != ours.is_buy and swap.trader != ours.trader]
    for trader in dict.fromkeys(swap.trader for swap in front if swap.trader):
        before = [swap for swap in front if swap.trader == trader]
        after = [swap for swap in back if swap.trader == trader]
        if after:
            return _sandwich(trader, before, after)
    for one in front:
        twin = next((other for other in back if other.base_units == one.base_units), None)
        if twin is not None:
            return _sandwich(one.trader or twin.trader, [one], [twin])
    return None


def _sandwich(trader: str, before: Sequence[Swap], after: Sequence[Swap]) -> Sandwich:
    moved_in, moved_back = (sum(swap.base_units for swap in group) for group in (before, after))
    quote_in, quote_back = (sum(swap.quote_units for swap in group) for group in (before, after))
    units = min(moved_in, moved_back)
    # Only the base that went both ways has earned anything; the rest is still somebody's position.
    share_in, share_back = (
        Fraction(quote * units, moved) if moved else Fraction(0)
        for quote, moved in ((quote_in, moved_in), (quote_back, moved_back))
    )
    first_is_buy = before[0].is_buy
    profit = share_back - share_in if first_is_buy else share_in - share_back
    return Sandwich(
        trader,
        tuple(swap.signature for swap in before),
        tuple(swap.signature for swap in after),
        units,
        int(profit),
    )
