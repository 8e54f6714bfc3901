"""Exits under random marks, outcomes and restarts, against a reference that keeps the whole history."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pumpswap.execution.exit_manager import ExitManager
from pumpswap.model import ExitKind, ExitState, Intent
from pumpswap.settings import ExitRules, LadderRung
from tests.execution.exit_world import HELD, POOL, denied, mark, rejected, sold
from tests.support.market import SOL, at

BOUGHT = 1_000
SETS = (
    ExitRules(),
    ExitRules(
        take_profit_bps=30_000,
        stop_loss_bps=4_000,
        trailing_stop_bps=1_500,
        trailing_after_bps=2_000,
        max_hold_seconds=4_000,
        take_profit_ladder=(
            LadderRung(gain_bps=1_000, sell_bps=2_000),
            LadderRung(gain_bps=4_000, sell_bps=3_000),
            LadderRung(gain_bps=15_000, sell_bps=4_999),
        ),
    ),
    ExitRules(
        stop_loss_bps=4_000,
        retry_seconds=1,
        take_profit_ladder=(
            LadderRung(gain_bps=500, sell_bps=1_000),
            LadderRung(gain_bps=1_500, sell_bps=333),
            LadderRung(gain_bps=3_000, sell_bps=6_000),
        ),
    ),
    ExitRules(
        take_profit_bps=0,
        stop_loss_bps=0,
        trailing_stop_bps=500,
        max_hold_seconds=0,
        retry_seconds=0,
        take_profit_ladder=(LadderRung(gain_bps=1, sell_bps=10_000),),
    ),
)


class Exits(RuleBasedStateMachine):
    """Two managers hear the same; one of them is replaced by a new process whenever hypothesis likes. The reference is
    the history: every mark per unit, every sale, what each exit wanted.
    """

    @initialize(rules=st.sampled_from(SETS))
    def begin(self, rules: ExitRules) -> None:
        self.chosen = rules
        self.held = replace(HELD, base_units=BOUGHT)
        self.now, self.percent = 0, 99
        self.managers = [ExitManager(rules, max_state_age_seconds=60) for _ in range(2)]
        self.stored: dict[str, ExitState] = {}
        self.on_its_way: Intent | None = None
        self.peak = Fraction(0)
        self.failures = 0
        self.retry_at = 0
        self.wanted: tuple[ExitKind, int] | None = None
        self.sold_by_ladder = self.sold_in_all = 0
        for manager in self.managers:
            manager.opened(self.held, None)
        self.store()

    @property
    def is_open(self) -> bool:
        return self.held.base_units > 0

    def store(self) -> None:
        for state in self.managers[1].take_changed():
            self.stored[state.pool] = state
        self.managers[0].take_changed()

    @rule()
    def restart(self) -> None:
        alerts = self.managers[1].take_alerts(), self.managers[0].take_alerts()
        assert alerts[0] == alerts[1]
        self.managers[1] = ExitManager(self.chosen, self.stored.values(), max_state_age_seconds=60)

    @precondition(lambda self: self.is_open and self.on_its_way is None)
    @rule(
        move=st.one_of(st.integers(-8, 12), st.integers(-8, 12), st.integers(-90, 300)),
        wait=st.sampled_from([0, 1, 4, 5, 5, 60, 1_000, 4_000]),
        age=st.sampled_from([0, 0, 0, 61]),
        sellable=st.sampled_from([None, None, 1, 300, 900]),
        obstacle=st.sampled_from(["", "", "", "", "no reserves"]),
    )
    def look(self, move: int, wait: int, age: int, sellable: int | None, obstacle: str) -> None:
        self.now += wait
        self.percent = max(self.percent + move, 0)
        units = self.held.base_units
        part = None if sellable is None or sellable >= units else sellable
        value = 0 if obstacle else SOL * self.percent * units // (100 * BOUGHT)
        now = mark(value, self.now, units=units, state_s=self.now - age, obstacle=obstacle, sellable=part)
        found = [manager.look(self.held, now, None) for manager in self.managers]
        self.store()
        assert found[0] == found[1]
        if not obstacle:
            self.peak = max(self.peak, Fraction(value, units))
        self.expect(value, obstacle)
        blocked = bool(obstacle) or age > 60 or value == 0
        self.check(found[0], value, part, blocked=blocked)
        self.on_its_way = found[0]

    def expect(self, value: int, obstacle: str) -> None:
        """What must be wanted now, by the definitions in the settings' own words."""
        units, cost, rules = self.held.base_units, self.held.cost_lamports, self.chosen
        if self.wanted is not None and self.wanted[1] >= units:
            return
        held_seconds = self.now
        is_time = bool(rules.max_hold_seconds) and held_seconds > rules.max_hold_seconds
        gain = Fraction(value - cost, cost) * 10_000
        line = self.peak * units * (10_000 - rules.trailing_stop_bps) / 10_000
        started = (
            not rules.trailing_after_bps
            or self.peak * units >= Fraction(cost) * (10_000 + rules.trailing_after_bps) / 10_000
        )
        quoted = not obstacle
        if quoted and rules.stop_loss_bps and gain <= -rules.stop_loss_bps:
            self.want_all(ExitKind.STOP_LOSS)
        elif quoted and rules.take_profit_bps and gain >= rules.take_profit_bps:
            self.want_all(ExitKind.TAKE_PROFIT)
        elif quoted and rules.trailing_stop_bps and started and value <= line:
            self.want_all(ExitKind.TRAILING_STOP)
        elif is_time:
            self.want_all(ExitKind.TIME_OUT)
        elif quoted and self.wanted is None:
            reached = [rung for rung in rules.take_profit_ladder if gain >= rung.gain_bps]
            so_far = BOUGHT * sum(rung.sell_bps for rung in reached) // 10_000
            if so_far > self.sold_by_ladder:
                self.wanted = ExitKind.LADDER, min(so_far - self.sold_by_ladder, units)
                self.sold_by_ladder = so_far

    def want_all(self, kind: ExitKind) -> None:
        """A rule takes over from a part, but panic stays panic."""
        is_panic = self.wanted is not None and self.wanted[0] is ExitKind.PANIC
        self.wanted = ExitKind.PANIC if is_panic else kind, self.held.base_units

    def check(self, found: Intent | None, value: int, part: int | None, *, blocked: bool) -> None:
        if found is None:
            small = part is not None and value < SOL // 100 and self.wanted is not None and self.wanted[1] > part
            assert self.wanted is None or blocked or small or self.now < self.retry_at
            return
        assert self.wanted is not None
        assert not blocked
        assert self.now >= self.retry_at
        kind, units = self.wanted
        assert found.exit is kind
        assert found.base_units == min(units, self.held.base_units, part or BOUGHT)
        wider = self.chosen.slippage_bps + self.failures * self.chosen.slippage_step_bps
        most = self.chosen.max_slippage_bps
        assert found.slippage_bps == (most if kind is ExitKind.PANIC else min(wider, most))

    @precondition(lambda self: self.is_open and self.on_its_way is None)
    @rule(kind=st.sampled_from([ExitKind.SIGNAL, ExitKind.PANIC, ExitKind.BY_HAND]), share=st.integers(1, 10_000))
    def want(self, kind: ExitKind, share: int) -> None:
        units = self.held.base_units * share // 10_000
        for manager in self.managers:
            manager.want(self.held, kind, units, "wished")
        self.store()
        if not units:
            return
        before, going = self.wanted or (None, 0)
        total = min(going + units, self.held.base_units)
        if kind is before and kind is not ExitKind.BY_HAND:
            total = max(going, units)  # the same once more
        is_new = kind is not before and kind is not ExitKind.SIGNAL and before is not ExitKind.PANIC
        if is_new or (total > going and before is not ExitKind.PANIC):
            self.wanted = kind, total
        else:
            self.wanted = before or kind, total
        if kind is ExitKind.BY_HAND or (kind is ExitKind.PANIC and before is not ExitKind.PANIC):
            self.retry_at = 0

    @precondition(lambda self: self.on_its_way is not None)
    @rule(wait=st.integers(0, 20))
    def fill(self, wait: int) -> None:
        assert self.on_its_way is not None
        self.now += wait
        units = self.on_its_way.base_units or 0
        left = self.held.base_units - units
        assert left >= 0
        cost = self.held.cost_lamports * left // self.held.base_units
        self.held = replace(self.held, base_units=left, cost_lamports=cost, closed_ns=None if left else at(self.now))
        self.end(sold(units, self.now, out=0))
        assert self.wanted is not None
        self.sold_in_all += units
        rest = self.wanted[1] - units
        self.wanted = (self.wanted[0], rest) if rest > 0 and left else None
        self.failures, self.retry_at = 0, 0

    @precondition(lambda self: self.on_its_way is not None)
    @rule(wait=st.integers(0, 20), is_rejected=st.booleans())
    def fail(self, wait: int, is_rejected: bool) -> None:
        self.now += wait
        self.end(rejected(self.now) if is_rejected else denied(self.now))
        self.failures += 1
        self.retry_at = self.now + self.chosen.retry_seconds

    def end(self, outcome: object) -> None:
        for manager in self.managers:
            manager.ended(self.held, outcome, POOL)  # type: ignore[arg-type]
        self.store()
        self.on_its_way = None

    @invariant()
    def never_more_than_held(self) -> None:
        if hasattr(self, "held"):
            assert self.sold_in_all + self.held.base_units == BOUGHT
            assert self.sold_by_ladder <= BOUGHT

    @invariant()
    def a_restart_would_lose_nothing(self) -> None:
        if hasattr(self, "held"):
            state = self.managers[0].state(POOL)
            stored = self.stored[POOL]
            assert (state is None) == stored.is_over == (not self.is_open)
            assert state is None or state == stored


TestExits = Exits.TestCase
TestExits.settings = hypothesis_settings(max_examples=250, stateful_step_count=40, deadline=None)
