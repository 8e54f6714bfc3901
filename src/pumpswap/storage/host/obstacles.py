"""What must be refused before anything is changed: rights that are missing, and names that somebody else has taken."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, PrimaryKeyConstraint, UniqueConstraint, inspect, text

from pumpswap.errors import StorageError
from pumpswap.storage.host.detect import Host
from pumpswap.storage.host.journal import ATTACHMENTS
from pumpswap.storage.host.relation import Relation
from pumpswap.storage.migrate import VERSION_TABLE
from pumpswap.storage.tables import METADATA

__all__ = ["check_names", "check_rights"]

# A column by which a table is known as ours in every version of it: no table of the plan has ``run_id``.
_SIGN_OF_OURS = {
    "pumpswap_collect_cycles": "next_page",
    "pumpswap_collect_pools": "snapshot_due_ns",
    "pumpswap_deliveries": "first_alert",
    "pumpswap_memory": "document",
    "pumpswap_mutes": "until_ns",
    "pumpswap_sweeps": "sweep_id",
    "pumpswap_trials": "sweep_id",
}
_SIGN_OF_BOOKS = "run_id"
_NAMES_TAKEN = text("""
SELECT c.relname, coalesce(t.relname, '') FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_class t ON t.oid = i.indrelid
WHERE c.relnamespace = to_regnamespace(quote_ident(:schema)) AND c.relkind IN ('i', 'I')
""")


def check_rights(connection: Connection, host: Host, *, alters: Collection[Relation], creates: bool) -> None:
    """PostgreSQL: raise StorageError when this login may not do what is going to be done.

    ``alters``: tables of the host that get or lose a column; ``creates``: whether tables of ours are made.
    """
    if host.engine != "postgresql":
        return
    if connection.execute(
        text("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool")
    ).scalar():
        raise StorageError(
            "this database can only be read", hint="use a login that may write, on the primary server, not a replica"
        )
    for relation in alters:
        if "owner" in relation.obstacles:
            raise StorageError(
                f"only the owner of {relation.name} ({relation.owner}) can add a column to it, or drop one",
                hint=f"use the login {relation.owner}, or as that login: GRANT {relation.owner} TO your login",
            )
    _check_pools(host.pools)
    may_create = connection.execute(
        text("SELECT has_schema_privilege(:schema, 'CREATE')"), {"schema": host.own_schema}
    ).scalar()
    if creates and not may_create:
        raise StorageError(
            f"this login may not create tables in the schema {host.own_schema}",
            hint=f"as its owner: GRANT CREATE ON SCHEMA {host.own_schema} TO your login; or name another search_path",
        )


def _check_pools(pools: Relation) -> None:
    missing = [name for name in pools.obstacles if name != "owner"]
    if missing:
        raise StorageError(
            f"this login has no {missing[0].upper()} right on {pools.name}, which belongs to {pools.owner}",
            hint=f"as that login: GRANT SELECT, UPDATE, REFERENCES ON {pools.name} TO your login",
        )


def check_names(connection: Connection, host: Host) -> None:
    """Raise StorageError when a table, or an index, with a name of ours is not ours."""
    inspector = inspect(connection)
    schemas = dict.fromkeys((host.own_schema, host.pools.schema))
    is_ours = inspector.has_table(VERSION_TABLE, schema=host.own_schema)
    for schema in schemas:
        for name in (*METADATA.tables, ATTACHMENTS.name):
            if not inspector.has_table(name, schema=schema):
                continue
            columns = {column["name"] for column in inspector.get_columns(name, schema=schema)}
            sign = _SIGN_OF_OURS.get(name, _SIGN_OF_BOOKS) if name in METADATA.tables else "host_table"
            if not is_ours or schema != host.own_schema or sign not in columns:
                shown = name if schema in (None, "public") else f"{schema}.{name}"
                raise StorageError(
                    f"there is a table {shown} that pumpswap has not made; nothing was changed",
                    hint=f"keep its rows: ALTER TABLE {shown} RENAME TO {name}_by_hand; or drop it when it is empty",
                )
    _check_indexes(connection, host)


def _check_indexes(connection: Connection, host: Host) -> None:
    """A renamed table keeps the names of its indexes, and these are unique in a database (or a schema)."""
    ours = {str(index.name) for table in METADATA.tables.values() for index in table.indexes}
    ours |= {
        str(constraint.name)
        for table in METADATA.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, (PrimaryKeyConstraint, UniqueConstraint))
    }
    if host.engine == "sqlite":
        taken = connection.execute(text("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'")).all()
    else:
        taken = connection.execute(_NAMES_TAKEN, {"schema": host.own_schema}).all()
    for name, table in taken:
        if name in ours and table not in METADATA.tables:
            change = (
                f"ALTER INDEX {name} RENAME TO {name}_by_hand" if host.engine == "postgresql" else f"DROP INDEX {name}"
            )
            raise StorageError(
                f"the index {name} of the table {table} has a name that pumpswap needs; nothing was changed",
                hint=f"{change}; then attach again",
            )
