"""The list of positions: a table for people, one object for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rich.table import Table
from rich.text import Text

from pumpswap.app.books import Books, Held, held_positions, held_rounds, unassigned_units
from pumpswap.cli.books_view import (
    books_table,
    coloured,
    duration_text,
    mark_json,
    name_of,
    position_json,
    price_text,
    run_json,
    run_text,
    short_sol,
    signed_sol,
    time_at,
    tokens_text,
)
from pumpswap.cli.formats import age_text, percent_text, significant_text
from pumpswap.cli.output import Output
from pumpswap.clock import NS_PER_SECOND, SystemClock
from pumpswap.settings import ExitRules, Settings

__all__ = ["exits_json", "exits_text", "held_json", "list_json", "mark_text", "pnl_text", "show_list"]

_WIDE = 110
_MOST_ROUNDS = 200
_MOST_UNASSIGNED = 10
_MOST_DETAILED = 12
_LEGEND = "mark: how old the state behind the value is; stop-loss, take-profit: how far the value is from there."
_FALL, _RISE = -1, 1  # which change of the value an exit waits for


@dataclass(frozen=True, slots=True)
class _Totals:
    """Sums over what is held. ``value_lamports`` counts what has a value, ``unvalued`` what has none."""

    cost_lamports: int
    valued_cost_lamports: int
    value_lamports: int
    unvalued: int

    @property
    def unrealised_lamports(self) -> int:
        return self.value_lamports - self.valued_cost_lamports


def _totals(held: Sequence[Held]) -> _Totals:
    valued = [each for each in held if each.value_lamports is not None]
    return _Totals(
        cost_lamports=sum(each.position.cost_lamports for each in held),
        valued_cost_lamports=sum(each.position.cost_lamports for each in valued),
        value_lamports=sum(each.value_lamports or 0 for each in valued),
        unvalued=len(held) - len(valued),
    )


# ---------------------------------------------------------------------------------------------- for people


def show_list(out: Output, books: Books, settings: Settings, *, every: bool) -> None:
    """Figures in a table, addresses and exits below it."""
    as_of_ns = books.as_of_ns(SystemClock())
    rules = books.exit_rules(settings)
    held = held_positions(books, rules, as_of_ns)
    out.show(run_text(books, as_of_ns))
    if held:
        out.show("", _held_table(held, as_of_ns, out.console.width))
        out.say(_LEGEND if out.console.width >= _WIDE else _LEGEND.partition(";")[0] + ".")
        if len(held) > _MOST_DETAILED:
            _show_addresses(out, held)
        else:
            for each in held:
                out.show("", _details(each, as_of_ns))
        if books.goes_on and any(each.value_lamports is None for each in held):
            out.say("--refresh asks the chain what each would bring now.")
    else:
        out.show("No open positions." if every else "No open positions. --all lists the closed rounds too.")
    _show_unassigned(out, books)
    if every:
        _show_closed(out, books, rules, as_of_ns)


def _held_table(held: Sequence[Held], as_of_ns: int, width: int) -> Table:
    totals = _totals(held)
    unrealised, cost = totals.unrealised_lamports, totals.valued_cost_lamports
    columns = {
        "open, in SOL": "total",
        "tokens": "",
        "cost": short_sol(totals.cost_lamports),
        "value": short_sol(totals.value_lamports) if totals.unvalued < len(held) else "?",
        "profit": coloured(short_sol(unrealised, signed=True), unrealised) if cost else "",
        "": pnl_text(cost, unrealised),
        "mark": "",
    }
    if width >= _WIDE:
        columns |= {"stop-loss": "", "take-profit": "", "time-out": ""}
    table = books_table(show_footer=len(held) > 1)
    for name, footer in columns.items():
        is_name = name == "open, in SOL"
        table.add_column(
            name,
            footer,
            justify="left" if is_name else "right",
            no_wrap=True,
            overflow="ellipsis" if is_name else "fold",
        )
    for each in held:
        table.add_row(*_held_row(each, as_of_ns)[: len(columns)])
    return table


def _held_row(each: Held, as_of_ns: int) -> list[Text | str]:
    position, gain, exits = each.position, each.unrealised_lamports, each.exits
    stop, target, left = (
        (None, None, None) if exits is None else (exits.stop_loss, exits.take_profit, exits.seconds_left)
    )
    return [
        Text(name_of(position)),
        tokens_text(position.base_units, each.decimals),
        short_sol(position.cost_lamports),
        "?" if each.value_lamports is None else short_sol(each.value_lamports),
        "" if gain is None else coloured(short_sol(gain, signed=True), gain),
        pnl_text(position.cost_lamports, gain),
        "none" if each.mark is None else duration_text((as_of_ns - each.mark.state_ns) // NS_PER_SECOND),
        "" if stop is None else "due" if stop >= 0 else percent_text(stop),
        "" if target is None else "due" if target <= 0 else percent_text(target),
        "" if left is None else "due" if left < 0 else duration_text(left),
    ]


def _show_addresses(out: Output, held: Sequence[Held]) -> None:
    """For many positions: what the other commands want to be told."""
    table = books_table()
    table.add_column("pools", no_wrap=True, overflow="ellipsis")
    table.add_column("", no_wrap=True, overflow="fold")
    for each in held:
        table.add_row(Text(name_of(each.position)), each.position.pool)
    out.show("", table)
    out.say("`pumpswap positions show POOL` tells the rest of each, its exits too.")


def _details(each: Held, as_of_ns: int) -> Text:
    position = each.position
    opened = (
        f"since {time_at(position.opened_ns)}, {price_text(position.cost_lamports, position.base_units, each.decimals)}"
    )
    lines = [f"  pool  {position.pool}", f"  mint  {position.mint}", f"  {opened}"]
    if position.realised_lamports:
        lines.append(f"  realised in round {position.round} so far: {signed_sol(position.realised_lamports)}")
    exits = exits_text(each)
    if exits:
        lines.append(f"  exits {exits}")
    if each.mark is None or each.mark.obstacle:
        lines.append(f"  {mark_text(each, as_of_ns)}")
    name = Text(name_of(position), "bold")
    return name.append("\n" + "\n".join(lines), style="not bold")


def _show_unassigned(out: Output, books: Books) -> None:
    left = unassigned_units(books)
    if not left:
        return
    lines = [
        f"  {mint}  {tokens_text(units, books.run.history.decimals(mint))}" for mint, units in sorted(left.items())
    ]
    more = len(lines) - _MOST_UNASSIGNED
    told = [*lines[:_MOST_UNASSIGNED], *([f"  and {more} more: see --json"] if more > 0 else [])]
    out.show("", "In the wallet and in no position (see positions adopt, positions ignore):", *told)


def _show_closed(out: Output, books: Books, rules: ExitRules, as_of_ns: int) -> None:
    closed = [each.position for each in held_rounds(books, rules, as_of_ns) if not each.position.is_open]
    if not closed:
        out.show("", "No closed rounds.")
        return
    table = books_table(show_footer=True)
    realised = sum(position.realised_lamports for position in closed)
    won = sum(position.realised_lamports > 0 for position in closed)
    table.add_column(
        "closed, in SOL",
        f"{len(closed):,} round{'' if len(closed) == 1 else 's'}, {won:,} won",
        no_wrap=True,
        overflow="ellipsis",
    )
    table.add_column("round", justify="right")
    table.add_column("ended", no_wrap=True)
    table.add_column("in", justify="right", no_wrap=True)
    table.add_column("out", justify="right", no_wrap=True)
    table.add_column("result", coloured(short_sol(realised, signed=True), realised), justify="right", no_wrap=True)
    for position in closed[-_MOST_ROUNDS:]:
        table.add_row(
            Text(name_of(position)),
            str(position.round),
            time_at(position.closed_ns or 0).removesuffix(" UTC"),
            short_sol(position.bought_lamports),
            short_sol(position.sold_lamports),
            coloured(short_sol(position.realised_lamports, signed=True), position.realised_lamports),
        )
    out.show("", table)
    if len(closed) > _MOST_ROUNDS:
        out.say(f"The newest {_MOST_ROUNDS} of {len(closed):,} rounds; --json has all of them.")


def pnl_text(cost_lamports: int, gain_lamports: int | None) -> Text | str:
    """Profit in percent of the cost; nothing where there is no value, or nothing was paid."""
    if gain_lamports is None or not cost_lamports:
        return ""
    return coloured(percent_text(Fraction(gain_lamports, cost_lamports)), gain_lamports)


def mark_text(each: Held, as_of_ns: int) -> str:
    """How old the value is, or why there is none."""
    if each.mark is None:
        return "no value: not marked since its last trade"
    if each.mark.obstacle:
        return f"no value: {each.mark.obstacle}"
    return f"as of {age_text((as_of_ns - each.mark.state_ns) // NS_PER_SECOND)}"


def exits_text(each: Held) -> str:
    """What each exit rule waits for: where it stands against the cost, and how far the value is from there."""
    exits = each.exits
    if exits is None:
        return ""
    parts = [] if exits.selling is None else [f"selling now ({exits.selling.value})"]
    waiting = (
        ("stop-loss", exits.stop_loss, _FALL, True),
        ("take-profit", exits.take_profit, _RISE, True),
        ("trailing stop", exits.trailing_stop, _FALL, False),
        ("ladder", exits.next_rung, _RISE, True),
    )
    for name, away, direction, is_of_cost in waiting:
        if away is not None:
            is_due = away * direction <= 0
            parts.append(f"{name} is due" if is_due else f"{name} {_line_text(each, away, is_of_cost=is_of_cost)}")
    if exits.seconds_left is not None:
        parts.append(f"time-out {_left(exits.seconds_left)}")
    return ", ".join(parts)


def _line_text(each: Held, away: Fraction, *, is_of_cost: bool) -> str:
    """``20 % below cost (29.9 % away)``: two figures that are easily taken for each other."""
    distance = f"{_share_text(abs(away))} away"
    value, cost = each.value_lamports, each.position.cost_lamports
    if not is_of_cost or value is None or not cost:
        return distance
    line = (1 + away) * Fraction(value, cost) - 1
    return f"{_share_text(abs(line))} {'below' if line < 0 else 'above'} cost ({distance})"


def _share_text(share: Fraction) -> str:
    return f"{significant_text(share * 100, 4)} %"


def _left(seconds: int) -> str:
    return f"in {duration_text(seconds)}" if seconds >= 0 else "is due"


# ---------------------------------------------------------------------------------------------- for scripts


def list_json(out: Output, books: Books, settings: Settings, *, every: bool) -> None:
    """The same, exactly."""
    as_of_ns = books.as_of_ns(SystemClock())
    rules = books.exit_rules(settings)
    listed = tuple(held_rounds(books, rules, as_of_ns)) if every else held_positions(books, rules, as_of_ns)
    totals = _totals([each for each in listed if each.position.is_open])
    realised = sum(each.position.realised_lamports for each in listed)
    out.emit(
        "positions",
        {
            "run": run_json(books.header),
            "as_of_ns": str(as_of_ns),
            "positions": [held_json(each) for each in listed],
            "in_no_position": {mint: str(units) for mint, units in sorted(unassigned_units(books).items())},
            "ignored": dict(books.run.owned.ignored()),
            "totals": {
                "cost_lamports": str(totals.cost_lamports),
                "value_lamports": str(totals.value_lamports),
                "unrealised_lamports": str(totals.unrealised_lamports),
                "realised_lamports": str(realised),
                "without_value": totals.unvalued,
            },
        },
    )


def held_json(each: Held) -> dict[str, Any]:
    """A position with what is known about its worth."""
    gain = each.unrealised_lamports
    return position_json(each.position) | {
        "base_decimals": each.decimals,
        "value_lamports": None if each.value_lamports is None else str(each.value_lamports),
        "unrealised_lamports": None if gain is None else str(gain),
        "mark": None if each.mark is None else mark_json(each.mark),
        "exits": exits_json(each),
    }


def exits_json(each: Held) -> dict[str, Any] | None:
    """Distances as changes of the value: statistics, hence floats."""
    exits = each.exits
    if exits is None:
        return None
    return {
        "stop_loss": None if exits.stop_loss is None else float(exits.stop_loss),
        "take_profit": None if exits.take_profit is None else float(exits.take_profit),
        "trailing_stop": None if exits.trailing_stop is None else float(exits.trailing_stop),
        "next_rung": None if exits.next_rung is None else float(exits.next_rung),
        "seconds_left": exits.seconds_left,
        "selling": None if exits.selling is None else exits.selling.value,
    }
