"""A thousand simulated pools on paper, and the recorded export: what became of the signals, exactly booked."""

from __future__ import annotations

from typing import Any

from tests.acceptance.check import Check, Findings, Progress
from tests.support.material import material
from tests.support.paper_thousand import SOURCES, PaperReport, paper_export, paper_market

__all__ = ["PAPER_THOUSAND"]

POOLS, MINUTES = 1_000, 30
LEAST_EXECUTED, MOST_SLIPPAGE = 0.9, 0.05
LEAST_ACCEPTED = 100  # of fewer signals a share says nothing: one transaction in thirty fails by the network alone
_EXPORT_LIMITS = (
    "the export has seen each pool once or twice: it shows entries against the state of one moment, no exits, no later "
    "price and so no slippage; it has too few tradeable signals for a share of executed ones; depth is inferred from "
    "figures of the source"
)


def run(seed: int, progress: Progress) -> Findings:
    """Each source of signals on the same market, then the export."""
    folder = material("real", "host_export")
    of = len(SOURCES) + 1
    reports: dict[str, PaperReport] = {}
    for done, source in enumerate(SOURCES):
        progress(done, of)
        reports[source] = paper_market(seed, source, pools=POOLS, minutes=MINUTES)
    progress(len(SOURCES), of)
    assert folder is not None
    failures = [f"{name}: too few signals accepted" for name, one in reports.items() if _accepted(one) < LEAST_ACCEPTED]
    reports["analyser on the recorded export"] = paper_export(folder, seed)
    progress(of, of)
    failures += [f"{name}: {text}" for name, report in reports.items() for text in failures_of(report)]
    figures: dict[str, Any] = {name: report.to_json() for name, report in reports.items()}
    figures["what_the_export_cannot_show"] = _EXPORT_LIMITS
    table = [line for name, report in reports.items() for line in lines_of(name, report)]
    notes = [
        "latency 1.2 s, transactions fail as often as observed on mainnet, priority fees as observed",
        "slippage: executed against quoted price after all fees; positive is worse than quoted",
        _EXPORT_LIMITS,
    ]
    return Findings(figures, table, failures, notes)


def _accepted(report: PaperReport) -> int:
    return report.quality.funnel.accepted


def failures_of(report: PaperReport) -> list[str]:
    """What of the promise does not hold."""
    funnel, slippage = report.quality.funnel, report.quality.slippage
    failures = list(report.differences)
    is_claimed = funnel.accepted >= LEAST_ACCEPTED
    if is_claimed and (funnel.executed_share is None or funnel.executed_share <= LEAST_EXECUTED):
        failures.append(f"{funnel.executed} of {funnel.accepted} accepted signals were executed")
    if slippage is None or slippage.mean >= MOST_SLIPPAGE:
        failures.append(f"slippage {slippage}")
    if report.keeper.accuracy != 1.0:
        failures.append(f"{report.keeper.exact} of {report.keeper.compared} positions are those of the reference")
    return failures


def lines_of(name: str, report: PaperReport) -> list[str]:
    """The report for people."""
    quality, funnel = report.quality, report.quality.funnel
    refused = ", ".join(f"{policy} {count:,}" for policy, count in quality.first_refusals.most_common(6))
    failed = ", ".join(f"{reason} {count:,}" for reason, count in quality.failures.most_common())
    stages = ("signals", "tradeable", "available", "accepted", "executed")
    lines = [
        f"{name}: {report.pools:,} pools, {report.swaps:,} trades of others",
        "  " + " → ".join(f"{stage} {getattr(funnel, stage):,}" for stage in stages),
        f"  executed {_percent(funnel.executed_share)} of the accepted, {_percent(funnel.raw_share)} of all signals",
        f"  refused first by: {refused or 'nothing'}; not executed: {failed or 'none'}",
    ]
    if quality.slippage is not None:
        shown = ", ".join(f"p{number} {value:+.2%}" for number, value in quality.slippage.percentiles.items())
        lines.append(f"  slippage of {quality.slippage.fills:,} fills: mean {quality.slippage.mean:+.3%}; {shown}")
    lines.append(f"  positions as in the reference: {report.keeper.exact:,} of {report.keeper.compared:,}")
    return lines


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.2%}"


def _absent() -> str | None:
    return None if material("real", "host_export") else "the recorded export is not here"


PAPER_THOUSAND = Check("paper-thousand", f"{POOLS:,} simulated pools on paper, and the export", _absent, run)
