"""Rows of tests: a round, a fill, a sale, points of a curve, with what matters named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pumpswap.analytics.performance import PerformanceInput, Sale
from pumpswap.analytics.performance.capital import is_capital
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import EquityPoint
from pumpswap.model.booked import BookedFill, BookedMove, BookedRound

SOL = 10**9
HOUR = 3_600 * NS_PER_SECOND
DAY = 24 * HOUR
START = 20_000 * DAY


def closed_round(gain: int, *, paid: int = SOL, at_ns: int = START, held_ns: int = HOUR, **other: Any) -> BookedRound:
    values: dict[str, Any] = {"pool": f"pool-{at_ns}", "mint": "mint", "number": 1} | other
    return BookedRound(
        opened_ns=at_ns - held_ns, closed_ns=at_ns, base_units=0, cost_lamports=0, bought_lamports=paid,
        sold_lamports=paid + gain, realised_lamports=gain, buys=1, sells=1, **values,
    )  # fmt: skip


def fill(at_ns: int, *, is_buy: bool, lamports: int = SOL, **other: Any) -> BookedFill:
    values: dict[str, Any] = dict.fromkeys(
        (
            "lp_fee_lamports", "protocol_fee_lamports", "creator_fee_lamports", "cashback_lamports",
            "network_fee_lamports", "priority_fee_lamports", "tip_lamports", "rent_lamports",
        ), 0,
    )  # fmt: skip
    values |= {"order_id": f"o{at_ns}", "pool": "pool", "mint": "mint", "base_units": 1_000} | other
    return BookedFill(at_ns=at_ns, is_buy=is_buy, quote_lamports=lamports, **values)


def sale(at_ns: int, received: int, cost: int, **other: Any) -> Sale:
    values: dict[str, Any] = {
        "order_id": f"o{at_ns}", "pool": "pool", "mint": "mint", "round": 1, "strategy": "", "exit_kind": "stop-loss",
        "base_units": 1_000, "opened_ns": at_ns - HOUR, "closes": True,
    } | other  # fmt: skip
    return Sale(at_ns=at_ns, received_lamports=received, cost_lamports=cost, **values)


def points(*of: tuple[int, float], marks: float = 0.0) -> list[EquityPoint]:
    """(time, equity in SOL); ``marks`` of it are in positions."""
    return [EquityPoint(at_ns, round((sol - marks) * SOL), round(marks * SOL), 0) for at_ns, sol in of]


def deposit(at_ns: int, sol: float) -> BookedMove:
    """A deposit, or a withdrawal of what is below zero."""
    return BookedMove(at_ns, "deposit" if sol > 0 else "withdrawal", round(sol * SOL))


def given(equity: Sequence[EquityPoint] = (), moves: Sequence[BookedMove] = (), **other: Any) -> PerformanceInput:
    """Of all ``moves`` those of the time are given, and of what is capital all of it, also of before."""
    values: dict[str, Any] = {"since_ns": START, "until_ns": START + 1_000 * DAY} | other
    within = [move for move in moves if move.at_ns >= values["since_ns"]]
    values.setdefault("capital", [(move.at_ns, move.lamports) for move in moves if is_capital(move)])
    return PerformanceInput(equity=equity, moves=within, **values)


def told(equity: Sequence[EquityPoint], *put_in: float) -> list[EquityPoint]:
    """The same points, each of which says what was put in by then, in SOL."""
    return [
        msgspec.structs.replace(point, put_in_lamports=round(sol * SOL))
        for point, sol in zip(equity, put_in, strict=True)
    ]
