"""ProcessLock: a file that one process at a time holds."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pumpswap.errors import StorageError

__all__ = ["ProcessLock"]


class ProcessLock:
    """Held from ``take`` to ``release``; the system releases it when the process ends, however it ends."""

    def __init__(self, path: Path, what: str, hint: str) -> None:
        """``what`` and ``hint`` are told when another process holds it."""
        self.path = path
        self._what, self._hint = what, hint
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises StorageError when another process holds it, OSError when the file cannot be made."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            refused = self._refusal(descriptor)
            os.close(descriptor)
            raise refused from None
        self._descriptor = descriptor
        self._has_taken(descriptor)

    def release(self) -> None:
        """Harmless when nothing is held."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _refusal(self, descriptor: int) -> StorageError:
        """What is told when another process holds it; ``descriptor`` is that of its file."""
        return StorageError(self._what, hint=self._hint)

    def _has_taken(self, descriptor: int) -> None:
        """It is ours now."""
