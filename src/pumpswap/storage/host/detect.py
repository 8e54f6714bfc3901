"""What kind of host database this is: found by looking at its tables and columns, never assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from pumpswap.errors import NotFound, StorageError
from pumpswap.storage.host import catalog_postgres, catalog_sqlite
from pumpswap.storage.host.relation import Relation

__all__ = ["ENHANCED", "POOLS", "VECTORS", "Host", "detect"]

POOLS, ENHANCED, VECTORS = "pools", "new_pools_history_enhanced", "pool_feature_vectors"
_MIGRATED, _HISTORY = "alembic_version", "new_pools_history"
_WANTED = (POOLS, ENHANCED, VECTORS, _MIGRATED, _HISTORY)
_SIGN_OF_2026 = "rf_score"


@dataclass(frozen=True, slots=True)
class Host:
    """The host's tables that concern us. ``own_schema`` is where our tables are, or will be; None on SQLite."""

    engine: str
    own_schema: str | None
    pools: Relation
    others: Mapping[str, Relation] = field(default_factory=dict)

    @property
    def enhanced(self) -> Relation | None:
        """``new_pools_history_enhanced``, when it is there."""
        return self.others.get(ENHANCED)

    @property
    def vectors(self) -> Relation | None:
        """``pool_feature_vectors``, when it is there."""
        return self.others.get(VECTORS)

    def describe(self) -> str:
        """One line for people."""
        history = self.others.get(_HISTORY)
        parts = ["PostgreSQL" if self.engine == "postgresql" else "SQLite"]
        parts.append("made by Alembic migrations" if _MIGRATED in self.others else "made by start-up code")
        parts.append(f"with{'' if self.enhanced else 'out'} the enhanced tables")
        if history is not None:
            parts.append(f"with{'' if history.has(_SIGN_OF_2026) else 'out'} the columns of 2026")
        if self.pools.schema not in (None, "public"):
            parts.append(f"in schema {self.pools.schema}")
        return ", ".join(parts)


def detect(connection: Connection) -> Host:
    """Look for the host's tables.

    Raises NotFound when there is no table ``pools``, StorageError when there are several, or when it lacks ``id``.
    """
    catalog = catalog_sqlite if connection.dialect.name == "sqlite" else catalog_postgres
    found = catalog.find(connection, _WANTED)
    pools = _only_pools([one for one in found if one.name.lower() == POOLS])
    if not pools.has("id"):
        raise StorageError(
            "the table pools has no column id: this is no host database",
            hint="for a database of our own use `pumpswap db upgrade`",
        )
    others = {one.name.lower(): one for one in found if one.schema == pools.schema and one.name.lower() != POOLS}
    return Host(connection.dialect.name, catalog.own_schema(connection), pools, others)


def _only_pools(found: list[Relation]) -> Relation:
    """The table ``pools`` on the search path, else the only one there is."""
    tables = [one for one in found if one.is_table]
    seen = [one for one in tables if one.is_visible]
    if len(seen or tables) == 1:
        return (seen or tables)[0]
    if tables:
        places = ", ".join(sorted(str(one.schema) for one in tables))
        raise StorageError(
            f"there are several tables pools: in the schemas {places}",
            hint="choose one in the URL: ?options=-csearch_path%3DSCHEMA",
        )
    what = "pools is a view, not a table" if found else "there is no table pools"
    raise NotFound(
        f"{what}: this is no host database", hint="for a database of our own use `pumpswap db upgrade` instead"
    )
