"""What ``why`` says in a chat: a decision with its reasons and its fate, or the latest of a coin."""

from __future__ import annotations

import re
from fractions import Fraction

from pumpswap.alerts.texts import coin_text, counted, one_line, part_text, signed_sol, sol_text, time_text
from pumpswap.amm.quote import amounts_of
from pumpswap.analytics.metrics import slippage_between
from pumpswap.app.books import Books
from pumpswap.app.why import Fate, Line, Tale, why
from pumpswap.clock import Clock, format_utc
from pumpswap.errors import NotFound
from pumpswap.model import Denied, Filled, Rejected, TradeSide, Unknown
from pumpswap.settings import Settings

__all__ = ["why_text"]

_LINES = 6
_MOST_REASONS = 12
_NUMBER = re.compile(r"[od]\d{6,}")  # of an order or a decision: not searched for as a name, which takes long


def why_text(books: Books, text: str, settings: Settings, clock: Clock) -> str:
    """Of an order, a decision, a mint, a pool or a name. Raises NotFound for what the run does not know."""
    run = books.run
    if _NUMBER.fullmatch(text) and run.decided.order(text) is None and run.decided.get(text) is None:
        raise NotFound(f"run {run.run_id} has no {text}", hint="logs and positions name what there is")
    told = why(books, text, settings, clock, last=_LINES)
    if told.tale is not None:
        return "\n".join(_tale_lines(told.tale))
    lines = []
    for standing in told.standings:
        ways = [f"{one.policy}: {one_line(one.text, 160)}" for one in standing.obstacles]
        lines.append("Now in the way of a buy: " + ("; ".join(ways) if ways else "nothing that needs no new signal"))
    return "\n".join([*lines, "", *[_line_text(line) for line in told.lines]])


def _tale_lines(tale: Tale) -> list[str]:
    decision, intent = tale.decision, tale.decision.intent
    verdict = "accepted" if decision else "refused"
    name = coin_text(tale.name, intent.mint)
    lines = [f"{decision.decision_id}: {intent.side.value} {name}, {verdict} {time_text(intent.at_ns)}"]
    if intent.reason:
        lines.append(f"Wish: {one_line(intent.reason, 200)}")
    if intent.signal is not None:
        lines.append(f"Signal: {intent.signal.source} {intent.signal.score:.1f}")
    if decision and intent.side is TradeSide.BUY:
        lines.append(f"Size: {sol_text(decision.quote_lamports)}")
    lines += [f"✗ {one.policy}: {one_line(one.text, 160)}" for one in decision.refusals[:_MOST_REASONS]]
    if tale.stored.repeats:
        lines.append(f"Repeated {counted(tale.stored.repeats, 'time')} more")
    if tale.fate is not None:
        lines.append(_fate_text(tale.fate))
    if tale.round is not None:
        lines.append(f"Its round so far: {signed_sol(tale.round.result_lamports)} with all costs")
    return lines


def _line_text(line: Line) -> str:
    decision = line.tale.decision
    times = f" ×{line.count:,}" if line.count > 1 else ""
    head = f"{format_utc(line.last_ns)[5:16]} {decision.decision_id} {decision.intent.side.value}"
    if decision:
        fate = "" if line.tale.fate is None else f", {_fate_text(line.tale.fate)}"
        return f"{head} accepted{fate}"
    reasons = "; ".join(f"{one.policy}: {one_line(one.text, 100)}" for one in decision.refusals)
    return f"{head} refused{times}: {reasons}"


def _fate_text(fate: Fate) -> str:
    order = fate.order
    match fate.outcome:
        case None:
            return f"{order.order_id} is on its way"
        case Filled(executed=executed):
            verb = "bought for" if order.side is TradeSide.BUY else "sold for"
            against = _against(slippage_between(order.quote, executed))
            return f"{order.order_id} {verb} {sol_text(amounts_of(executed)[1])}, {against}"
        case Rejected(name=name):
            return f"{order.order_id} was rejected: {name}"
        case Denied(rule=rule, text=text):
            return f"{order.order_id} was not sent: {rule}, {one_line(text, 160)}"
        case Unknown(expiry_height=height):
            return f"{order.order_id} may still land, until height {height}"


def _against(slip: Fraction) -> str:
    """A price against the quoted one."""
    size = part_text(abs(slip).numerator, slip.denominator)
    if size == "0 %":
        return "as quoted"
    return f"{size} {'worse' if slip > 0 else 'better'} than quoted"
