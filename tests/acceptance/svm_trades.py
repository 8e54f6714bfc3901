"""20,000 random trades on the real program, each compared in everything that moves and in its event."""

from __future__ import annotations

from pumpswap.localnet.pool_kinds import KINDS
from tests.acceptance.check import Check, Findings, Progress
from tests.support.material import material
from tests.svm.random_trades import Tally, Trial
from tests.svm.trade_draw import Action

TRADES = 20_000
_COLUMNS = tuple(Action)
_NAME_WIDTH = max(len(kind.name) for kind in KINDS)


def run(seed: int, progress: Progress) -> Findings:
    """Episodes until all trades were accepted, or ten disagreements."""
    tally = Trial(seed).run(TRADES, progress=lambda done: progress(done, TRADES))
    failures = list(tally.disagreements)
    if tally.trades < TRADES and not failures:
        failures.append(f"only {tally.trades} of {TRADES} trades were made")
    return Findings(figures_of(tally), table_of(tally), failures, notes_of(tally))


def figures_of(tally: Tally) -> dict[str, object]:
    return {
        "accepted": tally.trades,
        "accepted_by_kind": {
            kind.name: {action.value: tally.accepted[kind.name, action] for action in _COLUMNS} for kind in KINDS
        },
        "accounts_created_by_trades": dict(sorted(tally.created.items())),
        "disagreements": len(tally.disagreements),
        "episodes": tally.episodes,
        "fee_rates_met": len(tally.rates),
        "limits_one_unit_too_tight_rejected": tally.one_unit_too_tight,
        "most_compute_units": tally.most_compute_units,
        "pool_account_lengths": {str(length): count for length, count in sorted(tally.account_lengths.items())},
        "refused_alike": dict(sorted(tally.refused.items())),
    }


def table_of(tally: Tally) -> list[str]:
    """Accepted trades by pool kind and instruction."""
    heads = [*(action.value for action in _COLUMNS), "all"]
    widths = [max(len(head), 7) for head in heads]
    rows = [(kind.name, [tally.accepted[kind.name, action] for action in _COLUMNS]) for kind in KINDS]
    totals = [sum(row[at] for _, row in rows) for at in range(len(_COLUMNS))]
    lines = [_line("pool kind", heads, widths)]
    lines += [_line(name, [*map(str, row), str(sum(row))], widths) for name, row in rows]
    return [*lines, _line("all", [*map(str, totals), str(sum(totals))], widths)]


def notes_of(tally: Tally) -> list[str]:
    return [
        "program build of 2026-06-11 in LiteSVM: first generation, no virtual reserves, settings of the same day",
        f"{tally.one_unit_too_tight} trades were also sent with a limit one unit beyond the quote, and rejected",
    ]


def _line(name: str, cells: list[str], widths: list[int]) -> str:
    return name.ljust(_NAME_WIDTH) + "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _absent() -> str | None:
    if material("chain", "programs") is None or material("chain", "accounts") is None:
        return "the recorded mainnet programs and accounts are not here"
    return None


SVM_TRADES = Check("svm-trades", f"{TRADES} random trades on the real program", _absent, run)
