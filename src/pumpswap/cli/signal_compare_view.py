"""The comparison of the two scores: a verdict, then tables for people; one object for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pumpswap.analytics.comparison import Comparison, VerdictKind
from pumpswap.analytics.comparison.comparison import QUANTILES, Distribution
from pumpswap.analytics.comparison.figures import comparison_json
from pumpswap.analytics.comparison.ranks import Mover
from pumpswap.analytics.comparison.returns import Band, HorizonReturns, Picks
from pumpswap.analytics.comparison.stats import Interval
from pumpswap.analytics.comparison.verdict import horizon_text, points_text
from pumpswap.app.signal_compare import SignalComparison
from pumpswap.cli.books_view import books_table, time_at
from pumpswap.cli.formats import printable, sol_text
from pumpswap.cli.output import Output

__all__ = ["compared_json", "show_compared"]

_STYLES = {VerdictKind.ENHANCED: "bold green", VerdictKind.BASE: "bold yellow"}
_BAR = 14
_LONGEST_NAME = 14


def compared_json(compared: SignalComparison) -> dict[str, Any]:
    """The comparison with where it comes from."""
    return {
        "source": compared.source,
        "first_ns": str(compared.first_ns),
        "last_ns": str(compared.last_ns),
        "all_snapshots": compared.snapshots,
        "pools_with_later_prices": compared.later_pools,
        "size_lamports": str(compared.size_lamports),
        "network_lamports_per_transaction": str(compared.network_lamports),
        "latency_ms": compared.latency_ms,
        **comparison_json(compared.comparison),
        "assumptions": list(compared.assumptions),
    }


def show_compared(out: Output, compared: SignalComparison) -> None:
    """The report for people: what follows from it comes first."""
    comparison = compared.comparison
    out.show(_headline(comparison), "", *_population(compared))
    if comparison.base is None or comparison.enhanced is None:
        return
    out.show("", _distributions(comparison.base, comparison.enhanced, comparison.rules.threshold))
    out.show("", _bins(comparison.base, comparison.enhanced))
    out.show("", _agreement(comparison))
    out.show("", *_ranks(comparison))
    out.show("", *_returns(compared))
    shown = max(comparison.horizons, key=lambda one: len(one.base_bands) * one.observations, default=None)
    if shown is not None and shown.base_bands:
        out.show("", _calibration(shown))
    out.say("\nHow it was computed:")
    for sentence in compared.assumptions:
        out.say(f"  · {sentence}")


def _headline(comparison: Comparison) -> Text:
    verdict = comparison.verdict
    kind = verdict.kind.value
    text = Text(f"{kind[0].upper()}{kind[1:]}: ", style=_STYLES.get(verdict.kind, "bold"))
    return text.append(f"{verdict.sentence}.", style="default")


def _population(compared: SignalComparison) -> Iterator[RenderableType]:
    comparison, table = compared.comparison, Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_row("Source", printable(compared.source))
    period = f"{time_at(compared.first_ns).removesuffix(' UTC')} to {time_at(compared.last_ns)}"
    own = f"{len(comparison.observations):,} snapshots of {comparison.pools:,} PumpSwap pools"
    table.add_row("Compared", f"{own}, {period}")
    if comparison.elsewhere:
        most = [f"{name} {count:,}" for name, count in list(comparison.elsewhere.items())[:3]]
        more = len(comparison.elsewhere) - len(most)
        listed = ", ".join([*most, *([f"{more} more"] if more > 0 else [])])
        text = f"{sum(comparison.elsewhere.values()):,} snapshots on other exchanges ({printable(listed)}):"
        table.add_row("Left out", f"{text} they keep their base score and are never traded")
    if comparison.unavailable:
        table.add_row("No data", _unavailable(comparison))
    later = f"{compared.later_pools:,} of {comparison.pools:,} pools were seen again with a price"
    table.add_row("Later prices", later)
    yield table


def _unavailable(comparison: Comparison) -> str:
    total, every = sum(comparison.unavailable.values()), len(comparison.observations)
    reasons = list(comparison.unavailable.items())
    told = "; ".join(f"{count:,} × {printable(why)}" for why, count in reasons[:3])
    more = f"; {len(reasons) - 3} more reasons: see --json" if len(reasons) > 3 else ""
    return f"{total:,} of {every:,} lack PumpSwap data and keep their base score: {told}{more}"


def _distributions(base: Distribution, enhanced: Distribution, threshold: float) -> Table:
    table = books_table()
    table.add_column(f"scores of {base.count:,}")
    for name in ("base", "enhanced"):
        table.add_column(name, justify="right")
    table.add_row(f"at or above {threshold:g}", _share(base), _share(enhanced), style="bold")
    names = {0.0: "lowest", 0.5: "median", 1.0: "highest"}
    for share, one, two in zip(QUANTILES, base.quantiles, enhanced.quantiles, strict=True):
        table.add_row(names.get(share, f"{100 * share:g} % are below"), f"{one:.1f}", f"{two:.1f}")
    table.add_row("mean", f"{base.mean:.1f}", f"{enhanced.mean:.1f}")
    table.add_row("share the highest", f"{base.at_highest:,}", f"{enhanced.at_highest:,}")
    return table


def _share(score: Distribution) -> str:
    return f"{score.at_or_above:,} ({100 * score.share:.1f} %)"


def _bins(base: Distribution, enhanced: Distribution) -> Table:
    table, most = books_table(), max(*base.bins, *enhanced.bins)
    table.add_column("score", no_wrap=True)
    for name in ("base", "enhanced"):
        table.add_column(name, justify="right")
        table.add_column("", min_width=_BAR, no_wrap=True)
    for number, (one, two) in enumerate(zip(base.bins, enhanced.bins, strict=True)):
        bars = Text(_bar(one, most), "blue"), Text(_bar(two, most), "cyan")
        table.add_row(f"{10 * number} to {10 * number + 10}", f"{one:,}", bars[0], f"{two:,}", bars[1])
    return table


def _bar(count: int, most: int) -> str:
    return "█" * (-(-count * _BAR // most) if count else 0)


def _agreement(comparison: Comparison) -> Table:
    found, threshold = comparison.agreement, f"{comparison.rules.threshold:g}"
    table = books_table()
    table.add_column("agreement")
    table.add_column(f"enhanced ≥ {threshold}", justify="right")
    table.add_column("enhanced below", justify="right")
    table.add_row(f"base ≥ {threshold}", f"{found.both:,}", f"{found.only_base:,}")
    table.add_row("base below", f"{found.only_enhanced:,}", f"{found.neither:,}")
    return table


def _ranks(comparison: Comparison) -> Iterator[RenderableType]:
    ranks = comparison.ranks
    if ranks.spearman is None or ranks.kendall is None:
        yield "The two orders cannot be compared: one of the scores is the same everywhere."
        return
    yield f"The two orders: Spearman {_signed(ranks.spearman)}, Kendall {_signed(ranks.kendall)} (1 is the same order)."
    if ranks.risen or ranks.fallen:
        yield ""
        yield _movers(ranks.risen, ranks.fallen)


def _movers(risen: Sequence[Mover], fallen: Sequence[Mover]) -> Table:
    table = books_table()
    table.add_column("moved furthest", no_wrap=True)
    for name in ("base", "enhanced", "rank"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("because of")
    for number, mover in enumerate((*risen, *fallen)):
        one = mover.observation
        points = f"{points_text(mover.part_points)}, mean {points_text(mover.average_points)}"
        table.add_row(
            Text(_short(one.name or one.pool)),
            f"{one.base:.1f}",
            f"{one.enhanced:.1f}",
            f"{mover.base_rank:.0f} → {mover.enhanced_rank:.0f}",
            f"{mover.part} {one.facts.get(mover.part, '')}: {points}",
            end_section=number == len(risen) - 1,
        )
    return table


def _returns(compared: SignalComparison) -> Iterator[RenderableType]:
    latency = f"{compared.latency_ms / 1_000:g} s"
    yield (
        f"Which predicted better? {sol_text(compared.size_lamports)} bought {latency} after each snapshot and sold"
        " after the time given; all fees and network costs in."
    )
    for returns in compared.comparison.horizons:
        yield ""
        if returns.observations:
            yield _horizon(returns, compared.comparison.rules.threshold)
        yield from _remarks(returns)


def _remarks(returns: HorizonReturns) -> Iterator[str]:
    """What one must know about the figures of a horizon."""
    base, enhanced = returns.base, returns.enhanced
    if base.separate < base.count or enhanced.separate < enhanced.count:
        yield f"Overlapping: only {base.separate:,} and {enhanced.separate:,} of these picks do not overlap in time."
    missing = "; ".join(f"{count:,} × {why}" for why, count in returns.missing.items() if count)
    if missing:
        yield f"{horizon_text(returns.horizon_ns)}: no outcome for {missing}"
    if returns.has_few_prices:
        wait_s, age_s = returns.median_wait_s, returns.median_price_age_s
        yield f"Beware, few prices: half were bought after {wait_s:,.0f} s, and sold at one {age_s:,.0f} s old."


def _horizon(returns: HorizonReturns, threshold: float) -> Table:
    table = books_table()
    table.add_column(f"held {horizon_text(returns.horizon_ns)}", no_wrap=True)
    for name in ("picks", "pools", "mean", "interval", "median", "gains"):
        table.add_column(name, justify="right", no_wrap=True)
    rows = [(f"base ≥ {threshold:g}", returns.base), (f"enhanced ≥ {threshold:g}", returns.enhanced)]
    if returns.as_many_threshold is not None and returns.as_many.count != returns.enhanced.count:
        rows.append((f"as many (≥ {returns.as_many_threshold:.1f})", returns.as_many))
    for name, picks in rows:
        table.add_row(name, *_picks_row(picks))
    table.add_row("any snapshot", *_picks_row(returns.everything), end_section=True)
    difference, hits = returns.mean_difference, returns.hit_difference
    if difference is not None and hits is not None:
        cells = [f"{returns.deciding} differ", points_text(100 * difference.point), _range(difference), ""]
        table.add_row("enhanced − base", "", *cells, points_text(100 * hits.point), style="bold")
    return table


def _picks_row(picks: Picks) -> list[str]:
    if picks.mean is None or picks.median is None or picks.hit_rate is None:
        return ["0", "0", "", "", "", ""]
    return [
        f"{picks.count:,}",
        f"{picks.pools:,}",
        f"{points_text(100 * picks.mean)} %",
        _range(picks.mean_interval),
        f"{points_text(100 * picks.median)} %",
        f"{100 * picks.hit_rate:.0f} %",
    ]


def _calibration(returns: HorizonReturns) -> Table:
    table = books_table()
    table.add_column("base", no_wrap=True)
    table.add_column("mean", justify="right")
    table.add_column("gains", justify="right")
    table.add_column("  enhanced", no_wrap=True)
    table.add_column("mean", justify="right")
    table.add_column("gains", justify="right")
    table.title = f"Do higher scores return more? Bands of like size, held {horizon_text(returns.horizon_ns)}"
    table.title_justify = "left"
    table.title_style = ""
    count = max(len(returns.base_bands), len(returns.enhanced_bands))
    for number in range(count):
        table.add_row(*_band(returns.base_bands, number, ""), *_band(returns.enhanced_bands, number, "  "))
    table.add_row(
        "correlation", _rank(returns.base_rank), "", "  correlation", _rank(returns.enhanced_rank), "", style="bold"
    )
    return table


def _band(bands: Sequence[Band], number: int, indent: str) -> list[str]:
    if number >= len(bands):
        return ["", "", ""]
    band = bands[number]
    lowest, highest = f"{band.lowest:.1f}", f"{band.highest:.1f}"
    name = f"{indent}{lowest}" if lowest == highest else f"{indent}{lowest} to {highest}"
    return [name, f"{points_text(100 * band.mean)} %", f"{100 * band.hit_rate:.0f} %"]


def _rank(correlation: float | None) -> str:
    return "–" if correlation is None else _signed(correlation)


def _range(interval: Interval | None) -> str:
    return "" if interval is None else f"{points_text(100 * interval.low)} to {points_text(100 * interval.high)}"


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _short(name: str) -> str:
    shown = printable(name.removesuffix(" / SOL"))
    return shown if len(shown) <= _LONGEST_NAME else f"{shown[: _LONGEST_NAME - 1]}…"
