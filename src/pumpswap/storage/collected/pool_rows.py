"""Rows of dexes, tokens, pools and the watchlist: stored once, in the order of their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, or_, select

from pumpswap.model.collected import SeenPool, SeenToken
from pumpswap.storage.collected.rows import change, insert_new, moment, present
from pumpswap.storage.collected.shape import TableShape, Unfit

__all__ = ["PoolRows", "StoredPools"]

_PUMPSWAP, _PAIR = "pumpswap", "pumpswap_pair_address"


@dataclass
class StoredPools:
    """What became of the pools of one answer: ids under which they are stored, new ones, and what did not fit."""

    ids: dict[str, str] = field(default_factory=dict)  # by address
    new: set[str] = field(default_factory=set)  # addresses
    unfit: dict[str, str] = field(default_factory=dict)  # reason by address


class PoolRows:
    """The pools of one answer, in one write transaction."""

    def __init__(self, connection: Connection, shapes: Mapping[str, TableShape]) -> None:
        self._connection = connection
        self._shapes = shapes

    def store(self, pools: Sequence[SeenPool]) -> StoredPools:
        """Insert what is new; of a known pool the reserve changes, and what was not known before."""
        stored = StoredPools()
        known = self._known(pools)
        tokens = self._tokens(pools)
        fitting = []
        for pool in pools:
            try:
                row = self._fitted(pool, known.get(pool.address), tokens)
            except Unfit as unfit:
                stored.unfit[pool.address] = str(unfit)
                continue
            stored.ids[pool.address] = row["id"]
            fitting.append((pool, row))
        self._store_dexes([pool for pool, _ in fitting])
        self._store_tokens([pool for pool, _ in fitting], tokens)
        new = [(pool, row) for pool, row in fitting if pool.address not in known]
        stored.new = {pool.address for pool, _ in new}
        insert_new(self._connection, self._shapes["pools"], [row for _, row in new])
        self._refresh([(pool, row) for pool, row in fitting if pool.address in known], known)
        return stored

    def watch(self, pools: Sequence[tuple[SeenPool, str]]) -> int:
        """Put pools (with their ids) on the watchlist; entries that are there stay as they are. Returns how many."""
        shape = self._shapes.get("watchlist")
        if shape is None:
            return 0
        listed = present(self._connection, shape, "pool_id", [pool_id for _, pool_id in pools])
        rows = []
        for pool, pool_id in pools:
            if pool_id in listed:
                continue
            at = moment(pool.at_ns)
            token = pool.base or SeenToken("")
            values: dict[str, Any] = {
                "pool_id": pool_id,
                "token_symbol": token.symbol or pool.name or None,
                "token_name": token.name or pool.name or None,
                # The mint. The host's automatic path writes the pool's own address here.
                "network_address": token.address or None,
                "is_active": True,
                "created_at": at,
                "updated_at": at,
                "added_at": at,
                "metadata_json": {},
            }
            rows.append(shape.fitted(values))
        insert_new(self._connection, shape, rows)
        return len(rows)

    def _known(self, pools: Sequence[SeenPool]) -> dict[str, dict[str, Any]]:
        """Stored rows by address, under either form of id."""
        shape = self._shapes["pools"]
        table = shape.light("id", "name", "base_token_id", "quote_token_id", _PAIR)
        address_of = {one: pool.address for pool in pools for one in (pool.address, pool.pool_id)}
        if not address_of:
            return {}
        query = select(table).where(table.c.id.in_(sorted(address_of)))
        found: dict[str, dict[str, Any]] = {}
        for row in self._connection.execute(query).mappings():
            # An id with its network comes first, where a database has both.
            address = address_of[row["id"]]
            if address not in found or row["id"] != address:
                found[address] = dict(row)
        return found

    def _tokens(self, pools: Sequence[SeenPool]) -> dict[tuple[str, str], str]:
        """Ids of the tokens of these pools by network and mint: as stored, else the bare mint."""
        shape = self._shapes.get("tokens")
        mints = {(pool.network, one.address) for pool in pools for one in (pool.base, pool.quote) if one is not None}
        ids = {key: key[1] for key in mints}
        if shape is None or not mints:
            return ids
        table = shape.light("id", "address", "network")
        wanted = sorted({mint for _, mint in mints} | {f"{network}_{mint}" for network, mint in mints})
        query = select(table).where(or_(table.c.id.in_(wanted), table.c.address.in_(wanted)))
        for row in self._connection.execute(query).mappings():
            for network, mint in mints:
                is_same = row["network"] == network and mint in (row["address"], row["id"])
                if is_same or row["id"] == f"{network}_{mint}":
                    ids[network, mint] = row["id"]
        return ids

    def _fitted(
        self, pool: SeenPool, known: Mapping[str, Any] | None, tokens: Mapping[tuple[str, str], str]
    ) -> dict[str, Any]:
        shape = self._shapes["pools"]
        at = moment(pool.at_ns)
        is_pair = pool.dex == _PUMPSWAP and pool.network == "solana"
        values: dict[str, Any] = {
            "id": known["id"] if known else pool.pool_id,
            "address": pool.address,
            "name": pool.name or None,
            "dex_id": pool.dex,
            "base_token_id": tokens[pool.network, pool.base.address] if pool.base else None,
            "quote_token_id": tokens[pool.network, pool.quote.address] if pool.quote else None,
            "reserve_usd": pool.reserve_usd,
            "created_at": moment(pool.created_ns) or at,
            "last_updated": at,
            "discovery_source": "auto",
            "collection_priority": "normal",
            "auto_discovered_at": at,
            "metadata_json": {},
            _PAIR: pool.address if is_pair else None,
        }
        for token in (pool.base, pool.quote):
            if token is not None and "tokens" in self._shapes:
                self._shapes["tokens"].fitted(_token_values(pool, token, token.address))
        if "dexes" in self._shapes:
            self._shapes["dexes"].fitted(_dex_values(pool))
        return shape.fitted(values)

    def _store_dexes(self, pools: Sequence[SeenPool]) -> None:
        shape = self._shapes.get("dexes")
        if shape is None:
            return
        known = present(self._connection, shape, "id", [pool.dex for pool in pools])
        first = {pool.dex: pool for pool in reversed(pools) if pool.dex not in known}
        insert_new(self._connection, shape, [shape.fitted(_dex_values(pool)) for pool in first.values()])

    def _store_tokens(self, pools: Sequence[SeenPool], ids: Mapping[tuple[str, str], str]) -> None:
        shape = self._shapes.get("tokens")
        if shape is None:
            return
        known = present(self._connection, shape, "id", ids.values())
        rows: dict[str, dict[str, Any]] = {}
        for pool in pools:
            for token in (pool.base, pool.quote):
                if token is None:
                    continue
                token_id = ids[pool.network, token.address]
                if token_id not in known and token_id not in rows:
                    rows[token_id] = shape.fitted(_token_values(pool, token, token_id))
        insert_new(self._connection, shape, list(rows.values()))

    def _refresh(
        self, seen: Sequence[tuple[SeenPool, Mapping[str, Any]]], known: Mapping[str, Mapping[str, Any]]
    ) -> None:
        rows = []
        for pool, row in seen:
            before = known[pool.address]
            changed = {name: row[name] for name in ("id", "reserve_usd", "last_updated") if name in row}
            if pool.reserve_usd is None:
                changed.pop("reserve_usd", None)
            for name in ("name", "base_token_id", "quote_token_id", _PAIR):
                if name in row and before.get(name) is None and row[name] is not None:
                    changed[name] = row[name]
            rows.append(changed)
        for columns in {tuple(row) for row in rows}:
            change(self._connection, self._shapes["pools"], "id", [row for row in rows if tuple(row) == columns])


def _dex_values(pool: SeenPool) -> dict[str, Any]:
    at = moment(pool.at_ns)
    return {
        "id": pool.dex,
        "name": pool.dex_name or pool.dex,
        "network": pool.network,
        "created_at": at,
        "last_updated": at,
        "metadata_json": {},
    }


def _token_values(pool: SeenPool, token: SeenToken, token_id: str) -> dict[str, Any]:
    at = moment(pool.at_ns)
    return {
        "id": token_id,
        "address": token.address,
        "name": token.name or None,
        "symbol": token.symbol or None,
        "decimals": token.decimals,
        "network": pool.network,
        "created_at": at,
        "last_updated": at,
        "metadata_json": {},
    }
