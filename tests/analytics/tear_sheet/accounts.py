"""Accounts for tests of reports: round trips become fills, ledger movements and a curve that agree with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from pumpswap.analytics.performance import PerformanceInput, measure
from pumpswap.analytics.performance.replay import RoundReplay
from pumpswap.analytics.tear_sheet import (
    Account,
    HeldMark,
    PricePath,
    ScoredRound,
    SolUsd,
    TearSheet,
    Time,
    biggest_pools,
    execution_of,
    score_bands,
)
from pumpswap.model import EquityPoint, TradeSide
from pumpswap.model.booked import BookedFill, BookedMove, StoredRound
from pumpswap.storage.fills import FillRow, UnfilledRow

SOL = 10**9
MINUTE = 60 * 10**9
START = 1_793_577_600 * 10**9  # 2026-11-02 00:00 UTC
FEES, NETWORK = 100, 5_000  # basis points of the venue, lamports a transaction


@dataclass(frozen=True)
class Trip:
    """A purchase and what it brought; ``back`` None: it is held still, worth ``value`` lamports."""

    paid: int = SOL
    back: int | None = SOL
    value: int = SOL
    name: str = "COIN / SOL"
    exit_kind: str = "stop-loss"
    strategy: str = "follow-signals"
    score: float = 82.5
    minutes: int = 10


def account(
    trips: Sequence[Trip],
    *,
    usd: str | None = None,
    deposit: int = 50 * SOL,
    unfilled: Sequence[UnfilledRow] = (),
    kind: str = "paper",
) -> TearSheet:
    """The sheet of an account that made these trips, one after the other, each in a pool of its own."""
    fills: list[BookedFill] = []
    equity = [EquityPoint(START, deposit, 0, 0)]
    cash, held, at_ns = deposit, 0, START
    names: dict[tuple[str, int], StoredRound] = {}
    for number, trip in enumerate(trips):
        pool = f"Poo{number:05d}".ljust(40, "x")
        at_ns += MINUTE
        fills.append(_fill(f"b{number}", at_ns, pool, trip, trip.paid, is_buy=True))
        cash += fills[-1].swap_lamports
        value = trip.value if trip.back is None else trip.back
        equity.append(EquityPoint(at_ns, cash, held + value, 0))
        is_held = trip.back is None
        names[pool, 1] = StoredRound(trip.name, 1_000_000 if is_held else 0, trip.value if is_held else None, at_ns)
        if trip.back is None:
            held += trip.value
            continue
        at_ns += trip.minutes * MINUTE
        fills.append(_fill(f"s{number}", at_ns, pool, trip, trip.back, is_buy=False))
        cash += fills[-1].swap_lamports
        equity.append(EquityPoint(at_ns, cash, held, 0))
    until_ns = at_ns + MINUTE
    books = RoundReplay(0, until_ns)
    books.take_fills(fills)
    found = measure(
        PerformanceInput(
            since_ns=0,
            until_ns=until_ns,
            fills=fills,
            sales=books.sales,
            moves=[BookedMove(START, "deposit", deposit)],
            capital=[(START, deposit)],
            rounds=books.rounds(names),
            equity=equity,
            open_cost_after_lamports=books.cost_after_lamports,
            ledger_after_lamports=cash,
        )
    )
    rows = [_row(fill, trips[int(fill.order_id[1:])]) for fill in fills]
    scores = {fill.pool: trips[int(fill.order_id[1:])].score for fill in fills}
    gains = [(one.round.pool, one.gain_lamports) for one in found.by_position]
    return TearSheet(
        account=Account(3, kind, "mainnet" if kind == "live" else None, "W" * 44 if kind == "live" else None),
        time=Time(START, until_ns, "all", "from its beginning", "UTC", True, "all"),
        performance=found,
        execution=execution_of(rows, unfilled),
        bands=score_bands(
            ScoredRound(scores[one.round.pool], one.round.bought_lamports, one.round.realised_lamports)
            for one in found.by_position
            if not one.round.is_open
        ),
        prices=[
            _path(pool, gain, [row for row in rows if row.pool == pool], names)
            for pool, gain in biggest_pools(gains, 4)
        ],
        marks={key: HeldMark(2 * 10**9) for key, stored in names.items() if stored.base_units},
        sol=SolUsd(None if usd is None else Decimal(usd), "the test"),
    )


def random_trips(count: int, seed: int = 1) -> list[Trip]:
    """Gains and losses as people have them: many small losses, few large gains."""
    rng = Random(seed)
    exits = ("stop-loss", "take-profit", "signal", "max hold")
    made = []
    for number in range(count):
        paid = rng.randrange(SOL // 10, 2 * SOL)
        score = round(rng.uniform(75, 100), 2)
        back = int(paid * rng.lognormvariate((score - 88) / 300, 0.25))
        name = f"COIN{number % 40} / SOL"
        made.append(Trip(paid, back, name=name, exit_kind=rng.choice(exits), score=score, minutes=rng.randrange(1, 90)))
    return made


def _fill(order_id: str, at_ns: int, pool: str, trip: Trip, lamports: int, *, is_buy: bool) -> BookedFill:
    return BookedFill(
        order_id=order_id, at_ns=at_ns, pool=pool, mint=pool.replace("Poo", "Min"), is_buy=is_buy,
        base_units=1_000_000, quote_lamports=lamports, lp_fee_lamports=lamports * FEES // 10_000,
        protocol_fee_lamports=0, creator_fee_lamports=0, cashback_lamports=0, network_fee_lamports=NETWORK,
        priority_fee_lamports=0, tip_lamports=0, rent_lamports=0, strategy=trip.strategy if is_buy else "",
        exit_kind="" if is_buy else trip.exit_kind, quoted_lamports=lamports, quoted_units=1_000_000,
    )  # fmt: skip


def _row(fill: BookedFill, trip: Trip) -> FillRow:
    side = TradeSide.BUY if fill.is_buy else TradeSide.SELL
    gross = fill.quote_lamports
    return FillRow(
        fill.order_id, f"d{fill.order_id}", side, fill.pool, fill.mint, fill.at_ns - 10**9, fill.at_ns,
        fill.base_units, gross, fill.base_units, gross, gross, 10**12, gross * 10**6,
        trip.score if fill.is_buy else None, fill.strategy or None, fill.exit_kind or None,
    )  # fmt: skip


def _path(pool: str, gain: int, fills: list[FillRow], names: dict[tuple[str, int], StoredRound]) -> PricePath:
    points = [(fill.at_ns, fill.quote_lamports, fill.base_units) for fill in fills]
    return PricePath(pool, names[pool, 1].name, 6, points, fills, gain, is_spot=True)
