"""What `pumpswap watch` shows: a screen on a terminal, lines in a pipe, objects for scripts."""

from __future__ import annotations

import json
from collections import deque
from contextlib import AbstractContextManager
from fractions import Fraction
from types import TracebackType
from typing import Any, Self

import click
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from pumpswap.app.books import Held
from pumpswap.app.views.overview import Overview
from pumpswap.app.watching import Ended, Look, News
from pumpswap.cli.books_view import coloured, duration_text, iso_time, name_of, short_sol, time_at
from pumpswap.cli.formats import counted, percent_text, printable
from pumpswap.cli.live_view import NARROW, PlainView, decision_line, outcome_line, sparkline
from pumpswap.cli.output import Output
from pumpswap.cli.positions_view import exits_text, held_json, mark_text
from pumpswap.cli.run_view import JsonLines, alert_line
from pumpswap.clock import format_utc
from pumpswap.model import Alert, Decision, TradingState

__all__ = ["WatchJson", "WatchLines", "WatchScreen", "WatchView"]

_KEPT = 10  # lines of news of each kind
_STYLES = {TradingState.ACTIVE: "green", TradingState.EXITS_ONLY: "yellow", TradingState.HALTED: "red"}


class WatchView(AbstractContextManager["WatchView"]):
    """Shows one look after the other. Use as a context."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left behind."""

    def show(self, look: Look) -> None:
        """Show a look."""
        raise NotImplementedError


class WatchLines(WatchView):
    """For pipes and logs: how it is at first and whenever that changes, and everything new, each in one line."""

    def __init__(self, console: Console) -> None:
        self._lines = PlainView(console)
        self._told: tuple[str, ...] = ()

    def show(self, look: Look) -> None:
        view, now = look.overview, look.overview.as_of_ns
        state = (_run_line(view).plain, _engine_line(view, with_age=False).plain, _trading_line(view).plain)
        if state != self._told:
            for line in state:
                self._lines.say(now, Text(line, "bold"))
            self._told = state
        if look.left_out:
            self._lines.say(now, Text(f"and up to {look.left_out:,} decisions before these", "dim"))
        for news in look.news:
            self._lines.say(news.at_ns, _news_line(news, dict(look.names)))


class WatchJson(WatchView):
    """One object a line: ``look`` for each look, and before it what is new."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._events = _Events()

    def show(self, look: Look) -> None:
        for news in look.news:
            match news.what:
                case Decision():
                    self._events.on_decision(news.what)
                case Ended():
                    self._events.on_outcome(news.what.order, news.what.outcome, news.what.position)
                case Alert():
                    self._events.on_alert(news.what)
        self._events.emit("look", {**look_json(look), "warnings": self._out.warnings})


class _Events(JsonLines):
    """The events of a run under the name of this command."""

    def emit(self, event: str, data: dict[str, Any]) -> None:
        click.echo(json.dumps({"schema": "pumpswap.watch", "version": 1, "event": event, **data}))


class WatchScreen(WatchView):
    """The whole terminal, given back afterwards."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, screen=True, vertical_overflow="crop")
        self._decisions: deque[Text] = deque(maxlen=_KEPT)
        self._orders: deque[Text] = deque(maxlen=_KEPT)
        self._alerts: deque[Text] = deque(maxlen=_KEPT)
        self._refused: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def show(self, look: Look) -> None:
        if look.is_new_run:
            self._decisions.clear()
            self._orders.clear()
        for news in look.news:
            self._take(news, dict(look.names))
        self._live.update(self.screen(look), refresh=True)

    def screen(self, look: Look) -> RenderableType:
        """All of it: what matters most comes first, since the rest may have no room."""
        view = look.overview
        when = Text(f", {time_at(view.as_of_ns)}", "dim")
        parts: list[RenderableType] = [_run_line(view) + when, _engine_line(view), _trading_line(view)]
        parts += [_money_line(view, self._console.width), _hour_line(view), *_part_lines(view), Text("")]
        parts.append(_held_table(look, self._console.width))
        room = max(self._console.height - 14 - len(look.held.rows.items) - len(parts), 6)
        each = max(room // 3 - 2, 1)
        for title, lines in (("orders", self._orders), ("decisions", self._decisions), ("alerts", self._alerts)):
            body = Group(*list(lines)[-each:]) if lines else Text("nothing yet", "dim")
            parts.append(Panel(body, title=title, title_align="left", border_style="dim", box=box.ROUNDED))
        return Group(*parts)

    def _take(self, news: News, names: dict[str, str]) -> None:
        if isinstance(news.what, Decision) and not news.what:
            reason = ",".join(verdict.policy for verdict in news.what.refusals)
            if self._refused.get(news.what.intent.pool) == reason:
                return  # the same refusal of the same pool is told once
            self._refused[news.what.intent.pool] = reason
        kind = {Decision: self._decisions, Ended: self._orders, Alert: self._alerts}[type(news.what)]
        line = Text(format_utc(news.at_ns)[11:] + "  ", "dim") + _news_line(news, names)
        line.no_wrap, line.overflow = True, "ellipsis"
        kind.append(line)


# ---------------------------------------------------------------------------------------------- lines


def _news_line(news: News, names: dict[str, str]) -> Text:
    match news.what:
        case Decision():
            return decision_line(news.what, names)
        case Ended():
            return outcome_line(news.what.order, news.what.outcome, news.what.position, names)
        case _:
            return alert_line(news.what)


def _run_line(view: Overview) -> Text:
    run = view.run
    where = f" on {run.network}" if run.network else ""
    return Text(f"Run {run.run_id}, {run.kind}{where}", "bold")


def _engine_line(view: Overview, *, with_age: bool = True) -> Text:
    trading, run = view.trading, view.run
    if run.finished_ns is not None:
        return Text(f"engine   none: the run is over since {time_at(run.finished_ns)}", "yellow")
    age = trading.heartbeat_age_seconds
    if not run.is_running:
        since = f", its last heartbeat was {duration_text(age)} ago" if age is not None and with_age else ""
        return Text(f"engine   none runs{since}", "yellow")
    when = f", heartbeat {duration_text(age or 0)} ago" if with_age else ""
    waiting = f", {counted(trading.waiting, 'update')} waiting" if trading.waiting and with_age else ""
    line = Text(f"engine   mode {trading.mode}{when}{waiting}; ")
    able = "an entry could be carried out" if trading.able else "no entry could be carried out"
    return line.append(able, "green" if trading.able else "yellow")


def _trading_line(view: Overview) -> Text:
    trading = view.trading
    line = Text("trading  ").append(trading.state.value, _STYLES[trading.state])
    if trading.reason:
        line.append(f": {printable(trading.reason)}")
    told = {"trading state", "mode"}
    ways = [f"{one.policy}: {printable(one.text)}" for one in trading.obstacles if one.policy not in told]
    if ways:
        line.append("  in the way: " + "; ".join(ways), "yellow")
    return line


def _money_line(view: Overview, width: int) -> Text:
    money = view.money
    line = Text("equity   ")
    if money.equity_lamports is None:
        return line.append("not measured yet", "dim")
    line.append(f"{short_sol(money.equity_lamports)} SOL", "bold")
    for name, lamports in (("today", money.day_pnl_lamports), ("in all", money.pnl_lamports)):
        if lamports is not None:
            line.append(f"  {name} ").append_text(coloured(f"{short_sol(lamports, signed=True)} SOL", lamports))
    if width >= NARROW:
        line.append("  " + sparkline([point.equity_lamports for point in view.curve]), "cyan")
    return line


def _hour_line(view: Overview) -> Text:
    line = Text(f"decided  {view.hour_accepted} accepted, {view.hour_refused} refused in the last hour")
    if view.on_the_way:
        line.append(f"; {counted(view.on_the_way, 'order')} on the way")
    if view.proposals:
        line.append(f"; {counted(view.proposals, 'proposal')} waiting for you", "magenta")
    unseen = sum(view.unseen_alerts.values())
    return line.append(f"; {counted(unseen, 'alert')} not acknowledged", "dim") if unseen else line


def _part_lines(view: Overview) -> list[Text]:
    """Parts of the engine: those that are not well each on a line, all others on one."""
    if not view.run.is_running:
        return []
    well = [f"{name} {words}" for name, words in view.trading.feeds.items() if words.startswith("ok") or name == "loop"]
    ill = [(name, words) for name, words in view.trading.feeds.items() if not words.startswith("ok") and name != "loop"]
    lines = [Text(f"part     {name}: {printable(words)}", "yellow") for name, words in ill]
    if well:
        lines.append(Text("parts    " + "; ".join(map(printable, well)), "dim", no_wrap=True, overflow="ellipsis"))
    return lines


def _held_table(look: Look, width: int) -> RenderableType:
    held, sums = look.held.rows.items, look.held.sums
    if not held:
        return Text(f"nothing is held; {counted(sums.closed, 'round')} closed, {sums.won} won", "dim")
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column(counted(sums.open, "open position"), no_wrap=True, overflow="ellipsis")
    for name in ("cost SOL", "would bring", "result"):
        table.add_column(name, justify="right", no_wrap=True)
    if width >= NARROW:
        table.add_column("exits", no_wrap=True, overflow="ellipsis", ratio=1)
    for each in held:
        cells: list[RenderableType] = [Text(name_of(each.position)), short_sol(each.position.cost_lamports)]
        cells += [_value_text(each, look.overview.as_of_ns), _gain_text(each)]
        table.add_row(*cells, *([Text(exits_text(each), "dim")] if width >= NARROW else []))
    return table


def _value_text(each: Held, as_of_ns: int) -> Text:
    if each.value_lamports is None:
        return Text(printable(mark_text(each, as_of_ns)), "yellow")
    return Text(short_sol(each.value_lamports))


def _gain_text(each: Held) -> Text:
    gain, cost = each.unrealised_lamports, each.position.cost_lamports
    return Text("") if gain is None or not cost else coloured(percent_text(Fraction(gain, cost)), gain)


# ---------------------------------------------------------------------------------------------- for scripts


def look_json(look: Look) -> dict[str, Any]:
    """A look: amounts are strings of lamports."""
    view = look.overview
    run, trading, money = view.run, view.trading, view.money

    def lamports(amount: int | None) -> str | None:
        return None if amount is None else str(amount)

    return {
        "run": {"run_id": str(run.run_id), "kind": run.kind, "network": run.network, "is_running": run.is_running},
        "as_of": iso_time(view.as_of_ns),
        "trading": {
            "state": trading.state.value,
            "reason": trading.reason or None,
            "mode": trading.mode or None,
            "able": trading.able,
            "heartbeat_age_seconds": trading.heartbeat_age_seconds,
            "updates_waiting": trading.waiting,
            "faults": dict(trading.faults),
            "parts": dict(trading.feeds),
        },
        "equity_lamports": lamports(money.equity_lamports),
        "pnl_lamports": lamports(money.pnl_lamports),
        "day_pnl_lamports": lamports(money.day_pnl_lamports),
        "last_hour": {"accepted": view.hour_accepted, "refused": view.hour_refused},
        "orders_on_the_way": view.on_the_way,
        "proposals_waiting": view.proposals,
        "alerts_unseen": dict(view.unseen_alerts),
        "open_positions": look.held.sums.open,
        "positions": [held_json(each) for each in look.held.rows.items],
        "left_out": look.left_out,
    }
