"""Whatever strangers have called a coin: every alert that names it says what is left of that, and nothing else."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import pumpswap.alerts.rules as rules_package
from pumpswap.alerts.rules.bursts import RefusedBurstRule
from pumpswap.alerts.rules.equity import DailyLossRule, DrawdownRule, WalletLowRule
from pumpswap.alerts.rules.health import DriftRule, FeedRule
from pumpswap.alerts.rules.life import LifeRule
from pumpswap.alerts.rules.locks import BreakerRule, StateRule, StreakRule
from pumpswap.alerts.rules.moves import MoveRule
from pumpswap.alerts.rules.overdue import OverdueRule
from pumpswap.alerts.rules.rule import Rule, RuleContext
from pumpswap.alerts.rules.trades import TradeRule
from pumpswap.alerts.rules.triggers import TriggerRule
from pumpswap.alerts.rules.watch import RuleWatch
from pumpswap.execution.exit_manager import ExitManager
from pumpswap.model import Costs, Denied, ExitKind, ExitState, Mark, MarketUpdate, Position, Proposal, Rejected, Unknown
from pumpswap.model.plain_text import coin_text
from pumpswap.settings import ExitRules
from tests.alerts.rules.heard import MINT, POOL, STATE, Heard, beat, bought, sold
from tests.alerts.rules.test_bursts import refused
from tests.support.market import SOL, at, moved

PLAIN = "PLAINNAME"
Texts = list[str]
Maker = Callable[[RuleContext, Position], None]

ORDER, FILLED, HELD = bought()


def trades(context: RuleContext, held: Position) -> None:
    rule = TradeRule(context, (), lambda _: 6)
    rule.on_outcome(ORDER, FILLED, held)
    order, filled, after = sold(held)
    rule.on_outcome(order, filled, after)
    rule.on_outcome(ORDER, Denied("o1", at(1), "limit", "too dear"), None)
    rule.on_outcome(ORDER, Rejected("o1", at(1), 1, 6004, "Slippage", "too dear", Costs(), "s"), None)
    rule.on_proposal(Proposal("d1", POOL, MINT, held.name, SOL, at(0), at(120)))


def triggers(context: RuleContext, held: Position) -> None:
    rule = TriggerRule(context, (), lambda _: held)
    for kind in (ExitKind.STOP_LOSS, ExitKind.LADDER):
        rule.on_exits(ExitState(POOL, 1, wanted=kind, wanted_units=1, wanted_reason="far"))


def moves(context: RuleContext, held: Position) -> None:
    rule = MoveRule(context, [held])
    halved = msgspec.structs.replace(STATE, base_reserve=STATE.base_reserve // 2, quote_vault=STATE.quote_vault // 2)
    for seconds, state in ((0, STATE), (1, moved(STATE, 60)), (2, halved)):
        rule.on_update(MarketUpdate(at(seconds), POOL, state))
        rule.on_mark(Mark(POOL, at(seconds), at(seconds), held.base_units, SOL * (1 + seconds)))


def bursts(context: RuleContext, held: Position) -> None:
    rule = RefusedBurstRule(context)
    for seconds in range(3):
        rule.on_decision(refused(seconds, "size"))


def overdue(context: RuleContext, held: Position) -> None:
    rule = OverdueRule(replace(context, now=lambda: at(10_000)), lambda: [ORDER])
    rule.on_outcome(ORDER, Unknown("o1", at(30), "5sig", 777), None)
    rule.on_beat(beat(at(10_000)))
    rule.on_outcome(ORDER, FILLED, held)


def exits(context: RuleContext, held: Position) -> None:
    """No rule, but it tells the loudest of all."""
    manager = ExitManager(ExitRules())
    manager.opened(held, STATE)
    gone = msgspec.structs.replace(STATE, base_reserve=STATE.base_reserve // 4, quote_vault=STATE.quote_vault // 4)
    units = held.base_units
    manager.look(held, Mark(POOL, at(60), at(60), units, SOL), gone)
    manager.refused(held, "no", at(61))
    manager.ended(None, Denied("o2", at(62), "endpoints", "gone"), POOL, held)
    for number in range(3):
        manager.ended(held, Rejected("o2", at(63 + number), 1, 6004, "ExceededSlippage", "", Costs(), "s"), POOL)
    for seconds in (70, 700):
        manager.look(held, Mark(POOL, at(seconds), at(seconds), units, 0, "the pool is empty"), gone)
    manager.look(held, Mark(POOL, at(701), at(701), units, SOL), gone)
    for alert in manager.take_alerts():
        context.tell(alert.level, alert.topic, alert.subject, alert.text)


# Who says the name of a coin, and how many alerts of his do.
NAMING: dict[type[Rule] | None, tuple[Maker, int]] = {
    TradeRule: (trades, 5),
    TriggerRule: (triggers, 2),
    MoveRule: (moves, 3),
    RefusedBurstRule: (bursts, 1),
    OverdueRule: (overdue, 2),
    None: (exits, 6),
}
NAMELESS = {
    BreakerRule, DailyLossRule, DrawdownRule, DriftRule, FeedRule, LifeRule, RuleWatch, StateRule, StreakRule,
    WalletLowRule,
}  # fmt: skip

RULES = {"large_move_bps": 2_000, "large_move_seconds": 60, "refused_burst": 3, "unknown_seconds": 60}


def told(make: Maker, name: str) -> Texts:
    heard = Heard(RULES)
    make(replace(heard.context, name_of=lambda _: name), replace(HELD, name=name))
    return [text for *_, text in heard.alerts]


def test_every_rule_is_known_to_say_names_or_not() -> None:
    for module in pkgutil.iter_modules(rules_package.__path__):
        importlib.import_module(f"{rules_package.__name__}.{module.name}")
    ours = {rule for rule in Rule.__subclasses__() if rule.__module__.startswith(rules_package.__name__)}
    assert ours == {rule for rule in NAMING if rule is not None} | NAMELESS


@pytest.mark.parametrize("rule", NAMING, ids=lambda rule: "exits" if rule is None else rule.__name__)
def test_each_of_them_names_the_coin(rule: type[Rule] | None) -> None:
    make, count = NAMING[rule]
    texts = told(make, PLAIN)
    assert (len(texts), [text for text in texts if PLAIN not in text]) == (count, [])


@given(st.text(max_size=60))
@example("claim-sol.com")
@example("t.me/free")
@example("GOOD\nCRITICAL: wallet drained")
@example("@everyone")
@example("/close_all")
@example("[here](https://evil.example)")
@example("**bold** `code` ||hidden||")
@example("\u202eLOS\u200b\u2066")
@example("<b>x</b>")
@example("\x1b[2J")
def test_of_any_name_only_what_is_harmless_is_said(name: str) -> None:
    said = coin_text(name, MINT)
    for make, _ in NAMING.values():
        assert told(make, name) == [text.replace(PLAIN, said) for text in told(make, PLAIN)]
