"""Every limit, judged from outside: from orders, outcomes, ledger entries and raw pool states, at every instant.

Nothing of ``pumpswap.risk`` is used. What a limit means is taken from the settings' description; quotes come from the
AMM's arithmetic, and everything else is worked out here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from pumpswap.amm import BuyQuote, FeeSchedule, PoolState, buy_exact_quote, sell_exact_base
from pumpswap.amm.pool import KNOWN_POOL_LENGTHS
from pumpswap.errors import TradeRefused
from pumpswap.market.book import PoolBook
from pumpswap.model import (
    Decision,
    EquityPoint,
    Filled,
    LedgerEntry,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Proposal,
    ProposalStatus,
    RunObserver,
    ScreenReport,
    ScreenVerdict,
    Side,
    TradeSide,
    TradingState,
    Unknown,
)
from pumpswap.settings import Settings
from tests.support.own_books import OwnBooks
from tests.support.own_locks import SECOND, OwnLocks

__all__ = ["LimitChecker", "Violation"]

WINDOWS = {"minute": 60 * SECOND, "hour": 3_600 * SECOND, "day": 86_400 * SECOND}


@dataclass(frozen=True)
class Violation:
    """One limit that was exceeded, and when."""

    limit: str
    at_ns: int
    subject: str
    text: str


@dataclass
class People:
    """What people and faults have set: only who drives the engine knows it. ``approving``: a person agrees just now."""

    trading: TradingState = TradingState.ACTIVE
    faults: set[str] = field(default_factory=set)
    mode: str = "paper"
    approving: bool = False


class LimitChecker(RunObserver):
    """Listens to one engine, and goes on with the next one after a restart. ``found`` is what went over a line."""

    def __init__(
        self,
        settings: Settings,
        book: PoolBook,
        schedule: FeeSchedule,
        screens: Callable[[str], ScreenReport | None] = lambda _mint: None,
    ) -> None:
        self.limits, self.exits, self.min_score = settings.risk, settings.exits, settings.signals.min_score
        self.books, self.locks, self.people = OwnBooks(), OwnLocks(settings.risk), People()
        self.found: list[Violation] = []
        self.accepted = self.refused = 0
        self._book, self._schedule, self._screens = book, schedule, screens
        self._now = 0
        self._observed: dict[str, int] = {}
        self._obstacles: set[str] = set()
        self._entries: list[int] = []
        self._proposed: set[tuple[str, int]] = set()
        self._decision: Decision | None = None
        self._values: dict[str, tuple[PoolState, int, int]] = {}

    # ------------------------------------------------------------------------------------------ listening

    def on_update(self, update: MarketUpdate) -> None:
        self._now = update.at_ns
        if update.state is not None:
            self._observed[update.pool] = update.at_ns
            self._obstacles.discard(update.pool)
        elif update.obstacle:
            self._obstacles.add(update.pool)

    def on_entries(self, entries: Sequence[LedgerEntry]) -> None:
        self.books.post(entries)
        for asset, units in self.books.balances.items():
            self._hold("balance", units >= 0, asset, f"{units} units")

    def on_proposal(self, proposal: Proposal) -> None:
        if proposal.status is ProposalStatus.WAITING:
            self._proposed.add((proposal.pool, proposal.at_ns))

    def on_equity(self, point: EquityPoint) -> None:
        equity = self.equity()
        self._hold("equity", equity == point.equity_lamports, "all", f"{equity} here, {point.equity_lamports} there")
        self.locks.measure(equity, point.at_ns)

    def on_decision(self, decision: Decision) -> None:
        self._now = max(self._now, decision.intent.at_ns)
        if decision.intent.side is TradeSide.BUY:
            self.locks.measure(self.equity(), self._now)
        self._decision = decision if decision.accepted else None
        self.accepted += decision.accepted
        self.refused += not decision.accepted

    def on_repeat(self, decision: Decision, of: str, repeats: int) -> None:
        self.on_decision(decision)

    def on_order(self, order: Order) -> None:
        self._now = max(self._now, order.created_ns)
        self.locks.pass_time(self._now)
        decision = self._decision
        self._decision = None
        is_decided = decision is not None and decision.decision_id == order.decision_id
        self._hold("decision", is_decided, order.order_id, "no accepted decision led to it")
        if decision is None:
            return
        self._check_every_order(order)
        if order.side is TradeSide.BUY:
            self._check_buy(order, decision)
            self._entries.append(self._now)
            self.locks.enter(order.order_id)
        else:
            held = self.books.held.get(order.pool)
            units = held.units if held else 0
            self._hold("holding", 0 < order.base_units <= units, order.pool, f"{order.base_units} of {units}")
            most = self.exits.max_slippage_bps
            self._hold("most slippage", order.slippage_bps <= most, order.order_id, f"{order.slippage_bps} of {most}")
        self.books.orders[order.order_id] = order
        self._check_totals(order)

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self._now = max(self._now, outcome.at_ns)
        if isinstance(outcome, Filled):
            self._check_fill(order, outcome)
        changed = self.books.end(order, outcome)
        ending = "filled" if isinstance(outcome, Filled) else "unknown" if isinstance(outcome, Unknown) else "failed"
        self.locks.end(order.order_id, outcome.at_ns, ending)
        if changed is not None and changed.units == 0:
            self.locks.close_round(changed.realised, outcome.at_ns)
        theirs = position.base_units if position is not None else None
        ours = changed.units if changed is not None else None
        self._hold("position", ours == theirs, order.pool, f"{ours} units here, {theirs} there")
        if changed is not None and position is not None:
            same = (changed.realised, changed.cost) == (position.realised_lamports, position.cost_lamports)
            self._hold("position", same, order.pool, f"{changed} here, {position} there")
        self._check_totals(order)

    def lose(self, order: Order) -> None:
        """An order of a paper venue has died with its process: nothing has failed, and nothing will come."""
        del self.books.orders[order.order_id]
        self.locks.forget(order.order_id)

    def equity(self) -> int:
        """Cash, what all that is held would bring now, rent that comes back."""
        return self.books.cash + self.books.rent + sum(self._value(pool) for pool in self.books.held)

    # ------------------------------------------------------------------------------------------ every order

    def _check_every_order(self, order: Order) -> None:
        age = self._now - self._observed.get(order.pool, 0)
        most = self.limits.max_state_age_seconds * SECOND
        self._hold("stale state", age <= most, order.pool, f"{age / SECOND} s old")
        self._hold("halted", self.people.trading is not TradingState.HALTED, order.pool, order.side.value)
        self._hold("mode", self.people.mode != "analysis", order.pool, self.people.mode)
        self._hold("obstacle", order.pool not in self._obstacles, order.pool, "cannot be traded")
        others = [one.order_id for one in self.books.orders.values() if one.mint == order.mint]
        self._hold("unresolved order", not others, order.mint, f"{others} have not ended")

    def _check_totals(self, order: Order) -> None:
        """What must hold at every instant, however the market moves."""
        pools, most = len(self.books.pools()), self.limits.max_open_positions
        self._hold("open positions", pools <= most, order.pool, f"{pools} of {most}")
        token = self.books.cost(order.mint) + self._promised(order.mint)
        cap = self.limits.lamports("max_token_sol")
        self._hold("token in SOL", token <= cap, order.mint, f"{token} of {cap}")
        available = self.books.cash - self.books.reserved()
        self._hold("reserved", available >= 0, order.order_id, f"{available} lamports without what is promised")

    def _check_fill(self, order: Order, filled: Filled) -> None:
        quote = filled.executed
        got = quote.base_out if isinstance(quote, BuyQuote) else quote.user_quote_out
        self._hold("slippage", got >= order.limit, order.order_id, f"{got}, at least {order.limit}")
        if isinstance(quote, BuyQuote):
            paid = quote.total_quote
            self._hold("budget", paid <= order.quote_lamports, order.order_id, f"{paid} of {order.quote_lamports}")

    # ------------------------------------------------------------------------------------------ buys

    def _check_buy(self, order: Order, decision: Decision) -> None:
        state = self._book.state(order.pool)
        self._hold("budget", order.quote_lamports == decision.quote_lamports, order.order_id, "not what was decided")
        if state is None:
            self._hold("venue", False, order.pool, "no state")
            return
        by_hand = decision.intent.quote_lamports is not None
        self._check_signal(decision, by_hand)
        self._check_trading(order)
        self._check_size(order, state)
        self._check_pool(order, state)
        self._check_rounds(order, by_hand)
        self._check_token(order)

    def _check_signal(self, decision: Decision, by_hand: bool) -> None:
        signal, pool = decision.intent.signal, decision.intent.pool
        if signal is None:
            self._hold("signal", by_hand, pool, "none")
            return
        if by_hand:
            return
        asked = decision.intent.proposed_ns
        if self.people.mode == "approve":
            agreed = self.people.approving and (pool, asked) in self._proposed
            self._hold("approval", agreed, pool, f"proposed at {asked}")
        is_good = signal.side is Side.LONG and signal.score >= self.min_score
        self._hold("signal", is_good, pool, f"{signal.side.value} at {signal.score}")
        age, most = (asked or self._now) - signal.at_ns, self.limits.max_signal_age_seconds * SECOND
        self._hold("stale signal", age <= most, pool, f"{age / SECOND} s old")

    def _check_trading(self, order: Order) -> None:
        people, locks, pool = self.people, self.locks, order.pool
        self._hold("trading state", people.trading is TradingState.ACTIVE, pool, people.trading.value)
        self._hold("faults", not people.faults, pool, ", ".join(sorted(people.faults)))
        self._hold("daily loss", not locks.is_lost, pool, f"{locks.equity} of {locks.day_start} at its start")
        self._hold("drawdown", not locks.is_drawn_down, pool, f"{locks.equity}, the peak was {locks.peak}")
        self._hold("loss streak", self._now >= locks.paused_until, pool, f"paused until {locks.paused_until}")
        is_open = locks.opened is not None and not locks.is_half_open
        self._hold("breaker", not is_open, pool, f"open since {locks.opened}")
        self._hold("breaker trial", not (locks.is_half_open and locks.trials), pool, f"{locks.trials} on their way")
        for name, span in WINDOWS.items():
            count = sum(at > self._now - span for at in self._entries) + 1
            most = getattr(self.limits, f"max_trades_per_{name}")
            self._hold(f"trades per {name}", count <= most, pool, f"{count} of {most}")

    def _check_size(self, order: Order, state: PoolState) -> None:
        limits, size, books = self.limits, order.quote_lamports, self.books
        free = books.cash - books.reserved()
        most = limits.lamports("max_position_sol")
        self._hold("per trade", size <= most, order.order_id, f"{size} of {most}")
        least = limits.lamports("min_position_sol")
        self._hold("least trade", size >= max(least, 1), order.order_id, f"{size}, at least {least}")
        share = free * Fraction(str(limits.max_position_fraction))
        self._hold("share of balance", size <= share, order.order_id, f"{size} of {free}")
        kept = limits.lamports("cost_allowance_sol") * len(books.buys_out)
        left, reserve = free - kept - size, limits.lamports("native_reserve_sol")
        self._hold("native reserve", left >= reserve, order.order_id, f"{left} stay of {reserve}")
        real = state.quote_vault - state.pool.protocol_fees - state.pool.creator_fees
        part = real * limits.max_pool_share_bps
        self._hold("share of pool", size * 10_000 <= part, order.pool, f"{size} of {real}")
        needed = max(limits.lamports("min_liquidity_sol"), size * limits.liquidity_multiple)
        self._hold("liquidity", real >= needed, order.pool, f"{real} of {needed}")

    def _check_pool(self, order: Order, state: PoolState) -> None:
        limits, pool = self.limits, state.pool
        known = pool.account_len in KNOWN_POOL_LENGTHS and not any(pool.tail)
        self._hold("token of pool", str(pool.base_mint) == order.mint, order.pool, f"another one than {order.mint}")
        self._hold("layout", known, order.pool, f"{pool.account_len} bytes")
        allowed = limits.allow_permissionless_pools or pool.is_canonical
        self._hold("permissionless", allowed, order.pool, "not canonical")
        bought = buy_exact_quote(state, self._schedule, order.quote_lamports)
        base, reserve = state.base_reserve, state.quote_vault + pool.virtual_quote_reserves
        above = Fraction(bought.gross_quote, bought.base_out) / Fraction(reserve, base) - 1
        self._hold("impact", above * 10_000 <= limits.max_impact_bps, order.pool, f"{float(above):.6f}")
        try:
            back = sell_exact_base(state.after(bought), self._schedule, bought.base_out).user_quote_out
        except TradeRefused:
            back = 0
        loss = 1 - Fraction(back, bought.total_quote)
        self._hold("way out", loss * 10_000 <= limits.max_round_trip_loss_bps, order.pool, f"{float(loss):.6f}")
        dear = Fraction(bought.total_quote, bought.base_out) / Fraction(reserve, base) - 1
        self._hold("price after fees", dear * 10_000 <= limits.max_cost_bps, order.pool, f"{float(dear):.6f}")
        most = limits.max_slippage_bps
        self._hold("most slippage", order.slippage_bps <= most, order.order_id, f"{order.slippage_bps} of {most}")
        slipping = bought.base_out * (10_000 - order.slippage_bps) // 10_000
        self._hold("slippage", order.limit >= slipping, order.order_id, f"{order.limit}, at least {slipping}")

    def _check_rounds(self, order: Order, by_hand: bool) -> None:
        if by_hand:
            return
        self._hold("one position", order.pool not in self.books.held, order.pool, "is held")
        closed, rest = self.books.closed.get(order.pool), self.limits.cooldown_seconds * SECOND
        rested = closed is None or self._now - closed >= rest
        self._hold("cool-down", rested, order.pool, f"closed at {closed}")

    def _check_token(self, order: Order) -> None:
        limits, books, mint, equity = self.limits, self.books, order.mint, self.equity()
        own = order.quote_lamports + limits.lamports("cost_allowance_sol")
        token = books.cost(mint) + self._promised(mint) + own
        cap = limits.lamports("max_token_sol")
        self._hold("token in SOL", token <= cap, mint, f"{token} of {cap}")
        share = equity * Fraction(str(limits.max_token_fraction))
        self._hold("concentration", token <= share, mint, f"{token} of {equity}")
        total = books.cost() + self._promised() + own
        most = equity * Fraction(str(limits.max_exposure_fraction))
        self._hold("exposure", total <= most, order.pool, f"{total} of {equity}")
        self._hold("deny list", mint not in limits.deny_tokens, mint, "denied")
        self._hold("allow list", not limits.allow_tokens or mint in limits.allow_tokens, mint, "not among the allowed")
        report = self._screens(mint)
        verdict = ScreenVerdict.UNKNOWN if report is None else report.verdict
        passes = verdict is ScreenVerdict.SAFE or (verdict is ScreenVerdict.UNKNOWN and not limits.require_screen)
        self._hold("screen", passes, mint, verdict.value)

    # ------------------------------------------------------------------------------------------ helpers

    def _promised(self, mint: str = "") -> int:
        """What buys on their way may come to cost, the network's part in: of one token or of all."""
        count = sum(mint in ("", order.mint) for order in self.books.buys_out)
        return self.books.reserved(mint) + count * self.limits.lamports("cost_allowance_sol")

    def _value(self, pool: str) -> int:
        state, units = self._book.state(pool), self.books.held[pool].units
        if state is None:
            return 0
        known = self._values.get(pool)
        if known is not None and known[0] is state and known[1] == units:
            return known[2]
        try:
            value = sell_exact_base(state, self._schedule, units).user_quote_out
        except TradeRefused:
            value = 0
        self._values[pool] = (state, units, value)
        return value

    def _hold(self, limit: str, holds: bool, subject: str, text: str) -> None:
        if not holds:
            self.found.append(Violation(limit, self._now, subject, text))
