"""Alerting: the rules that watch a running engine, as one of its companions."""

from __future__ import annotations

from collections.abc import Mapping

from pumpswap import __version__
from pumpswap.alerts.rules.bursts import RefusedBurstRule
from pumpswap.alerts.rules.equity import DailyLossRule, DrawdownRule, MilestoneRule, WalletLowRule
from pumpswap.alerts.rules.health import DriftRule, FeedRule
from pumpswap.alerts.rules.life import LifeRule, RunFacts, Standing
from pumpswap.alerts.rules.locks import BreakerRule, StateRule, StreakRule
from pumpswap.alerts.rules.moves import MoveRule
from pumpswap.alerts.rules.overdue import OverdueRule
from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.rules.trades import TradeRule
from pumpswap.alerts.rules.triggers import TriggerRule
from pumpswap.alerts.rules.watch import RuleWatch
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.app.control import origin_of_process
from pumpswap.app.daily_summary import DailySummaries
from pumpswap.engine.engine import Engine
from pumpswap.engine.feed import FeedTools
from pumpswap.engine.feeds.errand import Errand
from pumpswap.settings import RiskLimits

__all__ = ["alert_rules"]

_LOOK_SECONDS = 15.0  # at what is read from the database


def alert_rules(place: RunPlace) -> Companions:
    """All rules of the settings, for ``companions_of``. Raises StorageError when what they have kept cannot be read."""
    context = _context(place)
    watch = RuleWatch(_rules(place, context), context.tell)
    daily = DailySummaries(
        context, place.database, place.run, place.settings, place.engine.clock if place.is_played else place.wall
    )
    milestone = _Milestones(place.engine, MilestoneRule(context))
    tools = FeedTools(place.wall)
    return Companions(
        observers=(watch,),
        helpers=(
            Errand("daily summary", _LOOK_SECONDS, daily.look, tools),
            Errand("milestones", _LOOK_SECONDS, milestone.look, tools),
        ),
        on_beats=(watch.on_beat,),
        on_stops=(watch.on_stop,),
    )


def _context(place: RunPlace) -> RuleContext:
    engine, run = place.engine, place.run

    def keep(name: str, document: Mapping[str, object]) -> None:
        at_ns, kept = engine.clock.now_ns(), dict(document)
        place.also(lambda: run.states.save(name, kept, at_ns))

    return RuleContext(
        rules=place.settings.alert_rules,
        tell=engine.desk.alert,
        now=engine.clock.now_ns,
        name_of=lambda pool: engine.desk.names.get(pool, ""),
        recall=run.states.load,
        keep=keep,
    )


def _rules(place: RunPlace, context: RuleContext) -> list[Rule]:
    engine, run = place.engine, place.run
    before = engine.risk.state
    positions = engine.portfolio.positions
    held = tuple(positions.open_positions())
    header = run.header()
    facts = RunFacts(run.run_id, header.kind, __version__, origin_of_process(), header.wallet, run.states.heartbeat())

    def decimals_of(pool: str) -> int | None:
        state = engine.parts.book.state(pool)
        return None if state is None else state.base_decimals

    def limits() -> RiskLimits:
        return engine.desk.parts.settings.risk

    return [
        TradeRule(context, held, decimals_of),
        TriggerRule(context, engine.parts.restored.exits, positions.open_round),
        MoveRule(context, held),
        RefusedBurstRule(context),
        DrawdownRule(context, engine.risk.figures, limits, before),
        DailyLossRule(context, engine.risk.figures, limits, before),
        WalletLowRule(context, limits),
        BreakerRule(context, limits, before),
        StreakRule(context, limits, before),
        StateRule(context, before),
        OverdueRule(context, lambda: engine.desk.orders),
        FeedRule(context),
        DriftRule(context),
        LifeRule(context, facts, lambda: _standing(engine)),
    ]


def _standing(engine: Engine) -> Standing:
    point = engine.portfolio.equity_at(engine.clock.now_ns())
    state = engine.risk.state  # what a person has set: that feeds were not heard yet is how every run begins
    return Standing(
        equity_lamports=point.equity_lamports,
        positions=len(engine.portfolio.positions.open_positions()),
        positions_lamports=point.marks_lamports,
        orders=len(engine.desk.orders),
        trading=state.trading,
        reason=state.trading_reason,
    )


class _Milestones:
    """Compares equity with what was put in, both as the books know them at one moment."""

    def __init__(self, engine: Engine, rule: MilestoneRule) -> None:
        self._engine, self._rule = engine, rule

    async def look(self) -> None:
        portfolio = self._engine.portfolio
        equity = portfolio.equity_at(self._engine.clock.now_ns()).equity_lamports
        self._rule.measured(equity, portfolio.put_in_lamports)
