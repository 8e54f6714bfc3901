"""``pumpswap why``: why a trade was made, or not made."""

from __future__ import annotations

import click

from pumpswap.cli.books_view import run_option
from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import NAME

__all__ = ["why"]


@command(
    "why",
    help=(
        "Explain an order (by our id, or by that of NautilusTrader), a decision, a coin or a pool.\n\n"
        "Of an order or a decision: the signal with its reasons, every step of the size, what every policy of the gate "
        "said with its numbers and until when it holds, the order, the quote against the fill, the costs by kind, the "
        "exit that followed and what the round has brought.\n\n"
        "Of a mint, a pool or a name: its latest decisions (refusals that repeat themselves are one line), what is "
        "held and what its exits wait for, and what speaks against buying it now.\n\n"
        "Without a name: why nothing is bought, as 'status' tells it.\n\n"
        "With --json every number is there that was compared: the decision can be made again from it."
    ),
    examples=[
        Example("pumpswap why o000001", "an order, from its signal to its end", needs="books with an order"),
        Example("pumpswap why MINT", "a coin: what was decided, what stands in the way", needs="books"),
        Example("pumpswap why", "why nothing is bought", needs="books"),
        Example("pumpswap why NAME --last 50 --json", "for scripts", needs="books"),
    ],
)
@click.argument("what", type=NAME, required=False, metavar="[ORDER|DECISION|MINT|POOL|NAME]")
@option("--last", type=click.IntRange(1, 1_000), default=10, metavar="N", help="Lines of decisions (default 10).")
@run_option
@pass_output
def why(out: Output, what: str | None, last: int, run_id: int | None) -> None:
    from pumpswap.app.books import open_books
    from pumpswap.app.why import why as explained
    from pumpswap.cli.run_result import settings_for
    from pumpswap.cli.status import show_status_of
    from pumpswap.cli.why_json import why_json
    from pumpswap.cli.why_view import show_why
    from pumpswap.clock import SystemClock

    settings = settings_for(out)
    if what is None:
        show_status_of(out, settings, run_id)
        return
    with open_books(settings, run_id) as books:
        told = explained(books, what, settings, SystemClock(), last=last)
        show = why_json if out.json else show_why
        show(out, told)
