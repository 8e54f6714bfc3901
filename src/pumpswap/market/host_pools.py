"""HostPool: a pool as the host's database knows it, with its mint resolved or the reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from solders.pubkey import Pubkey

from pumpswap.amm.addresses import WSOL_MINT
from pumpswap.market.data_row import DataRow
from pumpswap.market.identifiers import bare_address, network_of
from pumpswap.market.snapshot_file import complete_time

__all__ = ["POOL_COLUMNS", "HostPool", "OtherMints", "read_pools"]

PAIR_COLUMN = "pumpswap_pair_address"
POOL_COLUMNS = (
    "id",
    "address",
    "name",
    "dex_id",
    "base_token_id",
    "quote_token_id",
    "reserve_usd",
    "created_at",
    PAIR_COLUMN,
)


@dataclass(frozen=True, slots=True)
class HostPool:
    """One row of the host's ``pools``.

    ``base_mint`` comes from the pool, else from its snapshots, else from the watchlist; where no mint can be believed
    it is None and ``obstacle`` says why. ``reserve_usd`` counts both sides. ``stored_pair`` is the column for the
    PumpSwap pool, where ``pumpswap db attach`` has made it.
    """

    pool_id: str
    address: str
    network: str
    dex: str
    name: str
    base_mint: str | None
    quote_mint: str | None
    reserve_usd: Decimal | None
    created_ns: int | None
    stored_pair: str | None
    obstacle: str = ""

    @property
    def pair_address(self) -> str | None:
        """The PumpSwap pool account: as stored, else the address itself where the host says that it is PumpSwap's.

        Nothing here has asked the chain who owns that account.
        """
        if self.stored_pair is not None:
            return self.stored_pair
        return self.address if self.dex == "pumpswap" and self.network == "solana" else None


class OtherMints:
    """What other tables say of the mints of pools, by pool address."""

    def __init__(self) -> None:
        self._base: dict[str, set[str]] = {}
        self._quote: dict[str, set[str]] = {}
        self._watched: dict[str, set[str]] = {}

    def read_snapshots(self, rows: Iterable[DataRow]) -> None:
        """``new_pools_history``: pool_id, base_token_id, quote_token_id."""
        for row in rows:
            pool = bare_address(row.text("pool_id"))
            for column, told in (("base_token_id", self._base), ("quote_token_id", self._quote)):
                if mint := bare_address(row.text(column)):
                    told.setdefault(pool, set()).add(mint)

    def read_watchlist(self, rows: Iterable[DataRow]) -> None:
        """``watchlist``: pool_id, network_address, which in rows that the host writes by itself is the pool's own."""
        for row in rows:
            pool, mint = bare_address(row.text("pool_id")), bare_address(row.text("network_address"))
            if mint and mint != pool:
                self._watched.setdefault(pool, set()).add(mint)

    def base(self, pool: str) -> set[str]:
        """Mints of the token, from the best table that knows one."""
        return self._base.get(pool) or self._watched.get(pool) or set()

    def quote(self, pool: str) -> set[str]:
        """Mints of the other side."""
        return self._quote.get(pool) or set()


def read_pools(rows: Iterable[DataRow], others: OtherMints) -> Iterator[HostPool]:
    """Pools in the order of the rows. Raises BadInput for a row without an id and for an unreadable reserve."""
    for row in rows:
        pool_id = row.text("id")
        if not pool_id:
            raise row.bad("id", "is no pool")
        address = bare_address(row.text("address") or pool_id)
        base, base_obstacle = _only(_stated(row, "base_token_id") or others.base(address))
        quote, quote_obstacle = _only(_stated(row, "quote_token_id") or others.quote(address))
        network = network_of(pool_id)
        obstacle = base_obstacle or quote_obstacle
        if bare_address(pool_id) != address:
            obstacle = f"its id names another pool than its address: {address}"
        elif not obstacle and network == "solana":
            obstacle = _why_no_mint(base, address)
        yield HostPool(
            pool_id=pool_id,
            address=address,
            network=network,
            dex=row.text("dex_id"),
            name=row.text("name"),
            base_mint=None if obstacle else base,
            quote_mint=quote,
            reserve_usd=row.number("reserve_usd"),
            created_ns=complete_time(row.text("created_at")),
            stored_pair=bare_address(row.text(PAIR_COLUMN)) or None,
            obstacle=obstacle,
        )


def _stated(row: DataRow, column: str) -> set[str]:
    mint = bare_address(row.text(column))
    return {mint} if mint else set()


def _only(mints: set[str]) -> tuple[str | None, str]:
    """The one mint of a set, and what is wrong with a set of several."""
    if len(mints) > 1:
        return None, f"its rows disagree on the mint: {', '.join(sorted(mints))}"
    return next(iter(mints), None), ""


def _why_no_mint(mint: str | None, address: str) -> str:
    if mint is None:
        return "the mint of the pool is not known"
    if mint == str(WSOL_MINT):
        return "the mint of the pool is wrapped SOL itself"
    if mint == address:
        return "the mint of the pool is the pool's own address"
    try:
        Pubkey.from_string(mint)
    except ValueError:
        return f"{mint!r} is no mint"
    return ""
