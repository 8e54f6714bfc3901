"""``pumpswap report refused``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pumpswap.cli.books_view import NO_RUNS, run_option
from pumpswap.cli.lazy import Example, command
from pumpswap.cli.output import Output, pass_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pumpswap.analytics.performance.estimate import Estimate
    from pumpswap.analytics.refusals import RefusedFigures
    from pumpswap.app.books import Books

__all__ = ["refused"]


@command(
    "refused",
    help=(
        "What refused buys would have earned: does a rule save money, or cost it?\n\n"
        "While an engine runs it follows the first refusal in each pool, then none of that pool for an hour: bought at "
        "the exact quote of that moment, sold at the exact quote 5 minutes, 1 hour and 24 hours later, the venue's "
        "fees in, transaction costs and our own impact on what came between left out. Each pool counts once, whatever "
        "the number of its refusals; intervals are of 95 %."
    ),
    examples=[
        Example("pumpswap report refused", "by rule and horizon"),
        Example("pumpswap report refused --json", "for scripts"),
    ],
)
@run_option
@pass_output
def refused(out: Output, run_id: int | None) -> None:
    from pumpswap.analytics.refusals import refused_figures
    from pumpswap.app.books import chosen_books, open_store
    from pumpswap.cli.books_view import run_json
    from pumpswap.cli.run_result import settings_for

    with open_store(settings_for(out)) as database:
        books = chosen_books(database, run_id)
        found = [] if books is None else refused_figures(books.run.what_ifs.since(0))
    if out.json:
        run = None if books is None else run_json(books.header)
        out.emit("report_refused", {"run": run, "rules": [_row_json(one) for one in found]})
    elif books is None:
        out.show(f"Nothing was refused. {NO_RUNS}")
    else:
        _show(out, books, found)


def _show(out: Output, books: Books, found: Sequence[RefusedFigures]) -> None:
    from pumpswap.analytics.comparison.verdict import horizon_text
    from pumpswap.analytics.refusals import ALL_RULES
    from pumpswap.cli.books_view import books_table, coloured, short_sol
    from pumpswap.clock import NS_PER_SECOND

    out.show(f"Run {books.header.run_id}, {books.header.kind}: refused buys as if they had been made", "")
    if not found:
        out.show("No refused buy was followed: nothing was refused for which a price was known, or no engine has run.")
        return
    table = books_table()
    for name in ("rule", "after"):
        table.add_column(name, no_wrap=True)
    for name in ("pools", "to come", "mean", "95 % interval", "won"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("shown")
    for one in found:
        mean = one.mean_return.value
        table.add_row(
            "all rules" if one.rule == ALL_RULES else one.rule,
            horizon_text(one.horizon_seconds * NS_PER_SECOND),
            f"{one.pools:,}",
            f"{one.waiting:,}" if one.waiting else "",
            "" if mean is None else coloured(_signed(mean), round(mean * 1_000)),
            _interval(one.mean_return),
            "" if one.won.value is None else f"{one.won.value:.0%}",
            one.verdict,
        )
    out.show(table)
    whole = [one for one in found if one.rule == ALL_RULES]
    for one in whole:
        if one.measured:
            after = horizon_text(one.horizon_seconds * NS_PER_SECOND)
            out.show(f"All of them after {after}: {short_sol(one.gain_lamports, signed=True)} SOL.")
    if books.header.finished_ns is not None and any(one.waiting for one in whole):
        out.say("Its market is over: what is still to come will never be measured.")
    unknown = sum(one.unknown for one in whole)
    if unknown:
        out.say(f"Of {unknown:,} sales the state of the pool was not known at their time: they are left out.")


def _interval(found: Estimate) -> str:
    if found.low is None or found.high is None:
        return ""
    return f"{_signed(found.low)} to {_signed(found.high)}"


def _signed(share: float) -> str:
    return f"{share:+.1%}".replace("-", "−")


def _row_json(one: RefusedFigures) -> dict[str, Any]:
    return {
        "rule": one.rule or None,
        "horizon_seconds": one.horizon_seconds,
        "followed": one.followed,
        "measured": one.measured,
        "waiting": one.waiting,
        "unknown": one.unknown,
        "pools": one.pools,
        "spent_lamports": str(one.spent_lamports),
        "gain_lamports": str(one.gain_lamports),
        "mean_return": one.mean_return.to_json(),
        "won": one.won.to_json(),
        "verdict": one.verdict,
    }
