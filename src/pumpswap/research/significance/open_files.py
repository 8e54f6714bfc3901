"""What a strategy opens while it trades: files, databases, connections. What it can read there may be the future.

Python tells an audit hook of everything that it opens itself. Libraries that open files on their own (polars, pyarrow,
duckdb) do not; their reading functions are therefore watched by name, which is slower, so only where one is loaded.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pumpswap

__all__ = ["OPENING", "forget_modules", "watched"]

OPENING = {
    "open": 0,
    "sqlite3.connect": 0,
    "socket.connect": 1,
    "subprocess.Popen": 0,
    "os.listdir": 0,
    "os.scandir": 0,
}
_NATIVE = ("polars", "pyarrow", "duckdb", "fastparquet")
_READS = ("read_", "scan_", "from_", "open_", "connect", "dataset", "sql")
_CODE = (".py", ".pyc", ".so", ".pyi", ".pyd")

_PACKAGE = os.path.dirname(os.path.abspath(pumpswap.__file__))
_PLACES = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
# As they are and as links lead to them: code names its files the way it was found.
_LIBRARIES = tuple(dict.fromkeys(one + os.sep for path in _PLACES for one in (path, os.path.realpath(path))))


class _Watch:
    """Notes what is opened with code of the user's on the stack, above the place where the watch began."""

    def __init__(self, start: FrameType, allowed: tuple[Path, ...]) -> None:
        self.found: dict[str, None] = {}
        self._start = start
        self._allowed = tuple(os.path.realpath(one) for one in allowed)
        self._is_users: dict[str, bool] = {}

    def opened(self, event: str, argument: object) -> None:
        """Something is being opened."""
        named, caller = _name_of(argument), sys._getframe(2)
        # Looking for modules is no reading of data, and neither is what libraries have beside their code.
        if named is None or caller.f_code.co_filename.startswith("<frozen importlib") or not self._by_user(caller):
            return
        if event in ("socket.connect", "subprocess.Popen"):
            self.found[f"{'connects to' if event[0:2] == 'so' else 'starts'} {named}"] = None
            return
        path = os.path.realpath(named)
        if path.endswith(_CODE) or path.startswith(("/proc/", "/dev/", *_LIBRARIES, _PACKAGE + os.sep)):
            return
        if not any(path == one or path.startswith(one + os.sep) for one in self._allowed):
            self.found[f"opens {named}"] = None

    def called(self, frame: FrameType, event: str, argument: object) -> None:
        """Some function begins: is it one that reads a file past Python?"""
        if event != "call" or not frame.f_code.co_name.startswith(_READS):
            return
        library = frame.f_globals.get("__name__", "").partition(".")[0]
        if library in _NATIVE and frame.f_code.co_argcount:
            first = frame.f_locals.get(frame.f_code.co_varnames[0])
            if isinstance(first, str | os.PathLike) and self._by_user(frame):
                self.opened("open", first)

    def _by_user(self, frame: FrameType | None) -> bool:
        while frame is not None and frame is not self._start:
            if self._users_file(frame.f_code.co_filename):
                return True
            frame = frame.f_back
        return False

    def _users_file(self, name: str) -> bool:
        known = self._is_users.get(name)
        if known is None:
            known = self._is_users[name] = _is_users(name)
        return known


def _is_users(file: str) -> bool:
    """Whether a code file is neither ours nor of an installed library. Not resolved: a hook that asks for files would
    ask itself.
    """
    return not file.startswith(("<", _PACKAGE + os.sep)) and not any(file.startswith(one) for one in _LIBRARIES)


def forget_modules(known: Set[str]) -> None:
    """Forget modules of the user's that were loaded since ``known`` (names of ``sys.modules``): what they remember of
    one run must not help the next.
    """
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name not in known and isinstance(file, str) and _is_users(file):
            del sys.modules[name]


_watch: _Watch | None = None
_is_hooked = False


@contextmanager
def watched(*allowed: Path) -> Iterator[dict[str, None]]:
    """Within the block, what code outside of pumpswap and of installed libraries opens is noted, in order; what lies in
    ``allowed`` is not. One at a time. Python never forgets an audit hook: after the block it does nothing.
    """
    global _watch, _is_hooked
    if _watch is not None:
        raise RuntimeError("files are being watched already")
    if not _is_hooked:
        sys.addaudithook(_heard)
        _is_hooked = True
    _watch = _Watch(sys._getframe(2), allowed)
    before = sys.getprofile()
    try:
        if before is None and any(name in sys.modules for name in _NATIVE):
            sys.setprofile(_watch.called)
        yield _watch.found
    finally:
        if before is None:
            sys.setprofile(None)
        _watch = None


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if _watch is None:
        return
    if event == "import" and str(arguments[0]).partition(".")[0] in _NATIVE and sys.getprofile() is None:
        sys.setprofile(_watch.called)  # loaded while it trades: from now on its readings are watched
    elif event in OPENING and len(arguments) > OPENING[event]:
        _watch.opened(event, arguments[OPENING[event]])


def _name_of(argument: object) -> str | None:
    """A path or an address as text; None for a descriptor that is open already."""
    if isinstance(argument, bytes):
        return os.fsdecode(argument)
    if isinstance(argument, str | os.PathLike):
        return os.fspath(argument) if not isinstance(argument, str) else argument
    return None if isinstance(argument, int) or argument is None else str(argument)
