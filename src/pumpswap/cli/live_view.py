"""The live view of a paper run: pools, decisions with reasons, fills, positions, equity."""

from __future__ import annotations

import time
from collections import deque
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pumpswap.amm import BuyQuote
from pumpswap.cli.formats import printable
from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.model import (
    Decision,
    Denied,
    EquityPoint,
    Filled,
    Mark,
    MarketUpdate,
    Order,
    Outcome,
    Position,
    Rejected,
    RunObserver,
    TradeSide,
)
from pumpswap.units import format_units

__all__ = ["LiveView", "PlainView"]

FRAMES_PER_SECOND = 12
NARROW = 100  # columns; below it lines are folded, and there are fewer of them
MOST_POOLS = 12  # rows of the table: those that are held, then those with the latest news
MOST_NAME = 20
MODE = "mode"  # the policy that holds everything back in analysis
MOST_POINTS = 2_000  # of the curve of equity; then every second one is left out


class PlainView(RunObserver):
    """One line per thing that matters, for pipes and logs. The same refusal of the same pool is told once."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.names: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def on_update(self, update: MarketUpdate) -> None:
        if update.snapshot is not None and update.snapshot.name:
            self.names[update.pool] = printable(update.snapshot.name)

    def on_decision(self, decision: Decision) -> None:
        line = decision_line(decision, self.names)
        reason = ",".join(verdict.policy for verdict in decision.refusals)
        if decision or self._told.get(decision.intent.pool) != reason:
            self.say(decision.intent.at_ns, line)
        self._told[decision.intent.pool] = reason

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self.say(outcome.at_ns, outcome_line(order, outcome, position, self.names))

    def say(self, at_ns: int, line: Text) -> None:
        """Print one line with its market time."""
        # In a pipe a line stays a line, however long.
        stamped = Text(format_utc(at_ns)[11:] + "  ", style="dim") + line
        self.console.print(stamped, soft_wrap=not self.console.is_terminal)


class LiveView(RunObserver):
    """Redraws a screen while the run goes on, slowed down to ``seconds`` for the whole of it."""

    def __init__(
        self, console: Console, *, duration_seconds: int, seconds: float, frames_per_second: float = FRAMES_PER_SECOND
    ) -> None:
        self.names: dict[str, str] = {}
        self._console = console
        self._pace = seconds / duration_seconds if duration_seconds else 0.0
        self._frame_seconds = 1 / frames_per_second
        # Drawn when there is something new, not by a timer: a log of a terminal would grow for nothing.
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._pools: dict[str, MarketUpdate] = {}
        self._first_price: dict[str, float] = {}
        self._decisions: deque[Text] = deque(maxlen=8)
        self._outcomes: deque[Text] = deque(maxlen=6)
        self._positions: dict[str, Position] = {}
        self._marks: dict[str, Mark] = {}
        self._equity: list[int] = []
        self._told: dict[str, str] = {}
        self._counts = {"swaps": 0, "refused": 0, "accepted": 0}
        self._started: tuple[float, int] | None = None
        self._next_frame = 0.0
        self._shown_ns = 0

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    # ------------------------------------------------------------------------------------------ listening

    def on_update(self, update: MarketUpdate) -> None:
        if update.snapshot is not None and update.snapshot.name:
            self.names[update.pool] = printable(update.snapshot.name)
        if update.state is not None:
            self._pools.pop(update.pool, None)  # the latest news last
            self._pools[update.pool] = update
            self._first_price.setdefault(update.pool, float(update.state.spot_price))
        self._counts["swaps"] += update.swap is not None
        self._wait(update.at_ns)

    def on_decision(self, decision: Decision) -> None:
        self._counts["accepted" if decision else "refused"] += 1
        reason = ",".join(verdict.policy for verdict in decision.refusals)
        if decision or self._told.get(decision.intent.pool) != reason:
            self._decisions.append(_stamped(decision.intent.at_ns, decision_line(decision, self.names)))
        self._told[decision.intent.pool] = reason

    def on_outcome(self, order: Order, outcome: Outcome, position: Position | None) -> None:
        self._outcomes.append(_stamped(outcome.at_ns, outcome_line(order, outcome, position, self.names)))
        if position is not None:
            self._positions[position.pool] = position

    def on_mark(self, mark: Mark) -> None:
        self._marks[mark.pool] = mark

    def on_equity(self, point: EquityPoint) -> None:
        if len(self._equity) >= MOST_POINTS:
            self._equity = [self._equity[0], *self._equity[2::2]]
        self._equity.append(point.equity_lamports)

    def note(self, at_ns: int, line: Text) -> None:
        """Say something beside the decisions."""
        self._decisions.append(_stamped(at_ns, line))

    def _wait(self, at_ns: int) -> None:
        """Keep market time and wall time in step, and draw when a frame is due."""
        now = time.monotonic()
        if self._started is None:
            self._started = (now, at_ns)
        started, first_ns = self._started
        ahead = started + (at_ns - first_ns) / NS_PER_SECOND * self._pace - now
        if ahead > 0:
            time.sleep(ahead)
            now += ahead
        if now >= self._next_frame:
            self._next_frame = now + self._frame_seconds
            self.draw(at_ns)

    def draw(self, at_ns: int) -> None:
        """Show everything as it is at a moment."""
        self._shown_ns = max(self._shown_ns, at_ns)
        self._live.update(self._screen(self._shown_ns), refresh=True)

    # ------------------------------------------------------------------------------------------ drawing

    def _screen(self, at_ns: int) -> RenderableType:
        return Group(
            self._headline(at_ns),
            self._pool_table(),
            Panel(
                Group(*self._latest(self._decisions)),
                title="decisions",
                title_align="left",
                border_style="dim",
                box=box.ROUNDED,
            ),
            Panel(
                Group(*self._latest(self._outcomes)),
                title="orders",
                title_align="left",
                border_style="dim",
                box=box.ROUNDED,
            ),
            self._position_table(),
        )

    def _panel(self, title: str, lines: deque[Text]) -> Panel:
        body = Group(*self._latest(lines))
        return Panel(body, title=title, title_align="left", border_style="dim", box=box.ROUNDED)

    def _latest(self, lines: deque[Text]) -> list[Text]:
        """Folded between words where the terminal is narrow: a reason that is cut tells nothing."""
        if self._console.width >= NARROW:
            return list(lines)
        folded = [line.copy() for line in list(lines)[-4:]]
        for line in folded:
            line.no_wrap = False
        return folded

    def _headline(self, at_ns: int) -> Text:
        counts = self._counts
        line = Text(f" {format_utc(at_ns)}", style="bold")
        line.append(f"   {counts['swaps']} swaps", style="dim")
        line.append(f"   {counts['accepted']} accepted, {counts['refused']} refused   ", style="dim")
        if self._equity:
            change = self._equity[-1] - self._equity[0]
            line.append(f"equity {_sol(self._equity[-1])} SOL ")
            line.append(f"({_sol(change, signed=True)})", style="green" if change >= 0 else "red")
            if self._console.width >= NARROW:
                line.append("  " + sparkline(self._equity), style="cyan")
        return line

    def _pool_table(self) -> Table:
        table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
        for name, side in (
            ("pool", "left"),
            ("price SOL/M", "right"),
            ("change", "right"),
            ("real SOL", "right"),
            ("held", "right"),
        ):
            table.add_column(name, justify=side)  # type: ignore[arg-type]
        for pool, update in self._shown():
            state = update.state
            if state is None:
                continue
            price = float(state.spot_price)
            change = price / self._first_price[pool] - 1
            position = self._positions.get(pool)
            held = _sol(position.cost_lamports) if position and position.is_open else ""
            table.add_row(
                called(self.names, pool),
                f"{price * 1e12 / 1e9:,.4f}",
                Text(f"{change:+.1%}", style="green" if change >= 0 else "red"),
                f"{state.real_quote_reserve / 1e9:,.1f}",
                held,
            )
        return table

    def _shown(self) -> list[tuple[str, MarketUpdate]]:
        """In the order of their first price, so that rows do not dance."""
        held = {pool for pool, position in self._positions.items() if position.is_open}
        wanted = [pool for pool in self._pools if pool in held][-MOST_POOLS:]
        wanted += [pool for pool in reversed(self._pools) if pool not in held][: MOST_POOLS - len(wanted)]
        return [(pool, self._pools[pool]) for pool in self._first_price if pool in wanted]

    def _position_table(self) -> RenderableType:
        held = [position for position in self._positions.values() if position.is_open]
        if not held:
            return Text(" nothing is held", style="dim")
        table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
        for name in ("position", "cost SOL", "would bring SOL", "result"):
            table.add_column(name, justify="left" if name == "position" else "right")
        for position in held:
            mark = self._marks.get(position.pool)
            value = mark.value_lamports if mark else 0
            change = value / position.cost_lamports - 1 if position.cost_lamports else 0.0
            style = "green" if change >= 0 else "red"
            name = called(self.names, position.pool)
            table.add_row(name, _sol(position.cost_lamports), _sol(value), Text(f"{change:+.1%}", style=style))
        return table


def decision_line(decision: Decision, names: dict[str, str]) -> Text:
    """A decision in one line: what was wanted, and every reason against it."""
    intent = decision.intent
    line = Text(f"{called(names, intent.pool):<9}", style="bold")
    if decision:
        verb = "buy" if intent.side is TradeSide.BUY else "sell"
        amount = f" {_sol(decision.quote_lamports)} SOL" if intent.side is TradeSide.BUY else ""
        return line.append(f" {verb}{amount}", style="green").append(f"  {intent.reason}", style="dim")
    would = would_buy_lamports(decision)
    if would is not None:
        return line.append(f" would buy {_sol(would)} SOL", style="green").append(f"  {intent.reason}", style="dim")
    refusals = decision.refusals
    if len(refusals) > 1:  # in analysis mode each is refused by it: the others tell more
        refusals = tuple(verdict for verdict in refusals if verdict.policy != MODE)
    reasons = "; ".join(f"{verdict.policy}: {verdict.text}" for verdict in refusals)
    return line.append(" refused  ", style="yellow").append(reasons, style="dim")


def would_buy_lamports(decision: Decision) -> int | None:
    """What a buy would have been, where nothing but the mode is against it; None for everything else."""
    is_held_back = [verdict.policy for verdict in decision.refusals] == [MODE]
    if not is_held_back or decision.intent.side is not TradeSide.BUY or not decision.sizing:
        return None
    return decision.sizing[-1].lamports


def called(names: dict[str, str], pool: str) -> str:
    """What a pool is called: every one of these is against SOL, which need not be said."""
    return names.get(pool, pool[:8]).removesuffix(" / SOL")[:MOST_NAME]


def outcome_line(order: Order, outcome: Outcome, position: Position | None, names: dict[str, str]) -> Text:
    """An outcome in one line: quoted against executed for fills, the code for rejections."""
    line = Text(f"{called(names, order.pool):<9}", style="bold")
    if isinstance(outcome, Filled):
        quoted, executed = order.quote, outcome.executed
        if isinstance(executed, BuyQuote) and isinstance(quoted, BuyQuote):
            slip = executed.total_quote * quoted.base_out / (quoted.total_quote * executed.base_out) - 1
            return line.append(f" bought for {_sol(executed.total_quote)} SOL, {_against(slip)}", style="green")
        if not isinstance(executed, BuyQuote) and not isinstance(quoted, BuyQuote):
            result = position.realised_lamports if position else 0
            style = "green" if result >= 0 else "red"
            return line.append(
                f" sold for {_sol(executed.user_quote_out)} SOL, result {_sol(result, signed=True)}", style=style
            ).append(f"  {order.reason}", style="dim")
    if isinstance(outcome, Rejected):
        return line.append(f" rejected {outcome.code} {outcome.name}", style="red").append(
            f"  cost {format_units(outcome.costs.spent, 9)} SOL", style="dim"
        )
    if isinstance(outcome, Denied):
        return line.append(f" not sent: {outcome.rule}", style="yellow").append(f"  {outcome.text}", style="dim")
    return line.append(f" {type(outcome).__name__}")


def _against(slip: float) -> str:
    """A price against the quoted one: who has paid less has done better."""
    if abs(slip) < 0.00005:
        return "as quoted"
    return f"{abs(slip):.2%} {'worse' if slip > 0 else 'better'} than quoted"


def sparkline(values: list[int], width: int = 24) -> str:
    """A curve in one line of text."""
    if len(values) < 2:
        return ""
    step = max(len(values) // width, 1)
    sampled = values[::step][-width:]
    low, high = min(sampled), max(sampled)
    marks = "▁▂▃▄▅▆▇█"
    return "".join(marks[(value - low) * 7 // (high - low)] if high > low else marks[0] for value in sampled)


def _stamped(at_ns: int, line: Text) -> Text:
    stamped = Text(format_utc(at_ns)[11:] + "  ", style="dim") + line
    stamped.no_wrap, stamped.overflow = True, "ellipsis"
    return stamped


def _sol(lamports: int, *, signed: bool = False) -> str:
    return format_units(round(lamports, -5), 9, signed=signed)
