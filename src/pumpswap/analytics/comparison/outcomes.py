"""What a snapshot would have earned: exact round trips on the recorded states, found in one pass in time order.

Nothing is looked up in the future. The tracker is fed the market as it went by; a purchase is made on the first state
that comes after the decision and its latency, and sold on the last state that had come when the horizon was reached.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from pumpswap.amm import FeeSchedule, PoolState, buy_exact_quote, sell_exact_base
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import TradeRefused
from pumpswap.model import MarketUpdate

__all__ = ["ENDS", "NO_PRICE", "REFUSED", "UNUSABLE", "OutcomeRules", "OutcomeTracker", "RoundTrip"]

ENDS = "the recording ends before the horizon"
NO_PRICE = "no later price within the horizon"
REFUSED = "the pool refuses a purchase of this size"
UNUSABLE = "what was seen last of the pool gives no price"


@dataclass(frozen=True, slots=True)
class OutcomeRules:
    """What is bought, how and for how long.

    ``size_lamports`` is the budget of the purchase, venue fees in; ``network_lamports`` what each of the two
    transactions costs besides (signature, priority, tip). ``horizons_ns`` count from the decision.
    """

    size_lamports: int
    network_lamports: int
    latency_ns: int
    horizons_ns: tuple[int, ...]
    schedule_for: Callable[[int], FeeSchedule]


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A purchase and the sale of all of it.

    ``paid_lamports`` is the cost of the purchase with the network costs of both transactions, ``received_lamports``
    what the sale brought after all venue fees; nothing where the pool was empty or could not pay.
    """

    entry_ns: int
    exit_ns: int
    deadline_ns: int
    paid_lamports: int
    received_lamports: int
    is_sellable: bool = True

    @property
    def result(self) -> Fraction:
        """Gain over what was paid; −1 is a total loss."""
        return Fraction(self.received_lamports - self.paid_lamports, self.paid_lamports)

    @property
    def price_age_ns(self) -> int:
        """How old the last price was when the horizon was reached."""
        return self.deadline_ns - self.exit_ns


@dataclass(slots=True)
class _Decision:
    """A snapshot on its way: bought once its state has come."""

    key: int
    at_ns: int
    entry_ns: int = 0
    base_units: int = 0
    paid_lamports: int = 0


@dataclass(slots=True)
class _Pool:
    """One pool as it went by. Every queue is in order of time."""

    waiting: deque[_Decision]
    held: list[deque[_Decision]]  # by horizon
    state: PoolState | None = None
    state_ns: int = 0
    is_empty: bool = False


@dataclass(slots=True)
class OutcomeTracker:
    """Follows decisions to their outcomes.

    Call ``decide`` with a number for each decision and ``see`` for every update, in the market's order, and ``finish``
    at its end. ``trips[h]`` then holds the round trips of horizon h by decision, ``missing[h]`` counts the reasons why
    the others have none.
    """

    rules: OutcomeRules
    trips: list[dict[int, RoundTrip]] = field(init=False)
    missing: list[Counter[str]] = field(init=False)
    seen_later: set[str] = field(init=False, default_factory=set)
    _pools: dict[str, _Pool] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.trips = [{} for _ in self.rules.horizons_ns]
        self.missing = [Counter() for _ in self.rules.horizons_ns]

    def decide(self, key: int, pool: str, at_ns: int, state: PoolState) -> None:
        """A decision at ``at_ns``, when ``state`` was known. Whether anybody would buy is asked later."""
        own = self._pools.get(pool)
        if own is None:
            own = self._pools[pool] = _Pool(deque(), [deque() for _ in self.rules.horizons_ns])
        own.waiting.append(_Decision(key, at_ns))
        if self.rules.latency_ns == 0:
            self._enter(own, at_ns, state)

    def see(self, update: MarketUpdate) -> None:
        """An update of the market; also those of pools about which nothing was decided."""
        own, snapshot = self._pools.get(update.pool), update.snapshot
        if own is None or (update.state is None and not update.obstacle):
            return  # nothing new of the pool itself: what was known goes on
        self._close(own, update.at_ns)
        own.state, own.state_ns = update.state, update.at_ns
        if update.state is not None:
            self.seen_later.add(update.pool)
            self._enter(own, update.at_ns, update.state)
        # A pool that was drained must not keep its last good price: that would count only the survivors.
        own.is_empty = update.state is None and snapshot is not None and snapshot.reserve_usd == 0

    def finish(self, end_ns: int) -> None:
        """The recording is over: what is due by ``end_ns`` is settled, everything else stays unknown."""
        for own in self._pools.values():
            self._close(own, end_ns + 1)
            for horizon, (held, length) in enumerate(zip(own.held, self.rules.horizons_ns, strict=True)):
                self.missing[horizon][ENDS] += len(held)
                for decision in own.waiting:
                    self.missing[horizon][NO_PRICE if decision.at_ns + length <= end_ns else ENDS] += 1
        self._pools.clear()

    def _enter(self, own: _Pool, at_ns: int, state: PoolState) -> None:
        """Buy for every decision whose latency is over."""
        rules = self.rules
        while own.waiting and own.waiting[0].at_ns + rules.latency_ns <= at_ns:
            decision = own.waiting.popleft()
            try:
                bought = buy_exact_quote(state, rules.schedule_for(at_ns // NS_PER_SECOND), rules.size_lamports)
            except TradeRefused:
                for counter in self.missing:
                    counter[REFUSED] += 1
                continue
            decision.entry_ns, decision.base_units = at_ns, bought.base_out
            decision.paid_lamports = bought.total_quote + rules.network_lamports
            for horizon, length in enumerate(rules.horizons_ns):
                if decision.at_ns + length < at_ns:
                    self.missing[horizon][NO_PRICE] += 1
                else:
                    own.held[horizon].append(decision)

    def _close(self, own: _Pool, now_ns: int) -> None:
        """Sell for every decision whose horizon was reached before now, on the last state of that time."""
        for horizon, (held, length) in enumerate(zip(own.held, self.rules.horizons_ns, strict=True)):
            while held and held[0].at_ns + length < now_ns:
                decision = held.popleft()
                if own.state_ns <= decision.entry_ns:
                    self.missing[horizon][NO_PRICE] += 1
                elif own.state is None and not own.is_empty:
                    self.missing[horizon][UNUSABLE] += 1
                else:
                    self.trips[horizon][decision.key] = self._sold(decision, own, decision.at_ns + length)

    def _sold(self, decision: _Decision, own: _Pool, deadline_ns: int) -> RoundTrip:
        proceeds = None
        if own.state is not None:
            schedule = self.rules.schedule_for(own.state_ns // NS_PER_SECOND)
            try:
                proceeds = sell_exact_base(own.state, schedule, decision.base_units).user_quote_out
            except TradeRefused:
                proceeds = None  # it cannot pay: nothing comes back
        return RoundTrip(
            entry_ns=decision.entry_ns,
            exit_ns=own.state_ns,
            deadline_ns=deadline_ns,
            paid_lamports=decision.paid_lamports + self.rules.network_lamports,
            received_lamports=proceeds or 0,
            is_sellable=proceeds is not None,
        )
