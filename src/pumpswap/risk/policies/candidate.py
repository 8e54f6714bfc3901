"""What policies look at: one intent, the books at this moment, the limits, the pool with its quotes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from pumpswap.amm import PoolState
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Intent, Position, ScreenReport, Verdict
from pumpswap.risk.caps import Caps
from pumpswap.risk.quotes import PoolQuotes
from pumpswap.risk.tracker import RiskFigures
from pumpswap.settings import RiskLimits, SignalSettings
from pumpswap.units import format_sol

__all__ = ["BookView", "Candidate", "Policy", "at_most", "percent", "seconds"]


@dataclass(frozen=True, slots=True)
class BookView:
    """What the gate knows of our books at this moment, in lamports."""

    balance: int  # what is free: without what buys on their way will spend and cost
    equity: int
    exposure: int  # cost of all open positions, and what the buys on their way may spend and cost
    open_positions: int  # rounds that are open or about to open
    position: Position | None  # the open round in this pool
    has_open_order: bool  # on the way or unresolved: on this token
    closed_ns: int | None  # when the last round in this pool ended
    declined_ns: int | None = None  # when a person last declined to buy this token
    token_exposure: int = 0  # of ``exposure``, the part of this token, in all its pools
    risk: RiskFigures = field(default_factory=RiskFigures)
    mode_obstacle: str = ""  # why nothing at all is ordered, as in analysis mode
    books_obstacle: str = ""  # why nothing of this token may be bought
    screen: ScreenReport | None = None  # the newest report on this token
    approved_lamports: int | None = None  # what a person has approved of this buy: no more is bought
    is_proposed: bool = False  # whether a buy of this token waits for a person, and this would be another one


@dataclass(frozen=True, slots=True)
class Candidate:
    """One intent with all that the policies look at. ``quotes`` is None where no state of the pool is known.

    ``budget`` is what sizing has left of a buy and ``limited_by`` the step that left no more. Sizing is not asked about
    a signal that is refused: ``is_sized``. ``asked`` is what a person asked for, in lamports: a budget, or the most
    that an exact amount may cost.
    """

    intent: Intent
    book: BookView
    limits: RiskLimits
    caps: Caps
    signals: SignalSettings
    quotes: PoolQuotes | None
    observed_ns: int | None
    obstacle: str
    budget: int = 0
    limited_by: str = ""
    is_sized: bool = False
    asked: int | None = None

    @property
    def state(self) -> PoolState | None:
        """The pool."""
        return None if self.quotes is None else self.quotes.state

    @property
    def amount(self) -> int:
        """What limits are compared with. Where sizing has cut what a person asked for, that is what was asked for, and
        where it has left nothing the smallest trade, so that each limit in the way says so itself. 0 where sizing was
        not asked.
        """
        if not self.is_sized:
            return 0
        return self.budget or max(self.caps.min_position, 1) if self.asked is None else max(self.asked, 1)


Policy = Callable[[Candidate], Verdict | None]


def at_most(policy: str, found: int, most: int, text: str) -> Verdict:
    """Whether an amount in lamports is within its limit. ``text`` says what it is, its limit follows."""
    numbers = {"lamports": str(found), "max_lamports": str(most)}
    return Verdict(policy, found <= most, f"{text}, at most {format_sol(most)}", numbers)


def percent(share: Fraction) -> str:
    """A share for people."""
    return f"{share.numerator / share.denominator * 100:.2f} %"


def seconds(nanoseconds: int) -> str:
    """A time for people: whole seconds where it is whole."""
    whole, rest = divmod(nanoseconds, NS_PER_SECOND)
    return f"{whole} s" if not rest else f"{nanoseconds / NS_PER_SECOND:.3f} s"
