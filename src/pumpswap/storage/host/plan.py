"""Plan: the steps of an attach or a detach in order, each in words and in the SQL that it runs.

A plan is not guessed: the steps are run in a transaction, their SQL is written down as the database gets it, and the
transaction is kept or given up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, event

__all__ = ["Plan", "Recorder", "Step", "StepState"]

# In the SQL of SQLite: texts and names, in which a question mark is one, and the marks of values.
_TEXTS_AND_MARKS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\?""")
# What only reads, or leaves nothing behind.
_READS = {"SELECT", "EXPLAIN", "SHOW", "SAVEPOINT", "RELEASE", "BEGIN", "VALUES"}


class StepState(Enum):
    """What became of a step."""

    DONE = "done"
    PRESENT = "present"  # nothing to do
    SKIPPED = "skipped"  # cannot be done here; the step's note says why


@dataclass(slots=True)
class Step:
    """``note`` adds to a step that was done what it counted, to one that was skipped the reason."""

    name: str
    text: str
    state: StepState = StepState.DONE
    note: str = ""
    statements: list[str] = field(default_factory=list)

    def present(self) -> None:
        """There was nothing to do."""
        self.state = StepState.PRESENT

    def skip(self, reason: str) -> None:
        """It cannot be done on this database."""
        self.state, self.note = StepState.SKIPPED, reason


@dataclass(frozen=True, slots=True)
class Plan:
    """``kept``: whether the steps were really done, or only tried. ``counts``: rows by what became of them."""

    host: str
    steps: tuple[Step, ...]
    counts: Mapping[str, int]
    kept: bool

    @property
    def sql(self) -> list[str]:
        """All statements in order."""
        return [statement for step in self.steps for statement in step.statements]

    @property
    def changes_anything(self) -> bool:
        """Whether any step had something to do."""
        return any(step.statements for step in self.steps)


class Recorder:
    """Collects steps, and the statements that a connection runs within each."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.steps: list[Step] = []
        self._open: Step | None = None
        event.listen(connection, "before_cursor_execute", self._note)

    @contextmanager
    def step(self, name: str, text: str) -> Iterator[Step]:
        """A new step; what runs in the block belongs to it."""
        step = Step(name, text)
        self.steps.append(step)
        with self.within(step):
            yield step

    @contextmanager
    def within(self, step: Step) -> Iterator[None]:
        """What runs in the block belongs to a step that was begun before."""
        self._open = step
        try:
            yield
        finally:
            self._open = None

    def _note(
        self,
        connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        executemany: bool,
    ) -> None:
        if self._open is None or _only_reads(statement):
            return
        for values in parameters if executemany else (parameters,):
            self._open.statements.append(_written_out(statement, values, connection.dialect.name))


def _only_reads(statement: str) -> bool:
    words = statement.split(None, 1)
    if words[0].upper() == "PRAGMA":
        return "=" not in statement
    return words[0].upper() in _READS


def _written_out(statement: str, values: Any, engine: str) -> str:
    """The statement with its values in place, as a person could run it."""
    text = statement.strip()
    if engine == "postgresql":
        named = {name: _literal(value, engine) for name, value in values.items()} if values else {}
        return text % named
    in_order = iter(values or ())
    return _TEXTS_AND_MARKS.sub(
        lambda found: _literal(next(in_order), engine) if found[0] == "?" else found[0],
        text,
    )


def _literal(value: Any, engine: str) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper() if engine == "postgresql" else str(int(value))
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'" if engine == "postgresql" else f"X'{value.hex()}'"
    if isinstance(value, (str, datetime)):
        return "'" + str(value).replace("'", "''") + "'"
    return str(value)
