"""Tables, columns and rights of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from pumpswap.errors import ConfigError
from pumpswap.storage.host.relation import Relation

__all__ = ["find", "own_schema"]

# Temporary tables hide others, but they are nobody's host.
_TABLES = text("""
SELECT c.oid, n.nspname, c.relname, c.relkind IN ('r', 'p') AS is_table, pg_table_is_visible(c.oid) AS is_visible,
       pg_get_userbyid(c.relowner) AS owner, pg_has_role(c.relowner, 'USAGE') AS is_owner,
       has_table_privilege(c.oid, 'SELECT') AS may_select, has_table_privilege(c.oid, 'UPDATE') AS may_update,
       has_table_privilege(c.oid, 'REFERENCES') AS may_reference
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname IN :names AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND has_schema_privilege(n.oid, 'USAGE')
""")
_COLUMNS = text("""
SELECT attname, format_type(atttypid, atttypmod) AS kind, attgenerated <> '' AS computed FROM pg_attribute
WHERE attrelid = :oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum
""")
_UNIQUE = text("""
SELECT i.indimmediate FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'id'
WHERE i.indrelid = :oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
""")
_COLLATION = text("""
SELECT co.collisdeterministic FROM pg_attribute a JOIN pg_collation co ON co.oid = a.attcollation
WHERE a.attrelid = :oid AND a.attname = 'id'
""")


def find(connection: Connection, names: Sequence[str]) -> list[Relation]:
    """The relations with these names, in every schema that this login may look into."""
    query = _TABLES.bindparams(bindparam("names", expanding=True))
    relations = []
    for row in connection.execute(query, {"names": list(names)}).mappings().all():
        columns = connection.execute(_COLUMNS, {"oid": row["oid"]}).all()
        rights = {
            "owner": row["is_owner"],
            "select": row["may_select"],
            "update": row["may_update"],
            "references": row["may_reference"],
        }
        relations.append(
            Relation(
                row["relname"],
                {column.attname: column.kind for column in columns},
                schema=row["nspname"],
                is_table=row["is_table"],
                is_visible=row["is_visible"],
                id_obstacle=_id_obstacle(connection, row["oid"], row["relname"]),
                obstacles=tuple(name for name, granted in rights.items() if not granted),
                owner=row["owner"],
                computed=frozenset(column.attname for column in columns if column.computed),
            )
        )
    return relations


def own_schema(connection: Connection) -> str:
    """Where an unqualified CREATE TABLE puts a table. Raises ConfigError when nowhere."""
    schema = connection.execute(text("SELECT current_schema()")).scalar()
    if schema is None:
        raise ConfigError(
            "the search path of this login names no schema that exists",
            hint="name one in the URL: ?options=-csearch_path%3DSCHEMA",
        )
    return str(schema)


def _id_obstacle(connection: Connection, oid: int, name: str) -> str:
    unique = connection.execute(_UNIQUE, {"oid": oid}).scalars().all()
    if not unique:
        return f"{name}.id is neither its primary key nor unique"
    if not any(unique):
        return f"{name}.id is unique only at the end of a transaction"
    if connection.execute(_COLLATION, {"oid": oid}).scalar() is False:
        return f"{name}.id has a collation for which different texts are equal"
    return ""
