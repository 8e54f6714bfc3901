"""What ``why`` shows people: one decision in full, or the latest of a coin in lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pumpswap.app.standing import Standing
from pumpswap.app.why import Line, Tale, Why
from pumpswap.cli.books_view import (
    amount_text,
    books_table,
    duration_text,
    name_of,
    run_text,
    short_sol,
    time_at,
)
from pumpswap.cli.formats import counted, printable, sol_text
from pumpswap.cli.output import Output
from pumpswap.cli.positions_view import exits_text, mark_text
from pumpswap.cli.why_fate import order_rows, result_text
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Decision, Proposal, Signal, TradeSide, Verdict
from pumpswap.storage.history import MINT_PREFIX

__all__ = ["show_why"]


def show_why(out: Output, told: Why) -> None:
    """The run, then what was asked for."""
    out.show(run_text(told.books, told.as_of_ns))
    if told.tale is not None:
        _show_tale(out, told.tale, told.as_of_ns)
        return
    for standing in told.standings:
        _show_standing(out, standing, told)
    _show_lines(out, told)


# ---------------------------------------------------------------------------------------------- one decision


def _show_tale(out: Output, tale: Tale, as_of_ns: int) -> None:
    decision = tale.decision
    parts: list[RenderableType] = [_headline(tale), _pairs(_wish_rows(tale))]
    if decision.intent.signal is not None:
        parts.append(_pairs(_signal_rows(decision.intent.signal)))
    if decision.sizing:
        parts.append(_sizing_table(decision))
    if decision.verdicts:
        parts.append(_gate_table(decision.verdicts, as_of_ns))
    if tale.proposal is not None:
        parts.append(_pairs([("approval", _proposal_text(tale.proposal))]))
    if tale.fate is not None:
        parts.append(_pairs(order_rows(tale.fate)))
    if tale.round is not None:
        parts.append(_pairs([("result", result_text(tale.round))]))
    for part in parts:
        out.show("", part)


def _headline(tale: Tale) -> Text:
    decision = tale.decision
    word, style = ("accepted", "bold green") if decision.accepted else ("refused", "bold red")
    what = "buy" if decision.intent.side is TradeSide.BUY else "sell"
    line = Text.assemble((decision.decision_id, "bold"), f"  {what} ", (_name(tale), "bold"), "  ", (word, style))
    if decision.refusals:
        line.append(f" by {', '.join(verdict.policy for verdict in decision.refusals)}")
    return line.append(f"  {time_at(decision.intent.at_ns)}", "dim")


def _wish_rows(tale: Tale) -> list[tuple[str, str]]:
    intent, decision = tale.decision.intent, tale.decision
    who = intent.strategy or ("an exit" if intent.exit is not None else "by hand" if intent.is_by_hand else "a signal")
    rows = [("pool", intent.pool), ("mint", intent.mint), ("wished", f"{printable(intent.reason)} ({printable(who)})")]
    if intent.exit is not None:
        rows.append(("exit", intent.exit.value))
    if intent.quote_lamports is not None:
        rows.append(("asked", sol_text(intent.quote_lamports)))
    if intent.base_units is not None:
        decimals = None if tale.fate is None else tale.fate.decimals
        rows.append(("to buy" if intent.is_exact_buy else "to sell", amount_text(intent.base_units, decimals)))
    if decision.accepted and intent.side is TradeSide.BUY:
        rows.append(("granted", sol_text(decision.quote_lamports)))
    if tale.stored.repeats and tale.stored.repeated_ns is not None:
        again = f"refused {tale.stored.repeats:,} times more for the same reasons"
        rows.append(("repeated", f"{again}, until {time_at(tale.stored.repeated_ns)}"))
    return rows


def _signal_rows(signal: Signal) -> list[tuple[str, str]]:
    rows = [
        ("signal", f"{signal.source}: score {signal.score:.2f}, {signal.side.value}, strength {signal.strength:.3f}")
    ]
    told = (
        ("Q50", signal.q50),
        ("odds of winning", signal.win_probability),
        ("gain over loss", signal.win_loss_ratio),
        ("vol_risk", signal.vol_risk),
    )
    figures = [f"{name} {value:.4g}" for name, value in told if value is not None]
    if signal.regime or signal.size_multiplier != 1:
        figures.append(f"regime {signal.regime or 'not named'} (size × {signal.size_multiplier:g})")
    if figures:
        rows.append(("", ", ".join(figures)))
    return rows + [("", f"· {printable(reason)}") for reason in signal.reasons]


def _sizing_table(decision: Decision) -> Table:
    table = books_table()
    table.add_column("size", no_wrap=True)
    table.add_column("SOL", justify="right", no_wrap=True)
    table.add_column("")
    before: int | None = None
    for step in decision.sizing:
        lowered = before is not None and step.lamports < before
        style = "red" if not step.lamports else "yellow" if lowered else ""
        table.add_row(step.rule, Text(short_sol(step.lamports), style), Text(printable(step.note)))
        before = step.lamports
    return table


def _gate_table(verdicts: Sequence[Verdict], as_of_ns: int) -> Table:
    """Refusals first: they are what was asked for."""
    table = books_table()
    table.add_column("gate", no_wrap=True)
    table.add_column("")
    for verdict in sorted(verdicts, key=lambda one: one.passed):
        mark = Text("✓ ", "green") if verdict.passed else Text("✗ ", "bold red")
        text = Text(printable(verdict.text), "" if verdict.passed else "red")
        if verdict.until_ns is not None:
            text.append(f" (until {_until(verdict.until_ns, as_of_ns)})", "yellow")
        table.add_row(mark.append(verdict.policy, "" if verdict.passed else "bold"), text)
    return table


def _proposal_text(proposal: Proposal) -> str:
    who = f" by {printable(proposal.origin)}" if proposal.origin else ""
    when = f", {time_at(proposal.decided_ns)}" if proposal.decided_ns is not None else ""
    more = f"; asked again as {proposal.follow_up}" if proposal.follow_up else ""
    return f"{proposal.status.value}{who}{when}{more}"


# ---------------------------------------------------------------------------------------------- a coin


def _show_standing(out: Output, standing: Standing, told: Why) -> None:
    name = next((_name(line.tale) for line in reversed(told.lines) if _is_of(line, standing.pool)), "")
    held = standing.held
    if held is not None:
        name = name_of(held.position)
    title = Text(name or standing.mint[:MINT_PREFIX], "bold")
    rows = [("pool", standing.pool), ("mint", standing.mint)]
    if held is None:
        title.append(": nothing is held", "not bold")
    else:
        position = held.position
        title.append(f": held since {time_at(position.opened_ns)}", "not bold")
        value = "?" if held.value_lamports is None else sol_text(held.value_lamports)
        cost = sol_text(position.cost_lamports)
        rows.append(("worth", f"{value} ({mark_text(held, standing.as_of_ns)}), cost {cost}"))
        rows.append(("exits", exits_text(held) or "none is set"))
    if standing.exits is not None and standing.exits.wanted is not None:
        selling = standing.exits
        failed = f"; failed {counted(selling.failures, 'time')}" if selling.failures else ""
        rows.append(("selling", f"{printable(selling.wanted_reason)}{failed}"))
    out.show("", title, _pairs(rows))
    _show_obstacles(out, standing, told)


def _show_obstacles(out: Output, standing: Standing, told: Why) -> None:
    if standing.obstacles:
        out.show("", Text("Against buying it now, whatever its signal says:", "bold"))
        out.show(_gate_table(standing.obstacles, standing.as_of_ns))
        return
    newest = next((line for line in reversed(told.lines) if _is_buy_of(line, standing.pool)), None)
    out.show("", "Nothing stands in the way of a buy but its signal, its size and its pool.")
    if newest is not None and not newest.tale.decision.accepted:
        out.show(f"The newest wish was refused; `pumpswap why {newest.tale.decision.decision_id}` has every number.")


def _show_lines(out: Output, told: Why) -> None:
    if not told.lines:
        out.show("", "No decision was made about it.")
        return
    dates = {time_at(moment)[:10] for line in told.lines for moment in (line.first_ns, line.last_ns)}
    is_one_day = len(dates) == 1
    table = books_table()
    table.add_column("decision", no_wrap=True)
    table.add_column(dates.pop() if is_one_day else "when", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("what, and why")
    for line in told.lines:
        when = _when(line)
        table.add_row(
            line.tale.decision.decision_id,
            when[11:] if is_one_day else when,
            f"{line.count:,} ×" if line.count > 1 else "",
            _line_text(line),
        )
    out.show("", table)
    if told.left_out:
        out.say("There are older decisions; --last N shows more.")


def _line_text(line: Line) -> Text:
    tale, decision = line.tale, line.tale.decision
    side = decision.intent.side.value
    if not decision.accepted:
        text = Text.assemble((f"{side} refused", "red"), ": ")
        text.append("; ".join(printable(verdict.text) for verdict in decision.refusals))
        untils = [verdict.until_ns for verdict in decision.refusals if verdict.until_ns is not None]
        if untils:
            text.append(f" (until {time_at(max(untils))})", "yellow")
        return text
    size = f" {short_sol(decision.quote_lamports)} SOL" if decision.quote_lamports else ""
    text = Text.assemble((f"{side}{size} accepted", "green"), f": {printable(decision.intent.reason)}")
    if tale.proposal is not None and tale.fate is None:
        return text.append(f"; {_proposal_text(tale.proposal)}")
    if tale.fate is None:
        return text.append("; not ordered", "yellow")
    outcome = tale.fate.outcome
    text.append(f"; {tale.fate.order.order_id} ")
    text.append("is on its way" if outcome is None else type(outcome).__name__.lower())
    if tale.round is not None and decision.intent.side is TradeSide.BUY:
        text.append("\n").append(result_text(tale.round))
    return text


def _when(line: Line) -> str:
    first, last = time_at(line.first_ns).removesuffix(" UTC"), time_at(line.last_ns).removesuffix(" UTC")
    if first == last:
        return first
    return f"{first} to {last[11:] if first[:10] == last[:10] else last}"


# ---------------------------------------------------------------------------------------------- helpers


def _pairs(rows: Iterable[tuple[str, str | Text]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(f"  {label}", text if isinstance(text, Text) else Text(text))
    return table


def _until(until_ns: int, as_of_ns: int) -> str:
    left = (until_ns - as_of_ns) // NS_PER_SECOND
    return f"{time_at(until_ns)}, in {duration_text(left)}" if left > 0 else time_at(until_ns)


def _name(tale: Tale) -> str:
    return printable(tale.name) or tale.decision.intent.mint[:MINT_PREFIX]


def _is_of(line: Line, pool: str) -> bool:
    return line.tale.decision.intent.pool == pool


def _is_buy_of(line: Line, pool: str) -> bool:
    return _is_of(line, pool) and line.tale.decision.intent.side is TradeSide.BUY
