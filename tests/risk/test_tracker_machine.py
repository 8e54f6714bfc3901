"""The tracker against a model that keeps the whole story and works every answer out from its beginning."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pumpswap.model import BreakerState, Order, TradeSide
from pumpswap.risk.tracker import RiskFigures, RiskTracker
from pumpswap.settings import RiskLimits
from tests.risk.happenings import HOW, order, outcome, round_of
from tests.support.market import SOL, START_NS

SECOND = 10**9
LIMITS = RiskLimits(
    breaker_failures=2, breaker_seconds=30, breaker_successes=2, max_losses_in_a_row=2, losses_pause_seconds=50,
    max_trades_per_minute=2, max_trades_per_hour=4, max_trades_per_day=6,
)  # fmt: skip
SECONDS = st.sampled_from([0, 0, 0, 1, 30])
SPANS = (60 * SECOND, 3_600 * SECOND, 86_400 * SECOND)


@dataclass
class Story:
    """Everything that has happened, in order: (kind, time, order id or figure, how or result)."""

    lines: list[tuple[str, int, object, object]] = field(default_factory=list)

    def tell(self, kind: str, at_ns: int, what: object = None, how: object = None) -> None:
        self.lines.append((kind, at_ns, what, how))

    def breaker(self, now: int) -> tuple[BreakerState, int, int, bool]:
        """(state, failures in a row, until when it is open, whether a trial is out)."""
        opened: int | None = None
        row = won = 0
        trials: set[object] = set()
        doubtful: set[object] = set()

        def half_open(at_ns: int) -> bool:
            return opened is not None and at_ns >= opened + LIMITS.breaker_seconds * SECOND

        for kind, at_ns, what, how in self.lines:
            if kind == "resume":
                opened, row, won, trials = None, 0, 0, set()
            elif kind == "enter" and opened is not None:
                trials.add(what)
            elif kind == "end" and how == "filled":
                if opened is None:
                    row = 0
                elif half_open(at_ns) and what in trials and what not in doubtful:
                    won += 1
                    if won == LIMITS.breaker_successes:
                        opened, row, won = None, 0, 0
            elif kind == "end" and what not in doubtful:
                row += 1
                if half_open(at_ns) or (opened is None and row >= LIMITS.breaker_failures):
                    opened, won = at_ns, 0
            if kind == "end":
                if how == "unknown":
                    doubtful.add(what)
                else:
                    doubtful.discard(what)
                    trials.discard(what)
        if opened is None:
            return BreakerState.CLOSED, row, 0, bool(trials)
        if half_open(now):
            return BreakerState.HALF_OPEN, row, 0, bool(trials)
        return BreakerState.OPEN, row, opened + LIMITS.breaker_seconds * SECOND, bool(trials)

    def entries(self, now: int) -> tuple[int, ...]:
        times = [at_ns for kind, at_ns, _, _ in self.lines if kind == "enter"]
        return tuple(sum(at_ns > now - span for at_ns in times) for span in SPANS)

    def rounds(self) -> tuple[int, int]:
        """(losses in a row, until when entries pause)."""
        row = until = 0
        for kind, at_ns, what, _ in self.lines:
            if kind == "resume":
                row = until = 0
            elif kind == "round":
                row = row + 1 if isinstance(what, int) and what < 0 else 0
                if row == LIMITS.max_losses_in_a_row:
                    row, until = 0, at_ns + LIMITS.losses_pause_seconds * SECOND
        return row, until

    def equity(self) -> tuple[bool, bool]:
        """(whether the last measured day is lost, whether equity is drawn down)."""
        start = peak = last = Fraction(0)
        day = -1
        lost = down = False
        for kind, at_ns, what, _ in self.lines:
            if kind == "resume":
                start, peak, lost, down = (last if lost else start), last, False, False
            elif kind == "measure" and isinstance(what, int):
                last = Fraction(what)
                if at_ns // SPANS[2] != day:
                    day, start, lost = at_ns // SPANS[2], last, False
                peak = max(peak, last)
                lost |= last < start and start - last >= start * Fraction(LIMITS.max_daily_loss_fraction)
                down |= last < peak and peak - last >= peak * Fraction(LIMITS.max_drawdown_fraction)
        return lost, down


class TrackerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = START_NS
        self.tracker = RiskTracker(LIMITS)
        self.story = Story()
        self.out: dict[str, Order] = {}
        self.doubtful: set[str] = set()
        self.number = 0
        self.last = 0
        self.measure(50)

    @rule(seconds=st.sampled_from([1, 29, 30, 59, 60, 3_599, 86_400]))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(side=st.sampled_from(TradeSide))
    def leave(self, side: TradeSide) -> None:
        self.number += 1
        made = self.out[f"o{self.number}"] = order(self.number, side, self.now)
        if side is TradeSide.BUY:
            self.tracker.entered(made)
            self.story.tell("enter", self.now, made.order_id)

    @precondition(lambda self: self.out)
    @rule(place=st.integers(0, 10), how=st.sampled_from(HOW), seconds=SECONDS)
    def end(self, place: int, how: str, seconds: int) -> None:
        self.now += seconds * SECOND
        self._end(sorted(self.out)[place % len(self.out)], how, None)

    @rule(how=st.sampled_from(HOW), realised=st.sampled_from([None, -1, -1, 0, 1]), seconds=SECONDS)
    def sale(self, how: str, realised: int | None, seconds: int) -> None:
        self.leave(TradeSide.SELL)
        self.now += seconds * SECOND
        self._end(f"o{self.number}", how, realised)

    @rule(how=st.sampled_from(HOW), seconds=SECONDS)
    def entry(self, how: str, seconds: int) -> None:
        self.leave(TradeSide.BUY)
        self.now += seconds * SECOND
        self._end(f"o{self.number}", how, None)

    def _end(self, name: str, how: str, realised: int | None) -> None:
        made = self.out[name]
        if how == "unknown":
            if name in self.doubtful:
                return
            self.doubtful.add(name)
        else:
            del self.out[name]
        left = round_of(realised, self.now) if realised is not None else None
        self.tracker.ended(made, outcome(made, how, self.now), left)
        self.story.tell("end", self.now, name, how)
        if how == "filled" and made.side is TradeSide.SELL and realised is not None:
            self.story.tell("round", self.now, realised)

    @rule(equity=st.sampled_from([50, 45, 46, 40, 60, 54, 36, 30]))
    def measure(self, equity: int) -> None:
        self.last = equity * SOL
        self.tracker.measured(self.last, self.now)
        self.story.tell("measure", self.now, self.last)

    @rule(really=st.integers(0, 5))
    def resume(self, really: int) -> None:
        if really:
            return
        self.tracker.resume("seen")
        self.story.tell("resume", self.now)

    @rule()
    def restart(self) -> None:
        before = self.tracker.state
        self.tracker = RiskTracker(LIMITS, before)
        self.tracker.restored(list(self.out.values()))
        assert self.tracker.state == before
        self.tracker.measured(self.last, self.now)
        self.story.tell("measure", self.now, self.last)

    @invariant()
    def the_story_says_the_same(self) -> None:
        found: RiskFigures = self.tracker.figures(self.now)
        state, row, until, is_out = self.story.breaker(self.now)
        assert (found.breaker, found.failures_in_a_row, found.breaker_until_ns) == (state, row, until)
        assert found.trial_is_out == is_out
        assert found.entries == self.story.entries(self.now)
        for count, most, until_ns, span in zip(
            found.entries,
            (LIMITS.max_trades_per_minute, LIMITS.max_trades_per_hour, LIMITS.max_trades_per_day),
            found.entries_until_ns,
            SPANS,
            strict=True,
        ):
            assert (count >= most) == (until_ns > self.now)
            if until_ns:
                index = SPANS.index(span)
                assert self.story.entries(until_ns)[index] < most <= self.story.entries(until_ns - 1)[index]
        assert (found.losses_in_a_row, found.losses_until_ns) == self.story.rounds()
        lost, down = self.story.equity()
        assert found.is_drawn_down == down
        assert self.tracker.state.day_is_lost == lost


TrackerMachine.TestCase.settings = hypothesis_settings(max_examples=120, stateful_step_count=40, deadline=None)
TestTracker = TrackerMachine.TestCase
