"""What a run has earned in a time, from its stored books."""

from __future__ import annotations

from pumpswap.analytics.performance import Performance
from pumpswap.app.books import Books
from pumpswap.clock import NS_PER_SECOND
from pumpswap.sdk.performance import input_of, performance_of_run
from pumpswap.units import I64_MAX

__all__ = ["DAY_NS", "input_of", "performance_of", "performance_of_run"]

DAY_NS = 86_400 * NS_PER_SECOND


def performance_of(books: Books, since_ns: int = 0, until_ns: int = I64_MAX) -> Performance:
    """As ``performance_of_run``, of books that were chosen."""
    return performance_of_run(books.run, since_ns, until_ns)
