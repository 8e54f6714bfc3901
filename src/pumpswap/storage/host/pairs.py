"""Pair addresses: the column of ``pools`` that attach adds, and what it is filled with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solders.pubkey import Pubkey
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import DataError, IntegrityError

from pumpswap.errors import StorageError
from pumpswap.storage.host.detect import Host
from pumpswap.storage.host.journal import Attachment, JournalKind
from pumpswap.storage.host.relation import Relation
from pumpswap.storage.host.triggers import resting

__all__ = [
    "AVAILABLE",
    "PAIR",
    "PREFIX",
    "Filled",
    "available_column",
    "bare_address",
    "empty_again",
    "fill",
    "fillable",
    "is_text",
    "of_pumpswap",
    "pair_column",
    "pools_table",
]

PAIR, AVAILABLE = "pumpswap_pair_address", "pumpswap_available"
DEX = "pumpswap"
PREFIX = "solana_"


@dataclass(frozen=True, slots=True)
class Filled:
    """``unreadable``: rows whose address is none of 32 bytes in base58; they stay NULL."""

    filled: int
    unreadable: int


def pair_column(pools: Relation) -> Column[str]:
    """``pools.pumpswap_pair_address``, as the plan has it."""
    return Column(PAIR, Text() if pools.is_strict else String(), nullable=True)


def available_column(enhanced: Relation) -> Column[bool]:
    """``new_pools_history_enhanced.pumpswap_available``, as the plan has it."""
    if enhanced.is_strict:
        return Column(AVAILABLE, Integer(), server_default=text("0"))  # type: ignore[arg-type]
    return Column(AVAILABLE, Boolean(create_constraint=False), server_default=false())


def is_text(kind: str | None) -> bool:
    """Whether a column of this type holds texts as they are: not padded, not folded, no list of them."""
    base = (kind or "").split("(")[0].strip()
    is_odd = base in ("character", "bpchar", "citext", '"char"') or (kind or "").endswith("[]")
    return not is_odd and any(word in base for word in ("char", "text", "clob"))


def bare_address(address: object) -> str | None:
    """An address without its network, when it is one of Solana: 32 bytes in base58. SQLite may hold anything."""
    if not isinstance(address, str):
        return None
    bare = address.removeprefix(PREFIX)
    try:
        return bare if str(Pubkey.from_string(bare)) == bare else None
    except ValueError:
        return None


def fill(connection: Connection, host: Host, *, refused: Sequence[str]) -> Filled:
    """Fill the column where it is NULL or '', from the pools' own addresses; pools in ``refused`` stay as they are.

    One statement: which addresses are none is found out here, and said in it.
    """
    pools = pools_table(host)
    empty = _empty(host, pools)
    if refused:
        empty.append(pools.c.id.not_in(_literals(refused)))
    addresses: list[object] = list(connection.execute(select(pools.c.address).where(*empty)).scalars())
    bad = {one for one in addresses if isinstance(one, str) and bare_address(one) is None}
    unreadable = sum(bare_address(one) is None for one in addresses)
    if len(addresses) == unreadable:
        return Filled(0, unreadable)
    readable: list[ColumnElement[bool]] = [pools.c.address.is_not(None)]
    if connection.dialect.name == "sqlite":
        readable.append(func.typeof(pools.c.address) == "text")
    if bad:
        readable.append(pools.c.address.not_in(_literals(sorted(bad))))
    bare = case(
        (func.substr(pools.c.address, 1, len(PREFIX)) == PREFIX, func.substr(pools.c.address, len(PREFIX) + 1)),
        else_=pools.c.address,
    )
    with resting(connection, host):
        try:
            done = connection.execute(update(pools).where(*empty, *readable).values({PAIR: bare}))
        except (IntegrityError, DataError) as error:
            raise StorageError(
                f"{host.pools.name}.{PAIR} does not take every address: {error.orig}; nothing was changed",
                hint="drop the constraint on it that is named here, or make it wider",
            ) from error
    return Filled(done.rowcount, unreadable)


def fillable(connection: Connection, host: Host, *, refused: Sequence[str]) -> list[Attachment]:
    """What ``fill`` would write, by pool: kept for a column that was there before."""
    pools = pools_table(host)
    query = select(pools.c.id, pools.c.address, pools.c[PAIR].is_(None).label("is_null")).where(*_empty(host, pools))
    found = ((row.id, bare_address(row.address), row.is_null) for row in connection.execute(query))
    return [
        Attachment(JournalKind.VALUE if is_null else JournalKind.BLANK, host.pools.name, str(pool), bare)
        for pool, bare, is_null in found
        if bare and pool not in refused
    ]


def empty_again(connection: Connection, host: Host, values: Iterable[Attachment]) -> int:
    """Take back what attach has filled, unless somebody has changed it since. Returns the rows."""
    pools = pools_table(host)
    count = 0
    by_kind: dict[str, dict[str, str]] = {JournalKind.VALUE: {}, JournalKind.BLANK: {}}
    for one in values:
        by_kind[one.kind][one.name] = one.detail
    for kind, known in by_kind.items():
        where = (pools.c.id.in_(_literals(sorted(known))), pools.c[PAIR].is_not(None))
        rows = connection.execute(select(pools.c.id, pools.c[PAIR]).where(*where)).all() if known else []
        same = [str(row.id) for row in rows if row[1] == known.get(str(row.id))]
        if not same:
            continue
        statement = update(pools).where(pools.c.id.in_(_literals(same)))
        with resting(connection, host):
            count += connection.execute(statement.values({PAIR: None if kind == JournalKind.VALUE else ""})).rowcount
    return count


def pools_table(host: Host) -> Table:
    """``pools`` with the columns that concern us."""
    return host.pools.table("id", "address", "dex_id", PAIR)


def of_pumpswap(host: Host, pools: Table) -> ColumnElement[bool]:
    """Whether a pool is one of PumpSwap. A type of the host's own, like an enumeration, is compared as a text."""
    dex = pools.c.dex_id
    return (dex if is_text(host.pools.type_of("dex_id")) else cast(dex, String)) == DEX


def _empty(host: Host, pools: Table) -> list[ColumnElement[bool]]:
    """Pools without a pair address: NULL, or '' in somebody's column that cannot be NULL.

    One without an id (SQLite has such keys) could not be told from another.
    """
    has_none = or_(pools.c[PAIR].is_(None), pools.c[PAIR] == "")
    return [of_pumpswap(host, pools), has_none, pools.c.id.is_not(None)]


def _literals(values: Sequence[str]) -> ColumnElement[str]:
    # Written into the statement: there may be more of them than a statement can have parameters.
    return bindparam(None, list(values), expanding=True, literal_execute=True, type_=String())
