"""The example of docs/pnl.md, booked by the package: what the page shows comes from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pumpswap.amm import BuyQuote, SellQuote
from pumpswap.model import (
    SOL,
    Adoption,
    Costs,
    EntryKind,
    Filled,
    ForeignEvent,
    ForeignKind,
    Order,
    Position,
    Rejected,
    TradeSide,
)
from pumpswap.portfolio.lots import LotEnd, TaxLot, tax_lots_of
from pumpswap.portfolio.portfolio import Portfolio
from tests.support.market import at

MINT, POOL, OTHER_POOL = "COIN", "P", "Q"
RENT = 2_039_280
FOREIGN = EntryKind.FOREIGN
Move = tuple[str, int, EntryKind]


def fill(number: int, gross: int, base: int, *, is_buy: bool, rent: int = 0) -> tuple[Order, Filled]:
    """0.2 % to the pool, 0.05 % to the protocol, 0.95 % to the creator; 35,000 lamports for the transaction."""
    fees = (gross // 500, gross // 2_000, gross * 95 // 10_000)
    terms = (gross, *fees, 0, 0, 20, 5, 95, 10**15, 10**12)
    quote = BuyQuote(*terms, base, gross + sum(fees)) if is_buy else SellQuote(*terms, base, gross - sum(fees))
    side = TradeSide.BUY if is_buy else TradeSide.SELL
    order = Order(f"o{number}", f"d{number}", side, POOL, MINT, at(number), 1, quote)
    costs = Costs(5_000, 20_000, 10_000, max(rent, 0), max(-rent, 0))
    return order, Filled(order.order_id, at(number), number, quote, costs, f"s{number}")


def by_hand(number: int, kind: ForeignKind, *moves: Move) -> ForeignEvent:
    return ForeignEvent(kind, f"f{number}", number, at(number), moves)


class Example:
    """The wallet, and what is known of it after each step."""

    def __init__(self) -> None:
        self.portfolio = Portfolio()
        self.states: list[tuple[str, int, int, int, int]] = []  # step, cash, units, cost, realised
        self.adoptions: list[Adoption] = []
        self._rounds: dict[tuple[str, int], Position] = {}
        for name, step in self.steps():
            step()
            self._note(name)

    def steps(self) -> Sequence[tuple[str, Callable[[], object]]]:
        portfolio = self.portfolio
        failed = Rejected("o4", at(4), 4, 6004, "ExceededSlippage", "moved", Costs(5_000, 20_000), "s4")
        return (
            ("1 deposit", lambda: portfolio.deposit(10 * 10**9, at(0))),
            ("2 buy", lambda: self._order(*fill(1, 10**9, 1_000_000, is_buy=True, rent=RENT))),
            ("3 buy", lambda: self._order(*fill(2, 600_000_000, 500_000, is_buy=True))),
            ("4 sale", lambda: self._order(*fill(3, 1_200_000_000, 900_000, is_buy=False))),
            ("5 failed sale", lambda: portfolio.book(fill(4, 10**9, 600_000, is_buy=False)[0], failed)),
            ("6 airdrop", lambda: self._foreign(by_hand(5, ForeignKind.AIRDROP, (MINT, 100_000, FOREIGN)))),
            ("7 sent away", lambda: self._foreign(by_hand(6, ForeignKind.TRANSFER_OUT, (MINT, -250_000, FOREIGN)))),
            ("8 sale by hand", lambda: self._foreign(self._hand_sale())),
            ("9 airdrop", lambda: self._foreign(by_hand(8, ForeignKind.AIRDROP, (MINT, 50_000, FOREIGN)))),
            ("10 adopted in Q", self._adopt),
            ("11 sale of all in P", lambda: self._order(*fill(9, 420_000_000, 300_000, is_buy=False, rent=-RENT))),
        )

    @property
    def rounds(self) -> list[Position]:
        return list(self._rounds.values())

    def lots(self) -> list[TaxLot]:
        orders = dict.fromkeys(("o1", "o2", "o3", "o9"), (POOL, MINT, ""))
        return list(tax_lots_of(self.portfolio.ledger.entries, orders.get, self.adoptions))

    def table(self) -> list[str]:
        """Rows of the page's table of steps."""
        return [f"| {name} | {' | '.join(f'{figure:,}' for figure in figures)} |" for name, *figures in self.states]

    def lot_table(self) -> list[str]:
        """Rows of the page's table of lots."""
        rows = []
        for lot in self.lots():
            origin = lot.acquired_order_id or ("adopted" if lot.acquired_ns is not None else "outside")
            gain = "" if lot.kind is LotEnd.HELD else f"{lot.gain_lamports:,}"
            figures = f"{lot.base_units:,} | {lot.cost_lamports:,} | {lot.proceeds_lamports:,} | {gain}"
            rows.append(f"| {lot.kind.value} | {origin} | {lot.disposed_order_id} | {figures} |")
        return rows

    def _hand_sale(self) -> ForeignEvent:
        moves: tuple[Move, ...] = ((SOL, 180_000_000, FOREIGN), (MINT, -150_000, FOREIGN))
        return by_hand(7, ForeignKind.MANUAL_SELL, *moves, (SOL, -5_000, EntryKind.NETWORK_FEE))

    def _order(self, order: Order, filled: Filled) -> None:
        _, position = self.portfolio.book(order, filled)
        assert position is not None
        self._keep([position])

    def _foreign(self, event: ForeignEvent) -> None:
        self._keep(self.portfolio.book_foreign(event)[1])

    def _adopt(self) -> None:
        last = self.portfolio.ledger.last_sequence
        adoption = Adoption(at(8.5), last, OTHER_POOL, MINT, 50_000, 30_000_000)
        self.adoptions.append(adoption)
        self._keep([self.portfolio.adopt(adoption)])

    def _keep(self, changed: Sequence[Position]) -> None:
        self._rounds |= {(position.pool, position.round): position for position in changed}

    def _note(self, name: str) -> None:
        rounds = self.rounds
        sums = (
            sum(getattr(one, field) for one in rounds) for field in ("base_units", "cost_lamports", "realised_lamports")
        )
        self.states.append((name, self.portfolio.cash, *sums))
