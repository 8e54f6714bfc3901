"""Desk: every wish goes through here: sized, judged by the gate, ordered, booked, and valued again.

Entries, exits, wishes of strategies and of people meet in this one place, one after the other; what the gate has
accepted counts from that moment on, so that limits hold however many wishes come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pumpswap.amm import BuyQuote, FeeSchedule
from pumpswap.clock import NS_PER_SECOND
from pumpswap.engine.desk_parts import DeskParts
from pumpswap.engine.promised import with_orders
from pumpswap.engine.repeats import RepeatedRefusals
from pumpswap.errors import AmountOutOfRange, NotFound, PumpSwapError, TradeRefused
from pumpswap.execution.planner import OrderPlanner
from pumpswap.model import (
    Alert,
    AlertLevel,
    Decision,
    EquityPoint,
    ExitKind,
    Filled,
    Intent,
    Mark,
    Order,
    Outcome,
    Position,
    Proposal,
    ProposalStatus,
    RunObserver,
    TradeSide,
    TradingState,
    Unknown,
)
from pumpswap.portfolio.valuation import mark_position
from pumpswap.risk.gate import PoolView, RiskGate
from pumpswap.risk.policies import BookView
from pumpswap.settings import Settings

__all__ = ["Desk"]


class Desk:
    """Single-threaded. ``now`` is asked for the time of everything that is not an outcome."""

    def __init__(self, parts: DeskParts, now: Callable[[], int], observers: Sequence[RunObserver] = ()) -> None:
        self.parts = parts
        self.names: dict[str, str] = {}  # of coins, by pool
        self.proposals: dict[str, Proposal] = {}  # that wait for a person, by decision
        self.declined: dict[str, int] = {}  # when a person last declined to buy it, by mint
        self._now = now
        self._observers = observers  # the engine's own list: it may grow
        self._proposed: dict[str, Intent] = {}
        self._gate = RiskGate(parts.settings.risk, parts.settings.signals, parts.keeper.decision_id)
        self._planner = OrderPlanner(parts.keeper.order_id)
        self._repeats = RepeatedRefusals(parts.settings.run.repeat_refusal_seconds)
        self._orders: dict[str, Order] = {}  # on their way, by order id

    @property
    def orders(self) -> Sequence[Order]:
        """Orders that have not ended."""
        return tuple(self._orders.values())

    def use(self, settings: Settings) -> None:
        """Other limits, exit rules and thresholds from now on; what was accepted stays accepted. What is built once at
        the start (signals, strategies, the venue, the endpoints) keeps its settings: see ``settings.reload``.
        """
        self.parts = replace(self.parts, settings=settings)
        self._gate = RiskGate(settings.risk, settings.signals, self.parts.keeper.decision_id)
        self.parts.risk.use(settings.risk)
        self.parts.exits.use(settings.exits)

    def restore(self, orders: Sequence[Order]) -> None:
        """Orders of an earlier process whose fate is not known: they count against every limit until it is."""
        self._orders |= {order.order_id: order for order in orders}
        self.parts.risk.restored(orders)

    # ------------------------------------------------------------------------------------------ deciding

    def wish(self, intent: Intent) -> Decision | None:
        """A wish of a strategy. A sale becomes an exit: it goes on until it is done, and is tried again when it fails.
        None: nothing was decided, since an order on the token is not finished yet, or since the last try was just now;
        the exit waits for it.
        """
        if intent.side is TradeSide.BUY:
            return self.decide(intent)[0]
        position = self.parts.keeper.portfolio.positions.open_round(intent.pool)
        if position is None or not intent.base_units:
            return self.decide(intent)[0]  # the gate says why not
        exits = self.parts.exits
        exits.want(position, intent.exit or ExitKind.SIGNAL, intent.base_units, intent.reason)
        self._tell_exits()
        if self.has_open_order(position.mint):
            return None
        mark = self.mark(intent.pool)
        wanted = None if mark is None else self._wanted(position, mark)
        if wanted is not None:
            name = intent.client_order_id
            told = replace(wanted, signal=intent.signal, strategy=intent.strategy, client_order_id=name)
            return self._sell(position, told)
        known = exits.state(intent.pool)
        if known is not None and known.blocked_ns:
            return self.decide(intent)[0]  # the gate says what is in the way
        return None

    def decide(self, intent: Intent, *, obstacle: str = "") -> tuple[Decision, Order | None]:
        """Put a wish through the gate; what is accepted is ordered at once, or proposed where a person approves. With
        an ``obstacle`` it is only analysed: refused for that, beside whatever else the gate has against it.
        """
        now = self._now()
        if intent.at_ns != now:  # a wish counts when it is put: an old one would make old states look fresh
            intent = replace(intent, at_ns=now)
        schedule = self._schedule(intent.at_ns)
        if intent.side is TradeSide.BUY:
            self.measure()
        told: dict[str, Any] = {"mode_obstacle": obstacle} if obstacle else {}
        decision = self._judged(intent, schedule, **told)
        self._tell_decision(decision)
        if not decision:
            return decision, None
        # An order that another system names is a program's word, also where it says how much.
        is_a_persons = intent.is_by_hand and not intent.client_order_id
        if self.parts.mode == "approve" and intent.side is TradeSide.BUY and not is_a_persons:
            self._propose(decision)
            return decision, None
        return decision, self._order(decision, schedule)

    def _sell(self, position: Position, intent: Intent) -> Decision:
        """Put an exit's sale through the gate; what is not ordered is tried again later."""
        decision, order = self.decide(intent)
        if order is None:
            self.refused(position, decision)
        return decision

    def refused(self, position: Position, why: Decision | str) -> None:
        """A sale that ``wanted`` gave was not ordered: it is tried again after a while."""
        if isinstance(why, Decision):
            why = "; ".join(verdict.text for verdict in why.refusals) or "it could not be ordered"
        self.parts.exits.refused(position, why, self._now())
        self._tell_exits()

    def preview(self, intent: Intent) -> Decision:
        """What would be decided now, by the same limits: neither told nor ordered, and it takes no number."""
        if intent.side is TradeSide.BUY:
            self.measure()
        settings = self.parts.settings
        gate = RiskGate(settings.risk, settings.signals, lambda: "preview")
        return self._judged(intent, self._schedule(intent.at_ns), gate=gate)

    def approve(self, decision_id: str, origin: str) -> Decision:
        """Order a proposed buy, if the gate still agrees with it now. Raises NotFound for what does not wait."""
        if decision_id not in self.proposals:
            raise NotFound(f"no proposal {decision_id} waits", hint="`pumpswap approve` lists what waits")
        intent, proposal = self._proposed.pop(decision_id), self.proposals.pop(decision_id)
        fresh = replace(intent, at_ns=self._now(), proposed_ns=proposal.at_ns)
        self.measure()
        schedule = self._schedule(fresh.at_ns)
        decision = self._judged(fresh, schedule, approved_lamports=proposal.quote_lamports)
        self._tell_new(decision)  # the proposal names it: it is stored whatever was refused before
        status = ProposalStatus.ORDERED if decision else ProposalStatus.REFUSED
        self._tell_proposal(
            replace(proposal, status=status, origin=origin, decided_ns=fresh.at_ns, follow_up=decision.decision_id)
        )
        if decision:
            self._order(decision, schedule)
        return decision

    def drop_proposal(self, decision_id: str, status: ProposalStatus, origin: str) -> None:
        """A proposed buy is declined, or its time is over."""
        self._proposed.pop(decision_id, None)
        proposal = self.proposals.pop(decision_id)
        self._tell_proposal(replace(proposal, status=status, origin=origin, decided_ns=self._now()))
        if status is ProposalStatus.DECLINED:
            self.has_declined(proposal.mint, self._now())

    def has_declined(self, mint: str, at_ns: int) -> None:
        """A person does not want this token: it is not proposed again until its cool-down is over."""
        rest_ns = self.parts.settings.risk.cooldown_seconds * NS_PER_SECOND
        self.declined = {one: then for one, then in self.declined.items() if at_ns - then < rest_ns}
        self.declined[mint] = at_ns

    def _judged(self, intent: Intent, schedule: FeeSchedule, gate: RiskGate | None = None, **told: Any) -> Decision:
        book = self.parts.book
        view = PoolView(book.state(intent.pool), book.observed_ns(intent.pool), book.obstacle(intent.pool))
        books = replace(self.book_view(intent), **told)
        decision = (gate or self._gate).decide(intent, view, books, schedule)
        if decision and intent.side is TradeSide.BUY and self.parts.checks is not None:
            verdicts = tuple(self.parts.checks(decision))
            accepted = all(verdict.passed for verdict in verdicts)
            decision = replace(
                decision,
                accepted=accepted,
                verdicts=decision.verdicts + verdicts,
                quote_lamports=decision.quote_lamports if accepted else 0,
                base_units=decision.base_units if accepted else 0,
            )
        return decision

    def _propose(self, decision: Decision) -> None:
        intent, at_ns = decision.intent, decision.intent.at_ns
        proposal = Proposal(
            decision.decision_id,
            intent.pool,
            intent.mint,
            self.names.get(intent.pool, ""),
            decision.quote_lamports,
            at_ns,
            at_ns + self.parts.settings.run.approve_seconds * NS_PER_SECOND,
        )
        self.proposals[decision.decision_id] = proposal
        self._proposed[decision.decision_id] = intent
        self._tell_proposal(proposal)

    def _order(self, decision: Decision, schedule: FeeSchedule) -> Order | None:
        intent = decision.intent
        state = self.parts.book.state(intent.pool)
        if state is None:  # the gate has refused such an intent; a later change of the gate must not buy blind
            raise PumpSwapError("an accepted decision without a pool state", hint="this is a bug in the risk gate")
        is_buy = intent.side is TradeSide.BUY
        settings = self.parts.settings
        usual = settings.risk.slippage_bps if is_buy else settings.exits.slippage_bps
        slippage = usual if intent.slippage_bps is None else intent.slippage_bps
        try:
            order = self._planner.plan(decision, state, schedule, slippage)
        except (TradeRefused, AmountOutOfRange) as refused:
            self.alert(AlertLevel.ERROR, "order", intent.pool, f"accepted, but not ordered: {refused.what}")
            return None
        self._orders[order.order_id] = order
        for observer in self._observers:
            observer.on_order(order)
        if is_buy:
            self.parts.risk.entered(order)
        self.parts.venue.submit(order, self._now())
        return order

    # ------------------------------------------------------------------------------------------ outcomes

    def book(self, outcome: Outcome) -> Order:
        """Take over how an order has ended."""
        order = self._orders[outcome.order_id]
        if not isinstance(outcome, Unknown):  # until it is known, it may still land: it counts, and blocks its token
            del self._orders[outcome.order_id]
        entries, position = self.parts.keeper.book(order, outcome, self.names.get(order.pool, ""))
        if entries:
            for observer in self._observers:
                observer.on_entries(entries)
        for observer in self._observers:
            observer.on_outcome(order, outcome, position)
        self.parts.risk.ended(order, outcome, position)
        if isinstance(outcome, Unknown):
            text = f"order {order.order_id} may still land until height {outcome.expiry_height}"
            self.alert(AlertLevel.CRITICAL, "unknown outcome", order.mint, f"{text} ({outcome.signature})")
        elif order.side is TradeSide.SELL:
            held = self.parts.keeper.portfolio.positions.open_round(order.pool)
            self.parts.exits.ended(position, outcome, order.pool, held)
        elif isinstance(outcome, Filled) and position is not None:
            executed = outcome.executed if isinstance(outcome.executed, BuyQuote) else None
            self.parts.exits.opened(position, self.parts.book.state(order.pool), executed)
        self._tell_exits()
        if position is not None and position.is_open:
            self.mark(order.pool)
        return order

    # ------------------------------------------------------------------------------------------ what is held

    def mark(self, pool: str) -> Mark | None:
        """Value the open position of a pool now. Where nothing was heard of the pool since the start, what it was worth
        to the process before goes on counting: else all of it would seem to be lost.
        """
        portfolio = self.parts.keeper.portfolio
        position = portfolio.positions.open_round(pool)
        if position is None:
            return None
        now, book = self._now(), self.parts.book
        mark = mark_position(
            position, book.state(pool), self._schedule(now), at_ns=now, state_ns=book.observed_ns(pool)
        )
        if book.state(pool) is None and pool in portfolio.marks:
            return mark
        portfolio.mark(mark)
        for observer in self._observers:
            observer.on_mark(mark)
        return mark

    def measure(self) -> EquityPoint:
        """Equity by the latest marks; the locks of the day and of the drawdown follow it."""
        now = self._now()
        point = self.parts.keeper.portfolio.equity_at(now)
        self.parts.risk.measured(point.equity_lamports, now)
        return point

    def look_after(self, pool: str) -> tuple[Position, Mark] | None:
        """Value the position of a pool and sell it when an exit rule says so. Returns both when nothing was sold."""
        seen = self._valued(pool)
        intent = None if seen is None else self._wanted(*seen)
        if seen is None or intent is None:
            return seen
        self._sell(seen[0], intent)
        return None

    def wanted(self, pool: str) -> Intent | None:
        """Value the position of a pool; the sale that an exit wants of it now, for whoever orders it himself. He says
        by ``refused`` when it was not ordered.
        """
        seen = self._valued(pool)
        return None if seen is None else self._wanted(*seen)

    def _valued(self, pool: str) -> tuple[Position, Mark] | None:
        """The position and its value; None where nothing is held, or an order on its token has not ended."""
        position, mark = self.parts.keeper.portfolio.positions.open_round(pool), self.mark(pool)
        if position is None or mark is None or self.has_open_order(position.mint):
            return None
        return position, mark

    def _wanted(self, position: Position, mark: Mark) -> Intent | None:
        """The sale that an exit wants now. While nothing could be ordered it waits without asking the gate, so that
        it goes on at once afterwards.
        """
        parts = self.parts
        trading, reason = parts.risk.trading
        obstacle = parts.book.obstacle(position.pool)
        if trading is TradingState.HALTED:
            obstacle = f"trading is halted: {reason}"
        there = parts.keeper.held(position)
        wanted = parts.exits.look(position, mark, parts.book.state(position.pool), obstacle, there)
        self._tell_exits()
        return wanted

    def has_open_order(self, mint: str) -> bool:
        """Whether an order on a token has not ended."""
        return any(order.mint == mint for order in self._orders.values())

    def _is_proposed(self, mint: str) -> bool:
        """Whether a buy of a token waits for a person: that keeps other buys back, and never a sale."""
        return any(proposal.mint == mint for proposal in self.proposals.values())

    def book_view(self, intent: Intent) -> BookView:
        """What the gate sees: the books, and beside them all that it has accepted and that has not ended."""
        parts, now = self.parts, self._now()
        portfolio = parts.keeper.portfolio
        is_buy = intent.side is TradeSide.BUY
        held = portfolio.positions.open_positions()
        view = BookView(
            balance=portfolio.cash,
            equity=portfolio.equity_at(now).equity_lamports,
            exposure=portfolio.exposure,
            open_positions=len(held),
            position=portfolio.positions.open_round(intent.pool),
            has_open_order=False,
            is_proposed=is_buy and self._is_proposed(intent.mint),
            closed_ns=portfolio.positions.last_closed_ns(intent.pool),
            declined_ns=self.declined.get(intent.mint),
            token_exposure=sum(one.cost_lamports for one in held if one.mint == intent.mint),
            risk=parts.risk.figures(now),
            mode_obstacle="analysis mode: nothing is ordered" if parts.mode == "analysis" else "",
            books_obstacle=parts.keeper.obstacle(intent.mint),
            screen=None if parts.screens is None else parts.screens(intent.mint),
        )
        return with_orders(view, self.orders, intent, parts.settings.risk, {position.pool for position in held})

    # ------------------------------------------------------------------------------------------ telling

    def alert(self, level: AlertLevel, topic: str, subject: str, text: str) -> None:
        """Tell everybody who listens."""
        alert = Alert(self._now(), level, topic, subject, text)
        for observer in self._observers:
            observer.on_alert(alert)

    def _tell_decision(self, decision: Decision) -> None:
        repeat = self._repeats.take(decision)
        if repeat is None:
            self._tell_new(decision)
            return
        for observer in self._observers:
            observer.on_repeat(decision, repeat.of, repeat.count)

    def _tell_new(self, decision: Decision) -> None:
        self.parts.keeper.decided(decision, self.parts.book.state(decision.intent.pool))
        for observer in self._observers:
            observer.on_decision(decision)

    def _tell_proposal(self, proposal: Proposal) -> None:
        for observer in self._observers:
            observer.on_proposal(proposal)

    def _tell_exits(self) -> None:
        for state in self.parts.exits.take_changed():
            for observer in self._observers:
                observer.on_exits(state)
        for alert in self.parts.exits.take_alerts():
            for observer in self._observers:
                observer.on_alert(alert)

    def _schedule(self, at_ns: int) -> FeeSchedule:
        return self.parts.schedule_for(at_ns // NS_PER_SECOND)
