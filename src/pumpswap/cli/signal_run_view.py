"""Scores of pools: a table for people, one pool in full, one object for scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pumpswap.app.signal_run import ScoredPool, SignalRun
from pumpswap.cli.books_view import books_table, iso_time, time_at
from pumpswap.cli.formats import bps_text, decimal_text, percent_text, printable, significant_text, sol_text
from pumpswap.cli.output import Output, fraction_json
from pumpswap.settings import FeasibilitySettings, Settings
from pumpswap.signals import BaseScoreSignaller, EnhancedResult, Feasibility, PoolKind
from pumpswap.signals.feasibility import SizeImpact

__all__ = ["Selection", "run_json", "show_pool", "show_scores"]

_WIDE = 132
_NAME_WIDTH = 16
_ACTIONS = {"strong_buy": "bold green", "buy": "green", "sell": "red", "strong_sell": "bold red"}
_MOST_REASONS = 4
_KINDS = {PoolKind.CANONICAL: "pump", PoolKind.PERMISSIONLESS: "anyone", PoolKind.OTHER: "other"}
_SOURCES = {
    "chain": "the chain, now",
    "book": "the market itself",
    "snapshot": "estimated from the snapshot; --chain reads the real one",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which pools are listed."""

    top: int
    min_score: float | None
    every: bool

    def of(self, run: SignalRun) -> Sequence[ScoredPool]:
        """The chosen ones, best first."""
        pools = run.pools if self.every else run.available
        least = self.min_score or 0.0
        return [one for one in pools if one.result.enhanced_score >= least][: self.top]


# ---------------------------------------------------------------------------------------------- for people


def show_scores(out: Output, run: SignalRun, settings: Settings, chosen: Selection) -> None:
    """The best pools, where they are, and what the rest is."""
    listed = chosen.of(run)
    if listed:
        out.show(_table(listed, out.console.width), "")
        if out.console.width < _WIDE:
            out.show(*_places(listed), "", keep_lines=True)
    else:
        out.show("No pool to list.", "")
    out.show(*_summary(run, settings))
    intended = settings.feasibility.lamports("intended_sol")
    if listed and (found := listed[0].result.feasibility):
        intended = found.intended.quote_lamports
    out.say(
        f"\nAmounts are SOL. impact: how far a buy of {sol_text(intended)} moves the price; most: the largest buy"
        " within the limits, up to the reference; F: feasibility, 0 to 1; kind: who made the pool, Pump or anyone."
    )
    _say_assumptions(out, run)


def _table(listed: Sequence[ScoredPool], width: int) -> Table:
    table = books_table()
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("pool", no_wrap=True, overflow="ellipsis", max_width=_NAME_WIDTH)
    for name in ("base", "enhanced", "depth", "impact", "most", "F"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("action", no_wrap=True)
    if width >= _WIDE:
        table.add_column("address", no_wrap=True)
    for place, one in enumerate(listed, 1):
        table.add_row(str(place), *_row(one), *([one.snapshot.pool] if width >= _WIDE else []))
    return table


def _row(one: ScoredPool) -> Iterator[RenderableType]:
    result, found = one.result, one.result.feasibility
    yield _name(one)
    yield f"{result.base.signal_score:.1f}"
    yield Text(f"{result.enhanced_score:.1f}", style="bold")
    if found is None:
        yield from ("", "", "", "", "")
    else:
        yield _short(found.depth_lamports)
        yield _unsigned(found.intended.impact)
        yield _short(found.max_buy_lamports)
        yield f"{result.feasibility_score:.2f}"
        yield _KINDS[found.kind]
    action = result.recommendation.action
    yield Text(action.replace("_", " "), style=_ACTIONS.get(action, ""))


def _places(listed: Sequence[ScoredPool]) -> Iterator[str]:
    """Addresses for other commands, with the first reason against each."""
    for place, one in enumerate(listed, 1):
        against = one.result.reasons
        yield f"{place:>3} {one.snapshot.pool}"
        if against:
            yield f"    {printable(against[0])}"


def _summary(run: SignalRun, settings: Settings) -> Iterator[RenderableType]:
    available, bound = run.available, settings.signals.min_score
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("Source", printable(run.source))
    table.add_row("Pools", f"{len(run.pools):,}, newest of {run.snapshots:,} snapshots; {len(available):,} on PumpSwap")
    if available:
        tradeable = sum(one.result.tradeable for one in available)
        base = _share([one.result.base.signal_score for one in available], bound)
        enhanced = _share([one.result.enhanced_score for one in available], bound)
        table.add_row("Tradeable", f"{tradeable:,} of {len(available):,}")
        table.add_row("Kinds", _kinds(available, settings))
        table.add_row(f"Score ≥ {bound:g}", f"base {base}, enhanced {enhanced} of those on PumpSwap")
    table.add_row("States", _SOURCES[run.data_source])
    missing = run.missing().most_common(_MOST_REASONS)
    for place, (reason, count) in enumerate(missing):
        table.add_row("" if place else "Left out", f"{count:,} × {printable(reason)}")
    rest = len(run.pools) - len(available) - sum(count for _, count in missing)
    if rest:
        table.add_row("", f"{rest:,} for other reasons")
    yield table


def _kinds(available: Sequence[ScoredPool], settings: Settings) -> str:
    """Who made the pools, and what the risk gate thinks of those that anybody can make."""
    counts = Counter(one.result.feasibility.kind for one in available if one.result.feasibility)
    told = ", ".join(f"{count:,} {kind.value}" for kind, count in counts.most_common())
    if counts[PoolKind.PERMISSIONLESS] and not settings.risk.allow_permissionless_pools:
        told += "; permissionless ones are not bought (risk.allow_permissionless_pools)"
    return told


def _say_assumptions(out: Output, run: SignalRun) -> None:
    if run.data_source == "snapshot":
        out.say("\nThe recording is read by these rules:")
        for sentence in run.assumptions:
            out.say(f"  · {sentence}")


def show_pool(out: Output, run: SignalRun, settings: Settings) -> None:
    """Everything about the one pool of ``run``."""
    (one,) = run.pools
    snapshot, result = one.snapshot, one.result
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(no_wrap=True)
    head.add_column()
    head.add_row("Pool", snapshot.pool)
    head.add_row("Coin", f"{_name(one)}  {snapshot.base_mint or 'mint not known'}")
    head.add_row("Snapshot", time_at(snapshot.at_ns))
    head.add_row("States", _SOURCES[run.data_source])
    action = result.recommendation
    told = Text(action.action.replace("_", " "), style=_ACTIONS.get(action.action, "bold"))
    head.add_row("Action", told.append(f", priority {action.priority} of 3", style="default"))
    out.show(head)
    out.show("", f"Base score {result.base.signal_score:.1f} of 100")
    for reason in BaseScoreSignaller(settings.signals.min_score).signal(snapshot, one.history).reasons:
        out.show(_indented(printable(reason)))
    out.show("", *_enhanced(result, settings))
    if result.feasibility is not None:
        out.show("", _ladder(result.feasibility, settings.feasibility))
    out.show("", *_against(result))
    _say_assumptions(out, run)


def _indented(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2))


def _enhanced(result: EnhancedResult, settings: Settings) -> Iterator[RenderableType]:
    found, rules = result.feasibility, settings.feasibility
    if found is None:
        yield f"Enhanced score {result.enhanced_score:.1f}: the base score, for {printable(result.unavailable)}"
        return
    yield f"Enhanced score {result.enhanced_score:.1f} of 100"
    base_weight = 1 - rules.liquidity_weight - rules.feasibility_weight
    yield _indented(
        f"({base_weight:g} × {result.base.signal_score:.1f} + {rules.liquidity_weight:g} × 100 × "
        f"{float(found.score.depth):.3f} + {rules.feasibility_weight:g} × 100 × {result.feasibility_score:.3f})"
        f" × {result.boost:g}, at most 100"
    )
    yield _indented(f"liquidity factor {float(found.score.depth):.3f}: depth {sol_text(found.depth_lamports)}")
    yield _indented(
        f"feasibility F {result.feasibility_score:.3f}: 0.4 × {float(found.score.depth):.3f} depth"
        f" + 0.4 × {float(found.score.impact):.3f} impact + 0.2 × {float(found.score.size):.3f} size"
    )
    fees = found.fees
    if fees is not None:
        back = ", the creator's part can be claimed back" if fees.cashback else ""
        yield _indented(
            f"fees now {bps_text(fees.total_bps)}: {fees.lp_bps} liquidity providers, {fees.protocol_bps} protocol,"
            f" {fees.creator_bps} creator{back}"
        )
    kind = f"pool {found.kind.value}"
    if found.kind is PoolKind.PERMISSIONLESS and not settings.risk.allow_permissionless_pools:
        kind += ": anyone can make one, so it is not bought (risk.allow_permissionless_pools)"
    yield _indented(kind)
    yield _indented(f"token screen {found.screen.replace('_', ' ')}")
    if result.facts is not None and result.facts.price_sol is not None:
        yield f"  price {significant_text(Fraction(result.facts.price_sol))} SOL per token"


def _ladder(found: Feasibility, rules: FeasibilitySettings) -> Table:
    table = books_table()
    for name in ("buy, fees in", "impact", "cost over spot"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    sizes = {size.quote_lamports: size for size in (*found.ladder, found.intended)}
    for lamports, size in sorted(sizes.items()):
        remark = "intended" if lamports == found.intended.quote_lamports else ""
        table.add_row(sol_text(lamports), _percent(size.impact), _percent(size.cost_over_spot), remark or size.refused)
    limits = f"impact ≤ {rules.max_impact_bps / 100:g} %, cost ≤ {rules.max_slippage_bps / 100:g} %"
    table.add_row(sol_text(found.largest_lamports), "", "", f"largest ({limits})")
    return table


def _against(result: EnhancedResult) -> Iterator[RenderableType]:
    if result.tradeable:
        yield Text("Nothing speaks against a trade in this direction.", style="green")
    remarks = result.reasons or (result.feasibility.reasons if result.feasibility else ())
    if not result.tradeable:
        yield Text("Not tradeable:", style="bold")
    elif remarks:
        yield "But:"
    for reason in remarks:
        yield _indented(printable(reason))


def _name(one: ScoredPool) -> str:
    snapshot = one.snapshot
    return printable(snapshot.name.removesuffix(" / SOL")) or f"{snapshot.pool[:4]}…{snapshot.pool[-4:]}"


def _share(scores: Sequence[float], bound: float) -> str:
    return f"{sum(score >= bound for score in scores) / len(scores):.1%}".replace("%", " %")


def _percent(share: Fraction | None) -> str:
    return "–" if share is None else percent_text(share)


def _unsigned(impact: Fraction | None) -> str:
    """For a column: an impact has one direction, and beyond 10 % nobody reads decimals."""
    return "–" if impact is None else f"{decimal_text(impact * 100, 0 if impact >= 1 else 2)} %"


def _short(lamports: int) -> str:
    """SOL for a column of a wide range."""
    value = Fraction(lamports, 10**9)
    if value and value < Fraction(1, 10):
        return significant_text(value, 2)
    return decimal_text(value, 0 if value >= 100 else 2)


# ---------------------------------------------------------------------------------------------- for scripts


def run_json(run: SignalRun, settings: Settings, chosen: Selection) -> dict[str, Any]:
    """The listed pools with everything that is known of them. Scores and shares are numbers, amounts are not."""
    available = run.available
    return {
        "source": run.source,
        "data_source": run.data_source,
        "snapshots": run.snapshots,
        "pools": len(run.pools),
        "available": len(available),
        "tradeable": sum(one.result.tradeable for one in available),
        "min_score": settings.signals.min_score if chosen.min_score is None else chosen.min_score,
        "missing": dict(run.missing().most_common()),
        "scores": [_pool_json(one) for one in chosen.of(run)],
        "assumptions": list(run.assumptions),
    }


def _pool_json(one: ScoredPool) -> dict[str, Any]:
    snapshot, result, found = one.snapshot, one.result, one.result.feasibility
    recommended = result.recommendation
    return {
        "pool": snapshot.pool,
        "mint": snapshot.base_mint,
        "name": snapshot.name,
        "at": iso_time(snapshot.at_ns),
        "base_score": result.base.signal_score,
        "enhanced_score": result.enhanced_score,
        "boost": result.boost,
        "side": result.side.value,
        "action": recommended.action,
        "priority": recommended.priority,
        "tradeable": result.tradeable,
        "pumpswap_available": result.is_available,
        "unavailable": result.unavailable or None,
        "reasons": list(result.reasons),
        "feasibility": None if found is None else _feasibility_json(found),
    }


def _feasibility_json(found: Feasibility) -> dict[str, Any]:
    fees, score = found.fees, found.score
    return {
        "score": fraction_json(score.total),
        "parts": {name: fraction_json(getattr(score, name)) for name in ("depth", "impact", "size")},
        "depth_lamports": str(found.depth_lamports),
        "largest_lamports": str(found.largest_lamports),
        "max_buy_lamports": str(found.max_buy_lamports),
        "can_buy": found.can_buy,
        "can_sell": found.can_sell,
        "min_liquidity_met": found.min_liquidity_met,
        "intended_fits": found.intended_fits,
        "intended": _size_json(found.intended),
        "ladder": [_size_json(size) for size in found.ladder],
        "fees_bps": None
        if fees is None
        else {"lp": fees.lp_bps, "protocol": fees.protocol_bps, "creator": fees.creator_bps, "cashback": fees.cashback},
        "pool_kind": found.kind.value,
        "screen": found.screen,
        "reasons": list(found.reasons),
    }


def _size_json(size: SizeImpact) -> dict[str, Any]:
    return {
        "quote_lamports": str(size.quote_lamports),
        "base_units": str(size.base_units),
        "impact": None if size.impact is None else fraction_json(size.impact),
        "cost_over_spot": None if size.cost_over_spot is None else fraction_json(size.cost_over_spot),
        "refused": size.refused or None,
    }
