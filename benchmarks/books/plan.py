"""How much a database of a given number of ledger rows holds, and where in it a query finds something.

The same pace of trading at every size: more rows are more days, not a busier day.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FillPlan", "mint_of", "plan_of", "pool_of"]

DAY_NS = 86_400 * 10**9
HOUR_NS = 3_600 * 10**9
END_NS = 1_795_651_200 * 10**9  # 2026-11-26 00:00 UTC: the last day of the books ends here
ORDERS_A_DAY = 1_400  # nine of ten are filled
DECISIONS_AN_ORDER = 5
NEW_TOKENS_A_DAY = 5
ACTIVE_TOKENS = 200  # each is traded for 40 days
EQUITY_POINTS_A_DAY = 1_440
ENTRIES_A_TRADE = 8
ORDER_GAP_NS = DAY_NS // ORDERS_A_DAY


@dataclass(frozen=True, slots=True)
class FillPlan:
    """Rows by table; ``trades`` ends with one buy of each open position."""

    ledger_rows: int
    trades: int
    orders: int
    decisions: int
    open_positions: int
    equity_points: int
    marks: int
    start_ns: int

    @property
    def days(self) -> int:
        """Days that the orders span, rounded up."""
        return -(-self.orders // ORDERS_A_DAY)

    @property
    def tokens(self) -> int:
        """Tokens that were ever traded, each in one pool."""
        return (self.days - 1) * NEW_TOKENS_A_DAY + ACTIVE_TOKENS

    def order_of_trade(self, trade: int) -> int:
        """Number of the order that a trade belongs to: every tenth order is not filled."""
        return trade + trade // 9

    def token_of_pair(self, pair: int) -> int:
        """Token of the buy and the sell with these numbers (trades ``2 * pair`` and the one after it)."""
        day = self.order_of_trade(2 * pair) // ORDERS_A_DAY
        return day * NEW_TOKENS_A_DAY + pair * 7_919 % ACTIVE_TOKENS


def plan_of(ledger_rows: int) -> FillPlan:
    """The plan of a database with about ``ledger_rows`` ledger entries (one deposit more than eight for each trade)."""
    trades = ledger_rows // ENTRIES_A_TRADE // 18 * 18
    orders = trades + trades // 9
    return FillPlan(
        ledger_rows=trades * ENTRIES_A_TRADE + 1,
        trades=trades,
        orders=orders,
        decisions=orders * DECISIONS_AN_ORDER,
        open_positions=ACTIVE_TOKENS,
        equity_points=orders * EQUITY_POINTS_A_DAY // ORDERS_A_DAY,
        marks=ledger_rows // 4,
        start_ns=END_NS - orders * ORDER_GAP_NS,
    )


def mint_of(token: int) -> str:
    """The mint of a token, as the filler writes it: as long as a real one, and as unordered."""
    return f"{10_000_000 + token * 7_919 % 9_000_000}{MINT_TAIL}"


def pool_of(token: int) -> str:
    """The pool of a token."""
    return f"{10_000_000 + token * 7_919 % 9_000_000}{POOL_TAIL}"


MINT_TAIL = "MintOfTheBenchmarkOfTheBookspump"[:36].ljust(36, "x")
POOL_TAIL = "PoooLOfTheBenchmarkOfTheBooks"[:36].ljust(36, "x")
