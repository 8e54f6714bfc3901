"""RunLock: one process at a time keeps the books of one kind of run in one database."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from pumpswap.errors import StorageError
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
        path = place / f"{kind}-{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._claim: Claim | None = None
        self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            process = os.pread(self._descriptor, _LONGEST, 0).decode(errors="replace").strip()
            self.release()
            who, how = (f" (pid {process})", f"kill {process}") if process.isdecimal() else ("", "a TERM signal")
            raise StorageError(
                f"another process{who} is running on the {kind} books of {database.location}",
                hint=f"end it in order first, by Ctrl-C at its terminal or `{how}`, or name another --data-dir",
            ) from None
        os.truncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)  # for whoever comes second
        try:
            self._claim = database.claim(f"{kind} run")
        except StorageError:
            self.release()
            raise

    def release(self) -> None:
        """Harmless when done twice."""
        descriptor, self._descriptor = self._descriptor, None
        claim, self._claim = self._claim, None
        if claim is not None:
            claim.release()
        if descriptor is not None:
            os.close(descriptor)
