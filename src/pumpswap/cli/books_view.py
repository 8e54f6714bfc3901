"""What the commands over the books share: the option for a run, figures as people and scripts read them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeVar

from pumpswap.cli.formats import decimal_text, printable, significant_text, sol_text
from pumpswap.cli.lazy import option
from pumpswap.cli.params import RUN
from pumpswap.clock import NS_PER_SECOND, format_utc

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from pumpswap.app.books import Books
    from pumpswap.model import LedgerEntry, Mark, Position
    from pumpswap.model.booked import BookedRound
    from pumpswap.storage.run_header import RunHeader

__all__ = [
    "NO_RUNS",
    "amount_text",
    "books_table",
    "coloured",
    "duration_text",
    "entry_json",
    "iso_time",
    "mark_json",
    "name_of",
    "position_json",
    "price_text",
    "run_json",
    "run_option",
    "run_text",
    "short_sol",
    "signed_sol",
    "time_at",
    "tokens_text",
]

_F = TypeVar("_F", bound=Callable[..., Any])
_LONG = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
NO_RUNS = "There are no books yet. `pumpswap demo` makes some."


def run_option(callback: _F) -> _F:
    """``--run N``."""
    text = "Number of the run (see runs list). Default: the live books that go on, else the newest run."
    return option("--run", "run_id", type=RUN, metavar="N", help=text)(callback)


# ---------------------------------------------------------------------------------------------- for people


def books_table(**attributes: Any) -> Table:
    """A table with little between its columns: seven figures fit 80 characters."""
    from rich import box
    from rich.table import Table

    return Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), **attributes)


def run_text(books: Books, as_of_ns: int) -> str:
    """``Run 3, live on mainnet, as of 2026-11-02 00:30:00 UTC``, and on a second line the wallet."""
    header = books.header
    where = f" on {books.network}" if books.network else ""
    whose = f"\nWallet {header.wallet}" if header.wallet else ""
    return f"Run {header.run_id}, {header.kind}{where}, as of {time_at(as_of_ns)}{whose}"


def name_of(position: Position | BookedRound) -> str:
    """What people call it. Strangers choose the names of coins, so nothing in them steers a terminal."""
    from pumpswap.storage.history import MINT_PREFIX

    return printable(position.name) or position.mint[:MINT_PREFIX]


def coloured(text: str, figure: int) -> Text:
    """Green where ``figure`` is a gain, red where it is a loss."""
    from rich.text import Text

    return Text(text, style="green" if figure > 0 else "red" if figure < 0 else "")


def time_at(at_ns: int) -> str:
    """``2026-11-02 00:30:00 UTC``; a figure that is no time of this world stays a figure."""
    try:
        return f"{format_utc(at_ns)} UTC"
    except (ValueError, OverflowError, OSError):
        return f"{at_ns} ns"


def duration_text(seconds: int) -> str:
    """``15 min``: the largest unit that fits; seconds up to two minutes, where each of them counts."""
    fitting = (f"{seconds // unit} {name}" for unit, name in _LONG if seconds >= (120 if unit == 60 else unit))
    return next(fitting, f"{max(seconds, 0)} s")


def short_sol(lamports: int, *, signed: bool = False) -> str:
    """SOL for a column: four decimals, more of a small amount. The unit stands in the heading."""
    places = 4 if abs(lamports) >= 10**8 or not lamports else 6 if abs(lamports) >= 10**6 else 9
    text = decimal_text(Fraction(abs(lamports), 10**9), places)
    return f"{'−' if lamports < 0 else '+' if signed and lamports else ''}{text}"


def signed_sol(lamports: int) -> str:
    """``+0.25 SOL`` with every digit; zero has no sign."""
    return sol_text(lamports, signed=lamports > 0).replace("-", "−")


def tokens_text(base_units: int, decimals: int | None, *, exact: bool = False) -> str:
    """Whole tokens where the decimals are known, else raw units, which are called so."""
    from pumpswap.units import format_units

    if decimals is None:
        return f"{base_units:,} raw"
    return format_units(base_units, decimals) if exact else significant_text(Fraction(base_units, 10**decimals))


def amount_text(base_units: int, decimals: int | None) -> str:
    """``250,000 tokens``, or raw units where the decimals are not known; every digit."""
    text = tokens_text(base_units, decimals, exact=True)
    return f"{base_units:,} raw units" if decimals is None else f"{text} tokens"


def price_text(lamports: int, base_units: int, decimals: int | None) -> str:
    """SOL per whole token, or lamports per raw unit where the decimals are not known."""
    if not base_units:
        return ""
    price = Fraction(lamports, base_units)
    if decimals is None:
        return f"{significant_text(price)} lamports per raw unit"
    return f"{significant_text(price * Fraction(10) ** (decimals - 9))} SOL per token"


# ---------------------------------------------------------------------------------------------- for scripts


def iso_time(at_ns: int | None) -> str | None:
    """``2026-11-02T00:30:00.123456789Z``: UTC, to the nanosecond."""
    if at_ns is None:
        return None
    try:
        return f"{format_utc(at_ns).replace(' ', 'T')}.{at_ns % NS_PER_SECOND:09d}Z"
    except (ValueError, OverflowError, OSError):
        return None


def run_json(header: RunHeader) -> dict[str, Any]:
    """A run without its settings and summary."""
    from pumpswap.chain.networks import network_of

    return {
        "run_id": str(header.run_id),
        "kind": header.kind,
        "started_at": iso_time(header.started_ns),
        "finished_at": iso_time(header.finished_ns),
        "seed": None if header.seed is None else str(header.seed),
        "wallet": header.wallet,
        "network": None if header.network is None else network_of(header.network),
        "genesis": header.network,
    }


def position_json(position: Position) -> dict[str, Any]:
    """A round, exactly."""
    amounts = ("cost", "bought", "sold", "realised", "rent")
    return {
        "name": position.name,
        "pool": position.pool,
        "mint": position.mint,
        "round": position.round,
        "is_open": position.is_open,
        "opened_at": iso_time(position.opened_ns),
        "closed_at": iso_time(position.closed_ns),
        "last_trade_at": iso_time(position.last_trade_ns or None),
        "base_units": str(position.base_units),
        **{f"{name}_lamports": str(getattr(position, f"{name}_lamports")) for name in amounts},
        "buys": position.buys,
        "sells": position.sells,
    }


def mark_json(mark: Mark) -> dict[str, Any]:
    """A mark, exactly."""
    return {
        "at": iso_time(mark.at_ns),
        "state_at": iso_time(mark.state_ns),
        "base_units": str(mark.base_units),
        "value_lamports": None if mark.obstacle else str(mark.value_lamports),
        "obstacle": mark.obstacle or None,
    }


def entry_json(entry: LedgerEntry) -> dict[str, Any]:
    """A ledger entry, exactly."""
    return {
        "sequence": entry.sequence,
        "at": iso_time(entry.at_ns),
        "slot": entry.slot or None,
        "asset": entry.asset,
        "units": str(entry.units),
        "kind": entry.kind.value,
        "order_id": entry.order_id or None,
        "signature": entry.signature or None,
        "note": entry.note or None,
    }
