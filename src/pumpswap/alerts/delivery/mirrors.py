"""Mirrors: every alert, whatever channels make of it, as a line of a file and in the host's table."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from pumpswap.clock import Clock, iso_utc
from pumpswap.errors import ConfigError
from pumpswap.model import Alert
from pumpswap.storage.database import Database

__all__ = ["AlertFile", "Mirrors"]

_MEMORY = "alert mirrors"
_AT_ONCE = 200
_TAIL = 65_536


class AlertFile:
    """A line of JSON for each alert, its owner's alone."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError when it cannot be written."""
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append(b"")
        except OSError as error:
            raise ConfigError(
                f"the file for alerts {path} cannot be written: {error.strerror}", hint="alerts.file names another one"
            ) from None

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
        descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(content)

    def _tail(self) -> bytes:
        with self._path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(file.tell() - _TAIL, 0))
            return file.read()


class Mirrors:
    """How far they are is stored with what is written; one process at a time writes."""

    def __init__(self, database: Database, clock: Clock, file: AlertFile | None) -> None:
        self._database, self._clock, self._file = database, clock, file
        self._names = [name for name, is_used in (("file", file), ("host", database.host_alerts.is_there())) if is_used]

    def __bool__(self) -> bool:
        return bool(self._names)

    def begin(self) -> None:
        """With the next alert, where nothing was mirrored before."""
        memory = self._database.memory
        newest = next(iter(self._database.alerts.newest(1)), None)
        number = 0 if newest is None else newest.number
        with self._database.batch():
            known = memory.load(_MEMORY) or {}
            # Further than the newest: somebody has restored an older database.
            told = {name: number for name in self._names if int(str(known.get(name, number + 1))) > number}
            if told:
                memory.save(_MEMORY, known | told, self._clock.now_ns())

    def turn(self) -> None:
        """Write what is new."""
        while self._names and self._write_some():
            pass

    def _write_some(self) -> bool:
        memory, alerts, goes_on = self._database.memory, self._database.alerts, False
        if not any(alerts.after(cursor, 1) for cursor in set(self._cursors().values())):
            return False  # asked first without a lock
        with self._database.batch():
            cursors = self._cursors()
            for name, cursor in cursors.items():
                new = alerts.after(cursor, _AT_ONCE)
                if not new:
                    continue
                if name == "host":
                    self._database.host_alerts.add(new, self._clock.now_ns())
                elif self._file is not None:
                    self._file.add(new)
                cursors[name] = new[-1].number
                goes_on = goes_on or len(new) == _AT_ONCE
            memory.save(_MEMORY, (memory.load(_MEMORY) or {}) | cursors, self._clock.now_ns())
        return goes_on

    def _cursors(self) -> dict[str, int]:
        known = self._database.memory.load(_MEMORY) or {}
        return {name: int(str(known.get(name, 0))) for name in self._names}


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
