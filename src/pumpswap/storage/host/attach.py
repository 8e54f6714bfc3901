"""Attach: bring a host's database forward, in one transaction, as often as one likes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Table

from pumpswap.errors import StorageError
from pumpswap.storage import migrate
from pumpswap.storage.host import keys, pairs
from pumpswap.storage.host.connect import LOCK_MS, changing, open_host
from pumpswap.storage.host.detect import Host, detect
from pumpswap.storage.host.journal import Attachment, HostFacts, Journal, JournalKind, our_tables
from pumpswap.storage.host.keys import KEYS, Key, KeyState
from pumpswap.storage.host.locks import lock_alone
from pumpswap.storage.host.obstacles import check_names, check_rights
from pumpswap.storage.host.pairs import AVAILABLE, PAIR
from pumpswap.storage.host.plan import Plan, Recorder, Step
from pumpswap.storage.host.relation import Relation

__all__ = ["attach"]

_WHAT = "attaching"


def attach(target: str | Path, at_ns: int, *, dry_run: bool = False, lock_ms: int = LOCK_MS) -> Plan:
    """Add our tables, columns and keys to a host's database where they are missing, all or nothing.

    Nothing of the host's is overwritten. ``dry_run`` does the same and gives it up at the end, so that the plan holds
    exactly the SQL that would run. ``at_ns`` is written down beside what was made; ``lock_ms``: how long to wait for
    locks of others.

    Raises NotFound when this is no host database, TimedOut when somebody holds a lock, StorageError when rights are
    missing or somebody else's table has a name of ours. Nothing is changed in any of these cases.
    """
    with open_host(target, _WHAT, lock_ms=lock_ms, follows_keys=False) as engine:
        with engine.connect() as looking:
            mode = looking.exec_driver_sql("PRAGMA journal_mode").scalar() if engine.dialect.name == "sqlite" else ""
        with changing(engine, keep=not dry_run, lock_ms=lock_ms) as connection:
            host = detect(connection)
            check_names(connection, host)
            alters = _check_rights(connection, host)
            if alters:
                # pool_feature_vectors gets a key.
                lock_alone(connection, (*alters, host.vectors), our_tables(connection), lock_ms)
            attachment = _Attaching(connection, host, at_ns)
            attachment.run(str(mode))
            return Plan(host.describe(), tuple(attachment.recorder.steps), attachment.counts, kept=not dry_run)


def _check_rights(connection: Connection, host: Host) -> list[Relation]:
    """Those of the host's tables that get a column."""
    wanted = ((host.pools, PAIR), (host.enhanced, AVAILABLE))
    alters = [one for one, column in wanted if one is not None and one.is_table and not one.has(column)]
    check_rights(connection, host, alters=alters, creates=not Journal(connection).exists())
    kind = host.pools.type_of(PAIR)
    if kind is not None and not pairs.is_text(kind):
        raise StorageError(
            f"{host.pools.name}.{PAIR} is {kind}, and holds no addresses; nothing was changed",
            hint="make it VARCHAR, or drop it: attach adds it by itself",
        )
    return alters


class _Attaching:
    """The steps, in an open transaction."""

    def __init__(self, connection: Connection, host: Host, at_ns: int) -> None:
        self.connection = connection
        self.host = host
        self.recorder = Recorder(connection)
        self.journal = Journal(connection, at_ns)
        self.counts: Counter[str] = Counter()

    def run(self, journal_mode: str) -> None:
        pools = self.host.pools
        self._own_tables(HostFacts(pools.schema, pairs.is_text(pools.type_of("id")), journal_mode))
        was_there = self._column(pools, pairs.pair_column(pools))
        if self.host.enhanced is None:
            with self.recorder.step("available", f"column new_pools_history_enhanced.{AVAILABLE}") as step:
                step.skip("this host has no table new_pools_history_enhanced")
        else:
            self._column(self.host.enhanced, pairs.available_column(self.host.enhanced))
        self._fill(was_there=was_there)
        self._values()
        self._keys()

    def _own_tables(self, facts: HostFacts) -> None:
        with self.recorder.step("tables", "our own tables, in their newest version") as step:
            migrate.upgrade_within(self.connection)
            if not step.statements:
                step.present()
        with self.recorder.step("journal", "the journal of what attach makes") as step:
            if not self.journal.exists():
                self.journal.create()
            self.journal.set_facts(facts, self.host.pools.name)
            if not step.statements:
                step.present()

    def _column(self, relation: Relation, column: Column[Any]) -> bool:
        """Add it; returns whether somebody else had added it before."""
        entry = Attachment(JournalKind.COLUMN, relation.name, column.name)
        with self.recorder.step("column", f"column {relation.name}.{column.name}") as step:
            if relation.has(column.name):
                step.present()
            elif not relation.is_table:
                step.skip(f"{relation.name} is a view")
            else:
                self._operations().add_column(relation.name, column, schema=relation.schema)
                self.journal.add(entry)
        return not self.journal.has(entry)

    def _fill(self, *, was_there: bool) -> None:
        pools = self.host.pools
        with self.recorder.step("fill", f"{PAIR} of the pools whose dex_id is pumpswap, where it is empty") as step:
            if not (pools.has("address") and pools.has("dex_id")):
                step.skip(f"{pools.name} lacks the column {'dex_id' if pools.has('address') else 'address'}")
                return
            if PAIR in pools.computed:
                step.skip(f"{pools.name}.{PAIR} is computed by the database")
                return
            refused = [one.name for one in self.journal.entries(JournalKind.REFUSED)]
            values = pairs.fillable(self.connection, self.host, refused=refused) if was_there else []
            if len({one.name for one in values}) < len(values):
                step.skip(f"{pools.name}.id is the same in several rows: what is filled could not be taken back")
                return
            done = pairs.fill(self.connection, self.host, refused=refused)
            self.journal.add(*values)
            self.counts.update(filled=done.filled, unreadable=done.unreadable)
            step.note = f"{done.filled} filled, {done.unreadable} without a readable address left empty"
            if not step.statements:
                step.present()

    def _values(self) -> None:
        """Ids of pools in our tables are the host's, or NULL: before there are keys, and where there can be none."""
        for key in KEYS:
            target = key.target(self.host)
            with self.recorder.step(
                "values", f"{key.table.name}.{key.column}: rows that the host has, or NULL"
            ) as step:
                if key.to_vectors:
                    reason = keys.obstacle(key, self.host)
                    if reason or target is None:
                        step.skip(reason)
                        continue
                    linked, lost = 0, keys.unlink_vectors(self.connection, target)
                elif pairs.is_text(self.host.pools.type_of("id")):
                    linked, lost = keys.link_pools(self.connection, key.table, self.host)
                else:
                    step.skip(f"{self.host.pools.name}.id is not text")
                    continue
                self.counts.update(linked=linked, unlinked=lost)
                step.note = f"{linked} linked, {lost} unknown to the host"
                if not step.statements:
                    step.present()

    def _keys(self) -> None:
        for table in dict.fromkeys(key.table for key in KEYS):
            pending: list[tuple[Key, Relation, Step]] = []
            for key in KEYS:
                if key.table is not table:
                    continue
                with self.recorder.step(
                    "key", f"key {table.name}.{key.column} → {key.target_name(self.host)}.id"
                ) as step:
                    target = self._missing_target(key, step)
                    if target is not None:
                        pending.append((key, target, step))
            self._add_keys(table, pending)

    def _missing_target(self, key: Key, step: Step) -> Relation | None:
        """Where a key should point to that is not there yet; otherwise the step says how it is."""
        target = key.target(self.host)
        reason = keys.obstacle(key, self.host)
        if reason or target is None:
            step.skip(reason)
            return None
        state = keys.state_of(self.connection, key, target)
        if state is KeyState.PRESENT:
            step.present()
        elif state is KeyState.OTHER:
            step.skip("another key is there already, and is left as it is")
        return target if state is KeyState.MISSING else None

    def _add_keys(self, table: Table, pending: list[tuple[Key, Relation, Step]]) -> None:
        if not pending:
            return
        if self.host.engine == "postgresql":
            for key, target, step in pending:
                with self.recorder.within(step):
                    keys.add(self._operations(), key, target)
        else:
            with self.recorder.within(pending[0][2]):
                keys.rebuild(self.connection, table, [(key, target) for key, target, _ in pending])
            for _, _, step in pending[1:]:
                step.note = "made together with the one before"
        with self.recorder.within(pending[-1][2]):
            self.journal.add(*(Attachment(JournalKind.KEY, table.name, key.name) for key, _, _ in pending))

    def _operations(self) -> Operations:
        return Operations(MigrationContext.configure(self.connection))
