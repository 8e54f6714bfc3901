"""M3 to M8: what a run shows of itself, beside what the long checks have shown."""

from __future__ import annotations

from collections.abc import Mapping

from pumpswap.app.plan_metrics.by_checks import is_number, tests_of
from pumpswap.app.plan_metrics.evidence import Evidence
from pumpswap.app.plan_metrics.from_books import RunRecord
from pumpswap.app.plan_metrics.metric import PlanMetric, Standing, unmeasured
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import ReconciliationStatus, TradeSide

__all__ = ["accuracy", "executed", "execution_time", "slippage", "uptime", "violations"]

_MOST_SECONDS = 5.0
_LEAST_UPTIME = 0.95
_LEAST_EXECUTED = 0.9
_MOST_SLIPPAGE = 0.05
_LONG_ENOUGH_NS = 3_600 * NS_PER_SECOND  # a shorter test says little about uptime
_ENOUGH = 10  # fewer trades are told, and decide nothing
_MOST_REASONS = 6
_TIMES = ("mean", "p50", "p95", "orders")
_NO_RUN = "There are no books: `pumpswap run` makes some."


def execution_time(record: RunRecord | None, evidence: Evidence) -> PlanMetric:
    """M3. A live run's own orders, from the decision to the confirmation; else the orders that the benchmark has sent
    to the practice chain: on paper, the time is a setting.
    """
    lines = []
    if record is not None and record.execution.landing is not None:
        found = record.execution.landing
        told = f"mean {found.mean:.2f} s, median {found.percentiles[50]:.2f} s, p95 {found.percentiles[95]:.2f} s"
        line = f"{record.name}: from decision to confirmation {told}, {found.count:,} fills"
        if record.is_live:
            figures = {"mean_seconds": found.mean, "p50_seconds": found.percentiles[50], "fills": found.count}
            figures["p95_seconds"] = found.percentiles[95]
            standing = _below(found.mean, _MOST_SECONDS, found.count)
            return PlanMetric("M3", standing, f"{found.mean:.2f} s", (f"{line}.",), figures)
        lines.append(f"{line}; on paper that is the setting paper.latency_ms or latency_slots.")
    bench = evidence.record("bench")
    measured = None if bench is None else bench.get("live", "signal_to_confirmed_seconds")
    if bench is None or not isinstance(measured, dict):
        lines.append("No live run, and no evidence/bench.json: `make bench` measures it on the practice chain.")
        return unmeasured("M3", *lines)
    lacking = _lacking(measured, _TIMES)
    if lacking:
        return unmeasured("M3", *lines, f"{bench.where} lacks {lacking} of signal_to_confirmed_seconds.")
    mean, orders = float(measured["mean"]), int(measured["orders"])
    told = f"mean {mean:.2f} s, median {float(measured['p50']):.2f} s, p95 {float(measured['p95']):.2f} s"
    about = "from the wish to the booked trade, however they ended"  # the reading of the pool and the booking are in it
    lines.insert(0, f"{orders:,} orders on the practice chain, {about}: {told} ({bench.where}).")
    figures = {"mean_seconds": mean, "p50_seconds": measured["p50"], "p95_seconds": measured["p95"], "fills": orders}
    return PlanMetric("M3", _below(mean, _MOST_SECONDS, orders), f"{mean:.2f} s", tuple(lines), figures)


def uptime(record: RunRecord | None, _: Evidence) -> PlanMetric:
    """M4. From the spells that a running engine writes."""
    if record is None:
        return unmeasured("M4", _NO_RUN)
    found = record.uptime
    if not found.processes:
        return unmeasured(
            "M4", f"{record.name}: no engine has recorded when it was able to buy: replays and demos do not."
        )
    if found.share is None:
        why = f"{record.name}: over within one heartbeat, or never meant to buy."
        return PlanMetric("M4", Standing.NOT_SHOWN, "no value", (why,))
    hours = found.wanted_ns / NS_PER_SECOND / 3_600
    lines = [f"{record.name}: able to buy {found.share:.2%} of {hours:,.1f} h, in {_processes(found.processes)}."]
    if found.lost_ns:
        lost = [f"{reason} {ns / NS_PER_SECOND:,.0f} s" for reason, ns in list(found.lost_ns.items())[:_MOST_REASONS]]
        lines.append(f"What is missing: {', '.join(lost)}.")
    standing = Standing.MET if found.share >= _LEAST_UPTIME else Standing.MISSED
    if found.wanted_ns < _LONG_ENOUGH_NS:
        standing = Standing.NOT_SHOWN
        lines.append("Less than an hour shows nothing.")
    figures = {
        "share": found.share,
        "able_ns": str(found.able_ns),
        "wanted_ns": str(found.wanted_ns),
        "left_out_ns": str(found.left_out_ns),
        "lost_ns": {reason: str(ns) for reason, ns in found.lost_ns.items()},
        "processes": found.processes,
    }
    return PlanMetric("M4", standing, f"{found.share:.2%}", tuple(lines), figures)


def executed(record: RunRecord | None, _: Evidence) -> PlanMetric:
    """M5. Executed of the signals that were tradeable and available, without and with those that risk refused."""
    if record is None:
        return unmeasured("M5", _NO_RUN)
    funnel = record.funnel
    if funnel.executed_share is None:
        return unmeasured("M5", f"{record.name}: no signal was tradeable, available and accepted yet.")
    ended = funnel.accepted - funnel.open
    with_refused = funnel.executed / max(funnel.available - funnel.open, 1)
    reasons = [f"{rule} {count:,}" for rule, count in record.refusals.most_common(_MOST_REASONS)]
    told = f"{record.name}: {funnel.executed:,} of {ended:,} accepted signals were executed"
    lines = [
        f"{told}; {with_refused:.1%} with the {funnel.available - funnel.accepted:,} that risk refused.",
        f"Of {funnel.signals:,} signals {funnel.tradeable:,} were tradeable, {funnel.available:,} of them available.",
    ]
    lines += [f"Refused by: {', '.join(reasons)}."] if reasons else []
    failed = [one for one in record.execution.failures if one.side is TradeSide.BUY]
    failures = [f"{one.reason or one.status} {one.count:,}" for one in failed[:_MOST_REASONS]]
    lines += [f"Buys that traded nothing: {', '.join(failures)}."] if failures else []
    figures = {
        "share": funnel.executed_share,
        "share_with_refused": with_refused,
        "signals": funnel.signals,
        "tradeable": funnel.tradeable,
        "available": funnel.available,
        "accepted": funnel.accepted,
        "executed": funnel.executed,
        "open": funnel.open,
        "refused_by": dict(record.refusals.most_common()),
    }
    standing = Standing.MET if funnel.executed_share > _LEAST_EXECUTED else Standing.MISSED
    standing = standing if ended >= _ENOUGH else Standing.NOT_SHOWN
    return PlanMetric("M5", standing, f"{funnel.executed_share:.1%}", tuple(lines), figures)


def slippage(record: RunRecord | None, _: Evidence) -> PlanMetric:
    """M6. Executed price against quote, of every fill."""
    if record is None:
        return unmeasured("M6", _NO_RUN)
    mean, p95, worst = record.mean_slippage, record.p95_slippage, record.worst_slippage
    if mean is None or p95 is None or worst is None:
        return unmeasured("M6", f"{record.name}: nothing was traded yet.")
    fills = record.execution.fills
    line = (
        f"{record.name}: {fills:,} fills, p95 {_signed(p95)}, worst {_signed(worst)}; above zero is worse than quoted."
    )
    figures = {"mean_share": mean, "p95_share": p95, "worst_share": worst, "fills": fills}
    return PlanMetric("M6", _below(mean, _MOST_SLIPPAGE, fills), _signed(mean), (line,), figures)


def accuracy(record: RunRecord | None, evidence: Evidence) -> PlanMetric:
    """M7. The books recounted, and compared with the wallet where there is one; lives and crashes of the checks."""
    lines, figures, right = [], dict[str, object](), list[bool]()
    if record is not None:
        audit = record.audit
        differences = len(audit.differences)
        right.append(audit.is_right)
        figures |= {"movements": audit.movements, "trades": audit.trades, "differences": differences}
        lines.append(
            f"{record.name}: {audit.movements:,} movements, {audit.trades:,} trades and {audit.rounds:,} rounds"
            f" recounted from the first entry, {differences:,} differences."
        )
        if record.comparisons:
            found_by = [f"{status.value} {count:,}" for status, count in record.comparisons.items()]
            right.append(not record.comparisons[ReconciliationStatus.UNEXPLAINED])
            lines.append(f"Compared with the wallet on the chain: {', '.join(found_by)}.")
            figures["comparisons"] = {status.value: count for status, count in record.comparisons.items()}
    checks = evidence.record("acceptance")
    for name, told, counts in (
        ("ledger-sequences", "steps of random lives", ("steps", "differences")),
        ("crashes", "kills of a live process", ("kills", "lost_trades")),
    ):
        found = None if checks is None else checks.get(name)
        if checks is None or not isinstance(found, dict):
            continue
        lacking = _lacking(found, counts)
        if lacking:
            lines.append(f"{checks.where} lacks {lacking} of {name}.")
            continue
        of, wrong = int(found[counts[0]]), int(found[counts[1]])
        right.append(not wrong)
        figures[name] = {counts[0]: of, counts[1]: wrong}
        lines.append(f"{of:,} {told}, {wrong:,} differences or losses ({checks.where}).")
    if not right:
        lines += [] if lines else [_NO_RUN, "No evidence/acceptance.json: `make acceptance` writes it."]
        return unmeasured("M7", *lines)
    standing = Standing.MET if all(right) else Standing.MISSED
    return PlanMetric("M7", standing, "100 %" if all(right) else "differences found", tuple(lines), figures)


def violations(record: RunRecord | None, evidence: Evidence) -> PlanMetric:
    """M8. The run recounted, and the random loads of the checks."""
    lines, figures, counts = [], dict[str, object](), list[int]()
    if record is not None:
        found = record.violations
        counts.append(found.count)
        figures["run"] = {
            "buys": found.buys,
            "against_a_policy": found.against_a_policy,
            "too_many_positions": found.too_many_positions,
            "over_budget": found.over_budget,
        }
        lines.append(
            f"{record.name}: {found.buys:,} accepted buys recounted; {found.against_a_policy:,} against a policy,"
            f" {found.too_many_positions:,} beyond the most positions, {found.over_budget:,} over their budget."
        )
    checks = evidence.record("acceptance")
    limits = None if checks is None else checks.get("limits")
    if checks is not None and isinstance(limits, dict):
        lacking = _lacking(limits, ("signals", "violations_or_unexplained"))
        if lacking:
            lines.append(f"{checks.where} lacks {lacking} of limits.")
        else:
            signals, wrong = int(limits["signals"]), int(limits["violations_or_unexplained"])
            counts.append(wrong)
            figures["random_load"] = _counts(limits, ("signals", "accepted", "violations_or_unexplained"))
            lines.append(
                f"{signals:,} signals of random loads, every limit looked at each time: {wrong:,} ({checks.where})."
            )
    tests = tests_of("M8", evidence.record("tests"))
    if tests.standing is not Standing.UNMEASURED:
        lines.append(f"Property tests of the limits: {tests.value}; {tests.evidence[0].rstrip(':')}.")
        figures["tests"] = {kind: tests.figures[kind] for kind in ("passed", "failed", "skipped")}
        if tests.standing is Standing.NOT_SHOWN:
            lines.append("They count only where every one of them has run and passed.")
        else:
            failed = tests.figures["failed"]
            assert isinstance(failed, int)
            counts.append(failed)
    if not counts:
        lines += [] if lines else [_NO_RUN, "No evidence: `make acceptance` writes it."]
        return unmeasured("M8", *lines)
    total = sum(counts)
    return PlanMetric("M8", Standing.MET if total == 0 else Standing.MISSED, f"{total:,}", tuple(lines), figures)


def _below(value: float, most: float, samples: int) -> Standing:
    if samples < _ENOUGH:
        return Standing.NOT_SHOWN
    return Standing.MET if value < most else Standing.MISSED


def _lacking(found: Mapping[str, object], names: tuple[str, ...]) -> str:
    """Which figures are not there, or are none."""
    return ", ".join(name for name in names if not is_number(found.get(name)))


def _signed(share: float) -> str:
    return f"{share:+.3%}".replace("-", "−")


def _counts(found: Mapping[str, object], names: tuple[str, ...]) -> dict[str, object]:
    return {name: found[name] for name in names if name in found}


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count:,} processes"
