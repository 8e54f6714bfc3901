"""Intent and Decision: what we want, and what risk made of it, with all numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pumpswap.model.exit_state import ExitKind
from pumpswap.model.signal import Signal

__all__ = ["Decision", "Intent", "SizingStep", "TradeSide", "Verdict"]


class TradeSide(Enum):
    """Which way base flows."""

    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class Intent:
    """What we want, before risk has agreed. ``base_units`` is what a sell gives away, or exactly what a buy gets; a buy
    without it is sized later.

    ``quote_lamports`` is there when a person named the budget of a buy: the gate then takes it, or an exact
    ``base_units``, whole or refuses it. ``most_lamports`` is what a buy may cost at most, fees and slippage in, beside
    all limits: a signal's size is cut to it. It is a step of the sizing, and is stored as that only.
    ``proposed_ns`` is there when a person was asked about it then and has agreed since.
    ``exit`` says which rule wants a sale, ``slippage_bps`` what it accepts instead of the settings, ``strategy`` who
    wishes it. ``client_order_id`` is the name that another system gave the order before it came to us.
    """

    side: TradeSide
    pool: str
    mint: str
    at_ns: int
    reason: str
    signal: Signal | None = None
    base_units: int | None = None
    quote_lamports: int | None = None
    exit: ExitKind | None = None
    slippage_bps: int | None = None
    strategy: str = ""
    proposed_ns: int | None = None
    client_order_id: str = ""
    most_lamports: int | None = field(default=None, compare=False)

    @property
    def is_by_hand(self) -> bool:
        """Whether a person named the size of this buy, rather than a signal leading to it."""
        return self.quote_lamports is not None or self.is_exact_buy

    @property
    def is_exact_buy(self) -> bool:
        """Whether this is a buy of exactly ``base_units``."""
        return self.side is TradeSide.BUY and self.base_units is not None


@dataclass(frozen=True, slots=True)
class SizingStep:
    """One step of the calculation of a size: what limited it, and what was left, in lamports."""

    rule: str
    lamports: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One policy's answer. ``numbers`` are the figures it compared, as text, exact.

    ``until_ns``: a refusal that ends by itself, and when; None for one that depends on something else.
    """

    policy: str
    passed: bool
    text: str
    numbers: Mapping[str, str] = field(default_factory=dict)
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Accepted or refused, with every verdict: a refusal carries all failed policies, not only the first.

    ``quote_lamports`` is the accepted budget of a buy, ``base_units`` the accepted amount of a sell or of an exact buy,
    whose ``quote_lamports`` are then the most that it may cost; 0 when refused.
    """

    decision_id: str
    intent: Intent
    accepted: bool
    verdicts: tuple[Verdict, ...]
    sizing: tuple[SizingStep, ...] = ()
    quote_lamports: int = 0
    base_units: int = 0

    def __bool__(self) -> bool:
        return self.accepted

    @property
    def refusals(self) -> tuple[Verdict, ...]:
        """The verdicts that refused."""
        return tuple(verdict for verdict in self.verdicts if not verdict.passed)
