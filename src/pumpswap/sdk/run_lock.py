"""RunLock: one process at a time keeps the books of one kind of run in one database."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from pumpswap.errors import StorageError
from pumpswap.sdk.process_lock import ProcessLock
from pumpswap.storage.claim import Claim
from pumpswap.storage.database import Database

__all__ = ["RunLock"]

_LONGEST = 20  # digits of a process


class RunLock:
    """Held from its making to ``release``; the system releases it when the process ends, however it ends.

    A lock file for the processes of this machine, and a claim in the database for those of others, where it has one.
    """

    def __init__(self, database: Database, folder: Path, kind: str) -> None:
        """Raises StorageError when another process keeps these books."""
        # Named by the database: the same one may be reached from several data folders, in which there are other locks.
        name = hashlib.sha256(database.location.encode()).hexdigest()[:16]
        where = Path(database.location)
        place = where.parent if where.is_file() else folder
        self._claim: Claim | None = None
        self._lock = _SignedLock(place / f"{kind}-{name}.lock", f"the {kind} books of {database.location}")
        self._lock.take()
        try:
            self._claim = database.claim(f"{kind} run")
        except StorageError:
            self.release()
            raise

    def release(self) -> None:
        """Harmless when done twice."""
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()
        self._lock.release()


class _SignedLock(ProcessLock):
    """Who holds it writes its process into it, for whoever comes second."""

    def __init__(self, path: Path, books: str) -> None:
        super().__init__(
            path,
            f"another process is running on {books}",
            "end it in order first, by Ctrl-C at its terminal or `a TERM signal`, or name another --data-dir",
        )

    def _refusal(self, descriptor: int) -> StorageError:
        process = os.pread(descriptor, _LONGEST, 0).decode(errors="replace").strip()
        refused = super()._refusal(descriptor)
        if not process.isdecimal():
            return refused
        what = refused.what.replace("another process", f"another process (pid {process})", 1)
        return StorageError(what, hint=refused.hint.replace("a TERM signal", f"kill {process}", 1))

    def _has_taken(self, descriptor: int) -> None:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
