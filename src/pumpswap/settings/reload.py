"""Hot reload: a changed settings file is read again while the engine runs, and what is safe to change then is changed.

It polls, so that it works on every file system and nothing has to be installed. A file that is wrong changes nothing,
nor does one that is gone, empty or unreadable: the defaults are no limits that anybody has chosen for this run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import ConfigError
from pumpswap.settings.keys import all_keys
from pumpswap.settings.loading import LoadedSettings
from pumpswap.settings.nearest import shown_path
from pumpswap.settings.tree import Settings
from pumpswap.settings.yaml_file import read_text

__all__ = ["Change", "Reloaded", "SettingsReload", "is_safe", "safe_keys"]

# What is built once at the start, although its section may change: strategies, screens and the paper venue have it.
_BUILT_ONCE = frozenset(
    {"exits.short_signal_bps", "risk.max_state_age_seconds", "risk.max_signal_age_seconds", "risk.require_screen"}
)
_SAFE_SECTIONS = frozenset({"risk", "exits"})
_SAFE_KEYS = frozenset({"run.approve_seconds"})
_POLL_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Change:
    """One key whose value has changed. Texts, secrets masked."""

    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.key}: {self.before} → {self.after}"


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a changed file has brought. ``settings`` are those that hold now; ``restart`` lists what only a new start
    changes. ``error``: the file is wrong, and everything stays as it was.
    """

    settings: Settings
    applied: tuple[Change, ...] = ()
    restart: tuple[Change, ...] = ()
    error: str = ""


def is_safe(key: str) -> bool:
    """Whether a running engine takes a new value of this key."""
    section = key.partition(".")[0]
    return key in _SAFE_KEYS or (section in _SAFE_SECTIONS and key not in _BUILT_ONCE)


def safe_keys() -> tuple[str, ...]:
    """Every key that a running engine takes anew."""
    return tuple(key for key in all_keys() if is_safe(key))


class SettingsReload:
    """``load`` reads everything again as at the start: file, profile, environment, options. A change counts when the
    file has stayed the same for one look, so that a half-written file is not read.
    """

    def __init__(self, loaded: LoadedSettings, load: Callable[[], LoadedSettings], clock: Clock) -> None:
        self.settings = loaded.settings
        self._file = loaded.file
        self._load = load
        self._clock = clock
        self._next_ns = 0
        self._stamp = _stamp(self._file)
        self._hash = _hash(self._file)
        self._is_settling = False

    def poll(self) -> Reloaded | None:
        """Look at the file, once a second at most. None: nothing is new."""
        now = self._clock.now_ns()
        if self._file is None or now < self._next_ns:
            return None
        self._next_ns = now + _POLL_SECONDS * NS_PER_SECOND
        stamp = _stamp(self._file)
        if stamp != self._stamp:
            self._stamp, self._is_settling = stamp, True
            return None
        if not self._is_settling:
            return None
        self._is_settling = False
        found = _hash(self._file)
        if found == self._hash:
            return None
        self._hash = found
        return self._read_again()

    def _read_again(self) -> Reloaded:
        assert self._file is not None
        try:
            if not read_text(self._file).strip():
                return Reloaded(self.settings, error=f"{shown_path(self._file)} is empty")
            loaded = self._load()
            if loaded.file is None:  # gone since then: these would be the defaults
                return Reloaded(self.settings, error=f"{shown_path(self._file)} does not exist")
            fresh = loaded.settings
        except ConfigError as wrong:
            return Reloaded(self.settings, error=wrong.what)
        changed = _changes(self.settings, fresh)
        applied = tuple(change for change in changed if is_safe(change.key))
        self.settings = _with(self.settings, fresh, [change.key for change in applied])
        restart = tuple(change for change in changed if not is_safe(change.key))
        return Reloaded(self.settings, applied, restart)


def _stamp(file: Path | None) -> tuple[int, int] | None:
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _hash(file: Path | None) -> bytes:
    if file is None:
        return b""
    try:
        return hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        return b""


def _changes(before: Settings, after: Settings) -> list[Change]:
    found: list[Change] = []
    for key in all_keys():
        old, new = value_at(before, key), value_at(after, key)
        if old != new:
            found.append(Change(key, _text(old), _text(new)))
    return found


def value_at(settings: Settings, key: str) -> Any:
    """The value of a dotted key."""
    value: Any = settings
    for name in key.split("."):
        value = getattr(value, name)
    return value


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "(secret)"
    return str(value)


def _with(settings: Settings, fresh: Settings, keys: list[str]) -> Settings:
    sections: dict[str, Any] = {}
    for key in keys:
        section, _, name = key.partition(".")
        new: Mapping[str, Any] = {name: value_at(fresh, key)}
        sections[section] = sections.get(section, getattr(settings, section)).model_copy(update=new)
    return settings.model_copy(update=sections)
