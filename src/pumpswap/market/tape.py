"""TradeTape: the trades of one pool over a day or so, replayed with a snapshot every minute."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, NotFound, UsageError
from pumpswap.market.csv_rows import csv_header
from pumpswap.market.data_row import skip_counts
from pumpswap.market.host_database import HostDatabase
from pumpswap.market.host_export import HostExport
from pumpswap.market.lake import Lake, is_lake
from pumpswap.market.rebuild import ASSUMED_SUPPLY, BASE_DECIMALS, QUOTE_DECIMALS, anchored, pool_of
from pumpswap.market.recording import Recording
from pumpswap.market.trade_file import TRADE_ASSUMPTIONS, TRADE_COLUMNS, ObservedTrade, TradeFile
from pumpswap.model import MarketUpdate, PoolSnapshot
from pumpswap.storage.host_reader import is_database

if TYPE_CHECKING:
    from pumpswap.market.lake.replay import LakeRecording

__all__ = ["TradeTape", "open_recording"]

# What a coin takes from its bonding curve into its pool when it graduates.
GRADUATION_BASE = 206_900_000_000_000
GRADUATION_QUOTE = 84_990_359_057

_LONGEST_NAME = 63

_MINUTE_NS = 60 * NS_PER_SECOND
_HOUR_NS = 60 * _MINUTE_NS
_DAY_NS = 24 * _HOUR_NS

_STAND_IN = "Mint: the tape does not name it, so the pool's address stands for it; no amount depends on it."


class TradeTape:
    """Trades of one pool. The file is read and checked when it is opened, like a host export.

    A tape tells prices, not depth: the state is inferred, see ``assumptions``. At every full minute it yields a
    snapshot whose metrics are what the trades of the last hour and day add up to, so that the same score applies; these
    updates carry no state, since nothing new was seen of the pool. A minute's snapshot covers what came before it.
    A gap of more than a day has no snapshots: there is nothing to score.
    ``mint`` names the token where it is known; it also decides whether the pool is the coin's canonical one.
    """

    def __init__(self, path: Path, *, mint: str | None = None) -> None:
        self.path, self.location = path, str(path)
        file = TradeFile(path)
        if not file.trades:
            raise BadInput(f"{path.name} has no usable trade", hint=_first_reason(file))
        pools = sorted({trade.swap.pool for trade in file.trades})
        if len(pools) > 1:
            raise BadInput(
                f"{path.name} has trades of {len(pools)} pools: {pools[0]}, {pools[1]}, …",
                hint="a tape has one pool; pass the folder of the export to replay many",
            )
        self.pool = pools[0]
        self.skipped = tuple(file.skipped)
        self._trades = file.trades
        self._start = self._graduated(mint)
        self.assumptions: tuple[str, ...] = (
            "Liquidity: what a coin has at graduation (206.9 million tokens, 84.99 SOL); it stays, the price moves.",
            "Pool: PumpSwap, canonical with a coin creator, one billion tokens of 6 decimals, no virtual reserves."
            if mint is None
            else "Pool: PumpSwap, one billion tokens of 6 decimals; canonical if the mint's own address says so.",
            *((_STAND_IN,) if mint is None else ()),
            "Snapshots: volume, counts and price changes are those of the recorded trades since the tape began.",
            "Fees: the schedule that was in force at the time of the trade, generation 1.",
            *TRADE_ASSUMPTIONS,
        )
        self.counts = {
            "snapshots": sum(isinstance(step, int) for step in self._timeline()),
            "trades": len(self._trades),
            "candles": 0,
            "amounts_cut": file.cut_amounts,
            **skip_counts(self.skipped),
        }

    def updates(self) -> Iterator[MarketUpdate]:
        """The tape from its first to its last trade. Every call starts anew and yields the same."""
        state, window = self._start, _Window()
        for step in self._timeline():
            if isinstance(step, int):
                yield MarketUpdate(step, self.pool, snapshot=self._snapshot(step, state, window))
                continue
            window.add(step)
            moved = anchored(state, step.price, step.swap.slot)
            if moved is None:
                yield MarketUpdate(step.swap.at_ns, self.pool, swap=step.swap, obstacle="its price empties the pool")
                continue
            state = moved
            yield MarketUpdate(step.swap.at_ns, self.pool, state, swap=step.swap)

    def _timeline(self) -> Iterator[ObservedTrade | int]:
        """Trades, and full minutes as nanoseconds; at the same moment the minute comes first."""
        last = self._trades[0].swap.at_ns
        minute = _next_minute(last)
        for trade in self._trades:
            at_ns = trade.swap.at_ns
            while minute <= at_ns and minute - last <= _DAY_NS:
                yield minute
                minute += _MINUTE_NS
            if minute <= at_ns:
                minute = _next_minute(at_ns)
            yield trade
            last = at_ns
        yield minute

    def _graduated(self, mint: str | None) -> PoolState:
        try:
            address = Pubkey.from_string(self.pool)
        except ValueError:
            raise BadInput(f"{self.path.name}: {self.pool!r} is no address of a pool") from None
        try:
            base = Pubkey.from_string(mint) if mint is not None else address
        except ValueError:
            raise UsageError(f"{mint!r} is no mint", hint="a mint is a base58 address") from None
        if base == WSOL_MINT:
            raise UsageError("the mint of the tape cannot be wrapped SOL", hint="pass the token that is traded")
        return PoolState(
            pool=pool_of(address, base, canonical=True if mint is None else None),
            address=address,
            base_reserve=GRADUATION_BASE,
            quote_vault=GRADUATION_QUOTE,
            base_supply=ASSUMED_SUPPLY,
            base_decimals=BASE_DECIMALS,
            quote_decimals=QUOTE_DECIMALS,
        )

    def _snapshot(self, at_ns: int, state: PoolState, window: _Window) -> PoolSnapshot:
        window.move_to(at_ns)
        reserve = 2 * Decimal(state.effective_quote_reserve) / 10**QUOTE_DECIMALS * window.sol_usd
        price = Decimal(state.effective_quote_reserve) / state.base_reserve / 10 ** (QUOTE_DECIMALS - BASE_DECIMALS)
        return PoolSnapshot(
            pool_id=f"solana_{self.pool}",
            pool=self.pool,
            dex="pumpswap",
            at_ns=at_ns,
            name=f"{self.pool[:4]}…{self.pool[-4:]}",
            base_mint=str(state.pool.base_mint),
            quote_mint=str(WSOL_MINT),
            base_price_usd=window.token_usd,
            base_price_quote=price,
            quote_price_usd=window.sol_usd,
            reserve_usd=reserve,
            metrics={"reserve_in_usd": reserve, **window.metrics()},
        )


def open_recording(target: str | Path) -> Recording | TradeTape | LakeRecording:
    """A folder is a host export or a lake, a CSV file with the columns of trades is the tape of one pool. A URL or a
    SQLite file is the host's database itself.

    Raises NotFound where there is nothing, BadInput for anything else.
    """
    if is_database(target):
        return HostDatabase(target).recording()
    path = Path(target)
    if path.is_dir() and is_lake(path):
        from pumpswap.market.lake.replay import LakeRecording  # it needs polars, which is an extra

        return LakeRecording(Lake(path))
    if path.is_dir():
        return HostExport(path)
    if not path.exists():
        # A name this long may be a key that was pasted into the wrong place: it is not repeated.
        shown = path if len(path.name) <= _LONGEST_NAME else "that path"
        raise NotFound(f"{shown} does not exist", hint="pass the folder of a host export, or the CSV file of a tape")
    missing = [column for column in TRADE_COLUMNS if column not in csv_header(path)]
    if missing:
        raise BadInput(
            f"{path.name} is no tape of trades: no column {', '.join(missing)}",
            hint="pass a CSV file of trades, or the folder that this file is in",
        )
    return TradeTape(path)


class _Span:
    """What the trades of the last hour or day add up to; trades enter at one end and leave at the other."""

    def __init__(self, length_ns: int) -> None:
        self._length_ns = length_ns
        self._first = 0
        self.buys = 0
        self.sells = 0
        self.volume_usd = Decimal(0)

    def add(self, trade: ObservedTrade, sign: int = 1) -> None:
        self.buys += sign * trade.swap.is_buy
        self.sells += sign * (not trade.swap.is_buy)
        self.volume_usd += sign * trade.volume_usd

    def move_to(self, at_ns: int, trades: list[ObservedTrade]) -> None:
        while self._first < len(trades) and trades[self._first].swap.at_ns < at_ns - self._length_ns:
            self.add(trades[self._first], -1)
            self._first += 1

    def price_change(self, trades: list[ObservedTrade]) -> Decimal:
        """Per cent against the last price before the span, or the tape's first one."""
        return (trades[-1].token_usd / trades[max(self._first - 1, 0)].token_usd - 1) * 100


class _Window:
    """The trades so far, and the hour and the day before now."""

    def __init__(self) -> None:
        self._trades: list[ObservedTrade] = []
        self._hour = _Span(_HOUR_NS)
        self._day = _Span(_DAY_NS)
        self._has_buy = False
        self.sol_usd = Decimal(0)

    @property
    def token_usd(self) -> Decimal:
        return self._trades[-1].token_usd

    def add(self, trade: ObservedTrade) -> None:
        self._trades.append(trade)
        self._hour.add(trade)
        self._day.add(trade)
        # On buys the source states SOL's price; before the first one the sells imply it.
        if trade.swap.is_buy or not self._has_buy:
            self.sol_usd = trade.sol_usd
            self._has_buy |= trade.swap.is_buy

    def move_to(self, at_ns: int) -> None:
        self._hour.move_to(at_ns, self._trades)
        self._day.move_to(at_ns, self._trades)

    def metrics(self) -> dict[str, object]:
        return {
            "volume_usd_h24": self._day.volume_usd,
            "price_change_percentage_h1": self._hour.price_change(self._trades),
            "price_change_percentage_h24": self._day.price_change(self._trades),
            "transactions_h1_buys": self._hour.buys,
            "transactions_h1_sells": self._hour.sells,
            "transactions_h24_buys": self._day.buys,
            "transactions_h24_sells": self._day.sells,
        }


def _next_minute(at_ns: int) -> int:
    """The first full minute after a moment."""
    return at_ns - at_ns % _MINUTE_NS + _MINUTE_NS


def _first_reason(file: TradeFile) -> str:
    return f"for example {file.skipped[0]}" if file.skipped else "the file has only its line of column names"
