"""The report of a run: one HTML file that needs nothing else, no network and, but for its charts, no JavaScript.

Every figure is one of ``RunSummary.to_json()`` and carries its raw value in a ``<data>`` element beside the text for
people, so the page and ``--json`` cannot disagree. What the page says follows from the run alone: no time of writing,
no path, so the same run gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from pumpswap.amm.quote import Quote, amounts_of
from pumpswap.analytics.charts import PALETTES, equity_figure, slippage_figure
from pumpswap.analytics.explain import RoundStory, story_of
from pumpswap.analytics.metrics import slippage_of
from pumpswap.analytics.page import csp_hash, page_environment, page_scripts, write_page
from pumpswap.analytics.record import RunRecord, Trade
from pumpswap.analytics.summary import OpenPosition, RunSummary
from pumpswap.analytics.wording import (
    change_text,
    coin_markup,
    counted,
    duration_text,
    figure_of,
    percent_text,
    price_text,
    signed_sol,
    sol_digits,
    sol_text,
)
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import Decision, Position, TradeSide, Verdict

__all__ = ["MOST_ROWS", "ReportInput", "render_report", "write_report"]

MOST_ROWS = 200  # of a table; a page of thousands of rows is read by nobody
MOST_NEAR_MISSES = 12


@dataclass(frozen=True, slots=True)
class ReportInput:
    """What a report is made of. ``command`` repeats the run; a mark on a state older than ``stale_after_seconds`` is
    shown as old (the default is the age at which the risk gate stops trading on a state). Text between backticks in
    ``assumptions`` and ``next_steps`` is shown as code.
    """

    title: str
    subtitle: str
    record: RunRecord
    summary: RunSummary
    assumptions: Sequence[str]
    next_steps: Sequence[str]
    command: str = ""
    stale_after_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that a table shows, and how many there are."""

    rows: Sequence[Any]
    total: int

    @property
    def hidden(self) -> int:
        """Rows that are not shown."""
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade's quoted and executed price in lamports per million base units, all fees in."""

    trade: Trade
    lamports: int  # what went out (buy) or came in (sell) through the venue
    quoted: Fraction
    executed: Fraction
    slippage: Fraction


def write_report(path: Path, report: ReportInput) -> Path:
    """Render the report and put it at ``path`` in one step: whoever opens the file sees all of it or the one before.

    Folders are made when missing. Returns ``path``. Raises OSError when it cannot be written.
    """
    return write_page(path, render_report(report))


def render_report(report: ReportInput) -> str:
    """The page as text."""
    record, summary = report.record, report.summary
    environment = _environment()
    scripts = page_scripts(environment)
    template = environment.get_template("report.html")
    return template.render(
        report=report,
        record=record,
        summary=summary,
        palettes=PALETTES,
        scripts=scripts,
        script_hashes=[csp_hash(script) for script in scripts],
        figures=summary.to_json(),
        figure=figure_of(summary.to_json()),
        coin=lambda pool: coin_markup(record.names.get(pool, "").strip() or pool),
        headline=_headline(summary),
        charts=_charts(record),
        near_misses=_near_misses(record.refused_examples),
        example=_example(record.accepted),
        **_rounds(report),
        fills=_table([_fill(trade) for trade in record.trades], lambda fill: abs(fill.slippage)),
        rejections=_table(record.rejections, lambda pair: -pair[1].at_ns),
        denials=_table(record.denials, lambda pair: -pair[1].at_ns),
    )


# ---------------------------------------------------------------------------------------------------- what is shown


def _headline(summary: RunSummary) -> str:
    """The result in one sentence."""
    change, start = summary.equity_change_lamports, summary.start_lamports
    amount, stake = f"{sol_text(abs(change))}\u00a0SOL", f"{sol_text(start)}\u00a0SOL of play money"
    share = f" ({change_text(change / start)})" if start else ""
    if not change and not summary.orders:
        decided = f"{counted(summary.decisions, 'decision')}, {counted(summary.refused, 'refusal')}"
        return f"Made no trade: {decided if summary.decisions else 'nothing came up'}, and {stake} stayed untouched."
    opening = f"{'Gained' if change > 0 else 'Lost'} {amount}{share}" if change else "Came out even"
    closed = len(summary.closed)
    parts = [counted(summary.fills, "trade")]
    if not summary.fills:
        parts.append(f"{counted(summary.orders, 'order')} not filled")
    if closed:
        parts += [f"{counted(closed, 'round')} closed", f"{_won(summary.closed)}\u00a0won"]
    elif summary.fills:
        parts.append("no round closed yet")
    if summary.open:
        parts.append(f"{len(summary.open)}\u00a0still open")
    return f"{opening} on {stake}: {', '.join(parts)}."


def _won(closed: Sequence[Position]) -> int:
    return sum(position.realised_lamports > 0 for position in closed)


def _charts(record: RunRecord) -> dict[str, Any]:
    """Figures by name; none for a run of one moment, which has no axis of time."""
    if record.equity[0].at_ns == record.equity[-1].at_ns:
        return {}
    figures = {"equity": equity_figure(record.equity, record.trades, record.names)}
    if record.trades:
        figures["slippage"] = slippage_figure(record.equity, record.trades, record.names)
    return figures


def _near_misses(refused: Sequence[Decision]) -> list[Decision]:
    """The refusals that came closest to a trade: few failed policies, many passed ones, a high score. At most three of
    the same reason, and of different coins, since twelve times one story teaches nothing.
    """

    def distance(decision: Decision) -> tuple[Any, ...]:
        refusals = len(decision.refusals)
        score = decision.intent.signal.score if decision.intent.signal else 0.0
        return refusals, refusals - len(decision.verdicts), -score, decision.intent.at_ns, decision.decision_id

    stories: dict[tuple[Any, ...], Decision] = {}
    told: Counter[tuple[str, ...]] = Counter()
    for decision in sorted(refused, key=distance):
        reason = tuple(verdict.policy for verdict in decision.refusals)
        story = (*reason, decision.intent.pool)
        if story not in stories and told[reason] < 3:
            stories[story] = decision
            told[reason] += 1
    return list(stories.values())[:MOST_NEAR_MISSES]


def _example(accepted: Sequence[Decision]) -> Decision | None:
    """The first of the accepted purchases whose size was lowered most often: it shows most of the rules at work."""
    bought = [decision for decision in accepted if decision.intent.side is TradeSide.BUY and decision.sizing]
    return max(bought, key=lambda decision: len({step.lamports for step in decision.sizing}), default=None)


def _rounds(report: ReportInput) -> dict[str, Any]:
    """Closed rounds with their stories, the worst and the best of them, and what is still open."""
    summary = report.summary
    closed = _table(summary.closed, lambda position: abs(position.realised_lamports))
    worst = min(summary.closed, key=lambda position: position.realised_lamports, default=None)
    best = max(summary.closed, key=lambda position: position.realised_lamports, default=None)
    held = _table(summary.open, lambda one: one.position.cost_lamports)

    def told(position: Position | None, sign: int) -> RoundStory | None:
        return story_of(position, report.record) if position and position.realised_lamports * sign > 0 else None

    return {
        "closed": Table([story_of(position, report.record) for position in closed.rows], closed.total),
        "won": _won(summary.closed),
        "worst": told(worst, -1),
        "best": told(best, 1),
        "open": held,
        "is_stale": lambda one: _is_stale(one, report.stale_after_seconds),
        "stale": sum(_is_stale(one, report.stale_after_seconds) for one in summary.open),
    }


def _is_stale(one: OpenPosition, after_seconds: int) -> bool:
    return one.mark.age_ns > after_seconds * NS_PER_SECOND


def _table(rows: Sequence[Any], weight: Callable[[Any], Any]) -> Table:
    """All rows, or the MOST_ROWS weightiest of them in their own order."""
    if len(rows) <= MOST_ROWS:
        return Table(rows, len(rows))
    heaviest = sorted(range(len(rows)), key=lambda index: weight(rows[index]), reverse=True)[:MOST_ROWS]
    return Table([rows[index] for index in sorted(heaviest)], len(rows))


def _fill(trade: Trade) -> Fill:
    quoted, executed = _price(trade.order.quote), _price(trade.filled.executed)
    return Fill(trade, executed[0], quoted[1], executed[1], slippage_of(trade))


def _price(quote: Quote) -> tuple[int, Fraction]:
    """(lamports that changed hands, lamports per million base units), all venue fees in."""
    units, lamports = amounts_of(quote)
    return lamports, Fraction(lamports * 1_000_000, units)


# ---------------------------------------------------------------------------------------------------- how it is said


def _numbers(verdict: Verdict) -> list[tuple[str, str]]:
    """A verdict's figures for people: lamports as SOL, exact fractions as percentages."""
    shown = []
    for name, value in verdict.numbers.items():
        if name.endswith("_lamports"):
            shown.append((_words(name.removesuffix("_lamports")), f"{sol_text(int(value))} SOL"))
        elif "/" in value:
            shown.append((_words(name), f"{float(Fraction(value)) * 100:.4f}\u00a0%".replace("-", "−")))
        else:
            shown.append((_words(name), value))
    return shown


def _words(name: str) -> str:
    return name.replace("_", " ")


# ---------------------------------------------------------------------------------------------------- the page


@cache
def _environment() -> Environment:
    environment = page_environment()
    environment.filters |= {
        "sol": sol_text, "signed": signed_sol, "digits": sol_digits, "percent": percent_text, "change": change_text,
        "price": price_text, "duration": duration_text, "numbers": _numbers,
    }  # fmt: skip
    environment.globals |= {"count": counted, "slippage_of": slippage_of}
    return environment
