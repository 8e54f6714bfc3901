"""The figures of one or two results side by side, for the terminal and the page alike, and what they cannot know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pumpswap.research.backtest.result import BacktestResult

__all__ = ["LIMITS", "Group", "Row", "groups_of"]

_OTHERS = (
    "Others do what they signed, on the pool that we have changed; that somebody would have acted otherwise because of"
    " us (arbitrage, copied trades, sandwiches) is not in it. Neither mode is a bound of the other."
)
_PLACE = (
    "Where in its slot an order of ours lands nobody can know: last is assumed where nothing else is said; compare with"
    " the other end."
)
_NETWORK = (
    "What fails whatever the price, and what priority costs, is drawn as it was observed once or as the settings say;"
    " congestion is not."
)
LIMITS = (_OTHERS, _PLACE, _NETWORK)


_LEAST_PERIODS = 10  # with fewer the interval of a Sharpe ratio says nothing at all


class Row(msgspec.Struct, frozen=True):
    """One figure of every result. ``kind``: sol | signed | count | text; values of money are lamports."""

    label: str
    kind: str
    values: tuple[int | str, ...]


class Group(msgspec.Struct, frozen=True):
    """Rows under one heading."""

    title: str
    rows: tuple[Row, ...]


def groups_of(results: Sequence[BacktestResult]) -> tuple[Group, ...]:
    """Money, trading, costs, and what our trades have changed for others."""

    def row(label: str, kind: str, of: Callable[[BacktestResult], int | str]) -> Row:
        return Row(label, kind, tuple(of(one) for one in results))

    def money(label: str, name: str, sign: int = 1, kind: str = "signed") -> Row:
        return row(label, kind, lambda one: sign * int(one.summary[f"{name}_lamports"]))

    def careful(label: str, of: Callable[[BacktestResult], int]) -> list[Row]:
        """A row where there is something to be careful about in any of them."""
        found = row(label, "count", of)
        return [found] if any(found.values) else []

    return (
        Group(
            "it adds up, SOL",
            (
                money("start", "start", kind="sol"),
                money("realised", "realised"),
                money("unrealised, if sold now", "unrealised"),
                money("costs of failed orders", "failed_costs", -1),
                money("end", "equity", kind="sol"),
                money("net", "equity_change"),
            ),
        ),
        Group(
            "trading",
            (
                row("fills", "count", lambda one: int(one.summary["orders"]["filled"])),
                row("rounds closed", "count", lambda one: int(one.summary["positions"]["closed"])),
                row("rounds open", "count", lambda one: int(one.summary["positions"]["open"])),
                row("won", "text", lambda one: _percent(one.figures["win_rate"])),
                row("failed, fees paid", "count", lambda one: int(one.summary["orders"]["rejected"])),
                row("could not be sent", "count", lambda one: int(one.summary["orders"]["denied"])),
                row("refused by the gate", "count", lambda one: int(one.summary["decisions"]["refused"])),
                row("deepest fall of equity, SOL", "signed", lambda one: -int(one.summary["max_drawdown"]["lamports"])),
                row("Sharpe ratio, a year", "text", lambda one: _ratio(one.figures["sharpe"])),
                row("mean slippage", "text", lambda one: _slip(one.figures["mean_slippage"])),
                *careful("rounds held too long", lambda one: one.figures.get("rounds_held_too_long", 0)),
                *careful("open rounds of old value", lambda one: one.figures.get("open_rounds_of_old_value", 0)),
                *careful("strategies that failed", lambda one: len(one.faults)),
            ),
        ),
        Group("paid on the way, SOL", tuple(_costs(results))),
        Group("for others", tuple(_others(results))),
    )


def _costs(results: Sequence[BacktestResult]) -> list[Row]:
    kinds = sorted({kind for one in results for kind, paid in one.summary["costs_lamports"].items() if int(paid)})
    rows = [
        Row(kind.replace("_", " "), "sol", tuple(int(one.summary["costs_lamports"].get(kind, 0)) for one in results))
        for kind in kinds
    ]
    rent = tuple(int(one.summary["rent_lamports"]) for one in results)
    return [*rows, Row("rent that lies in accounts", "sol", rent)]


def _others(results: Sequence[BacktestResult]) -> list[Row]:
    def count(label: str, name: str) -> Row:
        return Row(label, "count", tuple(int(one.world[name]) for one in results))

    names = sorted({name for one in results for name in one.world["failed"]})
    failed = [
        Row(f"fail now: {name}", "count", tuple(int(one.world["failed"].get(name, 0)) for one in results))
        for name in names
    ]
    # Where what we have changed could not be carried on: seldom, and then the result is worth less.
    lost = (count("readings without our part", "lost_shares"), count("units that no vault could pay", "clipped"))
    return [
        count("pools that we have changed", "diverged_pools"),
        count("steps computed again", "reapplied"),
        count("trades of other amounts", "changed"),
        *failed,
        count("sellers with other holdings", "capped"),
        count("our trades that the record overwrote", "overwritten"),
        *(row for row in lost if any(row.values)),
    ]


def _percent(estimate: dict[str, Any]) -> str:
    if estimate["value"] is None:
        return "–"
    text = f"{100 * estimate['value']:.0f} %"
    return text if estimate["low"] is None else f"{text} ({100 * estimate['low']:.0f} to {100 * estimate['high']:.0f})"


def _ratio(estimate: dict[str, Any]) -> str:
    """With its interval, without which it would say more than it knows; – where there are too few periods."""
    if estimate["value"] is None or estimate["samples"] < _LEAST_PERIODS:
        return "–"
    text = f"{estimate['value']:.1f}".replace("-", "−")
    if estimate["low"] is None:
        return text
    return f"{text} ({estimate['low']:.1f} to {estimate['high']:.1f})".replace("-", "−")


def _slip(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.3f} %".replace("-", "−")
