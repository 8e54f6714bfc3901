"""One writer, many readers: the transactions of one process on one database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Select
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from pumpswap.errors import StorageError
from pumpswap.storage.engines import write_options
from pumpswap.storage.tables import StoredRow

__all__ = ["Connections", "named_errors"]

T = TypeVar("T")

_ROWS_AT_ONCE = 1_000


class Connections:
    """Hands out the one write transaction, and read transactions as many as are asked for.

    A write transaction belongs to the thread that opened it; another thread waits. Do not await inside one: a second
    task of the same thread would join it.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = threading.RLock()
        self._owner: int | None = None
        self._open: Connection | None = None
        self._spoiled = False

    @contextmanager
    def writing(self, what: str) -> Iterator[Connection]:
        """The open write transaction of this thread, or a new one that is committed at the end of the block.

        Nested blocks join the outermost; when one of them fails nothing of the whole is kept, even if its error is
        caught on the way. Raises StorageError, naming ``what``, when the database refuses.
        """
        with self._lock:
            if self._open is not None:
                batch = self._batch()
                try:
                    with named_errors(what):
                        yield batch
                except BaseException:
                    self._spoiled = True
                    raise
                return
            with (
                named_errors(what),
                self.engine.connect().execution_options(**write_options(self.engine)) as connection,
                connection.begin(),
            ):
                self._open, self._owner, self._spoiled = connection, threading.get_ident(), False
                try:
                    yield connection
                    self._batch()
                finally:
                    self._open = self._owner = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction; inside a batch of this thread the batch itself, so that it sees its own writes."""
        if self._is_writing_here():
            yield self._batch()
        else:
            with named_errors("reading"), self.engine.connect() as connection, connection.begin():
                yield connection

    def rows(self, query: Select[*tuple[Any, ...]], read: Callable[[StoredRow], T]) -> Iterator[T]:
        """The objects of a query, read as they are asked for, all from one moment of the database."""
        if self._is_writing_here():
            # The batch may end before the reader does: take everything now.
            with named_errors("reading"):
                for row in self._batch().execute(query).all():
                    yield _understood(row, read)
            return
        with named_errors("reading"), self.engine.connect() as connection, connection.begin():
            for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query):
                yield _understood(row, read)

    def all_rows(self, query: Select[*tuple[Any, ...]], read: Callable[[StoredRow], T]) -> list[T]:
        """The objects of a query whose answer is small, taken at once: no cursor is kept open on the server."""
        with self.reading() as connection:
            return [_understood(row, read) for row in connection.execute(query)]

    def close(self) -> None:
        """Give all connections back. Open iterators end with an error."""
        self.engine.dispose()

    def _is_writing_here(self) -> bool:
        return self._owner == threading.get_ident()

    def _batch(self) -> Connection:
        """The open write transaction. Raises StorageError when it cannot be kept any more."""
        if self._open is None or self._spoiled:
            raise StorageError(
                "a write of this batch failed before, so nothing of it is kept",
                hint="let the first error end the batch",
            )
        return self._open


@contextmanager
def named_errors(what: str) -> Iterator[None]:
    """Turn what the driver raises into a StorageError that names ``what`` and says what to do."""
    try:
        yield
    except IntegrityError as error:
        raise StorageError(
            f"{what} contradicts the books: {_one_line(error.orig)}",
            hint="it is stored already, or what it belongs to is not",
        ) from error
    except OperationalError as error:
        reason = _one_line(error.orig)
        busy = "locked" in reason or "busy" in reason
        hint = "another process is writing; stop it or wait" if busy else "check the disk, the server and the rights"
        raise StorageError(f"{what} failed: {reason}", hint=hint) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = _one_line(getattr(error, "orig", None) or error)
        raise StorageError(f"{what} failed: {reason}", hint="if the database is damaged, restore a backup") from error


def _one_line(reason: object) -> str:
    """What a driver says: servers write several lines, with tabs."""
    return " ".join(str(reason).split())


def _understood(row: StoredRow, read: Callable[[StoredRow], T]) -> T:
    try:
        return read(row)
    except (AttributeError, KeyError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise StorageError(
            f"a stored row cannot be read: {error!r}", hint="something else than pumpswap has written it"
        ) from error
