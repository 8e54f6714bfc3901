"""Answers: what the words of a chat say, from the stored books. Short lines, since they are read on a phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pumpswap.alerts.texts import (
    coin_text,
    counted,
    one_line,
    share_text,
    signed_sol,
    sol_text,
    span_text,
    time_text,
    units_text,
)
from pumpswap.analytics.performance import Day
from pumpswap.app.books import Books, Held
from pumpswap.app.chat.why_text import why_text
from pumpswap.app.chat.words import WORDS
from pumpswap.app.performance import performance_of
from pumpswap.app.views.health import health
from pumpswap.app.views.overview import DAY_NS, Trading, overview
from pumpswap.app.views.page import PageWish
from pumpswap.app.views.positions import positions
from pumpswap.app.views.sight import Sight
from pumpswap.clock import NS_PER_SECOND, Clock, format_utc
from pumpswap.model import SOL, Alert, TradingState
from pumpswap.settings import Settings
from pumpswap.units import BPS

__all__ = ["answer_of", "held_lines", "help_text"]

_MOST = 15  # positions, tokens, alerts in one answer
_DAYS = 7


def answer_of(word: str, argument: str, books: Books, settings: Settings, clock: Clock) -> str:
    """What ``word`` says of a run. Raises NotFound where ``why`` knows nothing of what is asked."""
    if word == "why":
        return why_text(books, argument, settings, clock)
    return _ANSWERS[word](Sight(books, settings, clock))


def help_text(*, may_act: bool) -> str:
    """The words, those that act last."""
    looking = [f"{word.usage} – {word.about}" for word in WORDS.values() if not word.is_action]
    acting = [f"{word.usage} – {word.about}" for word in WORDS.values() if word.is_action]
    if not may_act:
        return "\n".join([*looking, "", "Nothing can be changed from here: telegram.allow_actions is off."])
    return "\n".join([*looking, "", "After your PIN:", *acting])


# ---------------------------------------------------------------------------------------------- how it is


def _status(sight: Sight) -> str:
    view = overview(sight)
    run, trading, money = view.run, view.trading, view.money
    where = f" on {run.network}" if run.network else ""
    lines = [f"Run {run.run_id}, {run.kind}{where}", _engine_text(sight, trading), _trading_text(trading)]
    lines += [f"In the way: {one_line(each.text, 200)}" for each in trading.obstacles if each.policy != "trading state"]
    if money.equity_lamports is not None:
        lines.append(f"Equity {sol_text(money.equity_lamports)}")
    if money.day_pnl_lamports is not None:
        lines.append(f"Today {signed_sol(money.day_pnl_lamports)} after all costs")
    lines.append(f"{counted(view.positions.open, 'open position')}, {counted(view.on_the_way, 'order')} on the way")
    lines.append(f"Last hour: {view.hour_accepted:,} accepted, {view.hour_refused:,} refused")
    if view.proposals:
        lines.append(f"{counted(view.proposals, 'proposal')} waiting for you")
    unseen = sum(view.unseen_alerts.values())
    return "\n".join([*lines, *([f"{counted(unseen, 'alert')} not acknowledged"] if unseen else [])])


def _engine_text(sight: Sight, trading: Trading) -> str:
    if not sight.is_running:
        return "No engine runs"
    able = "an entry could be carried out" if trading.able else "no entry could be carried out"
    return f"Mode {trading.mode}, heartbeat {trading.heartbeat_age_seconds or 0} s ago; {able}"


def _trading_text(trading: Trading) -> str:
    why = f": {one_line(trading.reason, 300)}" if trading.reason and trading.state is not TradingState.ACTIVE else ""
    return f"Trading: {trading.state.value}{why}"


def _locks(sight: Sight) -> str:
    view = overview(sight)
    trading = view.trading
    lines = [_trading_text(trading)]
    for one in trading.obstacles:
        until = f" (until {time_text(one.until_ns)})" if one.until_ns is not None else ""
        lines.append(f"{one.policy}: {one_line(one.text, 200)}{until}")
    lines += [f"fault {name}: {one_line(why, 200)}" for name, why in trading.faults]
    if len(lines) == 1 and trading.state is TradingState.ACTIVE:
        return "Nothing keeps entries back."
    return "\n".join([*lines, "", "resume lifts what a person has set, and every lock; faults lift themselves."])


def _health(sight: Sight) -> str:
    view = health(sight)
    lines = [_engine_text(sight, view.trading)]
    parts = view.trading.feeds.items() if sight.is_running else ()
    lines += [f"{name}: {one_line(words, 120)}" for name, words in parts]
    if view.able_share is not None:
        lines.append(f"Able to buy {share_text(round(view.able_share * BPS), BPS)} of the last day")
    found = view.reconciliation
    if found is not None:
        differ = f"{counted(len(found.differences), 'asset')} differ" if found.differences else "they agree"
        lines.append(f"Wallet and books compared {time_text(found.at_ns)}: {differ}")
    if view.store.bytes is not None and view.store.free_bytes is not None:
        size, free = view.store.bytes / 1e6, view.store.free_bytes / 1e9
        lines.append(f"Database {size:,.1f} MB, {free:,.1f} GB free beside it")
    return "\n".join([*lines, f"pumpswap {view.versions['pumpswap']}"])


def _logs(sight: Sight) -> str:
    found = sight.books.database.alerts.newest(_MOST)
    return "\n".join(map(_alert_line, found)) or "No alerts."


def _alert_line(alert: Alert) -> str:
    return f"{format_utc(alert.at_ns)[5:16]} {alert.level.value} {alert.topic}: {one_line(alert.text, 200)}"


def _proposals(sight: Sight) -> str:
    found, now_ns = sight.books.run.proposals.waiting(), sight.clock.now_ns()
    lines = [
        f"{each.decision_id}: buy {coin_text(each.name, each.mint)} for {sol_text(each.quote_lamports)}, "
        f"{span_text(each.expires_ns - now_ns)} left"
        for each in found[:_MOST]
    ]
    more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
    return "\n".join([*lines, *more]) or "Nothing waits for you."


# ---------------------------------------------------------------------------------------------- what is held


def _positions(sight: Sight) -> str:
    view = positions(sight, PageWish(size=_MOST))
    if not view.rows.items:
        return "Nothing is held."
    sums, lines = view.sums, [line for each in view.rows.items for line in held_lines(each, sight.as_of_ns)]
    more = sums.open - len(view.rows.items)
    total = (
        f"{counted(sums.open, 'position')}: cost {sol_text(sums.cost_lamports)}, worth {sol_text(sums.value_lamports)}"
    )
    without = f", {sums.open - sums.valued} without a value" if sums.valued < sums.open else ""
    return "\n".join([total + without, "", *lines, *([f"and {more} more"] if more else [])])


def held_lines(each: Held, as_of_ns: int) -> list[str]:
    """A position in a few short lines."""
    position, gain = each.position, each.unrealised_lamports
    lines = [coin_text(position.name, position.mint)]
    lines.append(f"  {units_text(position.base_units, each.decimals)} for {sol_text(position.cost_lamports)}")
    if each.value_lamports is None or gain is None:
        why = f": {one_line(each.mark.obstacle, 120)}" if each.mark is not None and each.mark.obstacle else ""
        return [*lines, f"  no value{why}"]
    age = "" if each.mark is None else f", seen {span_text(as_of_ns - each.mark.state_ns)} ago"
    result = share_text(gain, position.cost_lamports, signed=True)
    lines.append(f"  would bring {sol_text(each.value_lamports)} ({result}){age}")
    exits = _exits_text(each)
    return [*lines, f"  {exits}"] if exits else lines


def _exits_text(each: Held) -> str:
    exits = each.exits
    if exits is None:
        return ""
    told = [] if exits.selling is None else [f"selling now: {exits.selling.value}"]
    distances = {
        "stop-loss": exits.stop_loss,
        "take-profit": exits.take_profit,
        "trailing stop": exits.trailing_stop,
        "ladder": exits.next_rung,
    }
    told += [
        f"{name} {share_text(away.numerator, away.denominator, signed=True)} away"
        for name, away in distances.items()
        if away is not None
    ]
    if exits.seconds_left is not None:
        told.append(f"time-out in {span_text(exits.seconds_left * NS_PER_SECOND)}")
    return ", ".join(told)


def _balance(sight: Sight) -> str:
    books = sight.books
    units = {asset: amount for asset, amount in books.run.books.held().items() if asset != SOL}
    lines = [f"{sol_text(books.run.books.balance(SOL))} by the books of run {books.run.run_id}"]
    for mint, amount in sorted(units.items())[:_MOST]:
        name = coin_text(books.run.history.called(mint), mint)
        lines.append(f"{name}: {units_text(amount, books.run.history.decimals(mint))}")
    return "\n".join([*lines, *([f"and {len(units) - _MOST} more tokens"] if len(units) > _MOST else [])])


# ---------------------------------------------------------------------------------------------- what was earned


def _profit(sight: Sight) -> str:
    money = overview(sight).money
    if money.equity_lamports is None or money.pnl_lamports is None:
        return "Equity was not measured yet."
    lines = [
        f"In all {signed_sol(money.pnl_lamports)} after all costs",
        f"Today {signed_sol(money.day_pnl_lamports or 0)}",
        f"Equity {sol_text(money.equity_lamports)}, put in {sol_text(money.capital_lamports)}",
        f"Realised {signed_sol(money.realised_lamports)}, open {signed_sol(money.unrealised_lamports)}",
    ]
    if money.costs:
        total = sum(money.costs.values())
        lines.append(f"Costs {sol_text(total)}:")
        lines += [f"  {kind.value.replace('_', ' ')} {sol_text(amount)}" for kind, amount in money.costs.items()]
    return "\n".join(lines)


def _daily(sight: Sight) -> str:
    until_ns = sight.as_of_ns + 1
    since_ns = until_ns - until_ns % DAY_NS - (_DAYS - 1) * DAY_NS
    days = performance_of(sight.books, max(since_ns, 0), until_ns).by_day
    if not days:
        return "Nothing was traded in the last seven days."
    return "\n".join(["Realised after all costs, UTC days:", *map(_day_line, reversed(days))])


def _day_line(day: Day) -> str:
    equity = "" if day.equity_lamports is None else f"; equity {sol_text(day.equity_lamports)}"
    trades = f"{counted(day.fills - day.sales, 'buy')}, {counted(day.sales, 'sale')}"
    return f"{format_utc(day.start_ns)[:10]} {signed_sol(day.net_lamports)}; {trades}{equity}"


_ANSWERS: Mapping[str, Callable[[Sight], str]] = {
    "status": _status,
    "positions": _positions,
    "profit": _profit,
    "daily": _daily,
    "balance": _balance,
    "locks": _locks,
    "health": _health,
    "logs": _logs,
    "proposals": _proposals,
}
