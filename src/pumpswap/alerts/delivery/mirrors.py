"""Mirrors: every alert, whatever channels make of it, as a line of a file and in the host's table."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from pumpswap.alerts.delivery.alert_file import AlertFile
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import PumpSwapError
from pumpswap.model import Alert, AlertLevel
from pumpswap.storage.database import Database

__all__ = ["Mirrors"]

_MEMORY = "alert mirrors"
_AT_ONCE = 200
_AGAIN_NS = 60 * NS_PER_SECOND  # after a failure

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Mirror:
    """``key`` is the name of its cursor; ``write`` writes some, and says whether there may be more. ``is_silent``: it
    has failed, and that was told.
    """

    key: str
    name: str
    what: str
    write: Callable[[str], bool]
    failed_ns: int | None = None
    is_silent: bool = field(default=False)


class Mirrors:
    """How far each one is, is remembered. One that fails holds up nobody else, and is told of; so is that it works
    again. It misses nothing meanwhile.
    """

    def __init__(self, database: Database, clock: Clock, file: AlertFile | None) -> None:
        self._database, self._clock, self._file = database, clock, file
        self._mirrors: list[_Mirror] = []
        if file is not None:
            # By its path: two engines with files of their own each write every alert.
            name, what = f"file {file.path.resolve()}", f"the file {file.path}"
            self._mirrors.append(_Mirror(name, "alerts.file", what, self._write_file))
        if database.host_alerts.is_there():
            self._mirrors.append(_Mirror("host", "system_alerts", "the host's table system_alerts", self._write_host))

    def __bool__(self) -> bool:
        return bool(self._mirrors)

    def begin(self, before: int | None = None) -> None:
        """Where nothing was mirrored before, with the alert after number ``before``, by default with the next one."""
        memory = self._database.memory
        newest = next(iter(self._database.alerts.newest(1)), None)
        number = 0 if newest is None else newest.number
        with self._database.batch():
            known = memory.load(_MEMORY) or {}
            # Further than the newest: somebody has restored an older database.
            keys = [one.key for one in self._mirrors if int(str(known.get(one.key, number + 1))) > number]
            if keys:
                start = number if before is None else min(before, number)
                memory.save(_MEMORY, known | dict.fromkeys(keys, start), self._clock.now_ns())

    def turn(self) -> None:
        """Write what is new. Raises StorageError when the database takes nothing."""
        for mirror in self._mirrors:
            now_ns = self._clock.now_ns()
            if mirror.failed_ns is not None and 0 <= now_ns - mirror.failed_ns < _AGAIN_NS:
                continue
            try:
                while mirror.write(mirror.key):
                    pass
            except Exception as failed:  # whatever is wrong with one, the others go on
                mirror.failed_ns = now_ns
                self._tell_failure(mirror, failed)
            else:
                mirror.failed_ns = None
                self._tell_recovery(mirror)

    def _tell_failure(self, mirror: _Mirror, failed: Exception) -> None:
        if mirror.is_silent:
            return
        if not isinstance(failed, OSError | PumpSwapError):
            _log.exception("alert-mirror-failed", extra={"mirror": mirror.name})
        reason = failed.what if isinstance(failed, PumpSwapError) else f"{type(failed).__name__}: {failed}"
        if isinstance(failed, OSError):
            reason = failed.strerror or reason
        text = (
            f"alerts are not written to {mirror.what} any more: {reason}. None is lost: it is tried again every "
            "minute, and `pumpswap alerts list` has them all"
        )
        self._database.alerts.add(Alert(self._clock.now_ns(), AlertLevel.ERROR, "delivery", mirror.name, text))
        mirror.is_silent = True

    def _tell_recovery(self, mirror: _Mirror) -> None:
        if mirror.is_silent:
            text = f"alerts are written to {mirror.what} again; none is missing there"
            self._database.alerts.add(Alert(self._clock.now_ns(), AlertLevel.INFO, "delivery", mirror.name, text))
            mirror.is_silent = False

    # ------------------------------------------------------------------------------------------ writing

    def _write_file(self, key: str) -> bool:
        """Outside of any transaction: a slow disk must hold up nobody who writes to the database. What was written and
        not noted, after a crash, is found by the file.
        """
        alerts, file = self._database.alerts, self._file
        if file is None or not alerts.after(self._cursor(key), 1):
            return False  # asked first without a lock
        with file.held():  # by one process at a time; how far it is counts from then on
            new = alerts.after(self._cursor(key), _AT_ONCE)
            if new:
                file.add(new)
                with self._database.batch():
                    self._note(key, new[-1].number)
        return len(new) == _AT_ONCE

    def _write_host(self, key: str) -> bool:
        if not self._database.alerts.after(self._cursor(key), 1):
            return False
        with self._database.batch():  # with its cursor
            new = self._database.alerts.after(self._cursor(key), _AT_ONCE)
            if new:
                self._database.host_alerts.add(new, self._clock.now_ns())
                self._note(key, new[-1].number)
        return len(new) == _AT_ONCE

    def _cursor(self, key: str) -> int:
        return int(str((self._database.memory.load(_MEMORY) or {}).get(key, 0)))

    def _note(self, key: str, number: int) -> None:
        known = self._database.memory.load(_MEMORY) or {}
        self._database.memory.save(_MEMORY, known | {key: number}, self._clock.now_ns())
