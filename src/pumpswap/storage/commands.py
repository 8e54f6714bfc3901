"""Commands: what somebody at another terminal wants of the running engine; stored first, answered in the same row."""

from __future__ import annotations

from sqlalchemy import ColumnElement, insert, select, update

from pumpswap.errors import NotFound, StorageError
from pumpswap.model import Command, CommandStatus, CommandVerb
from pumpswap.storage.connections import Connections
from pumpswap.storage.documents import clean_text, dump_mapping, load_mapping
from pumpswap.storage.rows import check_integers
from pumpswap.storage.tables import COMMANDS, StoredRow

__all__ = ["Commands"]

_WAITING = CommandStatus.WAITING.value


class Commands:
    """The commands of one run, in the order in which they were given; errors as of ``Run``."""

    def __init__(self, connections: Connections, run_id: int) -> None:
        self._connections = connections
        self._run_id = run_id

    def add(self, command: Command) -> int:
        """Store a command and return its number."""
        check_integers({"at_ns": command.at_ns, "done_ns": command.done_ns}, f"the command {command.verb.value}")
        values = {
            "run_id": self._run_id,
            "at_ns": command.at_ns,
            "verb": command.verb.value,
            "origin": clean_text(command.origin),
            "arguments": dump_mapping(dict(command.arguments), "the arguments of the command"),
            "status": command.status.value,
            "answer": clean_text(command.answer),
            "done_ns": command.done_ns,
        }
        with self._connections.writing(f"the command {command.verb.value}") as connection:
            key = connection.execute(insert(COMMANDS).values(values)).inserted_primary_key
        if key is None:
            raise StorageError("the database gave the command no number", hint="this is a bug in its driver")
        return int(key[0])

    def waiting(self) -> tuple[Command, ...]:
        """Those that nobody has taken, oldest first."""
        return self._commands(COMMANDS.c.status == _WAITING)

    def all(self) -> tuple[Command, ...]:
        """Every command, oldest first."""
        return self._commands(COMMANDS.c.run_id == self._run_id)

    def newest(self, most: int) -> tuple[Command, ...]:
        """The newest first."""
        query = select(COMMANDS).where(COMMANDS.c.run_id == self._run_id).order_by(COMMANDS.c.id.desc()).limit(most)
        return tuple(self._connections.all_rows(query, _command_of))

    def get(self, number: int) -> Command:
        """One of them. Raises NotFound."""
        found = self._commands(COMMANDS.c.id == number)
        if not found:
            raise NotFound(f"there is no command {number}", hint="it belongs to another run, or was never given")
        return found[0]

    def finish(self, number: int, status: CommandStatus, answer: str, at_ns: int) -> None:
        """Answer a command, once. Raises StorageError for one that does not wait."""
        if not self.answer(number, status, answer, at_ns):
            raise StorageError(f"command {number} does not wait", hint="it is answered already, or not stored")

    def answer(self, number: int, status: CommandStatus, answer: str, at_ns: int) -> bool:
        """The same; False for one that does not wait."""
        check_integers({"number": number, "done_ns": at_ns}, "the command")
        this = (COMMANDS.c.run_id == self._run_id, COMMANDS.c.id == number, COMMANDS.c.status == _WAITING)
        values = {"status": status.value, "answer": clean_text(answer), "done_ns": at_ns}
        with self._connections.writing(f"command {number}") as connection:
            return connection.execute(update(COMMANDS).where(*this).values(values)).rowcount > 0

    def _commands(self, condition: ColumnElement[bool]) -> tuple[Command, ...]:
        query = select(COMMANDS).where(COMMANDS.c.run_id == self._run_id, condition)
        return tuple(self._connections.all_rows(query.order_by(COMMANDS.c.id), _command_of))


def _command_of(row: StoredRow) -> Command:
    return Command(
        at_ns=row.at_ns,
        verb=CommandVerb(row.verb),
        origin=row.origin,
        arguments={name: str(value) for name, value in load_mapping(row.arguments).items()},
        number=row.id,
        status=CommandStatus(row.status),
        answer=row.answer,
        done_ns=row.done_ns,
    )
