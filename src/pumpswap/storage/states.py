"""States: what a running engine must remember over a restart, one document for each thing, and its heartbeat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Insert, Select, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from pumpswap.model import ExitState, Heartbeat, RiskState, TradingSwitch
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import dump_mapping, load_mapping
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import STATES, StoredRow

__all__ = ["HEARTBEAT", "States"]

T = TypeVar("T")

HEARTBEAT = "heartbeat"
_RISK = "risk"
_SWITCH = "trading"
_EXITS = "exits/"  # and the pool: one round of a pool is open at a time


def _replacing(stored: sqlite.Insert | postgresql.Insert) -> Insert:
    changed = {name: stored.excluded[name] for name in ("document", "updated_ns")}
    return stored.on_conflict_do_update(index_elements=("run_id", "name"), set_=changed)


_SAVE = {
    "sqlite": _replacing(sqlite.insert(STATES)),
    "postgresql": _replacing(postgresql.insert(STATES)),
}


class States:
    """The states of one run; errors as of ``Run``. Inside of ``Run.batch`` they are stored with the rest of it."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def save(self, name: str, document: Mapping[str, object], at_ns: int) -> None:
        """Remember ``document`` under ``name``, instead of what was there. Raises UsageError when it is no JSON."""
        check_integers({"updated_ns": at_ns}, f"the state {name}")
        text = dump_mapping(document, f"the state {name}")
        values = {"run_id": self._run_id, "name": name, "document": text, "updated_ns": at_ns}
        with self._connections.writing(f"the state {name}") as connection:
            connection.execute(_SAVE[connection.dialect.name], values)

    def load(self, name: str) -> dict[str, object] | None:
        """What is remembered under ``name``; None when nothing is."""
        return next(self._rows(STATES.c.name == name, lambda row: load_mapping(row.document)), None)

    def under(self, prefix: str) -> dict[str, dict[str, object]]:
        """What is remembered under names that begin so, by the rest of the name."""
        named = STATES.c.name.startswith(prefix, autoescape=True)
        found = self._rows(named, lambda row: (row.name.removeprefix(prefix), load_mapping(row.document)))
        return dict(found)

    def drop(self, name: str) -> None:
        """Forget ``name``; harmless when nothing is remembered."""
        this = (STATES.c.run_id == self._run_id, STATES.c.name == name)
        with self._connections.writing(f"the state {name}") as connection:
            connection.execute(delete(STATES).where(*this))

    # ------------------------------------------------------------------------------------------ what they are

    def save_risk(self, state: RiskState, at_ns: int) -> None:
        """What risk remembers."""
        self.save(_RISK, _plain(state), at_ns)

    def risk(self) -> RiskState | None:
        """What risk remembered last, with what a person has set since; None for a run that never told either."""
        remembered = self._remembered()
        switch = next(self._rows(STATES.c.name == _SWITCH, lambda row: _read(row, TradingSwitch)), None)
        return remembered if switch is None else (remembered or RiskState()).obeying(switch)

    def set_switch(self, switch: TradingSwitch, at_ns: int) -> None:
        """What a person has set. Nobody else writes it."""
        self.save(_SWITCH, _plain(switch), at_ns)

    def switch(self, *, to_change: bool = False) -> TradingSwitch:
        """What a person has set last. ``to_change``: in a batch that will set it, others wait until that has ended."""
        query = self._query(STATES.c.name == _SWITCH)
        query = query.with_for_update() if to_change else query
        stored = next(iter(self._connections.all_rows(query, lambda row: _read(row, TradingSwitch))), None)
        if stored is not None:
            return stored
        before = self._remembered() or RiskState()  # books of before it had a row of its own
        return TradingSwitch(before.switch, before.trading, before.trading_reason, before.panic, before.resumed)

    def save_exits(self, state: ExitState, at_ns: int) -> None:
        """What the exits of an open round remember."""
        self.save(_EXITS + state.pool, _plain(state), at_ns)

    def drop_exits(self, pool: str) -> None:
        """The round in ``pool`` is closed."""
        self.drop(_EXITS + pool)

    def exits(self) -> tuple[ExitState, ...]:
        """The exits of every open round, by pool."""
        return tuple(self._rows(STATES.c.name.startswith(_EXITS), lambda row: _read(row, ExitState)))

    def exits_of(self, pools: Collection[str]) -> tuple[ExitState, ...]:
        """Those of some pools: as quick as these are few, however many rounds are open."""
        if not pools:
            return ()
        these = STATES.c.name.in_([_EXITS + pool for pool in sorted(pools)])
        return tuple(self._rows(these, lambda row: _read(row, ExitState)))

    def beat(self, heartbeat: Heartbeat) -> None:
        """The engine runs."""
        self.save(HEARTBEAT, _plain(heartbeat), heartbeat.at_ns)

    def heartbeat(self) -> Heartbeat | None:
        """When and how the engine said last that it runs; None when it never did."""
        return next(self._rows(STATES.c.name == HEARTBEAT, lambda row: _read(row, Heartbeat)), None)

    # ------------------------------------------------------------------------------------------ helpers

    def _remembered(self) -> RiskState | None:
        return next(self._rows(STATES.c.name == _RISK, lambda row: _read(row, RiskState)), None)

    def _rows(self, condition: ColumnElement[bool], read: Callable[[StoredRow], T]) -> Iterator[T]:
        return iter(self._connections.all_rows(self._query(condition), read))

    def _query(self, condition: ColumnElement[bool]) -> Select[Any]:
        return select(STATES).where(STATES.c.run_id == self._run_id, condition).order_by(STATES.c.name)


def _plain(state: object) -> dict[str, object]:
    """As JSON takes it; integers as text, as in all documents."""
    plain: dict[str, object] = _texts(msgspec.to_builtins(state))
    return plain


def _texts(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, dict, list, tuple)):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return {key: _texts(inner) for key, inner in value.items()}
    return [_texts(inner) for inner in value]


def _read(row: StoredRow, kind: type[T]) -> T:
    return msgspec.convert(load_mapping(row.document), kind, strict=False)
