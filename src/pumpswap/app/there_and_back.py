"""ThereAndBack: a little bought and sold again with money, and what that really cost, by the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import SOL, Denied, EntryKind, Filled, Outcome, Rejected
from pumpswap.sdk.trader import Traded, Trader

__all__ = ["ThereAndBack", "TradedSide", "trade_there_and_back"]

_NAMES = {
    EntryKind.TRADE_QUOTE: "trade_lamports",
    EntryKind.LP_FEE: "lp_fee_lamports",
    EntryKind.PROTOCOL_FEE: "protocol_fee_lamports",
    EntryKind.CREATOR_FEE: "creator_fee_lamports",
    EntryKind.CASHBACK: "cashback_lamports",
    EntryKind.NETWORK_FEE: "network_fee_lamports",
    EntryKind.PRIORITY_FEE: "priority_fee_lamports",
    EntryKind.TIP: "tip_lamports",
    EntryKind.RENT_PAID: "rent_lamports",
    EntryKind.RENT_RETURNED: "rent_lamports",
}


@dataclass(frozen=True, slots=True)
class TradedSide:
    """One filled side. ``moves`` are signed lamports by kind, as the ledger has them; ``seconds`` from the decision
    until the outcome was booked.
    """

    side: str
    signature: str
    slot: int
    seconds: float
    moves: Mapping[str, int]

    def lamports(self, name: str) -> int:
        """What moved under this name."""
        return self.moves.get(name, 0)

    def to_json(self) -> dict[str, Any]:
        """For scripts; amounts as text."""
        moves = {name: str(lamports) for name, lamports in sorted(self.moves.items())}
        return {
            "side": self.side,
            "transaction": self.signature,
            "slot": self.slot,
            "seconds": round(self.seconds, 3),
            **moves,
        }


@dataclass(frozen=True, slots=True)
class ThereAndBack:
    """``status`` is that of the last side that was tried; ``sides`` are those that were filled."""

    status: str
    last_side: str
    text: str
    sides: tuple[TradedSide, ...]

    @property
    def rent_lamports(self) -> int:
        """Deposits in accounts that are still open."""
        return -sum(side.lamports("rent_lamports") for side in self.sides)

    @property
    def lost_lamports(self) -> int | None:
        """Gone for good, after both sides; None before."""
        if len(self.sides) < 2:
            return None
        return -sum(sum(side.moves.values()) for side in self.sides) - self.rent_lamports

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        lost = self.lost_lamports
        return {
            "status": self.status,
            "side": self.last_side,
            "text": self.text,
            "sides": [side.to_json() for side in self.sides],
            "rent_lamports": str(self.rent_lamports),
            "lost_lamports": None if lost is None else str(lost),
        }


async def trade_there_and_back(trader: Trader, state: PoolState, quote_lamports: int) -> ThereAndBack:
    """Buy, and sell what was bought. Ends after the first side that is not filled; raises what ``Trader`` raises."""
    held_before = trader.position(state)
    began_ns = trader.connection.clock.now_ns()
    bought = await trader.buy(state, quote_lamports)
    first = _side(trader, "buy", bought, began_ns)
    if first is None:
        return ThereAndBack(_status(bought), "buy", _text(bought), ())
    position = trader.position(state)
    assert position is not None, "a filled buy has left a position"
    units = position.base_units - (held_before.base_units if held_before is not None else 0)
    now = await trader.connection.pool(state.address)
    began_ns = trader.connection.clock.now_ns()
    sold = await trader.sell(now, units)
    second = _side(trader, "sell", sold, began_ns)
    if second is None:
        return ThereAndBack(_status(sold), "sell", _text(sold), (first,))
    return ThereAndBack("filled", "sell", "both sides are filled", (first, second))


def _side(trader: Trader, side: str, traded: Traded, began_ns: int) -> TradedSide | None:
    outcome = traded.outcome
    if not isinstance(outcome, Filled):
        return None
    seconds = (trader.connection.clock.now_ns() - began_ns) / NS_PER_SECOND
    moves: dict[str, int] = {}
    for entry in trader.books.run.books.of_order(outcome.order_id):
        if entry.asset == SOL and entry.kind in _NAMES:
            name = _NAMES[entry.kind]
            moves[name] = moves.get(name, 0) + entry.units
    return TradedSide(side, outcome.signature, outcome.slot, seconds, moves)


def _status(traded: Traded) -> str:
    return "refused" if traded.outcome is None else type(traded.outcome).__name__.lower()


def _text(traded: Traded) -> str:
    outcome: Outcome | None = traded.outcome
    match outcome:
        case None:
            return "; ".join(f"{verdict.policy}: {verdict.text}" for verdict in traded.decision.refusals)
        case Rejected():
            return f"{outcome.name}: {outcome.text}"
        case Denied():
            return f"{outcome.rule}: {outcome.text}"
        case Filled():
            return "filled"
        case _:
            return f"{outcome.signature} may still land until height {outcome.expiry_height}: do not repeat it"
