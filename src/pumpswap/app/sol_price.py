"""What a SOL was worth in dollars: as the settings say, else as the collector's rows imply it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal, localcontext
from itertools import islice
from statistics import median

from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.errors import BadInput, NotFound, StorageError
from pumpswap.market.data_row import DataRow
from pumpswap.market.host_database import SNAPSHOTS
from pumpswap.market.snapshot_file import complete_time
from pumpswap.settings import Settings
from pumpswap.storage.database import Database
from pumpswap.storage.host_reader import HostMoment, HostReader

__all__ = ["SolPrice", "sol_price"]

_DAY_NS = 86_400 * NS_PER_SECOND
_MOST_ROWS = 200  # the newest of that time; their median is not moved by a few pools with prices of their own
_USD, _NATIVE = "base_token_price_usd", "base_token_price_native_currency"
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class SolPrice:
    """Dollars for one SOL, None where nobody has told. ``source`` says in words where it is from, or why there is none;
    ``at_ns`` is the time of the newest row, None for the settings'.
    """

    usd: Decimal | None
    source: str
    at_ns: int | None = None


def sol_price(settings: Settings, database: Database | None, at_ns: int) -> SolPrice:
    """At about that time: not more than a day away from it. ``database`` is the one of the books.

    A coin's price in dollars over its price in SOL is what a SOL costs: the median of that time's newest rows. A
    collector's database that cannot be read is no reason to have no report: then there are no dollars, and ``source``
    says why.
    """
    if settings.reports.sol_usd is not None:
        return SolPrice(settings.reports.sol_usd, "reports.sol_usd of the settings")
    try:
        with _collected(settings, database) as moment:
            return _implied(moment, at_ns)
    except (BadInput, NotFound, StorageError) as error:
        return SolPrice(None, f"the collector's rows cannot be read: {error}")


def _collected(settings: Settings, database: Database | None) -> AbstractContextManager[HostMoment]:
    """The collector's tables. Raises NotFound where there are none."""
    named = settings.run.collector
    if named is not None:
        return HostReader(named.get_secret_value()).moment()
    if database is None:
        raise NotFound("there is no database yet", hint="`pumpswap demo` makes one")
    return database.other_tables()


def _implied(moment: HostMoment, at_ns: int) -> SolPrice:
    if not {"id", "collected_at", _USD, _NATIVE} <= moment.columns(SNAPSHOTS):
        return SolPrice(None, "no price of SOL is known: set reports.sol_usd, or let `pumpswap collect` run")
    columns = ("id", "collected_at", _USD, _NATIVE)
    rows = moment.rows_of_days(SNAPSHOTS, columns, "collected_at", *_days_around(at_ns))
    of_that_day = (each for row in rows if (each := _told(row, at_ns)) is not None)
    found = list(islice(of_that_day, _MOST_ROWS))
    if not found:
        return SolPrice(None, "the collector has no price of SOL of that day: set reports.sol_usd")
    with localcontext() as context:
        context.prec = _DIGITS
        return SolPrice(+median(price for _, price in found), "the collector's rows", max(at for at, _ in found))


def _days_around(at_ns: int) -> tuple[str, str]:
    """The days that may be less than a day away, whatever the zone of the database: ``_told`` looks closer."""
    since, before = (format_utc(at_ns + days * _DAY_NS)[:10] for days in (-2, 3))
    return since, before


def _told(row: dict[str, str], at_ns: int) -> tuple[int, Decimal] | None:
    """(when, dollars for a SOL) of a row of that day; None for one that tells nothing."""
    told = DataRow(SNAPSHOTS, f"id {row['id']}", row)
    when = complete_time(told.text("collected_at"))
    usd, native = told.number(_USD), told.number(_NATIVE)
    if when is None or abs(when - at_ns) > _DAY_NS or not usd or not native or usd <= 0 or native <= 0:
        return None
    with localcontext() as context:
        context.prec = 2 * _DIGITS
        return when, usd / native
