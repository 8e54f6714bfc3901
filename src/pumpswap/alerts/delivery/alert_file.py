"""AlertFile: a file with a line of JSON for each alert."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pumpswap.clock import iso_utc
from pumpswap.errors import ConfigError
from pumpswap.model import Alert

__all__ = ["AlertFile"]

_TAIL = 65_536


class AlertFile:
    """Its owner's alone. All but the making raise OSError."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError when it cannot be written."""
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append(b"")
        except OSError as error:
            raise ConfigError(
                f"the file for alerts {path} cannot be written: {error.strerror}", hint="alerts.file names another one"
            ) from None

    @contextmanager
    def held(self) -> Iterator[None]:
        """No other process that asks for it writes meanwhile; waits for one that does."""
        descriptor = self._opened()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def add(self, alerts: Sequence[Alert]) -> None:
        """Append them, after what is there; a last line that a crash has cut gets its end first."""
        tail = self._tail()
        lines = [_line_of(alert) for alert in alerts]
        last = tail.rpartition(b"\n")[0].rpartition(b"\n")[2]
        if last in lines:  # written before a crash, and not noted any more
            lines = lines[lines.index(last) + 1 :]
        if lines:
            cut = b"\n" if tail and not tail.endswith(b"\n") else b""
            self._append(cut + b"\n".join(lines) + b"\n")

    def _append(self, content: bytes) -> None:
        with os.fdopen(self._opened(), "ab") as file:
            file.write(content)

    def _opened(self) -> int:
        return os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def _tail(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - _TAIL, 0))
            return file.read()


def _line_of(alert: Alert) -> bytes:
    told = {
        "number": alert.number,
        "at": iso_utc(alert.at_ns, fraction=True),
        "at_ns": str(alert.at_ns),
        "level": alert.level.value,
        "topic": alert.topic,
        "subject": alert.subject,
        "text": alert.text,
    }
    return json.dumps(told).encode()  # ASCII: nothing in it steers a terminal
