"""LogFile: lines in a file that begins anew when it is full, and that several processes may write to at once."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from pumpswap.errors import ConfigError

__all__ = ["LogFile"]


class LogFile(RotatingFileHandler):
    """Each line is written under a lock, to whatever file has the name at that moment: an engine and a dashboard can
    share one, and none of them writes into a file that the other has just put away. Others cannot read it.
    """

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        """Raises ConfigError where nothing can be written."""
        self._lock_path = path.with_name(path.name + ".lock")
        self._has_complained = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            super().__init__(path, maxBytes=max_bytes, backupCount=keep, encoding="utf-8", errors="backslashreplace")
        except OSError as refused:
            raise ConfigError(
                f"the log {path} cannot be written: {refused.strerror}", hint="name another file in logs.file"
            ) from None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._follow()
                super().emit(record)
            finally:
                os.close(descriptor)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # logging's own name
        """A full disk is told once, and never stops who logs."""
        if not self._has_complained:
            self._has_complained = True
            error = sys.exc_info()[1]
            what = getattr(error, "strerror", None) or type(error).__name__
            with suppress(OSError, ValueError):
                sys.stderr.write(f"the log {self.baseFilename} cannot be written any more: {what}\n")

    def doRollover(self) -> None:  # logging's own name
        """With nothing to keep, the file is emptied."""
        if self.backupCount:
            super().doRollover()
            return
        if self.stream is not None:
            self.stream.close()
        os.truncate(self.baseFilename, 0)
        self.stream = self._open()

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return open(descriptor, "a", encoding=self.encoding, errors=self.errors)

    def _follow(self) -> None:
        """Another process may have put our file away, or somebody has removed it."""
        if self.stream is None:
            return
        ours = os.fstat(self.stream.fileno())
        try:
            named = os.stat(self.baseFilename)
        except FileNotFoundError:
            named = None
        if named is None or (named.st_dev, named.st_ino) != (ours.st_dev, ours.st_ino):
            self.stream.close()
            self.stream = self._open()
