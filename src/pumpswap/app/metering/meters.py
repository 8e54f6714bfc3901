"""Meters: what an engine tells, counted. Only noted here; who serves it does so in a thread of his own."""

from __future__ import annotations

import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from pumpswap import __version__
from pumpswap.analytics.metrics import slippage_between
from pumpswap.app.companion import RunPlace
from pumpswap.app.metering.families import Families
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import (
    COST_KINDS,
    SOL,
    Alert,
    BreakerState,
    Decision,
    DeliveryStatus,
    Denied,
    EntryKind,
    EquityPoint,
    Filled,
    Heartbeat,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Reconciliation,
    Rejected,
    RiskState,
    RunObserver,
    TradeSide,
    TradingState,
)
from pumpswap.units import BPS

__all__ = ["Meters"]

_MOST_WORDS = 60  # of one label: names of others come with no end, and each would be kept for ever
_OTHER = "other"
_PROGRAM = "program"  # the monitor that compares the program with the one that is known
_NO_PART = "loop"  # a heartbeat tells its lag under this name


class Meters(RunObserver):
    """Of one process. ``registry`` is what is served."""

    def __init__(self, place: RunPlace) -> None:
        self.registry = CollectorRegistry()
        self._engine, self._wall, self._is_played = place.engine, place.wall, place.is_played
        self._words: dict[str, set[str]] = {}
        self._heard = time.monotonic()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._of = of = Families(self.registry)
        header = place.run.header()
        of.run.labels(str(header.run_id), header.kind, place.engine.parts.mode, __version__).set(1)
        of.last_update.set_function(lambda: time.monotonic() - self._heard)
        for side in TradeSide:  # a series that begins with its first failure would hide that failure from rate()
            of.orders.labels(side.value)
            for result in ("accepted", "refused"):
                of.decisions.labels(side.value, result)
            for result in ("filled", "rejected", "denied", "unknown"):
                of.outcomes.labels(side.value, result)
        self.on_risk(place.engine.risk.state)

    # ------------------------------------------------------------------------------------------ what is told

    def on_update(self, update: MarketUpdate) -> None:
        of = self._of
        self._heard = time.monotonic()
        of.updates.inc()
        if update.swap is not None:
            of.swaps.inc()
        if not self._is_played:
            of.feed_lag.observe(max(self._wall.now_ns() - update.at_ns, 0) / NS_PER_SECOND)

    def on_decision(self, decision: Decision) -> None:
        of, intent = self._of, decision.intent
        of.decisions.labels(intent.side.value, "accepted" if decision else "refused").inc()
        for verdict in decision.refusals:
            of.refusals.labels(self._bounded("policy", verdict.policy)).inc()
        observed = self._engine.parts.book.observed_ns(intent.pool)
        if observed is not None:
            of.state_age.labels(intent.side.value).observe(max(intent.at_ns - observed, 0) / NS_PER_SECOND)

    def on_order(self, order: Order) -> None:
        self._of.orders.labels(order.side.value).inc()

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        of, side = self._of, order.side.value
        of.outcomes.labels(side, type(outcome).__name__.lower()).inc()
        match outcome:
            case Filled():
                of.slippage.labels(side).observe(float(slippage_between(order.quote, outcome.executed)) * BPS)
            case Rejected():
                of.failures.labels(self._bounded("reason", outcome.name or "rejected")).inc()
            case Denied():
                of.failures.labels(self._bounded("reason", outcome.rule)).inc()
            case _:  # it may still land
                return
        of.order_seconds.labels(side).observe(max(outcome.at_ns - order.created_ns, 0) / NS_PER_SECOND)

    def on_equity(self, point: EquityPoint) -> None:
        of = self._of
        of.equity.set(point.equity_lamports)
        of.cash.set(point.cash_lamports)
        of.value.set(point.marks_lamports)
        exposure = self._engine.portfolio.exposure
        of.exposure.set(exposure)
        unrealised = point.marks_lamports - exposure
        of.unrealised.set(unrealised)
        if point.put_in_lamports is not None:
            of.put_in.set(point.put_in_lamports)
            pnl = point.equity_lamports - point.put_in_lamports
            of.pnl.set(pnl)
            of.realised.set(pnl - unrealised)

    def on_risk(self, state: RiskState) -> None:
        of, trading = self._of, self._engine.risk.trading[0]
        for one in TradingState:
            of.trading.labels(one.value).set(one is trading)
        for breaker in BreakerState:
            of.breaker.labels(breaker.value).set(breaker is state.breaker)
        of.locked.labels("daily loss").set(state.day_is_lost)
        of.locked.labels("drawdown").set(state.is_drawn_down)
        of.faults.set(len(state.faults))

    def on_alert(self, alert: Alert) -> None:
        self._of.alerts.labels(alert.level.value, self._bounded("topic", alert.topic)).inc()

    def beat(self, heartbeat: Heartbeat) -> None:
        """A heartbeat: depths of queues, and how each part is."""
        of, engine = self._of, self._engine
        of.beat.set(heartbeat.at_ns / NS_PER_SECOND)
        of.started.set(heartbeat.started_ns / NS_PER_SECOND)
        of.queue.set(heartbeat.waiting)
        of.able.set(heartbeat.able)
        of.in_flight.set(len(engine.desk.orders))
        of.proposals.set(len(engine.desk.proposals))
        of.positions.set(len(engine.portfolio.positions.open_positions()))
        of.pools.set(len(engine.parts.book))
        for part, words in heartbeat.parts.items():
            if part != _NO_PART:
                of.part_ok.labels(self._bounded("part", part)).set(words.startswith("ok"))
        for feed, seconds in heartbeat.ages.items():
            of.feed_age.labels(self._bounded("feed", feed)).set(seconds)
        of.drift.set(heartbeat.parts.get(_PROGRAM, "ok") != "ok")

    def lag(self, seconds: float) -> None:
        """How late the loop was."""
        self._of.loop_lag.set(seconds)

    # ------------------------------------------------------------------------------------------ what is stored

    def stored(
        self,
        totals: Mapping[tuple[str, EntryKind], int],
        deliveries: Mapping[DeliveryStatus, int],
        reconciliation: Reconciliation | None,
    ) -> None:
        """What only the database knows: sums of the ledger (``run.books.totals``), messages, the last comparison."""
        of = self._of
        for kind in COST_KINDS:
            of.costs.labels(kind.value).set(-totals.get((SOL, kind), 0))
        for status, count in deliveries.items():
            of.deliveries.labels(status.value).set(count)
        if reconciliation is not None:
            of.differences.set(len(reconciliation.differences))
            of.reconciled.set(reconciliation.at_ns / NS_PER_SECOND)

    def _bounded(self, label: str, word: str) -> str:
        """``word``, or ``other`` once a label has too many of them."""
        known = self._words.setdefault(label, set())
        if word not in known:
            if len(known) >= _MOST_WORDS:
                return _OTHER
            known.add(word)
        return word
