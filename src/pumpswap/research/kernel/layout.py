"""A chronicle as columns: what compiled code reads. One row for each step, in the chronicle's order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pumpswap.amm import PoolState
from pumpswap.amm.acts import (
    BoostBurn,
    BuyBase,
    BuyQuote,
    Deposit,
    HopBuy,
    HopSell,
    PoolAct,
    PoolChange,
    Rates,
    Sell,
    SweepFees,
    VaultGift,
    Withdraw,
)
from pumpswap.amm.addresses import TOKEN_2022_PROGRAM, WSOL_MINT
from pumpswap.amm.events.fees import FeeBucket
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.amm.schedules import DatedSchedule, dated_schedules
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import UsageError
from pumpswap.research.chronicle.step import Chronicle, Range, ScheduleFor, Step
from pumpswap.research.kernel.rates import RateTables, pool_flags, rate_tables
from pumpswap.units import I64_MAX, U64_MAX

__all__ = ["ACTS", "Columns", "PoolRow", "columns_of"]

# What was done: the place of an act in this list, less one; 0 is a snapshot, and the last is whatever was only told.
ACTS = (
    "nothing", "buy base", "buy quote", "sell", "hop buy", "hop sell", "deposit", "withdraw", "sweep protocol",
    "sweep creator", "boost", "change", "gift", "told",
)  # fmt: skip
(NOTHING, BUY_BASE, BUY_QUOTE, SELL, HOP_BUY, HOP_SELL, DEPOSIT, WITHDRAW, SWEEP_PROTOCOL, SWEEP_CREATOR, BOOST, CHANGE,
 GIFT, TOLD) = range(len(ACTS))  # fmt: skip
LP, PROTOCOL, CREATOR, IS_ROUTE, IS_HOLDERS = 1, 2, 4, 8, 16  # bits of ``charged``
HAS_RATES = 1 << 63  # bit of ``rates``; from bit 48 on the part that is bought back
_SIMPLE: dict[type, tuple[int, str, str]] = {
    BuyBase: (BUY_BASE, "base_amount_out", "max_quote_amount_in"),
    BuyQuote: (BUY_QUOTE, "spendable_quote_in", "min_base_amount_out"),
    Sell: (SELL, "base_amount_in", "min_quote_amount_out"),
    HopBuy: (HOP_BUY, "amount_in", ""),
    HopSell: (HOP_SELL, "amount_in", ""),
    Deposit: (DEPOSIT, "lp_amount", "max_base"),
    Withdraw: (WITHDRAW, "lp_amount", "min_base"),
    BoostBurn: (BOOST, "quote_amount_in", ""),
}


class PoolRow(msgspec.Struct, frozen=True):
    """What never changes of a pool. ``mint`` is the place of its coin among the mints."""

    address: str
    mint: int
    is_sol: bool
    is_canonical: bool
    is_token_2022: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """Amounts are raw units. Of an act: ``amount``, ``limit`` and ``second`` its arguments, ``charged`` what a hop pays
    and whether its base is its trader's, ``rates`` those of a trade that no schedule explains. Of its trader:
    ``trader`` (0: not known), ``holder`` (he and this coin), ``trader_base`` what he had before, where ``has_base``.
    Of a trade: ``swap`` 1 for a buy and 2 for a sale, its amounts and the source's own time. ``until_ns``: until
    when the state of this step is known not to have changed, unless a later step says so; ``has_state`` is 0 where
    none is told.

    The state after a step: ``base``, ``reserve`` (E), ``boost`` (E less what can be paid out), both fee buckets,
    ``supply``, ``lp``, ``flags``, ``creator_bps``. ``places`` are the steps of each pool, one pool after the other,
    from ``starts``; ``swaps`` and ``swap_starts`` those that are trades, and ``rank`` is the place of a trade in them.
    """

    at_ns: NDArray[np.int64]
    pool: NDArray[np.uint32]
    kind: NDArray[np.uint8]
    generation: NDArray[np.uint8]
    amount: NDArray[np.uint64]
    limit: NDArray[np.uint64]
    second: NDArray[np.uint64]
    charged: NDArray[np.uint8]
    rates: NDArray[np.uint64]
    trader: NDArray[np.uint32]
    holder: NDArray[np.uint32]
    trader_base: NDArray[np.uint64]
    has_base: NDArray[np.uint8]
    swap: NDArray[np.uint8]
    swap_at_ns: NDArray[np.int64]
    swap_base: NDArray[np.uint64]
    swap_quote: NDArray[np.uint64]
    has_state: NDArray[np.uint8]
    until_ns: NDArray[np.int64]
    schedule: NDArray[np.uint16]
    base: NDArray[np.uint64]
    reserve: NDArray[np.uint64]
    boost: NDArray[np.int64]
    protocol: NDArray[np.uint64]
    creator: NDArray[np.uint64]
    supply: NDArray[np.uint64]
    lp: NDArray[np.uint64]
    flags: NDArray[np.uint8]
    creator_bps: NDArray[np.uint16]
    places: NDArray[np.int64]
    starts: NDArray[np.int64]
    swaps: NDArray[np.int64]
    swap_starts: NDArray[np.int64]
    rank: NDArray[np.int64]
    tables: RateTables
    pools: tuple[PoolRow, ...]
    mints: tuple[str, ...]
    traders: int
    holders: int
    sha256: str  # of the chronicle

    def __len__(self) -> int:
        return len(self.at_ns)

    @staticmethod
    def array_names() -> tuple[str, ...]:
        """The fields that are columns."""
        return _arrays()

    def save(self, folder: Path) -> None:
        """Write all columns as files that ``open`` maps into memory."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in _arrays():
            np.save(folder / f"{name}.npy", getattr(self, name))
        for name, array in self.tables._asdict().items():
            np.save(folder / f"tables_{name}.npy", array)
        head = {"pools": self.pools, "mints": self.mints, "traders": self.traders, "holders": self.holders}
        (folder / "columns.json").write_bytes(msgspec.json.encode(head | {"sha256": self.sha256}))

    @classmethod
    def open(cls, folder: Path) -> Columns:
        """The columns of a folder, shared by all processes that open it. Raises UsageError where there are none."""
        try:
            head = msgspec.json.decode((folder / "columns.json").read_bytes())
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _arrays()}
            tables = RateTables(*(np.load(folder / f"tables_{name}.npy") for name in RateTables._fields))
        except (OSError, ValueError, msgspec.DecodeError) as error:
            raise UsageError(f"{folder} holds no columns: {error}", hint="compile the history anew") from error
        pools = msgspec.convert(head["pools"], tuple[PoolRow, ...])
        rest = {"mints": tuple(head["mints"]), **{name: head[name] for name in ("traders", "holders", "sha256")}}
        return cls(**arrays, tables=tables, pools=pools, **rest)


def columns_of(chronicle: Chronicle) -> Columns:
    """Compile a chronicle. Raises UsageError for what the kernel cannot hold, by name: figures beyond 64 bits, a step
    without a state, an account layout that this version does not know, trades of one pool whose times go back.
    """
    return _Compiler(chronicle).columns()


def _arrays() -> tuple[str, ...]:
    known = ("tables", "pools", "mints", "traders", "holders", "sha256")
    return tuple(field.name for field in fields(Columns) if field.name not in known)


_ROW = _arrays()[:29]  # what follows from the order of the steps comes after
_KINDS = {field.name: np.dtype(str(field.type).split(".")[-1].rstrip("]")) for field in fields(Columns)[:29]}
_PIECE = 50_000


class _Compiler:
    """One pass over the steps."""

    def __init__(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        self._tables, self._schedule_for = _dated_tables(chronicle.schedule_for), chronicle.schedule_for
        self._since: list[int] = self._tables.since.tolist()
        self._complete = chronicle.complete
        self._pools: dict[str, int] = {}
        self._rows: list[PoolRow] = []
        self._mints: dict[str, int] = {}
        self._traders: dict[str, int] = {"": 0}
        self._holders: dict[tuple[int, str], int] = {}
        self._last_swap_ns: dict[str, int] = {}
        self._last: dict[str, PoolState] = {}
        self._steps: list[tuple[Any, ...]] = []
        self._pieces: dict[str, list[NDArray[Any]]] = {}

    def columns(self) -> Columns:
        for step in self._chronicle.steps():
            self._steps.append(self._row(step))
            if len(self._steps) == _PIECE:
                self._pack()
        self._pack()
        arrays = {name: np.concatenate(pieces) for name, pieces in self._pieces.items()}
        count = len(arrays["pool"])
        places, starts = _grouped(arrays["pool"], np.arange(count), len(self._rows))
        trades = np.flatnonzero(arrays["swap"])
        swaps, swap_starts = _grouped(arrays["pool"][trades], trades, len(self._rows))
        rank = np.full(count, -1, np.int64)
        rank[swaps] = np.arange(len(swaps))
        return Columns(
            **arrays, places=places, starts=starts, swaps=swaps, swap_starts=swap_starts, rank=rank,
            tables=self._tables, pools=tuple(self._rows), mints=tuple(self._mints), traders=len(self._traders),
            holders=len(self._holders) + 1, sha256=self._chronicle.identity.sha256,
        )  # fmt: skip

    def _pack(self) -> None:
        """Rows as they come are objects of Python: a million of them would need a gigabyte."""
        read = zip(*self._steps, strict=True) if self._steps else ((),) * len(_ROW)
        for name, column in zip(_ROW, read, strict=True):
            try:
                piece = np.array(column, _KINDS[name])
            except OverflowError as error:
                raise UsageError(f"{name} that has no room in {_KINDS[name]}: {error}", hint="use the engine") from None
            self._pieces.setdefault(name, []).append(piece)
        self._steps.clear()

    def _row(self, step: Step) -> tuple[Any, ...]:
        # The world goes on from what it has: a snapshot that tells no state leaves it as it was.
        after = step.after if step.after is not None else self._last.get(step.pool)
        if after is None or (step.after is None and step.act is not None):
            raise UsageError(f"a step of pool {step.pool} at {step.at_ns} without a state", hint="use the engine")
        is_first = step.pool not in self._last
        self._last[step.pool] = after
        pool = self._pool(step, after)
        ranges = self._complete.get(step.pool, ())
        has_state = step.act is not None or is_first or _place(ranges, step.at_ns) is not None
        kind, amount, limit, second, charged = (TOLD, 0, 0, 0, 0) if is_first else _act(step.act)
        second_of_step = step.at_ns // NS_PER_SECOND
        row = max(bisect_right(self._since, second_of_step) - 1, 0)
        if self._schedule_for(second_of_step) is not self._schedule_for(max(self._since[row], 0)):
            raise UsageError("fees that change at other times than the package knows", hint="use the engine")
        return (
            step.at_ns, pool, kind, getattr(step.act, "generation", 2), amount, limit, second, charged,
            _rates(step.rates), *self._trader(step, pool), *self._swap(step), has_state, _until(ranges, step.at_ns),
            row, *_figures(step, after),
        )  # fmt: skip

    def _pool(self, step: Step, after: PoolState) -> int:
        account = after.pool
        if account.account_len not in KNOWN_POOL_LENGTHS or any(account.tail):
            raise UsageError(f"pool {step.pool} has a layout that this version does not know", hint="use the engine")
        number = self._pools.get(step.pool)
        if number is None:
            number = self._pools[step.pool] = len(self._rows)
            mint = self._mints.setdefault(str(account.base_mint), len(self._mints))
            is_sol = account.quote_mint == WSOL_MINT and account.base_mint != WSOL_MINT
            is_2022 = after.base_token_program == TOKEN_2022_PROGRAM
            self._rows.append(PoolRow(step.pool, mint, is_sol, account.is_canonical, is_2022))
        return number

    def _trader(self, step: Step, pool: int) -> tuple[int, int, int, bool]:
        """(trader, holder, what he had, whether that is known)."""
        name = "" if step.swap is None else step.swap.trader
        if not name:
            return 0, 0, 0, False
        trader = self._traders.setdefault(name, len(self._traders))
        holder = self._holders.setdefault((self._rows[pool].mint, name), len(self._holders) + 1)
        return trader, holder, step.trader_base or 0, step.trader_base is not None

    def _swap(self, step: Step) -> tuple[int, int, int, int]:
        swap = step.swap
        if swap is None:
            return 0, 0, 0, 0
        if swap.at_ns < self._last_swap_ns.get(step.pool, swap.at_ns):
            raise UsageError(f"the times of trades of pool {step.pool} go back at {swap.at_ns}", hint="use the engine")
        if max(swap.base_units, swap.quote_units) > I64_MAX:
            raise UsageError(f"a trade of {swap.quote_units} quote units", hint="use the engine")
        self._last_swap_ns[step.pool] = swap.at_ns
        return 1 if swap.is_buy else 2, swap.at_ns, swap.base_units, swap.quote_units


def _act(act: PoolAct | None) -> tuple[int, int, int, int, int]:
    """(kind, amount, limit, second limit, what is charged)."""
    if act is None:
        return NOTHING, 0, 0, 0, 0
    simple = _SIMPLE.get(type(act))
    if simple is not None:
        kind, amount, limit = simple
        charged = LP | PROTOCOL | CREATOR | IS_HOLDERS
        second = getattr(act, "max_quote", getattr(act, "min_quote", 0))
        if isinstance(act, HopBuy | HopSell):
            paid, route = act.charged, act.route
            is_end = route.hop == (route.hops - 1 if isinstance(act, HopBuy) else 0)
            charged = LP * paid.lp | PROTOCOL * paid.protocol | CREATOR * paid.creator
            charged |= IS_ROUTE * (route.hops > 1) | IS_HOLDERS * is_end
        return kind, getattr(act, amount), getattr(act, limit) if limit else 0, second, charged
    if isinstance(act, SweepFees):
        return SWEEP_PROTOCOL if act.bucket is FeeBucket.PROTOCOL else SWEEP_CREATOR, 0, 0, 0, 0
    if isinstance(act, PoolChange):
        return CHANGE, act.supply_change & U64_MAX, act.virtual_quote_change & U64_MAX, 0, 0
    if isinstance(act, VaultGift):
        return GIFT, act.base & U64_MAX, act.quote & U64_MAX, 0, 0
    return TOLD, 0, 0, 0, 0


def _rates(rates: Rates | None) -> int:
    if rates is None:
        return 0
    if max(rates.lp_bps, rates.protocol_bps, rates.creator_bps, rates.buyback_bps) > 10_000:
        raise UsageError(f"a trade at {rates}", hint="use the engine")
    packed = rates.lp_bps | rates.protocol_bps << 16 | rates.creator_bps << 32 | rates.buyback_bps << 48
    return HAS_RATES | packed


def _figures(step: Step, state: PoolState) -> tuple[int, ...]:
    pool, reserve, boost = state.pool, state.effective_quote_reserve, state.pool.boost_reserves
    # A bit less than 64 bits, so that what one trade adds cannot carry over.
    if (
        not 0 <= reserve <= I64_MAX
        or not -I64_MAX <= boost <= I64_MAX
        or max(state.base_reserve, state.base_supply) > I64_MAX
    ):
        raise UsageError(f"pool {step.pool} holds more than 63 bits at {step.at_ns}", hint="use the engine")
    return (
        state.base_reserve, reserve, boost, pool.protocol_fees, pool.creator_fees, state.base_supply, pool.lp_supply,
        pool_flags(pool), pool.creator_fee_bps,
    )  # fmt: skip


def _place(ranges: Sequence[Range], at_ns: int) -> int | None:
    """Which of these ranges, in order of time, a moment lies in."""
    place = bisect_right(ranges, at_ns, key=lambda one: one[0]) - 1
    return place if place >= 0 and at_ns < ranges[place][1] else None


def _until(ranges: Sequence[Range], at_ns: int) -> int:
    """Until when a state of this moment does not grow old, as ``ReplayBook`` has it: ranges that touch are one."""
    place, until = _place(ranges, at_ns), at_ns
    while place is not None and place < len(ranges) and ranges[place][0] <= until < ranges[place][1]:
        until, place = ranges[place][1], place + 1
    return until


def _dated_tables(schedule_for: ScheduleFor) -> RateTables:
    """Tables of the fees of a chronicle: they can only change when the package's own schedules do."""
    dated = [DatedSchedule(entry.since, entry.note, schedule_for(entry.since)) for entry in dated_schedules()]
    kept = [one for at, one in enumerate(dated) if at == 0 or one.schedule is not dated[at - 1].schedule]
    return rate_tables(kept)


def _grouped(pools: NDArray[Any], steps: NDArray[np.int64], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(steps, one pool after the other; where each pool begins, and the end)."""
    order = np.argsort(pools, kind="stable")
    starts = np.searchsorted(pools[order], np.arange(count + 1)).astype(np.int64)
    return np.ascontiguousarray(steps[order], np.int64), starts
